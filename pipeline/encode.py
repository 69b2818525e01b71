"""Vectors, polarity and intent of opinion units, from one pass, remembered; polarity fitted to the deployment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.special import softmax

from models.adaptation import Decision, adapt
from models.bundled import Progress
from models.sentiment import INTENTS, POLARITIES, SentimentClassifier
from pipeline.cache import Cache, computed
from pipeline.loyalty import KEY


@dataclass(frozen=True)
class Encoded:
    """Row i of every array is text i.

    Attributes
    ----------
    embeddings : ndarray of float32, (n_units, dim)
        Unit length.
    logits : ndarray of float32, (n_units, 8)
        Calibrated: negative, neutral, positive, then :data:`models.sentiment.INTENTS`.
    """

    embeddings: np.ndarray
    logits: np.ndarray

    @property
    def polarity(self) -> np.ndarray:
        """Probabilities of negative, neutral, positive, float32 (n_units, 3)."""
        return softmax(self.logits[:, : len(POLARITIES)], axis=1)

    @property
    def intent(self) -> np.ndarray:
        """Probabilities in the order of :data:`models.sentiment.INTENTS`, float32 (n_units, 5)."""
        return softmax(self.logits[:, len(POLARITIES) :], axis=1)


def encode_units(
    texts: Sequence[str],
    classifier: SentimentClassifier,
    *,
    cache: Cache,
    secret: bytes,
    progress: Progress | None = None,
) -> Encoded:
    """Return vectors and calibrated logits of the texts; only texts the cache lacks are computed."""
    dim = classifier.encoder.dim
    namespace = f"units:{classifier.encoder.model_id}|{classifier.model_id}"

    def compute(chunk: list[str]) -> list[bytes]:
        embeddings, logits = classifier.encode_with_logits(chunk)
        return [row.tobytes() for row in np.hstack([embeddings, logits]).astype("<f4")]

    embeddings = np.empty((len(texts), dim), np.float32)
    logits = np.empty((len(texts), len(POLARITIES) + len(INTENTS)), np.float32)
    start = 0
    for values in computed(texts, namespace, compute, cache=cache, secret=secret, progress=progress):
        rows = np.frombuffer(b"".join(values), "<f4").reshape(len(values), -1)
        embeddings[start : start + len(rows)] = rows[:, :dim]
        logits[start : start + len(rows)] = rows[:, dim:]
        start += len(rows)
    return Encoded(embeddings, classifier.calibrated(logits))


def adapt_to_scores(encoded: Encoded, units: pl.DataFrame, feedback: pl.DataFrame) -> tuple[Encoded, Decision]:
    """Return the units' logits fitted to the deployment's own NPS scores where that helps, and what was decided.

    Parameters
    ----------
    encoded : Encoded
        Row i belongs to row i of `units`.
    units, feedback : pl.DataFrame
        Both with source and feedback_id, feedback with score.
    """
    group = pl.when(pl.col("score") >= 9).then(2).when(pl.col("score") >= 7).then(1).otherwise(0)
    scored = feedback.select(*KEY, pl.when(pl.col("score").is_null()).then(-1).otherwise(group).alias("group"))
    known = units.select(*KEY, pl.struct(*KEY).rank("dense").alias("respondent"))
    known = known.join(scored, on=KEY, how="left", maintain_order="left")
    adaptation = adapt(encoded.logits, known["group"].to_numpy(), known["respondent"].to_numpy())
    if not adaptation.decision.used:
        return encoded, adaptation.decision
    intent = encoded.logits[:, len(POLARITIES) :]
    return replace(encoded, logits=np.hstack([adaptation(encoded.logits), intent])), adaptation.decision


def with_sentiment(units: pl.DataFrame, encoded: Encoded) -> pl.DataFrame:
    """Return the units with ``sentiment``, ``sentiment_score`` (P(positive) − P(negative)) and ``intent``."""
    polarity = encoded.polarity
    score = (polarity[:, 2] - polarity[:, 0]).astype(np.float64).round(4) + 0.0
    return units.with_columns(
        pl.Series("sentiment", [POLARITIES[k] for k in polarity.argmax(axis=1)], pl.Utf8),
        pl.Series("sentiment_score", score, pl.Float64),
        pl.Series("intent", [INTENTS[k] for k in encoded.intent.argmax(axis=1)], pl.Utf8),
    )
