"""How much personal data is masked, and how much else: python -m benchmarks.masking [FOLDER] [--misses] [--rules]
[--file PATH].

Gold sets: tests/data/conversations.jsonl, whose halves `dev` and `dev2`, tests/data/conversations_dev3.jsonl and
tests/data/conversations_dev4.jsonl, which were developed on; tests/data/conversations_held_out.jsonl, where it is
there, of which only the totals are looked at; and, given FOLDER, survey/shop.csv with survey/shop.gold.jsonl. With
--file only that file is measured, every line of it as one set, and nothing is written; tests/data/README.md has the
format.

A string is caught when every letter and digit of it, the の of 「3の5」 aside, is under a mark at every place where it
stands (of an address: what follows prefecture and city); `verbatim` counts the laxer way, a string that no longer
stands in the masked text.
`other_masked` is the share of tokens (Sudachi, mode C, marks of punctuation left out) outside personal strings of
which a mask took any part. What is stored went the whole way: an export written to a file, read, masked and cut to the
customer's words, cleansed, names masked on the parse. `recall_as_stored` is over the distinct strings of a
conversation that stand in the customer's turns and counts a string as missed if any four of its letters and digits in a
row are stored (all of a shorter one) more often than they stand outside personal strings. `agent_units` counts
the opinion units that an agent spoke. Quarantined conversations are counted and left out of both.
--misses prints what failed; of the held-out and the fresh set it never does. --rules leaves the learned tagger out.
The tagger learned from every developed-on set: only held_out and fresh are text that it has not seen.
"""

import csv
import itertools
import json
import platform
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import segment
from pipeline.cleanse import cleanse, normalise_text
from pipeline.mask import mask_conversation, mask_messages, mask_patterns, tagger
from pipeline.mask.evidence import words_of
from pipeline.mask.spans import MARK
from pipeline.parse import Parser
from pipeline.read import SourceSpec, read_source
from pipeline.read.conversations import as_lines

HERE = Path(__file__).parent
RESULT = HERE / "results" / "masking.json"
DATA = HERE.parent / "tests" / "data"
HELD_OUT = DATA / "conversations_held_out.jsonl"
FRESH = DATA / "conversations_fresh.jsonl"
UNSEEN = (HELD_OUT, FRESH)
DEVELOPED_ON = ("conversations.jsonl", "conversations_dev3.jsonl", "conversations_dev4.jsonl")
CONVERSATIONS = (*(DATA / name for name in DEVELOPED_ON), *UNSEEN)
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
    """Measure every gold set, write the result beside this script and return it."""
    parser = Parser()
    conversations = [row for path in CONVERSATIONS if path.exists() for row in rows_of(path)]
    result: dict = {}
    for split in sorted({row["split"] for row in conversations}):
        mine = [row for row in conversations if row["split"] == split]
        result[split] = measure_set(mine, parser, misses=misses and split not in {"held_out", "fresh"})
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


def measure_set(rows: list[dict], parser: Parser, *, misses: bool = False) -> dict:
    """Return what is masked of whole conversations, and what is stored of them."""
    cases = [conversation_case(row) for row in rows]
    masked = [first_masked(row) for row in rows]
    return measure(cases, parser, masked, misses=misses) | measure_stored(rows, parser, misses=misses)


def rows_of(path: Path) -> list[dict]:
    """Return the conversations of a file; see tests/data/README.md."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [row | {"split": path.stem.removeprefix("conversations_")} for row in rows] if path in UNSEEN else rows


def first_masked(row: dict) -> str:
    """Return a whole conversation as reading masks it, both sides' words still there."""
    text = normalise_text(as_lines(row["text"]))
    if row["style"] != "ticket":
        return mask_conversation(text)
    pieces = COMMENT.split(text)
    pieces[::2] = mask_messages(pieces[::2])
    return "".join(pieces)


def conversation_case(row: dict) -> Case:
    """Return a gold conversation as a case; the gold marks each occurrence by its start."""
    written = row["text"]
    pii = tuple((p["text"], p["type"], written[: p["start"]].count(p["text"])) for p in row["pii"])
    return Case(row["id"], as_lines(written), pii)


