"""Masked responses, one row per version.

A version holds from the night that read it until a later night reads other content under the same source and
id. So a changed response replaces the older one, and every night run again still sees what it saw.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from pipeline.read.contract import FEEDBACK_SCHEMA, RATINGS
from pipeline.store.tables import CHUNK, FEEDBACK, TEXT_KEYS, chunks, insert, is_one_of

NEWS_SCHEMA: dict[str, Any] = {"source": pl.Utf8, "feedback_id": pl.Utf8, "news": pl.Utf8, "first_seen": pl.Date}
_Key = tuple[str, str]
_FETCHED = 10_000  # rows taken from the database at a time


@dataclass(frozen=True)
class Upserted:
    """How many responses were new, changed since an earlier night read them, or the same."""

    new: int
    changed: int
    unchanged: int


def compare(connection: sa.Connection, feedback: pl.DataFrame, business_date: date) -> pl.DataFrame:
    """Return what is news in tonight's masked feedback: source, feedback_id, news and first_seen, row by row.

    news is "new", "changed" (an earlier night read other content under this source and id) or "same". Only
    nights before business_date count, so that a night run again finds the same news.
    """
    records = []
    for chunk in _row_chunks(feedback, business_date):
        known = _known(connection, [_key(row) for row in chunk], business_date)
        for row in chunk:
            content_hash, first_seen = known.get(_key(row), ("", business_date))
            news = "same" if content_hash == row["content_hash"] else "changed" if content_hash else "new"
            records.append((*_key(row), news, first_seen))
    return pl.DataFrame(records, schema=NEWS_SCHEMA, orient="row")


def upsert_feedback(connection: sa.Connection, feedback: pl.DataFrame, business_date: date) -> Upserted:
    """Store masked feedback as the night of business_date read it, and say how much of it was news."""
    counts = {"new": 0, "changed": 0, "same": 0}
    for chunk in _row_chunks(feedback, business_date):
        keys = [_key(row) for row in chunk]
        known = _known(connection, keys, business_date)
        tonight = sa.and_(FEEDBACK.c.seen == business_date, is_one_of(FEEDBACK, keys))
        connection.execute(sa.delete(FEEDBACK).where(tonight))  # what an earlier run of this night had read
        versions = []
        for row in chunk:
            content_hash = known.get(_key(row), ("", business_date))[0]
            counts["same" if content_hash == row["content_hash"] else "changed" if content_hash else "new"] += 1
            if content_hash != row["content_hash"]:
                versions.append(row)
        if versions:
            connection.execute(sa.insert(FEEDBACK), versions)
    return Upserted(counts["new"], counts["changed"], counts["same"])


def load_feedback(
    connection: sa.Connection,
    sources: Sequence[str],
    start: date,
    end: date,
    *,
    timezone: str = "UTC",
    seen_by: date | None = None,
) -> pl.DataFrame:
    """Return the stored feedback of a period, sorted by source and feedback_id; see :meth:`Store.load_feedback`."""
    table = FEEDBACK.c
    of_sources = table.source.in_(list(sources))
    until = of_sources if seen_by is None else sa.and_(of_sources, table.seen <= seen_by)
    last = (
        sa.select(
            table.source,
            table.feedback_id,
            sa.func.max(table.seen).label("seen"),
            sa.func.min(table.seen).label("first_seen"),
        )
        .where(until)
        .group_by(table.source, table.feedback_id)
        .subquery()
    )
    newest = sa.and_(
        table.source == last.c.source, table.feedback_id == last.c.feedback_id, table.seen == last.c.seen
    )
    low, high = midnight(start, timezone), midnight(end + timedelta(days=1), timezone)
    inside = sa.or_(
        sa.and_(table.received_at >= low, table.received_at < high),
        sa.and_(table.received_at.is_(None), last.c.first_seen.between(start, end)),
    )
    query = sa.select(FEEDBACK, last.c.first_seen).join(last, newest).where(inside)
    found = connection.execution_options(yield_per=_FETCHED).execute(query).mappings()
    tables = [_frame(rows, timezone) for rows in found.partitions()]
    feedback = pl.concat([_frame([], timezone), *tables], how="diagonal").sort("source", "feedback_id")
    return feedback.select(*FEEDBACK_SCHEMA, *sorted(set(feedback.columns) - set(FEEDBACK_SCHEMA)))


def unknown_responses(connection: sa.Connection, keys: Iterable[_Key]) -> set[_Key]:
    """Return which of the responses, by (source, feedback_id), are not stored or not any more."""
    unknown = set(keys)
    for chunk in chunks(sorted(unknown)):
        query = sa.select(FEEDBACK.c.source, FEEDBACK.c.feedback_id).where(is_one_of(FEEDBACK, chunk))
        unknown.difference_update((source, feedback_id) for source, feedback_id in connection.execute(query))
    return unknown


def segment_values(connection: sa.Connection) -> dict[str, list[str]]:
    """Return the values of every segment column, those of most responses first."""
    counts: dict[str, Counter[str]] = {}
    written = sa.cast(FEEDBACK.c.segments, sa.Text)  # PostgreSQL cannot compare JSON
    for segments, n in connection.execute(sa.select(written, sa.func.count()).group_by(written)):
        for column, value in json.loads(segments).items():
            if value is not None:
                counts.setdefault(column, Counter())[value] += n
    return {name: [v for v, _ in sorted(c.items(), key=lambda item: (-item[1], item[0]))] for name, c in counts.items()}


def link_texts(
    connection: sa.Connection, rows: Iterable[tuple[str, str, str | None, str]], business_date: date
) -> None:
    """Note under which key the cache keeps a response's words: (source, feedback_id, customer, text_key)."""
    names = ("source", "feedback_id", "customer", "text_key")
    statement = insert(connection, TEXT_KEYS).on_conflict_do_nothing()
    for chunk in chunks(rows):
        links = [dict(zip(names, row, strict=True)) | {"seen": business_date} for row in chunk]
        connection.execute(statement, links)


