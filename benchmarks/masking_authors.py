"""What the tagger adds on an author it did not learn from: python -m benchmarks.masking_authors [AUTHOR ...].

Every author of labelled conversations is left out in turn (tests/data/conversations*.jsonl and the folders of
models/corpus/dialogue, the held-out set never), the tagger learns from the others, and the author's conversations are
masked as they are read, both sides' words still there: by rules alone, and with the tagger at each of several
thresholds. Counted as in benchmarks.masking, on the tokenizer's words and without the search for names on the parse,
so that recall is lower than there. The rules were developed on dev to dev4 and on no author of the corpus.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.masking import CONVERSATIONS, UNSEEN, compare, conversation_case, first_masked, rows_of
from models.chain import Chain
from models.dialogue import load_dialogues
from pipeline.mask import tagger
from pipeline.mask.learn import train_tagger

RESULT = Path(__file__).parent / "results" / "masking_authors.json"
RULES_ALONE = (2.0, 2.0)  # no probability is so high
THRESHOLDS = (RULES_ALONE, (0.95, 0.5), (0.85, 0.4), (0.7, 0.3))


def main(authors: Sequence[str]) -> dict:
    """Measure the authors, or every one of the corpus, write the result beside the others' and return it."""
    rows = [*load_dialogues(), *(row for path in CONVERSATIONS if path not in UNSEEN for row in rows_of(path))]
    names = authors or sorted({row["split"] for row in load_dialogues()})
    result: dict = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    for name in names:
        chain = train_tagger([row for row in rows if row["split"] != name])
        result[name] = measure_author([row for row in rows if row["split"] == name], chain)
        print(name, json.dumps(result[name], ensure_ascii=False), flush=True)
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def measure_author(rows: list[dict], chain: Chain) -> dict:
    """Return recall and the share of other words masked, at each threshold."""
    found: dict = {"conversations": len(rows), "personal_strings": sum(len(row["pii"]) for row in rows)}
    for sure, also in THRESHOLDS:
        with tagger.fitted(chain, sure, also):
            masked = [first_masked(row) for row in rows]
        name = "rules" if (sure, also) == RULES_ALONE else f"{sure}/{also}"
        found[name] = compare([conversation_case(row) for row in rows], masked)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
