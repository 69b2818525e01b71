"""Erase a person or a time from the store, for good.

What goes: every version of the response, its place in the units, quotes, lists of responses and quarantine of
every night, and the cache rows (parse, vectors, sentiment) of its words. What stays: the published figures, which
name nobody, and keyed hashes: a tombstone, by which later nights refuse the same person, and a line that says what
was done. One transaction does all of it; the pages of the nights it touched are pending until they are written again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from models.sentiment import INTENTS, POLARITIES
from pipeline.cache import text_key
from pipeline.loyalty import KEY
from pipeline.store import Store
from pipeline.store.cache import cache_drop, cache_get, namespaces
from pipeline.store.feedback import midnight
from pipeline.store.nights import dates, replace_summary, replace_table, set_pending, summaries, summary_of, table_of
from pipeline.store.registry import drop_members, drop_vectors
from pipeline.store.tables import ERASURES, FEEDBACK, TEXT_KEYS, chunks, is_one_of
from pipeline.summary import without_responses
from pipeline.themes.members import unit_keys
from pipeline.tombstones import CUSTOMER, RESPONSE, bury, response_mark

SEGMENTS = "segment:"
"""Namespaces of the cache that hold a text and its units; see :mod:`pipeline.opinions`."""

UNITS = "units:"
"""Namespaces that hold a unit's vector, then its logits; see :mod:`pipeline.encode`."""

_Key = tuple[str, str]


@dataclass(frozen=True)
class Erased:
    """What an erasure removed.

    Attributes
    ----------
    n_feedback, n_units, n_quarantine, n_cache : int
        Responses, their units over all nights, quarantined rows blanked, rows of the cache.
    nights : tuple of date
        The nights whose pages are to be written again.
    """

    n_feedback: int
    n_units: int
    n_quarantine: int
    n_cache: int
    nights: tuple[date, ...]

    @property
    def anything(self) -> bool:
        """Whether there was anything to remove."""
        return bool(self.n_feedback or self.n_units or self.n_quarantine or self.n_cache)

    @property
    def told(self) -> str:
        """What was removed, in one line."""
        return (
            f"erased {self.n_feedback} responses, {self.n_units} units, {self.n_quarantine} quarantined rows, "
            f"{self.n_cache} cache rows; {len(self.nights)} nights rendered again; refused from now on"
        )


def forget_customer(store: Store, customer: str, *, secret: bytes, by: str, at: datetime) -> Erased:
    """Erase all responses of a customer, by the customer's keyed hash, and refuse the customer from now on."""
    with store.writing() as connection:
        found: set[_Key] = set()
        for table in (FEEDBACK, TEXT_KEYS):
            query = sa.select(table.c.source, table.c.feedback_id).where(table.c.customer == customer)
            found.update((source, feedback_id) for source, feedback_id in connection.execute(query))
        responses = sorted(found)
        erased = _erase(connection, responses, secret)
        marks = [(CUSTOMER, customer), *((RESPONSE, response_mark(*key, secret)) for key in responses)]
        bury(connection, marks)
        _write_down(connection, erased, CUSTOMER, customer, by, at)
    return erased


def forget_feedback(
    store: Store, feedback_id: str, sources: Sequence[str], *, secret: bytes, by: str, at: datetime
) -> Erased:
    """Erase one response in each of the sources, and refuse it from now on."""
    responses = [(source, feedback_id) for source in sources]
    marks = [response_mark(*key, secret) for key in responses]
    with store.writing() as connection:
        erased = _erase(connection, responses, secret)
        bury(connection, [(RESPONSE, mark) for mark in marks])
        _write_down(connection, erased, RESPONSE, " ".join(marks), by, at)
    return erased


def expire(store: Store, before: date, *, timezone: str, secret: bytes, at: datetime) -> Erased:
    """Erase what was received before a day, in the config's time zone; nobody is refused for it.

    A response counts by its newest version; one without a date by the night that first read it. Quarantined
    rows have no date: those of nights before the day are blanked.
    """
    with store.writing() as connection:
        erased = _erase(connection, _older(connection, before, timezone), secret, before=before, timezone=timezone)
        if erased.anything:
            _write_down(connection, erased, "retention", before.isoformat(), "retention_days", at)
    return erased


