"""Words against scores: promoters who complain and detractors who praise, the hidden churn list first."""

from typing import Any

import numpy as np
import polars as pl

from pipeline.loyalty.measures import nps_group
from pipeline.loyalty.mentions import KEY, POLARITY

MOST_LISTED = 500
"""Respondents listed, the widest gaps."""

COMPLAINING, PRAISING = "promoter_complains", "detractor_praises"
NO_COMPLAINT = ("request", "question")
"""Intents that ask for something: a promoter's wish is no complaint."""


def words_against_scores(feedback: pl.DataFrame, units: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the respondents whose words say the opposite of their score, the widest gap first.

    A promoter complains when negative units outnumber positive ones (requests and questions count for neither); a
    detractor praises when positive ones outnumber negative ones. The gap is the distance between the score and the one
    that the words let expect, a least-squares line over all respondents with both, in standard deviations.

    Parameters
    ----------
    feedback : pl.DataFrame
        source, feedback_id, score.
    units : pl.DataFrame
        source, feedback_id, sentiment and, where known, sentiment_score and intent.

    Returns
    -------
    list of dict
        kind, source, feedback_id, score, words (mean sentiment, −1 to 1), expected_score, gap.
    """
    scored = feedback.filter(pl.col("score").is_not_null()).select(*KEY, pl.col("score").cast(pl.Int64))
    known = scored.join(_words(units), on=KEY, how="inner").sort(KEY)
    if known.height < 3:
        return []
    score, words = known["score"].to_numpy().astype(float), known["words"].to_numpy()
    expected = _expected(words, score)
    spread = float(np.sqrt(((score - expected) ** 2).mean())) or 1.0
    group = nps_group(pl.col("score"))
    kind = (
        pl.when((group == "promoter") & (pl.col("balance") < 0)).then(pl.lit(COMPLAINING))
        .when((group == "detractor") & (pl.col("balance") > 0)).then(pl.lit(PRAISING))
    )
    gaps = known.with_columns(
        kind.alias("kind"),
        pl.Series("expected_score", expected),
        pl.Series("gap", (np.abs(score - expected) / spread).round(9)),
    )
    found = gaps.drop_nulls("kind").sort("gap", *KEY, descending=[True, False, False])
    columns = ("kind", *KEY, "score", "words", "expected_score", "gap")
    return found.select(columns).head(MOST_LISTED).to_dicts()


def _words(units: pl.DataFrame) -> pl.DataFrame:
    """Return each respondent's mean sentiment and how many more positive than negative units they wrote."""
    polarity = pl.col("sentiment").cast(pl.Utf8).replace_strict(POLARITY, return_dtype=pl.Int64)
    asks = pl.col("intent").cast(pl.Utf8).is_in(NO_COMPLAINT) if "intent" in units.columns else pl.lit(False)
    strength = pl.col("sentiment_score") if "sentiment_score" in units.columns else polarity.cast(pl.Float64)
    counted = pl.when(asks.fill_null(False) & (polarity < 0)).then(0).otherwise(polarity)
    # Decimals that no rounding of a parallel sum can reach; the sum itself is of whole numbers.
    whole = (strength * 1e9).round().cast(pl.Int64)
    return units.group_by(KEY).agg((whole.sum() / pl.len() / 1e9).alias("words"), counted.sum().alias("balance"))


def _expected(words: np.ndarray, score: np.ndarray) -> np.ndarray:
    spread = ((words - words.mean()) ** 2).sum()
    slope = ((words - words.mean()) * (score - score.mean())).sum() / spread if spread > 0 else 0.0
    return score.mean() + slope * (words - words.mean())
