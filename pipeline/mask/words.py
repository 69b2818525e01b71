"""A deployment's own lists: words that are always masked, and words that are no names."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class WordList:
    """Words to mask wherever they stand, and words to keep.

    Full and half width and large and small letters are alike. A word of Latin letters or digits is met only where
    it is not part of a longer one. A kept word protects names, accounts and codes that are that word or stand
    inside it; it never hides a telephone number, an address, a card or any other pattern.

    Attributes
    ----------
    mask, keep : tuple of str
        Words of at least two characters. What is in both is masked.
    """

    mask: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        short = [word for word in (*self.mask, *self.keep) if len(_one_spelling(word)) < 2]
        if short:
            raise ValueError(f"a word must have at least two characters; got {short[0]!r}")

    @property
    def digest(self) -> str:
        """Return eight hex digits that change with the lists, empty for empty lists."""
        if not self.mask and not self.keep:
            return ""
        lists = [sorted({_one_spelling(word) for word in words}) for words in (self.mask, self.keep)]
        return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:8]

    def masked_spans(self, folded: str) -> list[tuple[int, int]]:
        """Return where words to mask stand in a text of one width (see `spans.fold`)."""
        return [match.span() for match in self._mask.finditer(folded)] if self._mask else []

    def keeps(self, folded: str, start: int, end: int) -> bool:
        """Tell whether the span is, or stands inside, a word to keep."""
        if not self._keep:
            return False
        near = max(0, start - self._reach)
        return any(
            match.start() <= start and end <= match.end()
            for match in self._keep.finditer(folded, near, min(len(folded), end + self._reach))
        )

    @cached_property
    def _mask(self) -> re.Pattern[str] | None:
        return _pattern(self.mask)

    @cached_property
    def _keep(self) -> re.Pattern[str] | None:
        return _pattern(self.keep)

    @cached_property
    def _reach(self) -> int:
        return max(len(_one_spelling(word)) for word in self.keep)


NO_WORDS = WordList()


def _one_spelling(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip()


def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    if not words:
        return None
    longest_first = sorted({_one_spelling(word) for word in words}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(_bounded, longest_first)), re.IGNORECASE)


def _bounded(word: str) -> str:
    before = "(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = "(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + re.escape(word) + after
