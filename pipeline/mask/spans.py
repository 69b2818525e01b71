"""Places in a text: marks that stand for what was masked, and one width for reading without changing the text."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

NAME_MARK = "[氏名]"
WORD_MARK = "[伏字]"
MARK = re.compile(
    r"\[(?:電話|メール|URL|郵便番号|住所|カード番号|口座番号|番号|暗証番号|車両番号|生年月日|アカウント|氏名|伏字)\]"
)
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−－─━﹣⁃", "-"))
_LONG_MARK_IN_NUMBER = re.compile(r"(?<=\d)[ーｰ一](?=\d)")
_CLUSTER = re.compile(r".[\u3099\u309a\uff9e\uff9f]?", re.DOTALL)


def replace_spans(
    text: str, spans: Iterable[tuple[int, int]], mark: str = NAME_MARK
) -> tuple[str, list[int]]:
    """Return the text with the spans replaced by a mark, and where every old position went.

    Parameters
    ----------
    text : str
    spans : iterable of (start, end)
        Characters, not overlapping, in any order.
    mark : str

    Returns
    -------
    (str, list of int)
        The new text; for each old position 0…len(text) its new one. A position inside a span goes to its mark's
        start, so that neighbouring slices stay neighbours.
    """
    parts: list[str] = []
    moved: list[int] = []
    size = position = 0
    for start, end in sorted(spans):
        parts += [text[position:start], mark]
        moved += range(size, size + start - position)
        moved += [size + start - position] * (end - start)
        size += start - position + len(mark)
        position = end
    parts.append(text[position:])
    moved += range(size, size + len(text) - position + 1)
    return "".join(parts), moved


def with_marks(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with each span (start, end, mark), given in order, replaced by its mark."""
    parts: list[str] = []
    position = 0
    for start, end, mark in spans:
        parts += [text[position:start], mark]
        position = end
    return "".join([*parts, text[position:]])


def fold(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """Return the text in one width with ASCII hyphens, and each character's start and end in the original."""
    text = _LONG_MARK_IN_NUMBER.sub("-", text.translate(_HYPHENS))
    if unicodedata.is_normalized("NFKC", text):
        return text, range(len(text)), range(1, len(text) + 1)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(text):
        part = unicodedata.normalize("NFKC", match.group())
        parts.append(part)
        starts += [match.start()] * len(part)
        ends += [match.end()] * len(part)
    return "".join(parts), starts, ends
