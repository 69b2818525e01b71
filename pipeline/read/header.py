"""Which row names the columns, and where each configured column is.

The configured names find the header: lines above it are a preamble, and the rows of question texts and import
ids that Qualtrics puts below it belong to it.
"""

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from pipeline.mask import mask_patterns
from pipeline.read.contract import InputError, SourceSpec

LOOKED_AT = 60  # rows
Pick = Callable[[Sequence[str]], tuple[str, ...]]


class Header(NamedTuple):
    """The names of a table's columns, and how many of its first rows are none of its data."""

    names: list[str]
    n_rows: int


def find_header(rows: Sequence[Sequence[str]], source: SourceSpec) -> Header:
    """Return the first of a table's rows that has every configured column, else the one that has most."""
    wanted = {_named(name) for name in source.wanted}
    found = [len(wanted.intersection(map(_named, row))) for row in rows]
    filled = next((at for at, row in enumerate(rows) if any(map(_named, row))), 0)
    at = found.index(max(found)) if any(found) else filled
    if not rows:
        return Header([], 0)
    below = next((k + 1 for k in (1, 2) if at + k < len(rows) and _is_import_ids(rows[at + k])), 1)
    return Header([_named(name) for name in rows[at]], at + below)


def n_found(header: Header, source: SourceSpec) -> int:
    """Return how many of the configured columns a header has."""
    return sum(_named(name) in header.names or _position(name, header.names) is not None for name in source.wanted)


def picker(names: Sequence[str], source: SourceSpec, file: str) -> Pick:
    """Return a function from a row's cells to those of `source.wanted`, and the row's content id where it has none.

    A name that stands twice is told apart as 「comment (2)」, a column without a name is 「column 3」.

    Raises
    ------
    InputError
        If a column is missing, or its name stands more than once.
    """
    at = [_checked_position(wanted, names, file) for wanted in source.wanted]
    if "id" not in source.columns:
        return lambda cells: (*[cells[i] for i in at], content_id(zip(names, cells, strict=False)))
    return itemgetter(*at) if len(at) > 1 else lambda cells: (cells[at[0]],)


def content_id(cells: Iterable[tuple[str, str]]) -> str:
    """Return a row's id where the source gives none: a hash of what it holds, whatever the order of the columns."""
    canonical = json.dumps(sorted(cells), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:16]


def no_such_column(wanted: str, names: Sequence[str], file: str) -> InputError:
    """Return the error for a missing column, with the nearest name or all names."""
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the file has: {_safe_list(names)}"
    return InputError(f"{file}: column {wanted!r} not found; {hint}")


def _checked_position(wanted: str, names: Sequence[str], file: str) -> int:
    n = list(names).count(_named(wanted))
    if n > 1:
        raise InputError(
            f"{file}: column {wanted!r} stands {n} times in the header; rename one, "
            f"or say which: '{wanted} (1)' to '{wanted} ({n})'"
        )
    at = _position(wanted, names)
    if at is None:
        raise no_such_column(wanted, names, file)
    return at


def _position(wanted: str, names: Sequence[str]) -> int | None:
    wanted = _named(wanted)
    if wanted in names:
        return list(names).index(wanted)
    seen: Counter[str] = Counter()
    for at, name in enumerate(names):
        seen[name] += 1
        if wanted == (f"{name} ({seen[name]})" if name else f"column {at + 1}"):
            return at
    return None


def _named(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _is_import_ids(row: Sequence[str]) -> bool:
    return any(cell.lstrip().startswith('{"ImportId"') for cell in row)


def _safe_list(header: Sequence[str]) -> str:
    """Name the columns; a file without a header would show a response here, so long cells stay out."""
    names = [column for column in header[:20] if 0 < len(column) <= 20 and mask_patterns(column) == column]
    return ", ".join(names) if len(names) == len(header[:20]) else f"{len(header)} columns; is the header row missing?"
