"""Labelled comments of ours, whole: each clause where it stands, with what its customer means by it.

corpus/comments/README.md has the format of the files and says what they hold.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from models.corpus import Opinion, load_corpus

CORPUS = Path(__file__).parent / "corpus" / "comments"
_CODE = re.compile(r"(?P<polarity>[+0-])(?P<intent>[rq]?)(?P<doubtful>\*?)")
_POLARITY = {"+": "positive", "0": "neutral", "-": "negative"}
_INTENT = {"+": "praise", "0": "fact", "-": "complaint", "r": "request", "q": "question"}
_EDGE = " 　、。，．,.！!？?…・\n"


class Clause(NamedTuple):
    """A part of a comment, as it stands; ``doubtful`` where its polarity cannot be told without the rest."""

    text: str
    polarity: str
    intent: str
    doubtful: bool


class Comment(NamedTuple):
    """The clauses of a comment in their order; trade is the name of its file."""

    trade: str
    clauses: tuple[Clause, ...]


def load_comments(folder: Path = CORPUS) -> list[Comment]:
    """Return the comments of every *.txt of a folder, by the files' names.

    Raises
    ------
    ValueError
        If a line is no clause with a code; the message names file and line.
    """
    return [
        comment
        for path in sorted(folder.glob("*.txt"))
        for comment in parse_comments(path.read_text(encoding="utf-8"), path.stem)
    ]


def parse_comments(source: str, trade: str = "source") -> Iterator[Comment]:
    """Yield the comments of a source text.

    Raises
    ------
    ValueError
        If a line is no clause with a code.
    """
    clauses: list[Clause] = []
    for number, line in enumerate([*source.split("\n"), ""], start=1):
        if line.strip():
            text, tab, code = line.partition("\t")
            read = _CODE.fullmatch(code.strip())
            if not tab or not text.strip(_EDGE) or read is None:
                raise ValueError(f"{trade} line {number}: expected a clause, a tab and a code such as + 0 - -r -*")
            intent = _INTENT[read["intent"] or read["polarity"]]
            clauses.append(Clause(text, _POLARITY[read["polarity"]], intent, bool(read["doubtful"])))
        elif clauses:
            yield Comment(trade, tuple(clauses))
            clauses = []


def clause_opinions(comments: Iterable[Comment]) -> list[Opinion]:
    """Return the clauses that can be read alone, each distinct text once; one with two labels is in none."""
    found: dict[str, Opinion] = {}
    unsure = set()
    for comment in comments:
        for clause in comment.clauses:
            text = clause.text.strip(_EDGE)
            opinion = Opinion(text, "", clause.polarity, clause.intent, f"comments.{comment.trade}")
            if clause.doubtful or found.setdefault(text, opinion).polarity != clause.polarity:
                unsure.add(text)
    return [opinion for text, opinion in found.items() if text not in unsure]


def labelled_opinions() -> list[Opinion]:
    """Return every opinion that polarity and intent are learned from: the corpus' lines, then clauses of comments."""
    lines = load_corpus()
    known = {opinion.text for opinion in lines}
    return [*lines, *(opinion for opinion in clause_opinions(load_comments()) if opinion.text not in known)]
