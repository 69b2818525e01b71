"""Open a database, bring it to the newest revision, and say in one line what is wrong with it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent.parent / "migrations"
WAIT = 30
"""Seconds to wait for another writer on SQLite; ``?timeout=`` in the URL sets another."""

_MIGRATING = 5_204_413  # any numbers of our own: PostgreSQL's advisory locks
RUNNING = 5_204_414
_WITH_WORDS = ("feedback", "text_keys", "cache", "night_tables", "night_themes")
_REMEDIES = (
    (("locked",), "another program is writing to it: let it end, then run again"),
    (("full", "no space", "too large"), "free some space, then run again"),
    (("readonly", "read-only", "permission"), "make the file and its folder writable, then run again"),
    (("malformed", "not a database"), "it is damaged, or no database: restore the last backup, or set another store"),
    (("i/o error",), "check the disk and its free space, then run again"),
)


class StoreError(RuntimeError):
    """The database cannot be opened or written, or was written by a newer version; the message is one line."""


def create_engine(url: str) -> sa.Engine:
    """Return the engine of an SQLAlchemy URL, with the settings the store relies on."""
    parsed = sa.make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # an error message must never carry a customer's words
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True),
        connect_args={"timeout": WAIT} if is_sqlite and "timeout" not in parsed.query else {},
    )
    if is_sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


@contextmanager
def clear_errors(engine: sa.Engine) -> Iterator[None]:
    """Turn what a database refuses to do (locked, full, read-only, gone) into one clear line."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
        raise  # ours to mend, not the operator's
    except sa.exc.DBAPIError as error:
        shown = engine.url.render_as_string(hide_password=True)
        advice = "check that it is running and reachable, then run again"
        raise StoreError(f"the store {shown} cannot be used: {with_remedy(error, advice)}") from error


def migrate(engine: sa.Engine, shown: str) -> None:
    """Bring the tables to the newest revision; a second process that opens the store waits for the first.

    Raises
    ------
    StoreError
        If the tables belong to a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
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
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def compact(engine: sa.Engine) -> bool:
    """Write the database anew, so that what was deleted is in no byte of its files; tell whether that is done.

    SQLite's file is rebuilt and its write-ahead log emptied, PostgreSQL's tables are rewritten; neither can be
    done while another program is reading. PostgreSQL's own log and its backups keep older bytes as long as the
    server is configured to.
    """
    with clear_errors(engine), engine.connect() as connection:
        free = connection.execution_options(isolation_level="AUTOCOMMIT")
        if engine.dialect.name == "postgresql":
            return _rewrite_tables(free)
        free.exec_driver_sql("VACUUM")
        (busy, _, _) = free.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _rewrite_tables(connection: sa.Connection) -> bool:
    connection.exec_driver_sql(f"SET lock_timeout = '{WAIT}s'")
    try:
        for table in _WITH_WORDS:
            connection.exec_driver_sql(f"VACUUM FULL {table}")
    except sa.exc.OperationalError as error:
        if "lock timeout" not in first_line(error):
            raise
        return False
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
    return True


def with_remedy(error: Exception, otherwise: str) -> str:
    """Return what the driver said and what to do about it."""
    reason = first_line(error)
    known = (remedy for words, remedy in _REMEDIES if any(word in reason.lower() for word in words))
    return f"{reason}; {next(known, otherwise)}"


def first_line(error: Exception) -> str:
    """Return the first line of what the driver said."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]


def _prepare_sqlite(connection: Any, _: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").close()
