"""The night as one self-contained HTML page, and the page that lists all nights."""

from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.report import charts, wording
from pipeline.report.headline import alert_text, write_headline
from pipeline.report.night import (
    Night,
    accounting,
    badge,
    children_of,
    is_significant,
    is_uncertain,
    quarantine_reasons,
    ranked_themes,
    silent_themes,
    unassigned_reasons,
)
from pipeline.report.quotes import choose_quotes
from pipeline.report.transitions import transition_lines


def render_html(night: Night) -> str:
    """Return ``report.html``: no script, no request to anywhere, every text of a customer escaped."""
    summary = night.summary
    themes, units = ranked_themes(summary), night.local_units()
    return _templates().get_template("report.html.j2").render(
        night=night,
        summary=summary,
        nps=summary["nps"],
        headline=write_headline(summary),
        themes=[_theme_view(theme, themes, units, night) for theme in themes],
        silent=silent_themes(summary),
        transitions=transition_lines(summary),
        alerts=[alert_text(alert) for alert in summary["alerts"]],
        accounting=accounting(summary),
        quarantine=quarantine_reasons(night.quarantine),
        unassigned=unassigned_reasons(night.units),
    )


def render_index(nights: list[dict[str, Any]]) -> str:
    """Return ``index.html``: every night with its NPS, its n and a link to its report, newest first.

    Parameters
    ----------
    nights : list of dict
        The nights' summaries; only ``title``, ``business_date``, ``nps``, ``n_feedback``, ``themes`` and
        ``alerts`` are read, and all but ``business_date`` and ``nps`` may be missing.
    """
    ordered = sorted(nights, key=lambda night: night["business_date"])
    scored = [night for night in ordered if night["nps"]["n"]]
    rows = [_night_view(night) for night in reversed(ordered)]
    trend = charts.trend_chart(scored[-60:]) if len(scored) > 1 else None
    return _templates().get_template("index.html.j2").render(
        title=ordered[-1].get("title", "") if ordered else "", nights=rows, trend=trend
    )


def _theme_view(
    theme: dict[str, Any], themes: list[dict[str, Any]], units: pl.DataFrame, night: Night
) -> dict[str, Any]:
    largest_share = max(other["share_high"] for other in themes)
    reach = [abs(t[key]) for t in themes for key in ("impact_low", "impact_high") if t[key] is not None]
    before, children = theme["previous_share"], children_of(theme, night.summary)
    return theme | {
        "badge": badge(theme, night.summary),
        "uncertain": is_uncertain(theme),
        "significant": is_significant(theme),
        "share_change": None if before is None else 100 * (theme["share"] - before),
        "share_mark": charts.share_mark(theme, largest_share),
        "impact_mark": charts.impact_mark(theme, max(reach, default=0.0)),
        "weeks": charts.weekly_bars(theme["weekly"]),
        "children": [child["name"] for child in children],
        "quotes": choose_quotes(units, [theme["theme_id"], *(child["theme_id"] for child in children)]),
    }


def _night_view(night: dict[str, Any]) -> dict[str, Any]:
    return {
        "business_date": night["business_date"],
        "nps": night["nps"],
        "n_feedback": night.get("n_feedback"),
        "n_themes": len(ranked_themes(night)) if "themes" in night else None,
        "alerts": [alert_text(alert) for alert in night.get("alerts", [])],
    }


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(wording, name)
        for name in ("count", "points", "percent", "points_interval", "percent_interval", "full_date",
                     "short_date", "week_start", "reason_words")
    }
    environment.globals |= {"charts": charts, "words": wording}
    return environment
