"""How much personal data is masked, and how much else: python -m benchmarks.masking [FOLDER] [--misses].

Gold sets: tests/data/conversations.jsonl, whose halves `dev` and `dev2` were both developed on (`dev2` after its totals
had been measured once, unseen: 0.959); tests/data/conversations_held_out.jsonl, written by another hand, of which only
the totals are looked at; and, given FOLDER, survey/shop.csv with survey/shop.gold.jsonl.
A string is caught when every letter and digit of it is under a mark at every place where it stands (of an address:
what follows prefecture and city); `verbatim` counts the laxer way, a string that no longer stands in the masked text.
`other_masked` is the share of tokens (Sudachi, mode C, marks of punctuation left out) outside personal strings of
which a mask took any part. `agent_units` counts the opinion units that an agent spoke, after
`pipeline.read.customer_words` (of an e-mail, `own_words`), and `recall_as_stored` is the recall in what these leave,
conversations being masked before they are cut. --misses prints what failed on dev and dev2.
"""

import csv
import json
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import segment
from pipeline.cleanse import normalise_text
from pipeline.mask import mask_conversation, mask_patterns
from pipeline.mask.spans import MARK
from pipeline.parse import Parser
from pipeline.read import customer_words, own_words

HERE = Path(__file__).parent
RESULT = HERE / "results" / "masking.json"
CONVERSATIONS = HERE.parent / "tests" / "data" / "conversations.jsonl"
HELD_OUT = CONVERSATIONS.with_name("conversations_held_out.jsonl")
CITY = re.compile(
    r"(?:〒?[0-9]{3}-[0-9]{4} ?)?(?:(?:北海道|東京都|(?:大阪|京都)府|[一-龥]{2,3}県) ?)?"
    r"(?:[一-龥ぁ-ん]{1,6}市)?(?:[一-龥]{1,5}区)?"
)
REPEATS = 5


@dataclass(frozen=True)
class Case:
    """One text and its personal strings: (text, type, which occurrence in the text; None for every one)."""

    id: str
    text: str
    pii: tuple[tuple[str, str, int | None], ...]


def main(folder: Path | None, *, misses: bool = False) -> dict:
    """Measure, write the result beside this script and return it."""
    parser = Parser()
    conversations = [row for path in (CONVERSATIONS, HELD_OUT) if path.exists() for row in _rows(path)]
    result: dict = {}
    for split in sorted({row["split"] for row in conversations}):
        mine = [row for row in conversations if row["split"] == split]
        shown = misses and split.startswith("dev")
        cases = [conversation_case(row) for row in mine]
        result[split] = measure(cases, parser, first_mask=mask_conversation, misses=shown)
        result[split] |= measure_agents(mine, parser, misses=shown)
    if folder:
        result["shop"] = measure(shop_cases(folder / "survey"), parser)
    result["speed"] = speed([row["text"] for row in conversations], parser)
    result["conditions"] = {
        "segmenter": segment.VERSION,
        "parser": parser.version,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, one process; other work shared the cores, so that the speeds are low bounds",
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def _rows(path: Path) -> list[dict]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row | {"split": "held_out"} for row in rows] if path == HELD_OUT else rows


def conversation_case(row: dict) -> Case:
    """Return a gold conversation as a case; the gold marks each occurrence by its start."""
    text = row["text"]
    return Case(row["id"], text, tuple((p["text"], p["type"], text[: p["start"]].count(p["text"])) for p in row["pii"]))


def shop_cases(folder: Path) -> list[Case]:
    """Return the shop's comments; its gold names strings without type, meant wherever they stand."""
    with (folder / "shop.csv").open(encoding="utf-8-sig", newline="") as file:
        comments = {row["response_id"]: row["comment"] or "" for row in csv.DictReader(file)}
    rows = map(json.loads, (folder / "shop.gold.jsonl").read_text(encoding="utf-8").splitlines())
    gold = {row["response_id"]: row["pii"] for row in rows}
    return [Case(id, text, tuple((p, "any", None) for p in gold.get(id, ()))) for id, text in comments.items()]


def measure(
    cases: list[Case], parser: Parser, *, first_mask: Callable[[str], str] = mask_patterns, misses: bool = False
) -> dict:
    """Return recall, overall and by type, and the share of other tokens masked."""
    normalised = [normalise_text(case.text) for case in cases]
    masked = [a.text for a in segment.annotate([first_mask(text) for text in normalised], parser)]
    total, caught, gone = Counter[str](), Counter[str](), 0
    n_other = n_lost = 0
    for case, text, result, doc in zip(cases, normalised, masked, parser.pipe(normalised), strict=True):
        covered = covered_positions(text, result)
        personal: set[int] = set()
        for string, kind, nth in case.pii:
            spans = list(places(text, string))
            spans = spans if nth is None else spans[nth : nth + 1]
            personal |= {i for span in spans for i in range(*span)}
            total[kind] += 1
            missed = {i for span in spans for i in private_part(text, span, kind)} - covered
            caught[kind] += bool(spans) and not missed
            gone += normalise_text(string) not in result
            if misses and (missed or not spans):
                print(f"MISSED {case.id} {kind} {string}\n    {result!r}")
        for token in doc:
            inside = set(range(token.idx, token.idx + len(token)))
            if not inside & personal and re.search(r"\w", token.text):
                n_other += 1
                n_lost += bool(inside & covered)
                if misses and inside & covered:
                    print(f"LOST {case.id} {token.text} in {text[max(0, token.idx - 12) : token.idx + 15]!r}")
    n = total.total()
    return {
        "texts": len(cases),
        "personal_strings": n,
        "recall": round(caught.total() / n, 4),
        "recall_verbatim": round(gone / n, 4) if all(nth is None for c in cases for *_, nth in c.pii) else None,
        "recall_by_type": {kind: f"{caught[kind]}/{total[kind]}" for kind in sorted(total)},
        "other_tokens": n_other,
        "other_masked": round(n_lost / n_other, 5),
    }


