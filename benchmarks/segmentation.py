"""How many written opinions are found as units of their own: python benchmarks/segmentation.py FOLDER.

FOLDER holds the evaluation data: survey/shop.csv (comments) and survey/shop.gold.jsonl (their opinion units).
A gold unit is found when the one unit that overlaps it most covers half of its characters; `found_distinct`
counts it only if that unit does not also serve another gold unit better. Units are those of a night: cut by grammar,
then where the sentiment model reads a turn; the speed is that of the grammar. Nothing was tuned on these files.
"""

import csv
import json
import platform
import sys
import time
from difflib import SequenceMatcher
from pathlib import Path

from models.sentiment import SentimentClassifier
from pipeline import segment
from pipeline.cleanse import mask_patterns, normalise_text
from pipeline.parse import Parser
from pipeline.segment import Annotation, annotate
from pipeline.turns import cut_at_turns

RESULT = Path(__file__).parent / "results" / "segmentation.json"
REPEATS = 8  # copies of the comments parsed for the speed, so that loading and warming up do not count


def main(folder: Path) -> dict:
    """Measure, write the result beside this script and return it."""
    comments, gold = gold_rows(folder / "survey")
    texts = [mask_patterns(normalise_text(comment)) for comment in comments]
    parser = Parser()
    classifier = SentimentClassifier.from_pretrained()
    annotations = cut_at_turns(annotate(texts, parser), classifier.predict_proba)
    start = time.perf_counter()
    annotate(texts * REPEATS, parser)
    seconds = time.perf_counter() - start
    result = score(annotations, gold) | {
        "texts_per_second": round(len(texts) * REPEATS / seconds, 1),
        "characters_per_text": round(sum(map(len, texts)) / len(texts), 1),
        "conditions": {
            "data": "survey/shop.csv, shop.gold.jsonl",
            "segmenter": segment.VERSION,
            "sentiment": classifier.model_id,
            "parser": parser.version,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, one process, other work may share the cores",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def gold_rows(folder: Path) -> tuple[list[str], list[list[dict[str, str]]]]:
    """Return the comments that have a gold line, and their gold units (text, theme, polarity)."""
    with (folder / "shop.csv").open(encoding="utf-8-sig", newline="") as file:
        comments = {row["response_id"]: row["comment"] or "" for row in csv.DictReader(file)}
    lines = (folder / "shop.gold.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["response_id"] in comments]
    return [comments[row["response_id"]] for row in rows], [row["units"] for row in rows]


def score(annotations: list[Annotation], gold: list[list[dict[str, str]]]) -> dict:
    """Return how many gold units are found, how many units are made, and how no-opinion comments fare."""
    n_gold = n_units = found = distinct = n_empty = recognised = lost = 0
    for annotation, expected in zip(annotations, gold, strict=True):
        if not expected:
            n_empty += 1
            recognised += not annotation.units
            continue
        lost += not annotation.units
        n_gold, n_units = n_gold + len(expected), n_units + len(annotation.units)
        best = [best_unit(annotation, span) for span in locate(annotation.text, [unit["text"] for unit in expected])]
        found += sum(covered >= 0.5 for _, covered in best)
        distinct += len({unit for unit, covered in best if covered >= 0.5})
    return {
        "n_comments": len(gold),
        "gold_units": n_gold,
        "found": round(found / n_gold, 4),
        "found_distinct": round(distinct / n_gold, 4),
        "units_per_gold_unit": round(n_units / n_gold, 4),
        "no_opinion_comments": n_empty,
        "no_opinion_recognised": recognised,
        "opinions_taken_for_none": lost,
    }


def locate(text: str, expected: list[str]) -> list[set[int]]:
    """Return the character positions of each gold unit in the text, by longest common blocks where not verbatim."""
    spans, position = [], 0
    for unit in map(normalise_text, expected):
        at = text.find(unit, position)
        at = text.find(unit) if at < 0 else at
        if at >= 0:
            spans.append(set(range(at, at + len(unit))))
            position = at + len(unit)
            continue
        blocks = SequenceMatcher(None, text, unit, autojunk=False).get_matching_blocks()
        spans.append({i for block in blocks for i in range(block.a, block.a + block.size)})
    return spans


def best_unit(annotation: Annotation, span: set[int]) -> tuple[int, float]:
    """Return the unit that covers most of a gold unit's characters, and how much of them."""
    shares = [len(span & set(range(unit.start, unit.end))) / max(1, len(span)) for unit in annotation.units]
    best = max(range(len(shares)), key=shares.__getitem__, default=-1)
    return best, shares[best] if shares else 0.0


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1])), ensure_ascii=False, indent=2))
