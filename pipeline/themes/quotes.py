"""Quotes that stand for a theme and differ from one another: maximal marginal relevance.

Carbonell & Goldstein 1998, doi:10.1145/290941.291025: each next quote is the one most like its theme and
least like the quotes before it.
"""

import numpy as np
import polars as pl

N_QUOTES = 3
RELEVANCE = 0.6  # weight of being like the theme; the rest is unlikeness to the quotes before
READABLE = (10, 80)  # characters of a quote that says something and is read in one go
_CANDIDATES = 60


def representative(units: pl.DataFrame, embeddings: np.ndarray, n: int = N_QUOTES) -> dict[str, list[str]]:
    """Return up to n quotes for each theme, by theme_id: different texts of different respondents.

    Parameters
    ----------
    units : pl.DataFrame
        source, feedback_id, unit_index, unit_text, theme_id and similarity; row i of embeddings is unit i.
    embeddings : ndarray, (n_units, dim)
        Unit vectors.
    """
    length = pl.col("unit_text").str.len_chars()
    order = ["theme_id", "_far", "similarity", "source", "feedback_id", "unit_index"]
    ranked = (
        units.with_row_index("_row")
        .filter(pl.col("theme_id").is_not_null())
        .with_columns(_far=~length.is_between(*READABLE))
        .sort(order, descending=[False, False, True, False, False, False], nulls_last=True)
        .unique(["theme_id", "source", "feedback_id"], keep="first", maintain_order=True)
        .unique(["theme_id", "unit_text"], keep="first", maintain_order=True)
        .group_by("theme_id", maintain_order=True)
        .head(_CANDIDATES)
    )
    found = {}
    for (theme,), rows in ranked.group_by("theme_id", maintain_order=True):
        readable = rows.filter(~pl.col("_far"))
        rows = readable if readable.height >= n else rows
        vectors = embeddings[rows["_row"].to_numpy()]
        relevance = rows["similarity"].fill_null(0).to_numpy()
        found[str(theme)] = [rows["unit_text"][k] for k in marginal_relevance(relevance, vectors, n)]
    return found


def marginal_relevance(relevance: np.ndarray, vectors: np.ndarray, n: int) -> list[int]:
    """Return n rows, each relevant and unlike those before it; the earlier row wins a tie."""
    chosen: list[int] = []
    # Sentence vectors lie close together: their cosines are told apart around the candidates' mean.
    around = vectors - vectors.mean(axis=0)
    around = around / np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)
    while len(chosen) < min(n, len(relevance)):
        nearest = (around @ around[chosen].T).max(axis=1) if chosen else np.zeros(len(relevance))
        score = np.round(RELEVANCE * relevance - (1 - RELEVANCE) * nearest, 6)
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
    return chosen
