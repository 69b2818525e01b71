"""Whom later nights refuse: keyed hashes of customers and responses that were erased."""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from pipeline.store import Store
from pipeline.store.tables import TOMBSTONES, chunks, insert

CUSTOMER, RESPONSE = "customer", "feedback"


@dataclass(frozen=True)
class Tombstones:
    """Whom later nights refuse: hashes of customers as the feedback holds them, and of responses."""

    customers: frozenset[str]
    responses: frozenset[str]

    def __bool__(self) -> bool:
        """Tell whether anybody is refused at all."""
        return bool(self.customers or self.responses)

    def refuse(self, rows: pl.DataFrame, secret: bytes) -> pl.Series:
        """Return which rows are refused, by source, feedback_id and, where there is one, customer."""
        ids = zip(rows["source"], rows["feedback_id"], strict=True)
        people = rows["customer"] if "customer" in rows.columns else [None] * rows.height
        refused = [
            customer in self.customers
            or (feedback_id is not None and response_mark(source, feedback_id, secret) in self.responses)
            for (source, feedback_id), customer in zip(ids, people, strict=True)
        ]
        return pl.Series("refused", refused, pl.Boolean)


def response_mark(source: str, feedback_id: str, secret: bytes) -> str:
    """Return the keyed hash of a response's source and id: HMAC-SHA256, 32 hex digits."""
    written = f"{source}\0{unicodedata.normalize('NFKC', feedback_id).strip()}"
    return hmac.new(secret, written.encode(), hashlib.sha256).hexdigest()[:32]


def tombstones(store: Store) -> Tombstones:
    """Return everybody whom later nights refuse."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(TOMBSTONES)).all()
    return Tombstones(
        frozenset(row.subject for row in rows if row.kind == CUSTOMER),
        frozenset(row.subject for row in rows if row.kind == RESPONSE),
    )


def bury(connection: sa.Connection, marks: Iterable[tuple[str, str]]) -> None:
    """Add tombstones (kind, subject); those that stand already stay."""
    rows = [{"kind": kind, "subject": subject} for kind, subject in marks]
    for chunk in chunks(rows):
        connection.execute(insert(connection, TOMBSTONES).on_conflict_do_nothing(), chunk)