def shop_cases(folder: Path) -> list[Case]:
    """Return the shop's comments; its gold names strings without type, meant wherever they stand."""
    with (folder / "shop.csv").open(encoding="utf-8-sig", newline="") as file:
        comments = {row["response_id"]: row["comment"] or "" for row in csv.DictReader(file)}
    rows = map(json.loads, (folder / "shop.gold.jsonl").read_text(encoding="utf-8").splitlines())
    gold = {row["response_id"]: row["pii"] for row in rows}
    return [Case(id, text, tuple((p, "any", None) for p in gold.get(id, ()))) for id, text in comments.items()]


def measure(
    cases: list[Case], parser: Parser, first: Sequence[str] | None = None, *, misses: bool = False
) -> dict:
    """Return recall, overall and by type, and the share of other tokens masked.

    Parameters
    ----------
    first : sequence of str, optional
        The texts as they come to the parse. Default: masked by pattern.
    """
    normalised = [normalise_text(case.text) for case in cases]
    first = [mask_patterns(text) for text in normalised] if first is None else first
    masked = [a.text for a in segment.annotate(list(first), parser)]
    pairs = zip(cases, masked, strict=True)
    strings = [(normalise_text(string), result) for case, result in pairs for string, *_ in case.pii]
    gone = sum(string not in result for string, result in strings)
    anywhere = all(nth is None for case in cases for *_, nth in case.pii)
    return {
        "texts": len(cases),
        "personal_strings": len(strings),
        "recall_verbatim": round(gone / len(strings), 4) if anywhere else None,
        **compare(cases, masked, misses=misses),
    }


def compare(cases: Sequence[Case], masked: Sequence[str], *, misses: bool = False) -> dict:
    """Return what masked texts hide of the personal strings, and of the other words."""
    total, caught = Counter[str](), Counter[str]()
    n_other = n_lost = 0
    for case, result in zip(cases, masked, strict=True):
        text = normalise_text(case.text)
        alignments = covered_positions(text, result)
        covered = set.intersection(*alignments)
        personal: set[int] = set()
        for string, kind, nth in case.pii:
            spans = list(places(text, string))
            spans = spans if nth is None else spans[nth : nth + 1]
            personal |= {i for span in spans for i in range(*span)}
            total[kind] += 1
            private = {i for span in spans for i in private_part(text, span, kind)}
            missed = min((private - alignment for alignment in alignments), key=len)
            caught[kind] += bool(spans) and not missed
            if misses and (missed or not spans):
                print(f"MISSED {case.id} {kind} {string}\n    {result!r}")
        for word in words_of(text):
            inside = set(range(word.start, word.end))
            if not inside & personal and re.search(r"\w", word.text):
                n_other += 1
                n_lost += bool(inside & covered)
                if misses and inside & covered:
                    print(f"LOST {case.id} {word.text} in {text[max(0, word.start - 12) : word.start + 15]!r}")
    return {
        "recall": round(caught.total() / total.total(), 4),
        "recall_by_type": {kind: f"{caught[kind]}/{total[kind]}" for kind in sorted(total)},
        "other_tokens": n_other,
        "other_masked": round(n_lost / n_other, 5),
    }


