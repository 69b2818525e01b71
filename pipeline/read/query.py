"""Rows of one SELECT on a database, through SQLAlchemy; nothing is written and the password is never shown."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pipeline.read.contract import MAX_CELL, InputError, RawRow, SourceSpec
from pipeline.read.delimited import LONG_CELL
from pipeline.read.header import picker
from pipeline.read.json_rows import as_text

_BLOCK = 10_000  # rows


def query_rows(source: SourceSpec) -> Iterator[RawRow]:
    """Yield the rows of the query; the names of its columns count as row 1.

    Raises
    ------
    InputError
        If the database cannot be reached, refuses the query, or its result lacks a configured column.
    """
    try:
        url = sa.make_url(source.database or "")
        engine = sa.create_engine(_read_only(url))
    except (sa.exc.ArgumentError, ImportError, ValueError) as error:
        raise InputError(
            f"source {source.name!r}: database cannot be used ({type(error).__name__}); "
            "expected an SQLAlchemy URL such as postgresql+psycopg://USER@HOST/NAME, with its driver installed"
        ) from None
    shown = url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            yield from _result_rows(_readable(connection), source)
    except sa.exc.SQLAlchemyError as error:  # its text may hold the statement's values
        kind = type(getattr(error, "orig", None) or error).__name__
        raise InputError(f"source {source.name!r}: {shown} refuses the query ({kind}); try it by hand") from None
    finally:
        engine.dispose()


def _read_only(url: sa.URL) -> sa.URL:
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return url
    return url.set(database=f"file:{url.database}").update_query_dict({"mode": "ro", "uri": "true"})


def _readable(connection: sa.Connection) -> sa.Connection:
    options: dict[str, Any] = {"stream_results": True, "max_row_buffer": _BLOCK}
    if connection.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    return connection.execution_options(**options)


def _result_rows(connection: sa.Connection, source: SourceSpec) -> Iterator[RawRow]:
    result = connection.execute(sa.text(source.query or ""))
    if not result.returns_rows:
        raise InputError(f"source {source.name!r}: query returns no rows; expected one SELECT")
    pick = picker(list(result.keys()), source, "query")
    for number, row in enumerate(result.yield_per(_BLOCK), start=2):
        cells = [_text(value) for value in row]
        if any(len(cell) > MAX_CELL for cell in cells):
            yield RawRow(number, LONG_CELL, ())
        elif "".join(cells).strip():
            yield RawRow(number, "", pick(cells))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else as_text(value)