def erasures(store: Store) -> list[dict[str, Any]]:
    """Return the line of every erasure, oldest first."""
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(sa.select(ERASURES).order_by(ERASURES.c.number)).mappings()]


def _older(connection: sa.Connection, before: date, timezone: str) -> list[_Key]:
    table = FEEDBACK.c
    responses = sa.select(table.source, table.feedback_id).group_by(table.source, table.feedback_id)
    newest, first = sa.func.max(table.received_at), sa.func.min(table.seen)
    old = sa.or_(newest < midnight(before, timezone), sa.and_(newest.is_(None), first < before))
    found = {(source, feedback_id) for source, feedback_id in connection.execute(responses.having(old))}
    # Left by nights that were cut short before they stored the response itself.
    links = sa.select(TEXT_KEYS.c.source, TEXT_KEYS.c.feedback_id).where(TEXT_KEYS.c.seen < before)
    stored = sa.exists().where(table.source == TEXT_KEYS.c.source, table.feedback_id == TEXT_KEYS.c.feedback_id)
    found.update((source, feedback_id) for source, feedback_id in connection.execute(links.where(~stored)))
    return sorted(found)


def _erase(
    connection: sa.Connection,
    responses: Sequence[_Key],
    secret: bytes,
    *,
    before: date | None = None,
    timezone: str = "UTC",
) -> Erased:
    rows = pl.DataFrame(responses, schema=dict.fromkeys(KEY, pl.Utf8), orient="row")
    keys = _words_kept(connection, responses, secret)
    n_units = n_quarantine = 0
    touched = []
    begins = _window_starts(connection) if before else {}
    for night in dates(connection):
        if before and begins[night] >= before:
            continue  # nothing in its window is that old
        gone, words = _erase_units(connection, night, rows, before, timezone, secret)
        blanked = _blank_quarantine(connection, night, rows, before)
        unlisted = _unlist(connection, night, {*responses, *gone.select(KEY).iter_rows()})
        keys |= words
        if gone.height or blanked or unlisted:
            touched.append(night)
            set_pending(connection, night, True, n_erased=gone.select(KEY).n_unique())
        n_units, n_quarantine = n_units + gone.height, n_quarantine + blanked
    _drop_vectors(connection, keys)
    n_cache = cache_drop(connection, keys)
    n_feedback = _delete(connection, responses)
    return Erased(n_feedback, n_units, n_quarantine, n_cache, tuple(touched))


def _window_starts(connection: sa.Connection) -> dict[date, date]:
    return {
        date.fromisoformat(summary["business_date"]): date.fromisoformat(summary["window"]["from"])
        for summary in summaries(connection)
    }


def _words_kept(connection: sa.Connection, responses: Sequence[_Key], secret: bytes) -> set[str]:
    """Return the keys under which the cache may hold anything of these responses: as read, as masked, by unit."""
    keys: set[str] = set()
    for chunk in chunks(responses):
        texts = sa.select(FEEDBACK.c.text).where(is_one_of(FEEDBACK, chunk))
        keys.update(text_key(text, secret) for text in connection.scalars(texts))
        keys.update(connection.scalars(sa.select(TEXT_KEYS.c.text_key).where(is_one_of(TEXT_KEYS, chunk))))
    for namespace in namespaces(connection, SEGMENTS):
        for value in cache_get(connection, namespace, keys).values():
            annotation = json.loads(value)
            keys.update(text_key(text, secret) for text in texts_of(annotation))
    return keys


def texts_of(annotation: dict[str, Any]) -> set[str]:
    """Return the text of a kept annotation, its units, and what may become a unit: every run of a unit's clauses."""
    text = annotation["text"]
    texts = {text, *(unit["text"] for unit in annotation["units"])}
    for unit in annotation["units"]:
        clauses = unit.get("clauses", [])
        texts |= {text[a["start"] : b["end"]] for i, a in enumerate(clauses) for b in clauses[i:]}
    return texts


