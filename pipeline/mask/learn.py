"""Teach the tagger of personal data from labelled conversations: python -m pipeline.mask.learn [FILE.jsonl ...].

Trains the weights of models/weights/personal.json from models/corpus/dialogue and from further files in the format of
tests/data/README.md. Every conversation is read twice, as the tagger will meet it: with what patterns recognise masked,
and with a random half of its personal strings masked. A fixed seed: the same files give the same weights.
"""

import json
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.chain import Chain, fit_chain
from models.dialogue import load_dialogues
from pipeline.cleanse import normalise_text
from pipeline.mask.evidence import evidence, words_of
from pipeline.mask.patterns import pattern_spans
from pipeline.mask.spans import fold
from pipeline.mask.tagger import MARKS, OTHER, WEIGHTS
from pipeline.read.conversations import as_lines

SEED = 17
Row = dict[str, Any]


class Labelled(NamedTuple):
    """A text, and for each character the type of what is personal there, None elsewhere."""

    text: str
    types: list[str | None]


def train_tagger(rows: Iterable[Row]) -> Chain:
    """Return the chain that conversations teach.

    Parameters
    ----------
    rows : iterable of dict
        In the format of tests/data/README.md: `id`, `text`, `pii`.
    """
    sequences: list[list[list[str]]] = []
    labels: list[list[str]] = []
    for row in rows:
        for version in versions(row):
            words = words_of(version.text)
            sequences.append(evidence(version.text, words))
            labels.append([_label(version.types[word.start : word.end], word.tag) for word in words])
    return fit_chain(sequences, labels)


def versions(row: Row) -> Iterator[Labelled]:
    """Yield a conversation as the tagger meets it: patterns masked, and half of everything masked."""
    whole = labelled(row)
    yield _masked(whole, pattern_spans(whole.text))
    chance = random.Random(f"{SEED} {row['id']}")
    yield _masked(whole, [span for span in _runs(whole) if chance.random() < 0.5])


def labelled(row: Row) -> Labelled:
    """Return a conversation in one width, as it is read, with its types character by character."""
    written, strings = row["text"], sorted(row["pii"], key=lambda entry: entry["start"])
    text = normalise_text(as_lines(written))
    folded, starts, _ = fold(text)
    types: list[str | None] = [None] * len(text)
    position = 0
    for entry in strings:
        letters = re.sub(r"[\s。]", "", normalise_text(entry["text"]))
        found = re.compile(r"[\s。]?".join(map(re.escape, letters))).search(text, position)
        if found:  # a string that stands inside a longer one is labelled with it
            start, position = found.span()
            types[start:position] = [entry["type"]] * (position - start)
    return Labelled(folded, [types[start] for start in starts])


def _runs(whole: Labelled) -> Iterator[tuple[int, int, str]]:
    start = 0
    for i in range(1, len(whole.types) + 1):
        if i == len(whole.types) or whole.types[i] != whole.types[start]:
            if kind := whole.types[start]:
                yield start, i, MARKS[kind]
            start = i


def _masked(whole: Labelled, spans: Iterable[tuple[int, int, str]]) -> Labelled:
    text, types, position = "", list[str | None](), 0
    for start, end, mark in spans:
        text += whole.text[position:start] + mark
        types += whole.types[position:start] + [None] * len(mark)
        position = end
    return Labelled(text + whole.text[position:], types + whole.types[position:])


def _label(types: Sequence[str | None], tag: str) -> str:
    personal = [kind for kind in types if kind]
    return personal[0] if personal and tag not in {"改行", "伏字"} else OTHER


def read_rows(files: Iterable[Path]) -> list[Row]:
    """Return the conversations of the corpus and of further files."""
    more = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [*load_dialogues(), *more]


if __name__ == "__main__":
    began = time.perf_counter()
    rows = read_rows(map(Path, sys.argv[1:]))
    chain = train_tagger(rows)
    chain.to_json(WEIGHTS)
    seconds = time.perf_counter() - began
    print(f"{len(rows)} conversations, {len(chain.emissions)} features with weights, {WEIGHTS.stat().st_size:,} bytes, {seconds:.0f} s")
