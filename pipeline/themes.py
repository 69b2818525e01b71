"""From clusters to themes: permanent ids, names, and what each unit belongs to.

Tonight's clusters are matched one to one to the themes known before the night, by optimal assignment on
the cosine of their centered centroids (Kuhn 1955, doi:10.1002/nav.3800020109).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from models.themes import ThemeModel
from pipeline.naming import frequent_pairs, keywords_by_theme, name_themes
from pipeline.store import Registry, StoredTheme

SAME_THEME = 0.6  # cosine of centered centroids above which a cluster continues a theme
TOO_FAR = "どのテーマとも似ていない"

THEME_SCHEMA = {
    "theme_id": pl.Utf8,
    "name": pl.Utf8,
    "parent_id": pl.Utf8,
    "status": pl.Utf8,
    "first_seen": pl.Utf8,
    "keywords": pl.List(pl.Utf8),
    "pairs": pl.List(pl.Utf8),
}


@dataclass(frozen=True)
class ThemedNight:
    """The night's units with their themes, the table of themes, and what the registry keeps of them."""

    units: pl.DataFrame
    themes: pl.DataFrame
    stored: list[StoredTheme]


def find_themes(
    units: pl.DataFrame,
    embeddings: np.ndarray,
    *,
    granularity: str,
    random_state: int,
    registry: Registry,
    model_id: str,
    business_date: date,
) -> ThemedNight:
    """Return units with theme_id, theme, parent_theme, similarity and unassigned_reason, and the themes.

    Parameters
    ----------
    units : pl.DataFrame
        Row i belongs to embedding i; tokens and pairs are used for names.
    embeddings : ndarray of float32, (n_units, dim)
        Unit length.
    registry : Registry
        The themes known before this night: running the night again gives the same ids.
    """
    model = ThemeModel(granularity=granularity, random_state=random_state)
    labels = model.fit_predict(embeddings)
    similarity = model.assign(embeddings).similarity
    known = [theme for theme in registry.themes if theme.model_id == model_id and theme.centroid is not None]
    n_clusters = len(model.centroids_)
    matched = match_themes(model.centroids_, known)
    ids = _theme_ids(n_clusters, matched, registry.next_number)
    tokens = {k: [list(units["tokens"][int(i)]) for i in np.flatnonzero(labels == k)] for k in range(n_clusters)}
    pairs = {
        k: frequent_pairs([list(units["pairs"][int(i)]) for i in np.flatnonzero(labels == k)])
        for k in range(n_clusters)
    }
    keywords = keywords_by_theme(tokens)
    new = {k: keywords[k] for k in range(n_clusters) if k not in matched}
    names = {k: theme.name for k, theme in matched.items()}
    names |= name_themes(new, pairs, taken=[theme.name for theme in registry.themes])
    rows, stored = [], []
    day = business_date.isoformat()
    for k in range(n_clusters):
        before = matched.get(k)
        status = "new" if before is None else "returned" if before.status == "retired" else "continuing"
        first_seen = before.first_seen if before else day
        row = dict(theme_id=ids[k], name=names[k], parent_id=None, status=status, first_seen=first_seen)
        rows.append(row | {"keywords": keywords[k], "pairs": pairs[k]})
        stored.append(
            StoredTheme(
                **row, last_seen=day, keywords=tuple(keywords[k]), centroid=model.centroids_[k], model_id=model_id
            )
        )
    gone = [theme for theme in registry.themes if theme.theme_id not in set(ids)]
    stored += [_retired(theme) for theme in gone]
    themes = pl.DataFrame(rows, schema=THEME_SCHEMA).sort("theme_id")
    return ThemedNight(_with_themes(units, labels, similarity, ids, names), themes, stored)


def match_themes(centroids: np.ndarray, known: Sequence[StoredTheme]) -> dict[int, StoredTheme]:
    """Return which known theme each cluster continues; a cluster like none of them is left out."""
    if not len(centroids) or not known:
        return {}
    before = np.stack([theme.centroid for theme in known if theme.centroid is not None])
    center = before.mean(axis=0) if len(known) > 2 else np.zeros(before.shape[1], np.float32)
    cosine = _unit(centroids - center) @ _unit(before - center).T
    rows, columns = linear_sum_assignment(-cosine)
    return {
        int(row): known[column]
        for row, column in zip(rows, columns, strict=True)
        if cosine[row, column] >= SAME_THEME
    }


def _theme_ids(n_clusters: int, matched: dict[int, StoredTheme], next_number: int) -> list[str]:
    ids = []
    for k in range(n_clusters):
        if k in matched:
            ids.append(matched[k].theme_id)
        else:
            ids.append(f"T{next_number:04}")
            next_number += 1
    return ids


def _retired(theme: StoredTheme) -> StoredTheme:
    return StoredTheme(
        theme.theme_id,
        theme.name,
        theme.parent_id,
        "retired",
        theme.first_seen,
        theme.last_seen,
        theme.keywords,
        theme.centroid,
        theme.model_id,
    )


def _with_themes(
    units: pl.DataFrame, labels: np.ndarray, similarity: np.ndarray, ids: Sequence[str], names: dict[int, str]
) -> pl.DataFrame:
    found = [int(label) for label in labels]
    return units.with_columns(
        pl.Series("theme_id", [ids[k] if k >= 0 else None for k in found], pl.Utf8),
        pl.Series("theme", [names[k] if k >= 0 else None for k in found], pl.Utf8),
        pl.lit(None, pl.Utf8).alias("parent_theme"),
        pl.Series("similarity", np.asarray(similarity, np.float64).round(4), pl.Float64).fill_nan(None),
        pl.Series("unassigned_reason", [None if k >= 0 else TOO_FAR for k in found], pl.Utf8),
    )


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