def measure_stored(rows: list[dict], parser: Parser, *, misses: bool = False) -> dict:
    """Return the recall in what is stored, the units that an agent spoke, and how much of the customer is heard."""
    texts, n_quarantined = read_as_exports(rows)
    read = [row for row in rows if row["id"] in texts]
    annotations = segment.annotate([texts[row["id"]] for row in read], parser)
    total, caught = Counter[str](), Counter[str]()
    spoken = kept = phrases = 0
    for row, annotation in zip(read, annotations, strict=True):
        for string, kind in customer_strings(row):
            leaks = leaks_of(string, row, annotation.text)
            total[kind] += 1
            caught[kind] += not leaks
            if misses and leaks:
                print(f"STORED {row['id']} {kind} {string}\n    {annotation.text!r}")
        foreign = [unit.text for unit in annotation.units if is_foreign(unit.text, row)]
        spoken += len(foreign)
        heard, lost = heard_phrases(row, annotation.text)
        kept, phrases = kept + heard, phrases + heard + len(lost)
        if misses:
            failed = [("AGENT", text) for text in foreign] + [("UNHEARD", text) for text in lost]
            for what, text in failed:
                print(f"{what} {row['id']} {row['style']} {text!r}")
    return {
        "strings_as_stored": total.total(),
        "recall_as_stored": round(caught.total() / max(1, total.total()), 4),
        "recall_as_stored_by_type": {kind: f"{caught[kind]}/{total[kind]}" for kind in sorted(total)},
        "quarantined": n_quarantined,
        "agent_units": spoken,
        "customer_phrases": phrases,
        "customer_phrases_heard": kept,
    }


def read_as_exports(rows: list[dict]) -> tuple[dict[str, str], int]:
    """Return the cleansed text of every conversation by its id, and how many were quarantined."""
    found: dict[str, str] = {}
    n_quarantined = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("transcript", "email", "zendesk"):
            mine = [row for row in rows if kind_of(row) == kind]
            if not mine:
                continue
            path = Path(folder) / f"{kind}.jsonl"
            cells = [as_ticket(row) if kind == "zendesk" else {"id": row["id"], "text": row["text"]} for row in mine]
            path.write_text("".join(json.dumps(cell, ensure_ascii=False) + "\n" for cell in cells), encoding="utf-8")
            columns = {} if kind == "zendesk" else {"id": "id", "text": "text"}
            reading = read_source(SourceSpec(kind, kind, (str(path),), columns), "Asia/Tokyo")
            n_quarantined += reading.quarantine.height
            clean = cleanse(reading.feedback, customer_key=b"benchmark", timezone="Asia/Tokyo").feedback
            found |= dict(zip(clean["feedback_id"], clean["text"], strict=True))
    return found, n_quarantined


def kind_of(row: dict) -> str:
    """Return the kind of source that a conversation is read from."""
    style = row["style"].split("_")[0]  # mail_gt and mail_outlook are mails, quoted in one way or another
    return {"mail": "email", "ticket": "zendesk"}.get(style, "transcript")


COMMENT = re.compile(r"(^【(?:担当者|依頼者)】\n?)", re.MULTILINE)


def as_ticket(row: dict) -> dict:
    """Return a conversation of style ticket as a Zendesk export has it."""
    pieces = COMMENT.split(row["text"])[1:]
    comments = [
        {"author_id": 1 if "依頼者" in head else 2, "public": True, "plain_body": body.strip("\n")}
        for head, body in zip(pieces[::2], pieces[1::2], strict=True)
    ]
    return {"id": row["id"], "requester_id": 1, "created_at": "2026-11-20T10:00:00Z", "comments": comments}


def customer_strings(row: dict) -> list[tuple[str, str]]:
    """Return the distinct personal strings that stand in the customer's turns."""
    said = normalise_text("\n".join(row["customer"]))
    strings = sorted({(p["text"], p["type"]) for p in row["pii"]})
    return [(string, kind) for string, kind in strings if places(said, string)]


def leaks_of(string: str, row: dict, stored: str) -> bool:
    """Tell whether a part of a personal string is stored that is not also said where it is nobody's."""
    written = row["text"]
    spans = sorted((p["start"], p["start"] + len(p["text"])) for p in row["pii"])
    nobodys, position = "", 0
    for start, end in spans:
        nobodys += written[position:start] + "\n"
        position = max(position, end)
    nobodys = letters(nobodys + written[position:])
    private = letters(string)
    if city := CITY.match(private):
        private = private[city.end() :] or private
    n = min(4, len(private))
    parts = {private[i : i + n] for i in range(len(private) - n + 1)}
    shown = letters(MARK.sub("\n", stored))
    return any(shown.count(part) > nobodys.count(part) for part in parts)


def letters(text: str) -> str:
    """Return a text's letters and digits in one width, line for line."""
    return re.sub(r"[^\w\n]", "", normalise_text(text))


