"""One deployment's database: the door through which every step reads and writes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Self

import polars as pl
import sqlalchemy as sa

from pipeline.store import cache, engine, feedback, nights, notices, registry
from pipeline.store.engine import StoreError
from pipeline.store.tables import chunks
from pipeline.themes.curation import Decision
from pipeline.themes.members import Members
from pipeline.themes.registry import Registry, StoredTheme, Transition


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
            store = cls(engine.create_engine(url))
        except (sa.exc.ArgumentError, ImportError) as error:
            raise StoreError(
                f"the store {shown} cannot be opened: {engine.first_line(error)}; "
                "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME (pip install 'kikitori[postgresql]')"
            ) from error
        try:
            engine.migrate(store.engine, shown)
        except sa.exc.SQLAlchemyError as error:
            store.close()
            advice = "check that the folder or server exists, may be written to, and holds a kikitori database"
            raise StoreError(f"the store {shown} cannot be opened: {engine.with_remedy(error, advice)}") from error
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

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Hand out a connection to read with; what the database refuses is one clear line."""
        with engine.clear_errors(self.engine), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Hand out a transaction: all that is written in it is kept, or nothing is."""
        with engine.clear_errors(self.engine), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def running(self) -> Iterator[bool]:
        """Hold this deployment's lock in the database; False when another process holds it.

        PostgreSQL drops it by itself when the process dies. SQLite has none: there the folder's lock serves.
        """
        if self.engine.dialect.name != "postgresql":
            yield True
            return
        with self.reading() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")  # a night is no time to leave a transaction open
            held = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(engine.RUNNING))))
            try:
                yield held
            finally:
                if held:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(engine.RUNNING)))

    def cache_has(self, namespace: str, keys: Iterable[str]) -> set[str]:
        """Return those keys under which a value is cached."""
        with self.reading() as connection:
            return cache.cache_has(connection, namespace, keys)

    def cache_get(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the cached values of those keys that are known."""
        with self.reading() as connection:
            return cache.cache_get(connection, namespace, keys)

    def cache_put(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Store the values under their keys; every 500 are kept even if a later write fails."""
        for chunk in chunks(sorted(values)):
            with self.writing() as connection:
                cache.cache_put(connection, namespace, {key: values[key] for key in chunk})

    def link_texts(self, rows: Iterable[tuple[str, str, str | None, str]], business_date: date) -> None:
        """Note under which cache key a response's words are kept: (source, feedback_id, customer, text_key).

        Done before anything is computed from them, so that erasure finds what a night cut short left behind.
        """
        with self.writing() as connection:
            feedback.link_texts(connection, rows, business_date)

    def compare(self, rows: pl.DataFrame, business_date: date) -> pl.DataFrame:
        """Return what is news in tonight's masked feedback; see :func:`pipeline.store.feedback.compare`."""
        with self.reading() as connection:
            return feedback.compare(connection, rows, business_date)

    def upsert_feedback(self, rows: pl.DataFrame, business_date: date) -> feedback.Upserted:
        """Store masked feedback as the night of business_date read it, and say how much of it was news."""
        with self.writing() as connection:
            return feedback.upsert_feedback(connection, rows, business_date)

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
            First and last day in `timezone`, both included. A row without a date counts as received when the
            day of the night that first read it began.
        timezone : str
            The config's time zone.
        seen_by : date, optional
            Leave out what only later nights have read, so that an old night run again sees what it saw.

        Returns
        -------
        pl.DataFrame
            The feedback table with file and row null, and one column per segment any of the rows has.
        """
        with self.reading() as connection:
            return feedback.load_feedback(connection, sources, start, end, timezone=timezone, seen_by=seen_by)

    def unknown_responses(self, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return which of the responses, by (source, feedback_id), are not stored, or erased since."""
        with self.reading() as connection:
            return feedback.unknown_responses(connection, keys)

    def segment_values(self) -> dict[str, list[str]]:
        """Return the values of every segment column, those of most responses first."""
        with self.reading() as connection:
            return feedback.segment_values(connection)

    def save_night(
        self,
        business_date: date,
        summary: Mapping[str, Any],
        themes: Iterable[StoredTheme],
        transitions: Iterable[Transition] = (),
        members: Members | None = None,
        *,
        tables: Mapping[str, pl.DataFrame] | None = None,
        settings: Mapping[str, Any] | None = None,
        feedback_read: pl.DataFrame | None = None,
    ) -> None:
        """Store a night in one transaction, in place of an earlier run's.

        Parameters
        ----------
        summary, themes, transitions, members
            The night's figures, and what the registry keeps: its themes, what became of them, who belonged to them.
        tables, settings
            What its pages are rendered from: tables by name, and JSON.
        feedback_read : pl.DataFrame, optional
            The masked feedback the night read.
        """
        with self.writing() as connection:
            if feedback_read is not None:
                feedback.upsert_feedback(connection, feedback_read, business_date)
            nights.save_night(connection, business_date, summary, tables or {}, settings or {})
            registry.save_themes(connection, business_date, themes, transitions, members)

    def load_night(self, business_date: date) -> nights.StoredNight | None:
        """Return a stored night with its tables; None when there is none of that date."""
        with self.reading() as connection:
            return nights.load_night(connection, business_date)

    def night_before(self, business_date: date) -> nights.StoredNight | None:
        """Return the last night before business_date, without its tables; None when there is none."""
        with self.reading() as connection:
            return nights.night_before(connection, business_date)

    def registry_before(self, business_date: date) -> Registry:
        """Return every theme known before business_date at its last state, with the decisions that hold."""
        with self.reading() as connection:
            return registry.load_registry(connection, business_date)

    def transitions(self) -> dict[date, list[Transition]]:
        """Return what became of the themes in every night, oldest night first."""
        with self.reading() as connection:
            return registry.load_transitions(connection)

    def decisions(self) -> list[Decision]:
        """Return what people decided about themes, in the order of the decisions."""
        with self.reading() as connection:
            return registry.load_decisions(connection)

    def decide(self, next_decision: Callable[[Sequence[Decision], Registry], Decision]) -> Decision:
        """Append a decision, never to be changed or taken away again, and return it.

        Parameters
        ----------
        next_decision : callable
            Makes it from the earlier decisions and the newest registry; nobody else decides meanwhile.
        """
        with self.writing() as connection:
            registry.decide_alone(connection)
            decision = next_decision(registry.load_decisions(connection), registry.load_registry(connection, date.max))
            registry.add_decision(connection, decision)
        return decision

    def nights(self) -> list[dict[str, Any]]:
        """Return the summary of every stored night, oldest first."""
        with self.reading() as connection:
            return nights.summaries(connection)

    def dates(self, *, pending: bool = False) -> list[date]:
        """Return the dates of the stored nights, oldest first; only those with pages to be written if pending."""
        with self.reading() as connection:
            return nights.dates(connection, pending=pending)

    def pages_written(self, business_date: date) -> None:
        """Say that a night's published folder is what is stored."""
        with self.writing() as connection:
            nights.set_pending(connection, business_date, False)

    def told(self, business_date: date) -> set[str]:
        """Return the hashes of the events that this night or one of the six days before it told."""
        with self.reading() as connection:
            return notices.told(connection, business_date)

    def tell(self, business_date: date, events: Iterable[str]) -> None:
        """Note the hashes of events that a night has told."""
        with self.writing() as connection:
            notices.tell(connection, business_date, events)

    def compact(self) -> bool:
        """Write the database anew, so that deleted words are in no byte of it; False while somebody reads it."""
        return engine.compact(self.engine)
