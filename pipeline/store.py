"""The store: masked feedback, the vector cache, and what each night said.

SQLite by default, PostgreSQL by URL; the same statements run on both. Times are stored as UTC without a
zone, dates are business dates. The store has no clock: every date comes from the caller.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.curation import Decision
from pipeline.members import Members
from pipeline.read import FEEDBACK_SCHEMA
from pipeline.registry import Registry, StoredTheme, Transition
from pipeline.registry_store import (
    add_decision,
    load_decisions,
    load_registry,
    load_themes,
    load_transitions,
    save_themes,
)
from pipeline.schema import METADATA, StoreError
from pipeline.summary import dump_summary

__all__ = ["METADATA", "Registry", "Store", "StoreError", "StoredNight", "StoredTheme", "Upserted"]

_FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("feedback_id", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("score", sa.Integer),
    sa.Column("received_at", sa.DateTime, index=True),
    sa.Column("customer", sa.Text),
    sa.Column("segments", sa.JSON, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("first_seen", sa.Date, nullable=False),
    sa.Column("last_seen", sa.Date, nullable=False),
)
_CACHE = sa.Table(
    "cache",
    METADATA,
    sa.Column("namespace", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
_NIGHTS = sa.Table(
    "nights",
    METADATA,
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("summary", sa.Text, nullable=False),
)
# SQLite takes 999 variables in a statement on old builds; 500 keys leave room.
_CHUNK = 500
_Item = TypeVar("_Item")
_LOCK_ID = 5_204_413  # any number of our own: the advisory lock of migrations on PostgreSQL


@dataclass(frozen=True)
class StoredNight:
    """A published night: its summary and its themes, sorted by theme_id."""

    business_date: date
    summary: dict[str, Any]
    themes: list[StoredTheme]


@dataclass(frozen=True)
class Upserted:
    """How many responses were new, changed since they were stored, or the same."""

    new: int
    changed: int
    unchanged: int


class Store:
    """The database of one deployment; open it with Store.open, close it or use it in a with statement."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the store at an SQLAlchemy URL, created or migrated to this version's tables.

        Parameters
        ----------
        url : str
            "sqlite:///OUT/kikitori.db" or "postgresql+psycopg://user@host/name".

        Raises
        ------
        StoreError
            If the database cannot be opened, or its tables belong to a newer version.
        """
        shown = url.split("://")[0]
        try:
            shown = sa.make_url(url).render_as_string(hide_password=True)
            store = cls(_create_engine(url))
        except (sa.exc.ArgumentError, ImportError) as error:
            raise StoreError(
                f"the store {shown} cannot be opened: {_first_line(error)}; "
                "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME (with psycopg installed)"
            ) from error
        try:
            _migrate(store.engine, shown)
        except sa.exc.SQLAlchemyError as error:
            store.close()
            raise StoreError(
                f"the store {shown} cannot be opened: {_first_line(error)}; "
                "check that the folder or server exists, may be written to, and holds a kikitori database"
            ) from error
        except StoreError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def cache_get(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the cached values of those keys that are known."""
        found: dict[str, bytes] = {}
        with self.engine.connect() as connection:
            for chunk in _chunks(sorted(set(keys))):
                query = sa.select(_CACHE.c.key, _CACHE.c.value).where(
                    _CACHE.c.namespace == namespace, _CACHE.c.key.in_(chunk)
                )
                found.update((key, bytes(value)) for key, value in connection.execute(query))
        return found

    def cache_put(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Store the values under their keys; every 500 are kept even if a later write fails."""
        for chunk in _chunks(sorted(values)):
            rows = [{"namespace": namespace, "key": key, "value": values[key]} for key in chunk]
            with self.engine.begin() as connection:
                connection.execute(self._upsert(_CACHE), rows)

    def upsert_feedback(self, feedback: pl.DataFrame, business_date: date) -> Upserted:
        """Store masked feedback as the night of business_date read it, and say how much of it was news.

        A changed response replaces the older version, unless a later night has already stored one: running an
        old night again never brings an old version back. first_seen is the earliest night that read it.
        """
        counts = {"new": 0, "changed": 0, "unchanged": 0}
        statement = self._upsert(_FEEDBACK, _keep_newest)
        for chunk in _chunks([_feedback_row(row, business_date) for row in feedback.iter_rows(named=True)]):
            known = self._content_hashes(chunk)
            for row in chunk:
                before = known.get((row["source"], row["feedback_id"]))
                same = "unchanged" if before == row["content_hash"] else "changed"
                counts[same if before else "new"] += 1
            with self.engine.begin() as connection:
                connection.execute(statement, chunk)
        return Upserted(**counts)

    def load_feedback(
        self,
        sources: Sequence[str],
        start: date,
        end: date,
        *,
        timezone: str = "UTC",
        seen_by: date | None = None,
    ) -> pl.DataFrame:
        """Return the stored feedback of a period, sorted by source and feedback_id.

        Parameters
        ----------
        sources : sequence of str
            Names of the sources.
        start, end : date
            First and last day in `timezone`, both included. A row without received_at counts on the date
            of the night that first read it.
        timezone : str
            The config's time zone.
        seen_by : date, optional
            Leave out what only later nights have read, so that an old night run again sees what it saw.

        Returns
        -------
        pl.DataFrame
            The feedback table with file and row null, and one column per segment any of the rows has.
        """
        low = _utc(datetime.combine(start, time.min, ZoneInfo(timezone)))
        high = _utc(datetime.combine(end + timedelta(days=1), time.min, ZoneInfo(timezone)))
        received, first_seen = _FEEDBACK.c.received_at, _FEEDBACK.c.first_seen
        query = sa.select(_FEEDBACK).where(
            _FEEDBACK.c.source.in_(list(sources)),
            sa.or_(
                sa.and_(received >= low, received < high),
                sa.and_(received.is_(None), first_seen.between(start, end)),
            ),
        )
        if seen_by is not None:
            query = query.where(first_seen <= seen_by)
        with self.engine.connect() as connection:
            return _feedback_frame(connection.execute(query).mappings().all())

    def save_night(
        self,
        business_date: date,
        summary: Mapping[str, Any],
        themes: Iterable[StoredTheme],
        transitions: Iterable[Transition] = (),
        members: Members | None = None,
    ) -> None:
        """Store a night's summary, themes and what became of them in one transaction, in place of an earlier run's."""
        night = {"business_date": business_date, "summary": dump_summary(summary).decode()}
        with self.engine.begin() as connection:
            connection.execute(sa.delete(_NIGHTS).where(_NIGHTS.c.business_date == business_date))
            connection.execute(sa.insert(_NIGHTS), night)
            save_themes(connection, business_date, themes, transitions, members)

    def night_before(self, business_date: date) -> StoredNight | None:
        """Return the last night before business_date; None when there is none."""
        last = (
            sa.select(_NIGHTS)
            .where(_NIGHTS.c.business_date < business_date)
            .order_by(_NIGHTS.c.business_date.desc())
            .limit(1)
        )
        with self.engine.connect() as connection:
            night = connection.execute(last).one_or_none()
            if night is None:
                return None
            themes = load_themes(connection, night.business_date)
        return StoredNight(night.business_date, json.loads(night.summary), themes)

    def registry_before(self, business_date: date) -> Registry:
        """Return every theme known before business_date at its last state, with the decisions that hold."""
        with self.engine.connect() as connection:
            return load_registry(connection, business_date)

    def transitions(self) -> dict[date, list[Transition]]:
        """Return what became of the themes in every night, oldest night first."""
        with self.engine.connect() as connection:
            return load_transitions(connection)

    def decisions(self) -> list[Decision]:
        """Return what people decided about themes, in the order of the decisions."""
        with self.engine.connect() as connection:
            return load_decisions(connection)

    def decide(self, decision: Decision) -> None:
        """Append a decision; it is never changed or taken away again."""
        with self.engine.begin() as connection:
            add_decision(connection, decision)

    def nights(self) -> list[dict[str, Any]]:
        """Return the summary of every stored night, oldest first."""
        with self.engine.connect() as connection:
            texts = connection.scalars(sa.select(_NIGHTS.c.summary).order_by(_NIGHTS.c.business_date)).all()
        return [json.loads(text) for text in texts]

    def _content_hashes(self, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
        table = _FEEDBACK.c
        query = sa.select(table.source, table.feedback_id, table.content_hash).where(
            table.source.in_(sorted({row["source"] for row in rows})),
            table.feedback_id.in_([row["feedback_id"] for row in rows]),
        )
        with self.engine.connect() as connection:
            return {(source, feedback_id): known for source, feedback_id, known in connection.execute(query)}

    def _upsert(self, table: sa.Table, value: "_Replacement | None" = None) -> Any:
        """Build an insert that replaces the row of the same key; value(column, old, new) chooses."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        new = statement.excluded
        columns = [column.name for column in table.columns if column.name not in keys]
        replaced = {name: value(name, table.c, new) if value else new[name] for name in columns}
        return statement.on_conflict_do_update(index_elements=keys, set_=replaced)


_Replacement = Callable[[str, Any, Any], sa.ColumnElement[Any]]


def _keep_newest(name: str, old: Any, new: Any) -> sa.ColumnElement[Any]:
    if name == "first_seen":
        return sa.case((new.first_seen < old.first_seen, new.first_seen), else_=old.first_seen)
    return sa.case((new.last_seen >= old.last_seen, new[name]), else_=old[name])


def _create_engine(url: str) -> sa.Engine:
    is_sqlite = sa.make_url(url).get_backend_name() == "sqlite"
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # an error message must never carry a customer's words
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True),
        connect_args={"timeout": 30} if is_sqlite else {},  # seconds to wait for another writer
    )
    if is_sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _migrate(engine: sa.Engine, shown: str) -> None:
    """Bring the tables to the newest revision; a second process that opens the store waits for the first."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise StoreError(
            f"the store {shown} was written by a newer kikitori (its tables are at revision {current}, "
            f"this one knows up to {scripts.get_current_head()}); upgrade kikitori or set another store"
        )
    if current == scripts.get_current_head():
        return
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_ID)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _feedback_row(row: Mapping[str, Any], business_date: date) -> dict[str, Any]:
    received = row["received_at"]
    content = {
        "text": row["text"],
        "score": row["score"],
        "received_at": None if received is None else _utc(received),
        "customer": row["customer"],
        "segments": {name: value for name, value in row.items() if name not in FEEDBACK_SCHEMA},
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return {
        "source": row["source"],
        "feedback_id": row["feedback_id"],
        **content,
        "content_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "first_seen": business_date,
        "last_seen": business_date,
    }


def _feedback_frame(rows: Sequence[Mapping[Any, Any]]) -> pl.DataFrame:
    segments = sorted({name for row in rows for name in row["segments"]})
    records = [
        {
            **{name: row.get(name) for name in FEEDBACK_SCHEMA},
            "received_at": row["received_at"] and row["received_at"].replace(tzinfo=UTC),
            **{name: row["segments"].get(name) for name in segments},
        }
        for row in rows
    ]
    frame = pl.DataFrame(records, schema={**FEEDBACK_SCHEMA, **dict.fromkeys(segments, pl.Utf8)})
    return frame.sort("source", "feedback_id")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
