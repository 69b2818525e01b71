"""Who is heard where nobody marked the speakers: python -m benchmarks.speakers [AUTHOR ...].

Every author's conversations are left out of training in turn, set without marks (a line for every turn), and cut to
what the customer said. Counted are the agent's turns of which something is kept, the customer's turns that are kept,
and conversations set aside because the words do not tell who speaks. The shipped weights were learned from all.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.masking import CONVERSATIONS, UNSEEN, bare, rows_of
from models import speakers
from models.dialogue import load_dialogues
from pipeline.read.conversations import UnknownSpeakersError, customer_words

RESULT = Path(__file__).parent / "results" / "speakers.json"
LEAST = 5  # letters of a turn that can be told


def main(authors: Sequence[str]) -> dict:
    """Measure the authors, or all of them, write the result beside this script and return it."""
    rows = [*load_dialogues(), *(row for path in CONVERSATIONS if path not in UNSEEN for row in rows_of(path))]
    written = ("mail", "ticket")
    rows = [row for row in rows if row["agent"] and row["customer"] and not row["style"].startswith(written)]
    result = {}
    for name in authors or sorted({row["split"] for row in rows}):
        weights = speakers.train([row for row in rows if row["split"] != name])
        with speakers.fitted(weights):
            result[name] = measure([row for row in rows if row["split"] == name])
        print(name, result[name], flush=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def measure(rows: list[dict]) -> dict[str, int]:
    """Return how many of either side's turns are kept of conversations whose marks are taken away."""
    counted = ("conversations", "set_aside", "agent_turns", "agent_kept", "customer_turns", "customer_kept")
    found = dict.fromkeys(counted, 0)
    for row in rows:
        turns = speakers.ordered_turns(row)
        found["conversations"] += 1
        try:
            kept = bare(customer_words("\n".join(turn.replace("\n", " ") for _, turn in turns)))
        except UnknownSpeakersError:
            found["set_aside"] += 1
            continue
        for agent, turn in turns:
            side = "agent" if agent else "customer"
            longest = max((bare(piece.text) for piece in speakers.split_pieces(turn)), key=len, default="")
            if len(longest) >= LEAST:
                found[f"{side}_turns"] += 1
                found[f"{side}_kept"] += longest in kept
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
