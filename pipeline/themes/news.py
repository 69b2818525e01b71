"""What the night has to tell about its themes: transitions, emerging themes, alerts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipeline.summary import DECIMALS
from pipeline.themes.emerging import emerging_themes
from pipeline.themes.matching import KEPT_SHARE
from pipeline.themes.night import ThemedNight
from pipeline.themes.registry import Registry


def with_theme_news(
    summary: Mapping[str, Any],
    themed: ThemedNight,
    registry: Registry,
    feedback: pl.DataFrame,
    *,
    timezone: str,
    segments: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the summary with what became of its themes.

    Adds `transitions` [{kind, theme_id, name, others [{theme_id, name}], kept, decision}], `emerging` (see
    :mod:`pipeline.themes.emerging`), `pinned` and `hidden` to each theme, `units_kept` to `stability`, and the
    alerts growing_theme and theme_shift. On the first night everything is new and nothing is news.
    """
    names = _names(themed, registry)
    marks = {row["theme_id"]: row for row in themed.themes.select("theme_id", "pinned", "hidden").to_dicts()}
    split = {part for change in themed.transitions if change.kind == "split" for part in change.others}
    emerging = []
    if summary["previous"]:
        emerging = emerging_themes(
            feedback,
            themed.units,
            themed.themes,
            business_date=date.fromisoformat(summary["business_date"]),
            timezone=timezone,
            segments=segments,
            not_news=frozenset(split),
        )
    return {
        **summary,
        "themes": [{**theme, **marks[theme["theme_id"]]} for theme in summary["themes"]],
        "transitions": [
            {
                "kind": change.kind,
                "theme_id": change.theme_id,
                "name": names.get(change.theme_id, change.theme_id),
                "others": [{"theme_id": other, "name": names.get(other, other)} for other in change.others],
                "kept": _rounded(change.kept),
                "decision": change.decision,
            }
            for change in themed.transitions
        ],
        "emerging": [{key: _rounded(value) for key, value in row.items()} for row in emerging],
        "alerts": [*_still_news(summary["alerts"], feedback, emerging), *_growth(emerging), *_shift(themed)],
        "stability": {**summary["stability"], "units_kept": _rounded(themed.kept_share)},
    }


def _names(themed: ThemedNight, registry: Registry) -> dict[str, str]:
    given = registry.curation.names
    known = {theme.theme_id: given.get(theme.theme_id, theme.name) for theme in (*registry.themes, *themed.stored)}
    return known | dict(themed.themes.select("theme_id", "name").iter_rows())


def _still_news(
    alerts: Sequence[Mapping[str, Any]], feedback: pl.DataFrame, emerging: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Keep the new-theme alerts of themes that emerge; where nothing has a date nothing can be left out."""
    if feedback["received_at"].null_count() == feedback.height:
        return [dict(alert) for alert in alerts]
    emerges = {row["theme_id"] for row in emerging}
    return [dict(a) for a in alerts if a["kind"] != "new_theme" or a["theme_id"] in emerges]


def _growth(emerging: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    keys = ("theme_id", "name", "first_day", "n_feedback", "share", "share_before", "p")
    rows = [row for row in emerging if row["kind"] == "growing"]
    return [{"kind": "growing_theme", **{key: _rounded(row[key]) for key in keys}} for row in rows]


def _shift(themed: ThemedNight) -> list[dict[str, Any]]:
    if themed.kept_share is None or themed.kept_share >= KEPT_SHARE:
        return []
    kept = _rounded(themed.kept_share)
    return [{"kind": "theme_shift", "units_kept": kept, "threshold": KEPT_SHARE, "refused": themed.refused}]


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value