def measure_agents(rows: list[dict], parser: Parser, *, misses: bool = False) -> dict:
    """Return how many opinion units an agent spoke, and how many of the customer's phrases were lost."""
    texts = [stored_words(row, mask_conversation(row["text"])) for row in rows]
    annotations = segment.annotate([mask_patterns(normalise_text(text)) for text in texts], parser)
    stored = [_stored(*item, misses=misses) for item in zip(rows, annotations, strict=True)]
    spoken = kept = phrases = 0
    for row, annotation in zip(rows, annotations, strict=True):
        agent = [bare(phrase) for phrase in row["agent"]]
        customer = [bare(phrase) for phrase in row["customer"]]
        for unit in annotation.units:
            pieces = [piece for part in MARK.split(unit.text) if len(piece := bare(part)) > 3]
            foreign = [p for p in pieces if any(p in a for a in agent) and not any(p in c for c in customer)]
            spoken += bool(foreign)
            if misses and foreign:
                print(f"AGENT {row['id']} {row['style']} {unit.text!r}")
        got = bare(stored_words(row, row["text"]))
        for phrase in customer:
            longest = max(re.split(r"\W+", phrase), key=len)
            phrases += 1
            kept += longest in got
            if misses and longest not in got:
                print(f"UNHEARD {row['id']} {row['style']} {phrase!r}")
    return {
        "recall_as_stored": round(sum(caught for caught, _ in stored) / sum(n for _, n in stored), 4),
        "agent_units": spoken,
        "customer_phrases": phrases,
        "customer_phrases_heard": kept,
    }


def stored_words(row: dict, text: str) -> str:
    """Return what reading keeps of a conversation or a mail."""
    return own_words(text) if row["style"] == "mail" else customer_words(text)


def _stored(row: dict, annotation: segment.Annotation, *, misses: bool) -> tuple[int, int]:
    """Return how many of a conversation's personal strings are masked, of those that stand in what is kept.

    A string that also stands where it is nobody's, as in a station's name, may stay there as often.
    """
    text = normalise_text(row["text"])
    kept = normalise_text(stored_words(row, row["text"]))
    try:
        covered = covered_positions(kept, annotation.text)
    except AssertionError:  # a filler beside a mark went: count what can still be read
        kept, covered = annotation.text, set()
    read = normalise_text(stored_words(row, row["text"]))
    caught = n = 0
    for string, kind in {(p["text"], p["type"]) for p in row["pii"]}:
        nobodys = len(places(text, string)) - sum(p["text"] == string for p in row["pii"])
        if len(places(read, string)) <= nobodys:
            continue
        n += 1
        open_ = [span for span in places(kept, string) if set(private_part(kept, span, kind)) - covered]
        caught += len(open_) <= nobodys
        if misses and len(open_) > nobodys:
            print(f"STORED {row['id']} {kind} {string}\n    {annotation.text!r}")
    return caught, n


def speed(texts: list[str], parser: Parser) -> dict:
    """Return characters a second: patterns alone; and the one parse with names and units that follows them."""
    normalised = [normalise_text(text) for text in texts]
    size = sum(map(len, normalised))
    start = time.perf_counter()
    for _ in range(REPEATS):
        masked = [mask_patterns(text) for text in normalised]
    patterns = size * REPEATS / (time.perf_counter() - start)
    start = time.perf_counter()
    segment.annotate(masked, parser)
    names = size / (time.perf_counter() - start)
    return {"patterns_characters_per_second": round(patterns), "names_and_units_characters_per_second": round(names)}


def covered_positions(text: str, masked: str) -> set[int]:
    """Return the positions of the text that marks stand for, from the pieces between the marks."""
    pieces = [re.escape(piece) for piece in MARK.split(masked)]
    match = re.fullmatch("(.+?)".join(pieces), text, re.DOTALL)
    assert match, "masking changed something beside the marks"
    return {i for n in range(1, len(pieces)) for i in range(*match.span(n))}


def places(text: str, string: str) -> list[tuple[int, int]]:
    """Return where a personal string stands in the normalised text; its spaces may be gone there."""
    letters = re.sub(r"[\s。]", "", normalise_text(string))
    return [m.span() for m in re.finditer(r"[\s。]?".join(map(re.escape, letters)), text)]


def private_part(text: str, span: tuple[int, int], kind: str) -> list[int]:
    """Return the letters and digits that must be masked: all, but of an address only what follows the city."""
    start, end = span
    if kind == "address" and (city := CITY.match(text, start, end)):
        start = city.end()
    return [i for i in range(start, end) if text[i].isalnum()]


def bare(text: str) -> str:
    """Return a phrase without spaces and closing marks, to compare what a unit says with what was said."""
    return re.sub(r"\s", "", normalise_text(text)).strip("。、.!?")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--misses"]
    measured = main(Path(arguments[0]) if arguments else None, misses="--misses" in sys.argv)
    print(json.dumps(measured, ensure_ascii=False, indent=2))
