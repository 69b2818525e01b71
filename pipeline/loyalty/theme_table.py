"""The row of every theme: who mentions it, how, from which NPS group, in which week, and its impact.

Every figure is computed from integer counts, so neither the order of the rows nor the number of threads
can change it. The formulas with their sources are in docs/methods.md.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from pipeline.loyalty.impact import adjust_p, impact
from pipeline.loyalty.measures import GROUPS, Groups, nps, nps_group, wilson_interval
from pipeline.loyalty.mentions import KEY, find_mentions, parent_names


def theme_table(
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    themes: pl.DataFrame,
    previous: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    timezone: str = "UTC",
) -> list[dict[str, Any]]:
    """Return one row per theme as summary.json shows it, the most mentioned first.

    Parameters
    ----------
    feedback : pl.DataFrame
        Every respondent in the window: source, feedback_id, score, received_at (UTC).
    units : pl.DataFrame
        Their opinion units: source, feedback_id, theme_id (null when unassigned), sentiment; parent_theme
        names a parent that is no theme of its own.
    themes : pl.DataFrame
        theme_id, name, parent_id, status, first_seen, keywords, pairs.
    previous : mapping, optional
        The previous night's rows by theme_id (for previous_share).
    timezone : str
        Where a week begins: Monday 00:00 in this zone.

    Returns
    -------
    list of dict
        A respondent who mentions a child theme mentions its parent. Shares lie in [0, 1], NPS and impact are
        in NPS points; figures without a denominator are None.

    Raises
    ------
    ValueError
        If a unit belongs to no feedback row, or names a theme that `themes` does not hold.
    """
    _check_references(feedback, units, themes)
    people = feedback.select(
        *KEY,
        nps_group(pl.col("score")).fill_null("unscored").alias("group"),
        pl.col("received_at").dt.convert_time_zone(timezone).dt.date().dt.truncate("1w").alias("week"),
    )
    mentions = find_mentions(units, themes).join(people, on=KEY, how="inner")
    cells = _cells(mentions)
    weeks = _weeks(people)
    weekly = {(t, w): n for t, w, n in mentions.group_by("theme_id", "week").len().iter_rows()}
    everyone = Groups.counted(dict(people.group_by("group").len().iter_rows()))
    n_analysed = units.select(*KEY).n_unique() if units.height else 0
    parents = parent_names(units, themes)

    rows = []
    for theme in themes.sort("theme_id").iter_rows(named=True):
        theme_id = theme["theme_id"]
        by_group = {group: cells.get((theme_id, group), _NO_CELL) for group in GROUPS}
        row = {
            "theme_id": theme_id,
            "name": theme["name"],
            "parent_id": theme["parent_id"],
            "parent_name": parents.get(theme_id),
            "status": theme["status"],
            "first_seen": theme["first_seen"],
            "keywords": list(theme["keywords"] or []),
            "pairs": list(theme["pairs"] or []),
            **_mention_figures(by_group, n_analysed),
            **_loyalty_figures(by_group, everyone),
            "previous_share": (previous or {}).get(theme_id, {}).get("share"),
            "weekly": [{"week": w.isoformat(), "n_feedback": weekly.get((theme_id, w), 0)} for w in weeks],
        }
        rows.append(row)
    _adjust(rows)
    _adjust([row[mentions] for row in rows for mentions in ("negative_mentions", "positive_mentions")])
    return sorted(rows, key=lambda row: (-row["n_feedback"], row["theme_id"]))


_COUNTS = ("n_feedback", "positive", "neutral", "negative")
_NO_CELL = dict.fromkeys((*_COUNTS, "n_units"), 0)


def _mention_figures(by_group: Mapping[str, Mapping[str, int]], n_analysed: int) -> dict[str, Any]:
    total = {name: sum(cell[name] for cell in by_group.values()) for name in _NO_CELL}
    low, high = wilson_interval(total["n_feedback"], n_analysed) or (None, None)
    return {
        **total,
        "share": total["n_feedback"] / n_analysed if n_analysed else None,
        "share_low": low,
        "share_high": high,
        "by_group": {group: {name: cell[name] for name in _COUNTS} for group, cell in by_group.items()},
    }


def _loyalty_figures(by_group: Mapping[str, Mapping[str, int]], everyone: Groups) -> dict[str, Any]:
    def figures(count: str) -> dict[str, Any]:
        mentioners = Groups.counted({group: cell[count] for group, cell in by_group.items()})
        effect = impact(mentioners, everyone)
        return {
            "nps": nps(*mentioners).score,
            "nps_n": mentioners.n,
            "impact": effect.value,
            "impact_low": effect.low,
            "impact_high": effect.high,
            "p": effect.p,
        }

    return {
        **figures("n_feedback"),
        "negative_mentions": figures("negative"),
        "positive_mentions": figures("positive"),
    }


def _adjust(rows: list[dict[str, Any]]) -> None:
    """Put the p value adjusted over the rows in the place of each row's own."""
    for row, adjusted in zip(rows, adjust_p([row.pop("p") for row in rows]), strict=True):
        row["p_adjusted"] = adjusted


def _cells(mentions: pl.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    """Count respondents by theme and NPS group, by the sign of their polarity, and their units."""
    counted = mentions.group_by("theme_id", "group").agg(
        pl.len().alias("n_feedback"),
        (pl.col("polarity") > 0).sum().alias("positive"),
        (pl.col("polarity") == 0).sum().alias("neutral"),
        (pl.col("polarity") < 0).sum().alias("negative"),
        pl.col("n_units").sum(),
    )
    return {(row.pop("theme_id"), row.pop("group")): row for row in counted.iter_rows(named=True)}


def _weeks(people: pl.DataFrame) -> list[date]:
    """Return every Monday from the first to the last week with feedback: a quiet week shows as 0."""
    known = people["week"].drop_nulls()
    if known.is_empty():
        return []
    return pl.select(pl.date_range(known.min(), known.max(), "1w")).to_series().to_list()  # type: ignore[arg-type]


def _check_references(feedback: pl.DataFrame, units: pl.DataFrame, themes: pl.DataFrame) -> None:
    strays = units.select(*KEY).join(feedback.select(*KEY), on=KEY, how="anti")
    if strays.height:
        source, feedback_id = strays.sort(KEY).row(0)
        raise ValueError(f"every unit must belong to a feedback row; {source} {feedback_id} has none")
