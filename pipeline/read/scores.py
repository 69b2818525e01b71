"""Answers on a scale, as people and survey tools write them."""

import re
import unicodedata
from typing import NamedTuple


class Scale(NamedTuple):
    """The lowest and highest answer of a question."""

    low: int
    high: int

    @classmethod
    def parse(cls, written: str) -> "Scale":
        """Return the scale written as "0-10"; ValueError for anything else."""
        match = _SCALE.fullmatch(unicodedata.normalize("NFKC", written))
        if not match or not int(match[1]) < int(match[2]) <= 100:
            raise ValueError(f'a scale is written lowest-highest, e.g. "1-5"; got {written!r}')
        return cls(int(match[1]), int(match[2]))


NPS_SCALE = Scale(0, 10)
# A recommendation question numbered from 1 has the same eleven steps; one of 1–10 only lacks its lowest step.
NPS_SCALES = {NPS_SCALE: 0, Scale(1, 11): -1, Scale(1, 10): 0}


def parse_score(value: str, scale: Scale = NPS_SCALE, name: str = "score") -> int | None:
    """Return the answer, None for an empty cell; ValueError for anything but a whole number on the scale.

    Examples
    --------
    >>> parse_score("１０点"), parse_score("9 - とても勧めたい"), parse_score("4/5", Scale(1, 5))
    (10, 9, 4)
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        return None
    match = _ANSWER.fullmatch(text)
    if not match or not scale.low <= int(match[1]) <= scale.high or match[2] not in {None, str(scale.high)}:
        raise ValueError(f"{name} must be a whole number from {scale.low} to {scale.high}")
    return int(match[1])


def nps_score(value: str, scale: Scale = NPS_SCALE) -> int | None:
    """Return the answer to a recommendation question from 0 to 10, whatever number its lowest step has."""
    answer = parse_score(value, scale)
    return None if answer is None else answer + NPS_SCALES.get(scale, 0)


_SCALE = re.compile(r"\s*(\d{1,3})\s*[-–—~〜]\s*(\d{1,3})\s*")
_ANSWER = re.compile(
    r"(0|[1-9]\d{0,2})(?:\.0+)?\s*(?:点|/\s*(\d{1,3})\s*点?)?(?:\s*[-–—:.．、(（]\s*[^\d\s].*)?", re.DOTALL
)
