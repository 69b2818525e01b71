"""Vectors, polarity and intent of opinion units, from one pass of the encoder, remembered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.bundled import Progress
from models.sentiment import INTENTS, POLARITIES, SentimentClassifier
from pipeline.cache import Cache, cached


@dataclass(frozen=True)
class Encoded:
    """Row i of every array is text i.

    Attributes
    ----------
    embeddings : ndarray of float32, (n_units, dim)
        Unit length.
    polarity : ndarray of float32, (n_units, 3)
        Probabilities of negative, neutral, positive.
    intent : ndarray of float32, (n_units, 5)
        Probabilities in the order of :data:`models.sentiment.INTENTS`.
    """

    embeddings: np.ndarray
    polarity: np.ndarray
    intent: np.ndarray


def encode_units(
    texts: Sequence[str],
    classifier: SentimentClassifier,
    *,
    cache: Cache,
    secret: bytes,
    progress: Progress | None = None,
) -> Encoded:
    """Return vectors and probabilities of the texts; only texts the cache lacks are computed."""
    dim = classifier.encoder.dim
    namespace = f"units:{classifier.encoder.model_id}|{classifier.model_id}"

    def compute(chunk: list[str]) -> list[bytes]:
        embeddings, logits = classifier.encode_with_logits(chunk)
        return [row.tobytes() for row in np.hstack([embeddings, logits]).astype("<f4")]

    values = cached(texts, namespace, compute, cache=cache, secret=secret, progress=progress)
    rows = np.frombuffer(b"".join(values), "<f4").reshape(len(texts), -1)
    if not len(texts):
        rows = np.zeros((0, dim + len(POLARITIES) + len(INTENTS)), np.float32)
    polarity, intent = classifier.probabilities(rows[:, dim:])
    return Encoded(np.ascontiguousarray(rows[:, :dim]), polarity, intent)


def with_sentiment(units: pl.DataFrame, encoded: Encoded) -> pl.DataFrame:
    """Return the units with ``sentiment``, ``sentiment_score`` (P(positive) − P(negative)) and ``intent``."""
    score = (encoded.polarity[:, 2] - encoded.polarity[:, 0]).astype(np.float64).round(4) + 0.0
    return units.with_columns(
        pl.Series("sentiment", [POLARITIES[k] for k in encoded.polarity.argmax(axis=1)], pl.Utf8),
        pl.Series("sentiment_score", score, pl.Float64),
        pl.Series("intent", [INTENTS[k] for k in encoded.intent.argmax(axis=1)], pl.Utf8),
    )
