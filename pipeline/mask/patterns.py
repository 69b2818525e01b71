"""Mask what a pattern can tell without a parse."""

from collections.abc import Iterator
from itertools import chain

from pipeline.mask.addresses import ADDRESSES
from pipeline.mask.contacts import ONLINE, PHONES
from pipeline.mask.numbers import BIRTH_DATES, CARDS_AND_ACCOUNTS, CODES, LABELLED, SECRETS, is_product_code
from pipeline.mask.pattern import Pattern
from pipeline.mask.spans import MARK, WORD_MARK, fold, with_marks
from pipeline.mask.spelled import SPELLED_NAMES, SUSPECT
from pipeline.mask.words import NO_WORDS, WordList

# Earlier patterns win.
_PATTERNS: tuple[Pattern, ...] = (
    *ONLINE,
    *SECRETS,
    *BIRTH_DATES,
    *CARDS_AND_ACCOUNTS,
    *LABELLED,
    *PHONES,
    *ADDRESSES,
    *CODES,
    *SPELLED_NAMES,
)


def mask_patterns(text: str, words: WordList = NO_WORDS) -> str:
    """Return the text with all personal data that a pattern can recognise replaced by typed marks.

    Full and half width, and every kind of hyphen, are read alike; what is not masked keeps its own characters.

    Parameters
    ----------
    text : str
    words : WordList
        A deployment's own words to mask or to keep.

    Examples
    --------
    >>> mask_patterns("０８０－００００－１２３４に電話ください。0120-000-000は不通")
    '[電話]に電話ください。0120-000-000は不通'
    """
    while words.mask or SUSPECT.search(text):
        folded, starts, ends = fold(text)
        spans = [(starts[start], ends[end - 1], mark) for start, end, mark in pattern_spans(folded, words)]
        if not spans:
            break
        text = with_marks(text, spans)
    return text


def pattern_spans(text: str, words: WordList = NO_WORDS) -> list[tuple[int, int, str]]:
    """Return what patterns recognise in a text of one width, as (start, end, mark), in order."""
    taken = bytearray(len(text))
    for match in MARK.finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match.group())
    found: list[tuple[int, int, str]] = []
    candidates = chain(
        (span for row in _PATTERNS for span in _matches(row, text, words)),
        ((start, end, WORD_MARK) for start, end in words.masked_spans(text)),  # last: 080 is part of a number
    )
    for start, end, mark in candidates:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append((start, end, mark))
    return sorted(found)


def _matches(row: Pattern, text: str, words: WordList) -> Iterator[tuple[int, int, str]]:
    for match in row.regex.finditer(text):
        start, end = match.span("v") if match.groupdict().get("v") else match.span()
        refused = (
            (row.accepts and not row.accepts(text[start:end]))
            or (row.bare and is_product_code(text, start))
            or (row.keepable and words.keeps(text, start, end))
        )
        if not refused:
            yield start, end, row.mark
