"""The themes each night left, and the registry of all that were ever seen."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.store.tables import NIGHT_THEMES

_SAME_VECTOR = 0.99999  # cosine; float32 sums differ in the seventh digit


@dataclass(frozen=True)
class StoredTheme:
    """A theme as one night left it; dates are ISO, centroid is a unit-length float32 vector of model_id."""

    theme_id: str
    name: str
    parent_id: str | None
    status: str
    first_seen: str
    last_seen: str
    keywords: tuple[str, ...] = ()
    centroid: NDArray[np.float32] | None = field(default=None, compare=False)
    model_id: str = ""


@dataclass(frozen=True)
class Registry:
    """Every theme ever seen at its last state, sorted by theme_id, and the number the next new one gets."""

    themes: list[StoredTheme]
    next_number: int


def save_themes(connection: sa.Connection, business_date: date, themes: Iterable[StoredTheme]) -> None:
    """Store the themes of a night; the night itself must be stored already."""
    if rows := [_theme_row(theme, business_date) for theme in themes]:
        connection.execute(sa.insert(NIGHT_THEMES), rows)


def themes_of(connection: sa.Connection, business_date: date) -> list[StoredTheme]:
    """Return the themes of one night, sorted by theme_id."""
    query = sa.select(NIGHT_THEMES).where(NIGHT_THEMES.c.business_date == business_date)
    return _themes(connection.execute(query).mappings().all())


def registry_before(connection: sa.Connection, business_date: date) -> Registry:
    """Return every theme known before business_date at its last state, retired ones included."""
    table = NIGHT_THEMES.c
    last = (
        sa.select(table.theme_id, sa.func.max(table.business_date).label("business_date"))
        .where(table.business_date < business_date)
        .group_by(table.theme_id)
        .subquery()
    )
    same = sa.and_(table.theme_id == last.c.theme_id, table.business_date == last.c.business_date)
    themes = _themes(connection.execute(sa.select(NIGHT_THEMES).join(last, same)).mappings().all())
    return Registry(themes, 1 + max((_number(theme.theme_id) for theme in themes), default=0))


def drop_anchors(connection: sa.Connection, encoder_id: str, vectors: NDArray[np.float32]) -> int:
    """Take anchors that are one of these unit vectors, (n, dim), out of every night's themes; return how many went.

    A theme's anchors are means of small groups of units; the mean of a group of one is that unit's own vector.
    Centroids stay: they are means over a theme.
    """
    dropped, table = 0, NIGHT_THEMES.c
    query = sa.select(table.business_date, table.theme_id, table.model_id, table.centroid)
    for night, theme_id, model_id, centroid in connection.execute(query.where(table.centroid.is_not(None))).all():
        flat = np.frombuffer(centroid, dtype="<f4")
        if not model_id.startswith(encoder_id) or len(flat) % vectors.shape[1]:
            continue
        look = flat.reshape(-1, vectors.shape[1])
        kept = np.ones(len(look), bool)
        kept[1:] = (look[1:] @ vectors.T).max(axis=1, initial=-1.0) < _SAME_VECTOR
        if not kept.all():
            mine = sa.and_(table.business_date == night, table.theme_id == theme_id)
            connection.execute(sa.update(NIGHT_THEMES).where(mine).values(centroid=look[kept].tobytes()))
            dropped += int((~kept).sum())
    return dropped


def _theme_row(theme: StoredTheme, business_date: date) -> dict[str, Any]:
    centroid = theme.centroid
    return {
        "business_date": business_date,
        "theme_id": theme.theme_id,
        "name": theme.name,
        "parent_id": theme.parent_id,
        "status": theme.status,
        "first_seen": date.fromisoformat(theme.first_seen),
        "last_seen": date.fromisoformat(theme.last_seen),
        "keywords": list(theme.keywords),
        "centroid": None if centroid is None else np.asarray(centroid, dtype="<f4").tobytes(),
        "model_id": theme.model_id,
    }


def _themes(rows: Iterable[Mapping[Any, Any]]) -> list[StoredTheme]:
    themes = [
        StoredTheme(
            theme_id=row["theme_id"],
            name=row["name"],
            parent_id=row["parent_id"],
            status=row["status"],
            first_seen=row["first_seen"].isoformat(),
            last_seen=row["last_seen"].isoformat(),
            keywords=tuple(row["keywords"]),
            centroid=None if row["centroid"] is None else np.frombuffer(row["centroid"], dtype="<f4").copy(),
            model_id=row["model_id"],
        )
        for row in rows
    ]
    return sorted(themes, key=lambda theme: theme.theme_id)


def _number(theme_id: str) -> int:
    """Return the number a theme id ends in; 0 for an id given by hand."""
    digits = re.search(r"[0-9]+$", theme_id)
    return int(digits.group()) if digits else 0