def midnight(day: date, timezone: str) -> datetime:
    """Return the moment a day begins in a time zone, as UTC without a zone."""
    return _utc(datetime.combine(day, time.min, ZoneInfo(timezone)))


def _known(connection: sa.Connection, keys: Sequence[_Key], before: date) -> dict[_Key, tuple[str, date]]:
    """Return the content hash of the version that held the night before, and when the response first came."""
    table = FEEDBACK.c
    query = (
        sa.select(table.source, table.feedback_id, table.content_hash, table.seen)
        .where(is_one_of(FEEDBACK, keys), table.seen < before)
        .order_by(table.seen)
    )
    known: dict[_Key, tuple[str, date]] = {}
    for source, feedback_id, content_hash, seen in connection.execute(query):
        key = (source, feedback_id)
        known[key] = (content_hash, known[key][1] if key in known else seen)
    return known


def _key(row: Mapping[str, Any]) -> _Key:
    return row["source"], row["feedback_id"]


def _row_chunks(feedback: pl.DataFrame, business_date: date) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows as the table holds them, some at a time: a million of them at once are gigabytes."""
    for some in feedback.iter_slices(CHUNK):
        yield [_row(row, business_date) for row in some.iter_rows(named=True)]


def _row(row: Mapping[str, Any], business_date: date) -> dict[str, Any]:
    received = row["received_at"]
    content = {
        "text": row["text"],
        **{rating: row.get(rating) for rating in RATINGS},
        "received_at": None if received is None else _utc(received),
        "customer": row["customer"],
        "segments": {name: value for name, value in row.items() if name not in FEEDBACK_SCHEMA},
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return {
        "source": row["source"],
        "feedback_id": row["feedback_id"],
        "seen": business_date,
        **content,
        "content_hash": hashlib.sha256(canonical.encode()).hexdigest(),
    }


def _frame(rows: Sequence[Mapping[Any, Any]], timezone: str) -> pl.DataFrame:
    segments = sorted({name for row in rows for name in row["segments"]})
    records = [
        {
            **{name: row.get(name) for name in FEEDBACK_SCHEMA},
            "received_at": (row["received_at"] or midnight(row["first_seen"], timezone)).replace(tzinfo=UTC),
            **{name: row["segments"].get(name) for name in segments},
        }
        for row in rows
    ]
    return pl.DataFrame(records, schema={**FEEDBACK_SCHEMA, **dict.fromkeys(segments, pl.Utf8)})


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