def _erase_units(
    connection: sa.Connection, night: date, rows: pl.DataFrame, before: date | None, timezone: str, secret: bytes
) -> tuple[pl.DataFrame, set[str]]:
    """Take the responses' units out of one night; return what went and the cache keys of its words."""
    units = table_of(connection, night, "units")
    if units is None or units.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(KEY, pl.Utf8)), set()
    doomed = _listed(units, rows)
    if before is not None:
        start = pl.lit(midnight(before, timezone)).dt.replace_time_zone("UTC")
        doomed = doomed | units.select((pl.col("received_at") < start).fill_null(False)).to_series()
    gone = units.filter(doomed)
    if gone.height:
        rest = units.filter(~doomed)
        replace_table(connection, night, "units", rest)
        _unquote(connection, night, set(gone["unit_text"]) - set(rest["unit_text"]))
        drop_members(connection, night, unit_keys(gone))
    return gone, {text_key(text, secret) for text in gone["unit_text"].unique()}


def _unquote(connection: sa.Connection, night: date, texts: set[str]) -> None:
    """Take texts that nobody else wrote out of the quotes beside the themes of one night."""
    themes = table_of(connection, night, "themes")
    if themes is None or "quotes" not in themes.columns:
        return
    quotes = [[quote for quote in some or () if quote not in texts] for some in themes["quotes"].to_list()]
    replace_table(connection, night, "themes", themes.with_columns(pl.Series("quotes", quotes, pl.List(pl.Utf8))))


def _unlist(connection: sa.Connection, night: date, responses: set[_Key]) -> bool:
    """Take the responses out of the lists of one night's summary (behind alerts, mismatches); tell if any was there."""
    summary = summary_of(connection, night)
    rest = without_responses(summary, responses)
    if rest == summary:
        return False
    replace_summary(connection, night, rest)
    return True


def _blank_quarantine(connection: sa.Connection, night: date, rows: pl.DataFrame, before: date | None) -> int:
    """Blank id and value of the responses' quarantined rows in one night; file, row and reason are no person's."""
    table = table_of(connection, night, "quarantine")
    if table is None or table.is_empty():
        return 0
    expired = before is not None and night < before
    doomed = pl.Series([True] * table.height) if expired else _listed(table, rows)
    doomed &= table["feedback_id"].is_not_null() | (table["value"] != "").fill_null(False)
    if doomed.any():
        replace_table(connection, night, "quarantine", blanked(table, doomed))
    return int(doomed.sum())


def blanked(quarantine: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Return the quarantine with the id and the value of some rows gone."""
    return quarantine.with_columns(
        feedback_id=pl.when(rows).then(None).otherwise(pl.col("feedback_id")),
        value=pl.when(rows).then(pl.lit("")).otherwise(pl.col("value")),
    )


def _drop_vectors(connection: sa.Connection, keys: set[str]) -> None:
    """Take the units' vectors out of what the themes remember, as long as the cache still knows them."""
    for namespace in namespaces(connection, UNITS):
        values = list(cache_get(connection, namespace, keys).values())
        if values:
            rows = np.frombuffer(b"".join(values), "<f4").reshape(len(values), -1)
            vectors = np.ascontiguousarray(rows[:, : -len(POLARITIES) - len(INTENTS)])
            encoder_id = "|".join(namespace.removeprefix(UNITS).split("|")[:3])  # name, prompt, precision
            drop_vectors(connection, encoder_id, vectors)


def _delete(connection: sa.Connection, responses: Sequence[_Key]) -> int:
    """Delete the responses and what links them to the cache; return how many responses were stored."""
    stored: set[_Key] = set()
    for chunk in chunks(responses):
        query = sa.select(FEEDBACK.c.source, FEEDBACK.c.feedback_id).where(is_one_of(FEEDBACK, chunk))
        stored.update((source, feedback_id) for source, feedback_id in connection.execute(query))
        for table in (FEEDBACK, TEXT_KEYS):
            connection.execute(sa.delete(table).where(is_one_of(table, chunk)))
    return len(stored)


def _write_down(
    connection: sa.Connection, erased: Erased, kind: str, subject: str, by: str, at: datetime
) -> None:
    line = {
        "at": at,
        "by": by,
        "kind": kind,
        "subject": subject,
        "n_feedback": erased.n_feedback,
        "n_units": erased.n_units,
        "n_quarantine": erased.n_quarantine,
        "n_cache": erased.n_cache,
        "n_nights": len(erased.nights),
    }
    connection.execute(sa.insert(ERASURES), line)


def _listed(table: pl.DataFrame, responses: pl.DataFrame) -> pl.Series:
    marked = table.select(*KEY).join(responses.with_columns(listed=True), on=KEY, how="left", maintain_order="left")
    return marked["listed"].fill_null(False)
