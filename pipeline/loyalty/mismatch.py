"""Words against scores: promoters who complain and detractors who praise, the hidden churn list first."""

from typing import Any

import numpy as np
import polars as pl

from pipeline.loyalty.measures import nps_group
from pipeline.loyalty.mentions import KEY, POLARITY

MOST_LISTED = 500
"""Respondents listed, the most certain."""

SURE = 0.9
"""Least probability of a polarity that a listed respondent's words must have."""

COMPLAINING, PRAISING = "promoter_complains", "detractor_praises"
NO_COMPLAINT = ("request", "question")
"""Intents that ask for something: a promoter's wish is no complaint."""


def words_against_scores(feedback: pl.DataFrame, units: pl.DataFrame) -> dict[str, Any]:
    """Return the respondents whose words surely say the opposite of their score, the most certain first.

    A promoter complains when negative units outnumber positive ones (requests and questions count for neither); a
    detractor praises when positive ones outnumber negative ones. A list of contradictions collects misread words, so
    only those are listed whose contradiction is there among the units of a certain polarity, too; the others are
    counted. |P(positive) − P(negative)| is at most the probability of the polarity, and stands for it.

    The gap is the distance between the score and the one that the words let expect, a least-squares line over all
    respondents with both, in standard deviations.

    Parameters
    ----------
    feedback : pl.DataFrame
        source, feedback_id, score.
    units : pl.DataFrame
        source, feedback_id, sentiment and, where known, unit_index, sentiment_score and intent. Without
        sentiment_score every polarity is taken for certain.

    Returns
    -------
    dict
        mismatches: list of dict with kind, source, feedback_id, score, unit_index (of the surest unit; None where
        unknown), certainty (its probability at least, 0 to 1), words (mean sentiment, −1 to 1), expected_score, gap.
        mismatches_left_out: how many respondents were not certain enough.
    """
    scored = feedback.filter(pl.col("score").is_not_null()).select(*KEY, pl.col("score").cast(pl.Int64))
    known = scored.join(_words(units), on=KEY, how="inner").sort(KEY)
    if known.height < 3:
        return {"mismatches": [], "mismatches_left_out": 0}
    score, words = known["score"].to_numpy().astype(float), known["words"].to_numpy()
    expected = _expected(words, score)
    spread = float(np.sqrt(((score - expected) ** 2).mean())) or 1.0
    gaps = known.with_columns(
        pl.Series("expected_score", expected), pl.Series("gap", (np.abs(score - expected) / spread).round(9))
    )
    group = nps_group(pl.col("score"))
    sides = (
        gaps.filter((group == "promoter") & (pl.col("balance") < 0)).select(
            pl.lit(COMPLAINING).alias("kind"), pl.all(), pl.col("complaint").alias("surest"),
            (pl.col("sure_balance") < 0).alias("sure"),
        ),
        gaps.filter((group == "detractor") & (pl.col("balance") > 0)).select(
            pl.lit(PRAISING).alias("kind"), pl.all(), pl.col("praise").alias("surest"),
            (pl.col("sure_balance") > 0).alias("sure"),
        ),
    )
    found = pl.concat(sides).unnest("surest").sort("certainty", "gap", *KEY, descending=[True, True, False, False])
    columns = ("kind", *KEY, "score", "unit_index", "certainty", "words", "expected_score", "gap")
    listed = found.filter("sure").select(columns)
    return {
        "mismatches": listed.head(MOST_LISTED).to_dicts(),
        "mismatches_left_out": found.height - listed.height,
    }


def _words(units: pl.DataFrame) -> pl.DataFrame:
    """Return each respondent's mean sentiment, the surplus of positive over negative units, and the surest of each."""
    polarity = pl.col("sentiment").cast(pl.Utf8).replace_strict(POLARITY, return_dtype=pl.Int64)
    asks = pl.col("intent").cast(pl.Utf8).is_in(NO_COMPLAINT) if "intent" in units.columns else pl.lit(False)
    strength = pl.col("sentiment_score") if "sentiment_score" in units.columns else polarity.cast(pl.Float64)
    place = pl.col("unit_index").cast(pl.Int64) if "unit_index" in units.columns else pl.lit(None, pl.Int64)
    rows = units.select(
        *KEY, pl.when(asks.fill_null(False) & (polarity < 0)).then(0).otherwise(polarity).alias("polarity"),
        strength.alias("strength"), strength.abs().alias("certainty"), place.alias("unit_index"),
    ).sort(*KEY, "certainty", "unit_index", descending=[False, False, True, False])
    said, surest = pl.col("polarity"), pl.struct("certainty", "unit_index")
    # Decimals that no rounding of a parallel sum can reach; the sum itself is of whole numbers.
    whole = (pl.col("strength") * 1e9).round().cast(pl.Int64)
    return rows.group_by(KEY, maintain_order=True).agg(
        (whole.sum() / pl.len() / 1e9).alias("words"),
        said.sum().alias("balance"),
        said.filter(pl.col("certainty") >= SURE).sum().alias("sure_balance"),
        surest.filter(said < 0).first().alias("complaint"),
        surest.filter(said > 0).first().alias("praise"),
    )


def _expected(words: np.ndarray, score: np.ndarray) -> np.ndarray:
    spread = ((words - words.mean()) ** 2).sum()
    slope = ((words - words.mean()) * (score - score.mean())).sum() / spread if spread > 0 else 0.0
    return score.mean() + slope * (words - words.mean())
