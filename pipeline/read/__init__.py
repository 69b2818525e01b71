"""From export files to feedback; a row that cannot be used goes to quarantine with its place and reason.

Row numbers are a spreadsheet's: the file's first line is row 1, a row whose cell holds line breaks is one row.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.mask import NO_WORDS, WordList
from pipeline.read.archives import Member
from pipeline.read.contract import FEEDBACK_SCHEMA, NO_ROWS, QUARANTINE_SCHEMA, InputError, RawRow, Reading, SourceSpec
from pipeline.read.conversations import customer_words
from pipeline.read.dates import parse_moment
from pipeline.read.delimited import delimited_rows
from pipeline.read.files import members
from pipeline.read.json_rows import json_rows
from pipeline.read.mail import own_words
from pipeline.read.query import query_rows
from pipeline.read.rows import CONTENT_ID, SEGMENT, batches, feedback_of, masked_quarantine
from pipeline.read.scores import NPS_SCALES, Scale, parse_score
from pipeline.read.sheets import parquet_rows, workbook_rows
from pipeline.read.single import SINGLE_ROLES, is_single, single_row
from pipeline.read.tickets import ticket_roles, ticket_rows

__all__ = [
    "FEEDBACK_SCHEMA",
    "NO_ROWS",
    "NPS_SCALES",
    "QUARANTINE_SCHEMA",
    "InputError",
    "Reading",
    "Scale",
    "SourceSpec",
    "customer_words",
    "own_words",
    "parse_moment",
    "parse_score",
    "read_source",
]


def read_source(
    source: SourceSpec, timezone: str, night: date | None = None, *, words: WordList = NO_WORDS
) -> Reading:
    """Return the rows of every file of a source.

    A score is 0–10, also as １０, 「10点」 or 「9 - とても勧めたい」; an empty one is kept as no score, any other text
    sends the row to quarantine, as do a date that cannot be read, a missing id, a wrong number of cells, an
    enormous cell and bytes that are not text. Dates without a zone are in ``timezone``; one without a year is
    the last such date up to ``night``. Without an id column the id is a hash of the row's content. Conversations
    and threads come masked by pattern and dialogue, with a deployment's own ``words``, since what the agent asked is
    cut away; a conversation in which nothing tells who speaks goes to quarantine.

    Raises
    ------
    InputError
        If a file is missing, empty or unreadable, lacks a configured column, or no row can be used.
    """
    zone = ZoneInfo(timezone)
    good: list[pl.DataFrame] = []
    bad: list[pl.DataFrame] = []
    names: list[str] = []
    with closing(_tables(source, words)) as tables:
        for file, keys, rows in tables:
            names.append(file)
            for batch in batches(rows):
                feedback, quarantine = feedback_of(batch, keys, source, file, zone, night, words)
                good.append(feedback)
                bad.append(quarantine)
    if not any(table.height for table in good):
        raise _nothing_usable(source, names, bad)
    return Reading(pl.concat(good), masked_quarantine(pl.concat(bad)))


Keys = list[tuple[str, ...]]


def _tables(source: SourceSpec, words: WordList) -> Generator[tuple[str, Keys, Iterator[RawRow]], None, None]:
    """Yield every file: its name, what each cell of its rows means, and the rows."""
    if source.database:
        yield "query", _column_keys(source), query_rows(source)
        return
    with closing(members(source)) as found:
        for member in found:
            yield member.name, _keys(member, source), _rows_of(member, source, words)


def _keys(member: Member, source: SourceSpec) -> Keys:
    """Return what each cell of a row means: a role, a segment, or both."""
    if is_single(member, source) or source.kind == "zendesk":
        roles = SINGLE_ROLES if is_single(member, source) else ticket_roles(source)
        return [(name,) for name in (*roles, *(SEGMENT + name for name in source.segments))]
    return _column_keys(source)


def _column_keys(source: SourceSpec) -> Keys:
    meanings = [*source.columns.items(), *((SEGMENT + name, name) for name in source.segments)]
    keys: Keys = [tuple(key for key, column in meanings if column == name) for name in source.wanted]
    return keys if "id" in source.columns else [*keys, (CONTENT_ID,)]


def _rows_of(member: Member, source: SourceSpec, words: WordList) -> Iterator[RawRow]:
    if is_single(member, source):
        return single_row(member, source)
    if source.kind == "zendesk":
        return ticket_rows(member, source, words)
    if "text" not in source.columns:
        raise InputError(f"source {source.name!r}: columns has no text; name the column of the comments")
    if member.kind in {".jsonl", ".ndjson", ".json"}:
        return json_rows(member, source)
    if member.kind in {".xlsx", ".xlsm"}:
        return workbook_rows(member, source)
    return parquet_rows(member, source) if member.kind == ".parquet" else delimited_rows(member, source)


def _nothing_usable(source: SourceSpec, names: list[str], bad: list[pl.DataFrame]) -> InputError:
    n_bad = sum(table.height for table in bad)
    if n_bad:
        first = next(table for table in bad if table.height).row(0, named=True)
        place = f"{first['file']} row {first['row']}: {first['reason']}"
        return InputError(f"{source.name}: none of {n_bad} rows can be used; {place}")
    shown = ", ".join(dict.fromkeys(names[:3]))
    return InputError(f"{shown}: no rows below the header" if shown else f"source {source.name!r}: no file found")
