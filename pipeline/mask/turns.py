"""A conversation in turns and sentences, whoever speaks: what a question and its answer are looked for in."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from pipeline.mask.spans import MARK

_STAMP = r"[\[(]?(?:[0-9]{4}[-/年][0-9]{1,2}[-/月][0-9]{1,2}日? ?)?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?[\])]?[ \t]*"
_CLOCK = r"[ \t]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_LABEL = re.compile(
    rf"[>\s]*(?P<headed>[^。、?!「」\n]{{1,20}}{_CLOCK}\s*$)"
    rf"|[>\s]*(?:{_STAMP})?(?:(?!{MARK.pattern})"
    r"(?:(?P<weak>(?:CU|OP|IN|OUT|AG|CS)(?= +[^ ]))|(?P<boxed>[【<\[〈《][^】>\]〉》\n]{1,16}[】>\]〉》])[ \t]*:?|(?P<plain>[^\s:「」、。?!\n]{1,16})[ \t]*(?::|\t|(?=「[^\n]*」\s*(?:\n|$)))))?[ \t「]*"
)


BREAK = "\ue000"  # ends a message of a thread; no text needs it
_SENTENCE = re.compile(rf"[^。?!\n{BREAK}]+[。?!」]*")


class Turn(NamedTuple):
    """Where one side's words stand, without their label; `speaker` is the label, "" where none is known."""

    start: int
    end: int
    speaker: str


def turns(text: str) -> list[Turn]:
    """Return the turns of a text of one width, a line each; of one without any label, a sentence each.

    A line without a label is the last speaker's. A label alone on its line names the speaker of what follows. In a
    thread of messages the speaker is the message's number.
    """
    lines = list(_lines(text))
    if BREAK in text:
        numbers = accumulate((text[line.end - 1 : line.end] == BREAK for line in lines), initial=0)
        return [Turn(line.start, line.end, str(n)) for line, n in zip(lines, numbers, strict=False) if line.end > line.start]
    if any(line.speaker for line in lines):
        return [line for line in lines if line.end > line.start]
    return [Turn(start, end, "") for line in lines for start, end in sentences(text, line)]


def sentences(text: str, turn: Turn) -> list[tuple[int, int]]:
    """Return where the sentences of a turn stand."""
    return [match.span() for match in _SENTENCE.finditer(text, turn.start, turn.end)]


def _lines(text: str) -> Iterator[Turn]:
    position, speaker = 0, ""
    for line in text.split("\n"):
        match = _LABEL.match(line)
        assert match  # every part of it is optional
        headed = re.sub(r"\s*[0-9:]+\s*$", "", match["headed"] or "")
        speaker = headed or match["weak"] or match["boxed"] or match["plain"] or speaker
        yield Turn(position + match.end(), position + len(line), speaker)
        position += len(line) + 1
