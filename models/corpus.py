"""Our labelled corpus of Japanese customer opinions; its data card is corpus/README.md."""

import csv
import importlib.resources
from dataclasses import dataclass
from pathlib import Path

POLARITY_CODES = {"neg": "negative", "neu": "neutral", "pos": "positive"}


@dataclass(frozen=True)
class Opinion:
    """One labelled opinion unit; domain is the name of its file."""

    text: str
    theme: str
    polarity: str
    intent: str
    domain: str


def load_corpus(folder: Path | None = None) -> list[Opinion]:
    """Return every opinion of the corpus, each distinct text once, in the order of the files' names.

    Raises
    ------
    ValueError
        If a line has an unknown polarity; the message names file and line.
    """
    if folder is None:
        with importlib.resources.as_file(importlib.resources.files("models") / "corpus") as shipped:
            return load_corpus(shipped)
    opinions: dict[str, Opinion] = {}
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
                if row["polarity"] not in POLARITY_CODES:
                    raise ValueError(f"{path.name} line {number}: polarity must be neg, neu or pos")
                polarity = POLARITY_CODES[row["polarity"]]
                opinion = Opinion(row["text"], row["theme"], polarity, row["intent"], path.stem)
                opinions.setdefault(opinion.text, opinion)
    return list(opinions.values())
