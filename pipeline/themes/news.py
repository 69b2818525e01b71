"""What the night has to tell about its themes: transitions, emerging themes, alerts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipeline.summary import rounded
from pipeline.themes.emerging import emerging_themes, emerging_topics
from pipeline.themes.matching import KEPT_SHARE
from pipeline.themes.night import ThemedNight
from pipeline.themes.registry import Registry

MORE_VOICES = ("new_theme", "volume_spike", "growing_theme")
"""Alerts that may rise from one event: that the theme is new says most, then what was expected, then that it grows.

growing_theme is left where no band can be built yet, with fewer than four weeks before.
"""

RISES = (*MORE_VOICES, "negative_spike")
"""Alerts a growing topic is told with, instead of raising its own, where they share half of the respondents."""


def with_theme_news(
    summary: Mapping[str, Any],
    themed: ThemedNight,
    registry: Registry,
    feedback: pl.DataFrame,
    embeddings: np.ndarray,
    *,
    timezone: str,
    segments: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the summary with what became of its themes.

    Adds `transitions` [{kind, theme_id, name, others [{theme_id, name}], kept, decision}], `emerging` (see
    :mod:`pipeline.themes.emerging`), `pinned` and `hidden` to each theme, `units_kept` to `stability`, and the
    alerts growing_theme and theme_shift. More voices on one theme are one alert: new_theme, else volume_spike, else
    growing_theme. A topic that grows inside a theme, or across themes, is a growing_theme with theme_id None and
    `inside` {theme_id, name}; where a theme's alert tells of the same respondents, that alert names it in `topics`
    instead. On the first night everything is new and nothing is news. Row i of embeddings is unit i of the night.
    """
    names = _names(themed, registry)
    marks = {row["theme_id"]: row for row in themed.themes.select("theme_id", "pinned", "hidden").to_dicts()}
    split = {part for change in themed.transitions if change.kind == "split" for part in change.others}
    emerging, topics = [], []
    if summary["previous"]:
        day = date.fromisoformat(summary["business_date"])
        asked: dict[str, Any] = {"business_date": day, "timezone": timezone, "segments": segments}
        emerging = emerging_themes(feedback, themed.units, themed.themes, **asked, not_news=frozenset(split))
        topics = emerging_topics(feedback, themed.units, embeddings, themed.themes, **asked)
    rising = _once([*_still_news(summary["alerts"], feedback, emerging), *_growth(emerging)])
    return {
        **summary,
        "themes": [{**theme, **marks[theme["theme_id"]]} for theme in summary["themes"]],
        "transitions": [
            {
                "kind": change.kind,
                "theme_id": change.theme_id,
                "name": names.get(change.theme_id, change.theme_id),
                "others": [{"theme_id": other, "name": names.get(other, other)} for other in change.others],
                "kept": rounded(change.kept),
                "decision": change.decision,
            }
            for change in themed.transitions
        ],
        "emerging": rounded([*emerging, *topics]),
        "alerts": [*_with_topics(rising, topics), *_shift(themed)],
        "stability": {**summary["stability"], "units_kept": rounded(themed.kept_share)},
    }


def _names(themed: ThemedNight, registry: Registry) -> dict[str, str]:
    given = registry.curation.names
    known = {theme.theme_id: given.get(theme.theme_id, theme.name) for theme in (*registry.themes, *themed.stored)}
    return known | dict(themed.themes.select("theme_id", "name").iter_rows())


def _still_news(
    alerts: Sequence[Mapping[str, Any]], feedback: pl.DataFrame, emerging: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Keep the new-theme alerts of themes that emerge, with the days of their growth.

    Where nothing has a date nothing can be left out.
    """
    if feedback["received_at"].null_count() == feedback.height:
        return [dict(alert) for alert in alerts]
    grown = {row["theme_id"]: {key: row[key] for key in ("first_day", "n_feedback", "feedback")} for row in emerging}
    is_new = [alert["kind"] == "new_theme" for alert in alerts]
    return [
        {**alert, **(grown[alert["theme_id"]] if new else {})}
        for alert, new in zip(alerts, is_new, strict=True)
        if not new or alert["theme_id"] in grown
    ]


def _once(alerts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep one alert per theme of those that say that more people speak of it: the one that says most."""
    first: dict[str, str] = {}
    for kind in MORE_VOICES:
        for alert in alerts:
            if alert["kind"] == kind:
                first.setdefault(alert["theme_id"], kind)
    return [a for a in alerts if a["kind"] not in MORE_VOICES or first[a["theme_id"]] == a["kind"]]


def _growth(emerging: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    keys = ("theme_id", "name", "inside", "first_day", "n_feedback", "share", "share_before", "p", "feedback")
    rows = [row for row in emerging if row["kind"] == "growing"]
    return [{"kind": "growing_theme", **{key: rounded(row[key]) for key in keys}} for row in rows]


def _with_topics(
    alerts: Sequence[Mapping[str, Any]], topics: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the alerts with each topic: named in the first that tells of the same event, else as one of its own."""
    told = [dict(alert) for alert in alerts]
    own = []
    for topic in topics:
        same = next((alert for alert in told if alert["kind"] in RISES and _same_event(alert, topic)), None)
        if same:
            same.setdefault("topics", []).append({key: topic[key] for key in ("name", "first_day", "n_feedback")})
        else:
            own.append(topic)
    return [*told, *_growth(own)]


def _same_event(alert: Mapping[str, Any], topic: Mapping[str, Any]) -> bool:
    """Tell whether half of the smaller one's newest respondents stand behind both."""
    first, second = ({(row["source"], row["feedback_id"]) for row in found["feedback"]} for found in (alert, topic))
    return 2 * len(first & second) >= min(len(first), len(second)) > 0


def _shift(themed: ThemedNight) -> list[dict[str, Any]]:
    if themed.kept_share is None or themed.kept_share >= KEPT_SHARE:
        return []
    kept = rounded(themed.kept_share)
    return [{"kind": "theme_shift", "units_kept": kept, "threshold": KEPT_SHARE, "refused": themed.refused}]
