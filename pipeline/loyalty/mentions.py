"""Who mentions which theme, and how: one row per theme and respondent."""

import polars as pl

KEY = ("source", "feedback_id")
POLARITY = {"positive": 1, "neutral": 0, "negative": -1}


def find_mentions(units: pl.DataFrame, themes: pl.DataFrame, *, parents: bool = True) -> pl.DataFrame:
    """Return one row per theme and respondent who mentions it: n_units, polarity (sum of −1, 0, +1).

    Parameters
    ----------
    units, themes : pl.DataFrame
        source, feedback_id, theme_id, sentiment of every unit; theme_id and parent_id of every theme.
    parents : bool
        Whether who mentions a theme mentions the themes above it, too.

    Raises
    ------
    ValueError
        If a unit names a theme that `themes` does not hold.
    """
    _check_themes(units, themes)
    polarity = pl.col("sentiment").cast(pl.Utf8).replace_strict(POLARITY, return_dtype=pl.Int64)
    return (
        units.filter(pl.col("theme_id").is_not_null())
        .select(*KEY, pl.col("theme_id").cast(pl.Utf8).alias("leaf"), polarity.alias("polarity"))
        .join(_ancestry(themes, parents), on="leaf", how="inner")
        .group_by("theme_id", *KEY)
        .agg(pl.len().cast(pl.Int64).alias("n_units"), pl.col("polarity").sum())
    )


def parent_names(units: pl.DataFrame, themes: pl.DataFrame) -> dict[str, str]:
    """Name each theme's parent, from the parent's own row or else from the units."""
    names = dict(themes.select("theme_id", "name").iter_rows())
    parents = {theme_id: names[above] for theme_id, above in _parents(themes).items() if above in names}
    if "parent_theme" not in units.columns:
        return parents
    told = units.select("theme_id", "parent_theme").drop_nulls().unique().sort("theme_id", "parent_theme")
    return {**dict(told.iter_rows()), **parents}


def _ancestry(themes: pl.DataFrame, parents: bool) -> pl.DataFrame:
    """Pair every theme (leaf) with itself and with each theme above it (theme_id)."""
    parent = _parents(themes)
    pairs = []
    for theme_id in parent:
        above: str | None = theme_id
        seen = set[str | None]()
        while above in parent and above not in seen:
            seen.add(above)
            pairs.append((theme_id, above))
            above = parent[above] if parents else None
    return pl.DataFrame(pairs, schema={"leaf": pl.Utf8, "theme_id": pl.Utf8}, orient="row")


def _parents(themes: pl.DataFrame) -> dict[str, str | None]:
    return dict(themes.select("theme_id", "parent_id").iter_rows())


def _check_themes(units: pl.DataFrame, themes: pl.DataFrame) -> None:
    unknown = set(units["theme_id"].drop_nulls()) - set(themes["theme_id"])
    if unknown:
        raise ValueError(f"units name a theme that the theme table does not hold: {min(unknown)}")
