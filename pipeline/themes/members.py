"""Which unit belonged to which theme: one night's assignment, kept small.

A unit is known by eight bytes of a hash of its response, place and text, so that the table holds nobody's
words and a unit whose text has changed is another unit. A hundred thousand units take about a megabyte.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
_NOBODY = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Members:
    """The theme of each unit: theme_ids[codes[i]] is the theme of the unit keys[i]; keys are sorted."""

    keys: Keys = field(default_factory=lambda: _NOBODY, compare=False)
    codes: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16), compare=False)
    theme_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, keys: Keys, themes: Sequence[str | None]) -> "Members":
        """Return the assignment of units to themes; units without a theme (None) are left out."""
        ids = tuple(sorted({theme for theme in themes if theme}))
        number = {theme: code for code, theme in enumerate(ids)}
        rows = [row for row, theme in enumerate(themes) if theme]
        found, first = np.unique(keys[rows], return_index=True)
        codes = np.array([number[themes[rows[row]] or ""] for row in first], np.uint16)
        return cls(found, codes, ids)

    def themes_of(self, keys: Keys) -> list[str | None]:
        """Return the theme of each unit; None for a unit that is not known."""
        if not len(self.keys):
            return [None] * len(keys)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[place] == keys
        codes = self.codes[place].tolist()
        return [self.theme_ids[code] if is_known else None for code, is_known in zip(codes, known, strict=True)]

    def without(self, keys: Keys) -> "Members":
        """Return the assignment without some units."""
        kept = ~np.isin(self.keys, keys)
        return Members(self.keys[kept], self.codes[kept], self.theme_ids)

    def to_bytes(self) -> bytes:
        """Return the arrays, little-endian and compressed, after one line of JSON."""
        head = json.dumps({"n": len(self.keys), "themes": self.theme_ids}, ensure_ascii=False)
        body = self.keys.astype("<u8").tobytes() + self.codes.astype("<u2").tobytes()
        return zlib.compress(head.encode() + b"\n" + body, 6)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Members":
        """Return what :meth:`to_bytes` wrote.

        Raises
        ------
        ValueError
            If it is not that.
        """
        try:
            head, _, body = zlib.decompress(data).partition(b"\n")
            told = json.loads(head)
            n, ids = int(told["n"]), tuple(map(str, told["themes"]))
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not a night's assignment: {error}") from None
        if len(body) != 10 * n:
            raise ValueError(f"a night's assignment of {n} units takes {10 * n} bytes; got {len(body)}")
        codes = np.frombuffer(body, "<u2", n, 8 * n).astype(np.uint16)
        if n and codes.max() >= len(ids):
            raise ValueError(f"a night's assignment names theme {codes.max()} of {len(ids)}")
        return cls(np.frombuffer(body, "<u8", n).astype(np.uint64), codes, ids)


NO_MEMBERS = Members()


def unit_keys(units: pl.DataFrame) -> Keys:
    """Return the key of each unit, from source, feedback_id, unit_index and unit_text."""
    columns = units.select("source", "feedback_id", "unit_index", "unit_text").iter_rows()
    digests = [hashlib.blake2b("\x1f".join(map(str, row)).encode(), digest_size=8).digest() for row in columns]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
