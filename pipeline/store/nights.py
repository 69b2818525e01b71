"""The published nights: summary, accounting, and the tables every page of the night is rendered from."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from pipeline.store.registry import load_themes
from pipeline.store.tables import NIGHT_SOURCES, NIGHT_TABLES, NIGHTS
from pipeline.summary import dump_summary
from pipeline.themes.registry import StoredTheme

_COUNTS = ("name", "read", "analysed", "no_opinion", "duplicate", "quarantined")


@dataclass(frozen=True)
class StoredNight:
    """A published night.

    Attributes
    ----------
    summary : dict
        What ``summary.json`` holds.
    themes : list of StoredTheme
        Sorted by theme_id.
    tables : dict of str to pl.DataFrame
        The night's tables by name: units, themes, quarantine.
    settings : dict
        What else its pages depend on, as JSON.
    n_erased : int
        Responses erased since it was published.
    """

    business_date: date
    summary: dict[str, Any]
    themes: list[StoredTheme]
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    n_erased: int = 0


def save_night(
    connection: sa.Connection,
    business_date: date,
    summary: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    settings: Mapping[str, Any],
) -> None:
    """Store a night in place of an earlier run's; its pages are pending until somebody says they are written."""
    night = {
        "business_date": business_date,
        "summary": dump_summary(summary).decode(),
        "settings": dict(settings),
        "pages_pending": True,
        "n_erased": 0,
    }
    connection.execute(sa.delete(NIGHTS).where(NIGHTS.c.business_date == business_date))
    connection.execute(sa.insert(NIGHTS), night)
    if sources := [_source_row(source, business_date) for source in summary.get("sources", [])]:
        connection.execute(sa.insert(NIGHT_SOURCES), sources)
    for name, table in tables.items():
        row = {"business_date": business_date, "name": name, "content": pack(table)}
        connection.execute(sa.insert(NIGHT_TABLES), row)


def load_night(connection: sa.Connection, business_date: date) -> StoredNight | None:
    """Return a stored night with its tables; None when there is none of that date."""
    night = connection.execute(sa.select(NIGHTS).where(NIGHTS.c.business_date == business_date)).one_or_none()
    if night is None:
        return None
    query = sa.select(NIGHT_TABLES.c.name, NIGHT_TABLES.c.content)
    rows = connection.execute(query.where(NIGHT_TABLES.c.business_date == business_date))
    return StoredNight(
        business_date,
        json.loads(night.summary),
        load_themes(connection, business_date),
        {name: unpack(content) for name, content in rows},
        night.settings,
        night.n_erased,
    )


def night_before(connection: sa.Connection, business_date: date) -> StoredNight | None:
    """Return the last night before business_date, without its tables; None when there is none."""
    earlier = sa.select(NIGHTS).where(NIGHTS.c.business_date < business_date)
    night = connection.execute(earlier.order_by(NIGHTS.c.business_date.desc()).limit(1)).one_or_none()
    if night is None:
        return None
    summary, themes = json.loads(night.summary), load_themes(connection, night.business_date)
    return StoredNight(night.business_date, summary, themes, {}, night.settings, night.n_erased)


def summaries(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the summary of every stored night, oldest first."""
    texts = connection.scalars(sa.select(NIGHTS.c.summary).order_by(NIGHTS.c.business_date)).all()
    return [json.loads(text) for text in texts]


def dates(connection: sa.Connection, *, pending: bool = False) -> list[date]:
    """Return the dates of the stored nights, oldest first; only those whose pages are to be written if pending."""
    query = sa.select(NIGHTS.c.business_date).order_by(NIGHTS.c.business_date)
    if pending:
        query = query.where(NIGHTS.c.pages_pending)
    return list(connection.scalars(query))


def set_pending(connection: sa.Connection, business_date: date, pending: bool, *, n_erased: int = 0) -> None:
    """Say whether a night's pages are behind what is stored, and count what was erased from it."""
    values = {"pages_pending": pending, "n_erased": NIGHTS.c.n_erased + n_erased}
    connection.execute(sa.update(NIGHTS).where(NIGHTS.c.business_date == business_date).values(values))


def replace_table(connection: sa.Connection, business_date: date, name: str, table: pl.DataFrame) -> None:
    """Replace one stored table of a night."""
    mine = sa.and_(NIGHT_TABLES.c.business_date == business_date, NIGHT_TABLES.c.name == name)
    connection.execute(sa.update(NIGHT_TABLES).where(mine).values(content=pack(table)))


def table_of(connection: sa.Connection, business_date: date, name: str) -> pl.DataFrame | None:
    """Return one stored table of a night; None where an older version stored none."""
    mine = sa.and_(NIGHT_TABLES.c.business_date == business_date, NIGHT_TABLES.c.name == name)
    content = connection.scalar(sa.select(NIGHT_TABLES.c.content).where(mine))
    return None if content is None else unpack(content)


def pack(table: pl.DataFrame) -> bytes:
    """Return a table as Arrow IPC, compressed with zstd."""
    buffer = io.BytesIO()
    table.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def unpack(content: bytes) -> pl.DataFrame:
    """Return the table that `pack` packed, types and all."""
    return pl.read_ipc(io.BytesIO(content))


def _source_row(source: Mapping[str, Any], business_date: date) -> dict[str, Any]:
    counted = {name: source[name] for name in _COUNTS}
    details = {name: value for name, value in source.items() if name not in _COUNTS}
    return {"business_date": business_date, **counted, "details": details}
