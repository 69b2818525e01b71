"""One pass of GiNZA over Sudachi per text: tokens, dependencies and names for every later step."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import spacy
from spacy.tokens import Doc

MAX_BYTES = 40_000  # Sudachi refuses a text over 49,149 bytes
_UNUSED = ("compound_splitter",)


class Parser:
    """The Japanese parser; loading takes some seconds, so make one and keep it.

    Parameters
    ----------
    user_dictionary : Path, optional
        A compiled Sudachi user dictionary.
    """

    def __init__(self, user_dictionary: Path | None = None) -> None:
        self._nlp = spacy.load("ja_ginza", exclude=list(_UNUSED))
        self.user_dictionary = user_dictionary
        if user_dictionary is not None:
            self._nlp.tokenizer.tokenizer = _sudachi_with(user_dictionary)

    @property
    def version(self) -> str:
        """Name the versions of GiNZA, SudachiPy and the dictionary, and the user dictionary's size and name."""
        parts = [f"{name} {version(name)}" for name in ("ja-ginza", "SudachiPy", "SudachiDict-core")]
        if self.user_dictionary is not None:
            parts.append(f"{self.user_dictionary.name} {self.user_dictionary.stat().st_size}")
        return ", ".join(parts)

    def pipe(self, texts: Iterable[str], *, batch_size: int = 64) -> Iterator[Doc]:
        """Yield one Doc per text; a long text is parsed in pieces and joined, its offsets stay right."""
        for text in texts:
            pieces = split_long(text)
            docs = list(self._nlp.pipe(pieces, batch_size=batch_size))
            yield docs[0] if len(docs) == 1 else Doc.from_docs(docs, ensure_whitespace=False, exclude=["user_data"])


def split_long(text: str, max_bytes: int = MAX_BYTES) -> list[str]:
    """Return pieces of at most so many bytes that join to the text, cut after sentence ends where possible."""
    if len(text.encode("utf-8", "replace")) <= max_bytes:
        return [text]
    size = max_bytes // 4  # no character takes more than 4 bytes
    pieces, start = [], 0
    while start < len(text):
        end = min(len(text), start + size)
        ends = list(re.finditer(r"[。！？!?\n]", text[start:end]))
        if end < len(text) and ends:
            end = start + ends[-1].end()
        pieces.append(text[start:end])
        start = end
    return pieces


def _sudachi_with(user_dictionary: Path):  # type: ignore[no-untyped-def]
    from sudachipy import config, dictionary, tokenizer

    settings = config.Config(system="core", user=[str(user_dictionary)])
    return dictionary.Dictionary(config=settings).create(mode=tokenizer.Tokenizer.SplitMode.C)
