"""CSV files that Excel opens as they are, and that cannot run anything there."""

import io

import polars as pl

FORMULA_START = r"^[=+\-@\t\r\n＝＋－＠]"
"""Cells beginning so may be taken for a formula, in full width too (OWASP, CSV Injection)."""

PLAIN_NUMBER = r"^[+-]?\d+(\.\d+)?$"


def render_csv(table: pl.DataFrame) -> bytes:
    """Return the table as CSV: UTF-8 with BOM, lists joined by `` / ``, times in ISO 8601.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay as they are.
    """
    plain = table.select(_as_written(table[name]) for name in table.columns)
    plain = plain.rename({name: _harmless(name) for name in plain.columns})
    buffer = io.BytesIO()
    plain.write_csv(buffer, include_bom=True)
    return buffer.getvalue()


def as_texts(column: pl.Series) -> pl.Series:
    """Return the column with lists joined by `` / `` and times in ISO 8601; others unchanged."""
    dtype = column.dtype
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.Utf8)).list.join(" / ")
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("%:z" if dtype.time_zone else ""))
    return column


def _as_written(column: pl.Series) -> pl.Series:
    texts = as_texts(column)
    if texts.dtype not in (pl.Utf8, pl.Categorical):
        return texts
    texts = texts.cast(pl.Utf8)
    risky = texts.str.contains(FORMULA_START) & ~texts.str.contains(PLAIN_NUMBER)
    frame = pl.DataFrame({"text": texts, "risky": risky})
    text = pl.col("text")
    neutral = pl.when("risky").then(pl.concat_str(pl.lit("'"), text)).otherwise(text)
    return frame.select(neutral.alias(column.name)).to_series()


def _harmless(header: str) -> str:
    return f"'{header}" if header[:1] in tuple("=+-@\t\r\n＝＋－＠") else header
