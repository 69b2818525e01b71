"""The customers table: what each customer bought, joined to feedback by the hashed customer id."""

import io
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.cleanse import hash_customer
from pipeline.mask import NO_WORDS, WordList, mask_patterns
from pipeline.read import QUARANTINE_SCHEMA, InputError, parse_moment
from pipeline.read.rows import masked_quarantine

SOURCE = "customers"
CUSTOMER_SCHEMA: dict[str, Any] = {
    "customer": pl.Utf8,
    "orders": pl.Int64,
    "revenue": pl.Float64,
    "first_purchase": pl.Date,
    "last_purchase": pl.Date,
    "tier": pl.Utf8,
}
CUSTOMER_ROLES = tuple(CUSTOMER_SCHEMA)


@dataclass(frozen=True)
class Customers:
    """The usable rows, one per customer, and the others.

    Attributes
    ----------
    table : pl.DataFrame
        customer (hashed), orders, revenue, first_purchase, last_purchase, tier; sorted by customer. A column that
        the file lacks is null.
    quarantine : pl.DataFrame
        Rows that cannot be used, as those of feedback; without the customer's id.
    """

    table: pl.DataFrame
    quarantine: pl.DataFrame


def read_customers(
    path: str,
    columns: Mapping[str, str],
    *,
    customer_key: bytes,
    timezone: str,
    refused: frozenset[str] = frozenset(),
    words: WordList = NO_WORDS,
) -> Customers:
    """Return the customers of a csv, tsv, jsonl, xlsx or parquet file or fsspec URL.

    An empty cell is unknown. A row without an id, or with a number or date that cannot be read, goes to quarantine; so
    do further rows of the same customer: the one with the latest purchase stays. Customers who were erased (`refused`,
    as keyed hashes) are left out. Values in quarantine are masked.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or lacks a configured column.
    """
    frame, name = _frame(path), PurePath(path).name
    missing = sorted(set(columns.values()) - set(frame.columns))
    if missing:
        raise InputError(f"{name}: no column {missing[0]!r}; check columns under customers")
    good, bad = [], []
    roles = frame.select(pl.col(column).alias(role) for role, column in columns.items())
    for number, row in enumerate(roles.to_dicts(), start=2):
        try:
            good.append(_customer(row, columns, customer_key, ZoneInfo(timezone)) | {"row": number})
        except _BadCell as problem:
            bad.append(_quarantined(name, number, *problem.args))
    table = pl.DataFrame(good, schema=CUSTOMER_SCHEMA | {"row": pl.Int64})
    order = ["customer", "last_purchase", "orders", "revenue", "first_purchase", "tier"]
    table = table.sort(order, nulls_last=False)
    once = table.unique("customer", keep="last", maintain_order=True)
    again = table.join(once.select("row"), on="row", how="anti").sort("row")
    reason = "the customer has another row with a later purchase"
    bad += [_quarantined(name, number, columns["customer"], reason, "") for number in again["row"]]
    quarantine = pl.DataFrame(bad, schema=QUARANTINE_SCHEMA).sort("row")
    values = [mask_patterns(value.replace("\0", ""), words) for value in quarantine["value"]]
    quarantine = masked_quarantine(quarantine.with_columns(pl.Series("value", values, pl.Utf8)))
    return Customers(once.filter(~pl.col("customer").is_in(sorted(refused))).drop("row"), quarantine)


class _BadCell(Exception):
    """A cell that cannot be used: its column, the rule, what it held."""


def _customer(row: Mapping[str, Any], columns: Mapping[str, str], key: bytes, zone: ZoneInfo) -> dict[str, Any]:
    parsers: dict[str, Callable[[str], Any]] = {
        "orders": _whole,
        "revenue": _amount,
        "first_purchase": lambda text: _day(text, zone),
        "last_purchase": lambda text: _day(text, zone),
        "tier": str,
    }
    cells = {role: unicodedata.normalize("NFKC", row[role] or "").strip() for role in columns}
    if not cells["customer"]:
        raise _BadCell(columns["customer"], "the id is missing", "")
    found: dict[str, Any] = {"customer": hash_customer(cells["customer"], key)}
    for role, parse in parsers.items():
        try:
            found[role] = parse(cells[role]) if cells.get(role) else None
        except ValueError as error:
            raise _BadCell(columns[role], str(error), cells[role]) from None
    return found


def _whole(text: str) -> int:
    number = _amount(text)
    if number != int(number):
        raise ValueError("orders must be a whole number of at least 0")
    return int(number)


def _amount(text: str) -> float:
    try:
        number = float(text.strip("¥円回件 ").replace(",", ""))
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e15:
        raise ValueError("must be a number of at least 0")
    return number


def _day(text: str, zone: ZoneInfo) -> date:
    return parse_moment(text, zone).astimezone(zone).date()


def _quarantined(file: str, row: int, column: str, reason: str, value: str) -> dict[str, Any]:
    return {
        "source": SOURCE, "file": file, "row": row, "feedback_id": None,
        "column": column, "reason": reason, "value": value,
    }


def _frame(path: str) -> pl.DataFrame:
    """Return the file's table, every cell as text, headers without spaces around them."""
    data, suffix = _bytes(path), PurePath(path).suffix.lower()
    try:
        if suffix in {".xlsx", ".xlsm"}:
            frame = pl.read_excel(io.BytesIO(data), infer_schema_length=0)
        elif suffix == ".parquet":
            frame = pl.read_parquet(io.BytesIO(data))
        elif suffix in {".jsonl", ".ndjson"}:
            rows = [json.loads(line) for line in _text(data).splitlines() if line.strip()]
            frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        else:
            text = _text(data)
            tab = text.split("\n", 1)[0].count("\t") > text.split("\n", 1)[0].count(",")
            frame = pl.read_csv(io.StringIO(text), separator="\t" if tab else ",", infer_schema=False)
    except Exception as error:  # every reader below polars has errors of its own
        raise InputError(f"{PurePath(path).name}: cannot be read as a table ({type(error).__name__})") from None
    return frame.select(pl.all().cast(pl.Utf8, strict=False)).rename(str.strip)


def _bytes(path: str) -> bytes:
    try:
        if "://" in path:
            import fsspec  # only for URLs

            with fsspec.open(path, "rb") as stream:
                return bytes(stream.read())
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check path under customers") from None
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); check path under customers") from None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp932", "replace")