def is_foreign(unit: str, row: dict) -> bool:
    """Tell a unit with a piece that only the agent said."""
    agent = [bare(phrase) for phrase in row["agent"]]
    customer = bare("".join(row["customer"]))
    pieces = [piece for part in MARK.split(unit) if len(piece := bare(part)) > 3]
    return any(any(piece in said for said in agent) and piece not in customer for piece in pieces)


def heard_phrases(row: dict, stored: str) -> tuple[int, list[str]]:
    """Return how many of the customer's phrases are stored, by their longest piece that is nobody's, and the rest."""
    got = letters(stored).replace("\n", "")
    personal = re.compile("|".join(re.escape(p["text"]) for p in row["pii"]) or "(?!)")
    heard, lost = 0, []
    for phrase in row["customer"]:
        pieces = [piece for part in personal.split(phrase) for piece in re.split(r"\W+", normalise_text(part))]
        longest = max(pieces, key=len)
        if len(longest) > 6:
            heard += letters(longest) in got
            lost += [] if letters(longest) in got else [phrase]
    return heard, lost


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


def covered_positions(text: str, masked: str) -> list[set[int]]:
    """Return the positions of the text that marks stand for, from the pieces between the marks.

    Where a piece stands more than once in the text, as 「の」 between two marks, its place is not certain: the first
    places and the last ones are two answers.
    """
    pieces = MARK.split(masked)
    if len(pieces) == 1:
        assert masked == text, "masking changed something beside the marks"
        return [set()]
    return [_gaps(_first_places(text, pieces)), _gaps(_last_places(text, pieces))]


def _first_places(text: str, pieces: list[str]) -> list[tuple[int, int]]:
    found = [(0, len(pieces[0]))]
    for piece in pieces[1:-1]:
        start = text.find(piece, found[-1][1] + 1)
        assert start >= 0, "masking changed something beside the marks"
        found.append((start, start + len(piece)))
    found.append((len(text) - len(pieces[-1]), len(text)))
    assert text.startswith(pieces[0]) and text.endswith(pieces[-1]), "masking changed something beside the marks"
    return found


def _last_places(text: str, pieces: list[str]) -> list[tuple[int, int]]:
    turned = _first_places(text[::-1], [piece[::-1] for piece in reversed(pieces)])
    return [(len(text) - end, len(text) - start) for start, end in reversed(turned)]


def _gaps(found: list[tuple[int, int]]) -> set[int]:
    return {i for (_, end), (start, _) in itertools.pairwise(found) for i in range(end, start)}


def places(text: str, string: str) -> list[tuple[int, int]]:
    """Return where a personal string stands in the normalised text; its spaces may be gone there."""
    letters = re.sub(r"[\s。]", "", normalise_text(string))
    return [m.span() for m in re.finditer(r"[\s。]?".join(map(re.escape, letters)), text)]


def private_part(text: str, span: tuple[int, int], kind: str) -> list[int]:
    """Return the letters and digits that must be masked: all but の, and of an address only what follows the city."""
    start, end = span
    if kind == "address" and (city := CITY.match(text, start, end)):
        start = city.end()
    return [i for i in range(start, end) if text[i].isalnum() and text[i] != "の"]


def bare(text: str) -> str:
    """Return a phrase without spaces and closing marks, to compare what a unit says with what was said."""
    return re.sub(r"\s", "", normalise_text(text)).strip("。、.!?")


def run(arguments: list[str]) -> dict:
    """Run as the command line says."""
    if "--rules" in arguments:
        with tagger.fitted(tagger.NOTHING):
            return run([argument for argument in arguments if argument != "--rules"])
    misses = "--misses" in arguments
    rest = [argument for argument in arguments if argument != "--misses"]
    if "--file" in rest:
        path = Path(rest[rest.index("--file") + 1])
        return measure_set(rows_of(path), Parser(), misses=misses and path.resolve() not in UNSEEN)
    return main(Path(rest[0]) if rest else None, misses=misses)


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), ensure_ascii=False, indent=2))
