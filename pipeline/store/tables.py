"""The tables, as the newest migration leaves them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

METADATA = sa.MetaData()

FEEDBACK = sa.Table(  # one row per version of a response: it holds from the night `seen` until the next version
    "feedback",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("feedback_id", sa.Text, primary_key=True),
    sa.Column("seen", sa.Date, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("score", sa.Integer),
    sa.Column("csat", sa.Integer),
    sa.Column("ces", sa.Integer),
    sa.Column("dwb", sa.Integer),
    sa.Column("received_at", sa.DateTime, index=True),
    sa.Column("customer", sa.Text, index=True),
    sa.Column("segments", sa.JSON, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
)
TEXT_KEYS = sa.Table(  # which cache rows a response's words led to, also where a night was cut short
    "text_keys",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("feedback_id", sa.Text, primary_key=True),
    sa.Column("text_key", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, index=True),
    sa.Column("seen", sa.Date, nullable=False),
)
CACHE = sa.Table(
    "cache",
    METADATA,
    sa.Column("namespace", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)


def night_column(**more: Any) -> sa.Column[Any]:
    """Return the column by which a row belongs to a night and goes with it."""
    reference = sa.ForeignKey("nights.business_date", ondelete="CASCADE")
    return sa.Column("business_date", sa.Date, reference, primary_key=True, **more)


NIGHTS = sa.Table(
    "nights",
    METADATA,
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("pages_pending", sa.Boolean, nullable=False),  # what is stored is newer than the published folder
    sa.Column("n_erased", sa.Integer, nullable=False),
)
NIGHT_SOURCES = sa.Table(
    "night_sources",
    METADATA,
    night_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("read", sa.Integer, nullable=False),
    sa.Column("analysed", sa.Integer, nullable=False),
    sa.Column("no_opinion", sa.Integer, nullable=False),
    sa.Column("duplicate", sa.Integer, nullable=False),
    sa.Column("quarantined", sa.Integer, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
)
NIGHT_TABLES = sa.Table(  # units, themes and quarantine as published: Arrow IPC, zstd
    "night_tables",
    METADATA,
    night_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
TOMBSTONES = sa.Table(  # keyed hashes of customers and responses that no later night may take in
    "tombstones",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
)
ERASURES = sa.Table(  # the auditable line of every erasure
    "erasures",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("n_feedback", sa.Integer, nullable=False),
    sa.Column("n_units", sa.Integer, nullable=False),
    sa.Column("n_quarantine", sa.Integer, nullable=False),
    sa.Column("n_cache", sa.Integer, nullable=False),
    sa.Column("n_nights", sa.Integer, nullable=False),
)
NOTICES = sa.Table(  # keyed hashes of what was told to the webhook
    "notices",
    METADATA,
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("event", sa.String(64), primary_key=True),
)

# A statement of 500 rows of two keys stays far below every database's limit of variables.
CHUNK = 500
_Item = TypeVar("_Item")


def chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yield the items 500 at a time, however they come."""
    left = iter(items)
    while some := list(islice(left, CHUNK)):
        yield some


def is_one_of(table: sa.Table, responses: Sequence[tuple[str, str]]) -> sa.ColumnElement[bool]:
    """Return the condition that a row's (source, feedback_id) is among these.

    By source, not by pairs: SQLite looks pairs up by reading the whole table.
    """
    ids: dict[str, list[str]] = {}
    for source, feedback_id in responses:
        ids.setdefault(source, []).append(feedback_id)
    own = [sa.and_(table.c.source == source, table.c.feedback_id.in_(some)) for source, some in sorted(ids.items())]
    return sa.or_(sa.false(), *own)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Return the dialect's insert statement, which can say what to do on conflict."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def upsert(connection: sa.Connection, table: sa.Table) -> Any:
    """Return an insert that replaces the row of the same key."""
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced)
