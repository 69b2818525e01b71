"""Ten respondents, counted by hand.

id   score  group      返品      梱包
r0   10     promoter             +
r1    9     promoter             +
r2    9     promoter
r3    8     passive    −, +      +
r4    7     passive
r5    6     detractor            −
r6    5     detractor  −
r7    3     detractor  −, −, +
r8    0     detractor  −
r9    4     detractor  (no opinion unit)
r10  (no score)        neutral
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

SCORES = [10, 9, 9, 8, 7, 6, 5, 3, 0, 4, None]
RETURNS, PACKING = "T0001", "T0002"
UNITS = [
    ("r0", PACKING, "positive"),
    ("r1", PACKING, "positive"),
    ("r2", None, "positive"),
    ("r3", RETURNS, "negative"),
    ("r3", RETURNS, "positive"),
    ("r3", PACKING, "positive"),
    ("r4", None, "neutral"),
    ("r5", PACKING, "negative"),
    ("r6", RETURNS, "negative"),
    ("r7", RETURNS, "negative"),
    ("r7", RETURNS, "negative"),
    ("r7", RETURNS, "positive"),
    ("r8", RETURNS, "negative"),
    ("r10", RETURNS, "neutral"),
]


def feedback(scores: list[int | None] = SCORES) -> pl.DataFrame:
    """Respondents r0, r1, … of one source, one a day from Friday 2026-10-02 15:30 UTC on."""
    days = [datetime(2026, 10, 2, 15, 30, tzinfo=UTC) + timedelta(days=i) for i in range(len(scores))]
    schema: dict[str, Any] = {
        "feedback_id": pl.Utf8,
        "score": pl.Int64,
        "received_at": pl.Datetime("us", "UTC"),
    }
    columns = [[f"r{i}" for i in range(len(scores))], scores, days]
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema).with_columns(
        source=pl.lit("survey")
    )


def units(rows: list[tuple[str, str | None, str]] = UNITS) -> pl.DataFrame:
    schema = {"feedback_id": pl.Utf8, "theme_id": pl.Utf8, "sentiment": pl.Utf8}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(source=pl.lit("survey"))


def themes(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (theme_id, name, parent, "continuing", "2026-10-01", [name], [])
            for theme_id, name, parent in rows or ((RETURNS, "返品", None), (PACKING, "梱包", None))
        ],
        schema={
            "theme_id": pl.Utf8,
            "name": pl.Utf8,
            "parent_id": pl.Utf8,
            "status": pl.Utf8,
            "first_seen": pl.Utf8,
            "keywords": pl.List(pl.Utf8),
            "pairs": pl.List(pl.Utf8),
        },
        orient="row",
    )
