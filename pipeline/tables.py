"""The night's tables as their readers get them."""

from collections.abc import Sequence

import polars as pl

from pipeline.loyalty import KEY, nps_group

UNIT_COLUMNS = (
    "feedback_id",
    "source",
    "received_at",
    "unit_index",
    "unit_text",
    "theme_id",
    "theme",
    "parent_theme",
    "similarity",
    "sentiment",
    "sentiment_score",
    "intent",
    "nps_score",
    "nps_group",
    "unassigned_reason",
)


def units_table(units: pl.DataFrame, feedback: pl.DataFrame, *, segments: Sequence[str]) -> pl.DataFrame:
    """Return the rows of units.csv: every unit with its respondent's score, group and segments."""
    respondents = feedback.select(
        *KEY,
        pl.col("score").alias("nps_score"),
        nps_group(pl.col("score")).alias("nps_group"),
        *[pl.col(name) if name in feedback.columns else pl.lit(None, pl.Utf8).alias(name) for name in segments],
    )
    joined = units.join(respondents, on=KEY, how="left", maintain_order="left")
    return joined.select(*UNIT_COLUMNS, *segments)
