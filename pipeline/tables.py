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
    "near_duplicate",
)


def units_table(
    units: pl.DataFrame, feedback: pl.DataFrame, *, segments: Sequence[str], near_duplicate: pl.Series | None = None
) -> pl.DataFrame:
    """Return the rows of units.csv: every unit with its respondent's score, group and segments.

    near_duplicate holds the group of copies of each response of the feedback, row by row.
    """
    respondents = feedback.select(
        *KEY,
        pl.col("score").alias("nps_score"),
        nps_group(pl.col("score")).alias("nps_group"),
        (pl.lit(None, pl.Int64) if near_duplicate is None else near_duplicate).alias("near_duplicate"),
        *[pl.col(name) if name in feedback.columns else pl.lit(None, pl.Utf8).alias(name) for name in segments],
    )
    joined = units.join(respondents, on=KEY, how="left", maintain_order="left")
    return joined.select(*UNIT_COLUMNS, *segments)
