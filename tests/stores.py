"""A database of either kind for tests; PostgreSQL only where KIKITORI_TEST_POSTGRES names a server for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

KINDS = ("sqlite", "postgresql")


def server() -> sa.URL:
    """Return the URL of the PostgreSQL that tests may create databases in; skip the test without one."""
    url = os.environ.get("KIKITORI_TEST_POSTGRES")
    if not url:
        pytest.skip("no PostgreSQL: set KIKITORI_TEST_POSTGRES to an URL whose user may create databases")
    return sa.make_url(url)


@contextmanager
def postgres_database(name: str, template: str | None = None) -> Iterator[str]:
    """Create a database, from another one if a template is named, hand out its URL and drop it."""
    engine = sa.create_engine(server(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    try:
        yield server().set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Hand out the URL of a fresh database of a kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/kikitori.db"
        return
    with postgres_database(f"kikitori_test_{os.getpid()}") as url:
        yield url


def contents(engine: sa.Engine) -> dict[str, list]:
    """Return every row of every table, as comparable text, without the times and numbers of erasures.

    PostgreSQL does not give a number again that a killed transaction had taken.
    """
    found, metadata = {}, sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        for name, table in metadata.tables.items():
            left_out = ("at", "number") if name == "erasures" else ()
            columns = [column for column in table.columns if column.name not in left_out]
            found[name] = sorted(repr(tuple(row)) for row in connection.execute(sa.select(*columns)))
    return found
