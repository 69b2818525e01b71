"""The night as one self-contained HTML page."""

from typing import Any

import polars as pl

from pipeline.loyalty.measures import UNCERTAIN_BELOW
from pipeline.report import charts, marks
from pipeline.report.analysis import SHOWN, Table, analysis_tables
from pipeline.report.headline import (
    Sentence,
    alert_side,
    alert_story,
    alert_text,
    outlying_weeks,
    people_told,
    window_days,
    write_headline,
)
from pipeline.report.layout import SECTIONS
from pipeline.report.night import (
    Night,
    accounting,
    badge,
    children_of,
    impacts,
    is_uncertain,
    priorities,
    quarantine_reasons,
    ranked_themes,
    silent_themes,
    unassigned_reasons,
)
from pipeline.report.notices import notice_lines
from pipeline.report.pages import render
from pipeline.report.quotes import Quote, alert_quotes, balanced_quotes, mark_words, theme_quotes
from pipeline.report.transitions import transition_lines
from pipeline.report.voices import as_script_data, voices_data, words_by_score
from pipeline.report.wording import Words

IN_HEADLINE = 2
"""Quotes under a sentence of the headline."""

LEAST_WEEKS = 3
"""A chart of weeks needs this many with a score."""


def render_html(night: Night) -> str:
    """Return ``report.html``: no request to anywhere, every text of a customer escaped, readable without its script."""
    summary, t = night.summary, night.words
    themes, units = ranked_themes(summary), night.local_units()
    views = [_theme_view(theme, themes, units, summary, t) for theme in themes]
    voices = voices_data(units, summary, night.labels)
    headline = [(sentence, _in_their_words(sentence, themes, units)) for sentence in write_headline(summary, t)]
    told = [quote for _, quotes in headline for quote in quotes]
    return render(
        "report.html.j2",
        t,
        night=night,
        summary=summary,
        nps=summary["nps"],
        weekly_nps=_weekly_nps(summary, t),
        weekly_told=_weekly_told(summary, t),
        days=window_days(summary),
        notices=notice_lines(summary, t),
        headline=headline,
        themes=views,
        families=_families(views),
        reach=_reach(themes, summary),
        silent=silent_themes(summary),
        transitions=transition_lines(summary, t),
        alerts=[
            (alert_text(alert, t), alert_story(alert, summary, t),
             alert_quotes(alert, units, side=alert_side(alert, summary), told=told))
            for alert in summary["alerts"]
        ],
        tables=_by_section(analysis_tables(summary, units, t)),
        figures=_figures(summary, units, t),
        shown=SHOWN,
        accounting=accounting(summary),
        quarantine=quarantine_reasons(night.quarantine),
        unassigned=unassigned_reasons(night.units),
        voices=voices,
        voices_json=as_script_data(voices),
        words_json=as_script_data(t.part("ui") | {"groups": t.part("groups"), "sentiments": t.part("sentiments")}),
    )


def _in_their_words(sentence: Sentence, themes: list[dict[str, Any]], units: pl.DataFrame) -> list[Quote]:
    """Return what customers said of a sentence's theme or alert; complaints where it tells of complaints."""
    if sentence.alert is not None:
        return alert_quotes(sentence.alert, units, IN_HEADLINE, side=sentence.side)
    theme = next((theme for theme in themes if theme["theme_id"] == sentence.theme_id), None)
    if theme is None:
        return []
    return theme_quotes(units, theme, _below(theme, themes), IN_HEADLINE, side=sentence.side)


def _below(theme: dict[str, Any], themes: list[dict[str, Any]]) -> list[str]:
    return [other["theme_id"] for other in themes if other["parent_id"] == theme["theme_id"]]


def _by_section(tables: list[Table]) -> dict[str, list[Table]]:
    known = {table.key: table for table in tables}
    return {section: [known[key] for key in keys if key in known] for section, keys in SECTIONS.items()}


def _figures(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> dict[str, Any]:
    """Return the charts of the analysis: the matrix, words by score, and one per segment column."""
    scored = words_by_score(units)
    effects = [row for row in priorities(summary)[:SHOWN] if row["impact"] is not None]
    segments = [
        (t.label(segment["column"]), charts.segment_chart(values, summary["nps"]["score"], t))
        for segment in summary["segments"]
        if (values := [row for row in segment["values"] if row["nps"] is not None])
    ]
    return {
        "matrix": charts.priority_matrix(effects, summary["nps"], t) if effects else None,
        "unnamed": charts.without_room(effects, summary["nps"]) if effects else [],
        "scores": charts.words_by_score_chart(scored, t) if scored else None,
        "n_scores": sum(row["n"] for row in scored),
        "segments": segments,
    }


def _weekly_nps(summary: dict[str, Any], t: Words) -> Any:
    trends = summary["trends"]
    rows = [
        {"day": t.tick(week), "value": nps["score"], "low": nps["low"], "high": nps["high"], "n": nps["n"]}
        for week, nps in zip(trends["weeks"], trends.get("nps", []), strict=False)  # older nights have none
        if nps["n"]
    ]
    return charts.trend_chart(rows, t("nps.weekly"), "weekly", t) if len(rows) >= LEAST_WEEKS else None


def _weekly_told(summary: dict[str, Any], t: Words) -> str:
    """Return which weeks differ from the others beyond chance, or that none does; nothing of an older night."""
    tested = any(nps.get("p_adjusted") is not None for nps in summary["trends"].get("nps", []))
    return (outlying_weeks(summary, t).strip() or t("nps.weeks_even")) if tested else ""


def _families(views: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the themes as families: one that stands under no other, and what stands under it."""
    families: list[list[dict[str, Any]]] = []
    for view in views:
        if view["depth"] == 0:
            families.append([])
        families[-1].append(view)
    return families


def _reach(themes: list[dict[str, Any]], summary: dict[str, Any]) -> dict[str, float]:
    """Return what the marks of all themes are drawn to the scale of: the largest share, the widest impact."""
    sides = [side for theme in themes for side in impacts(theme, summary)]
    widest = max((abs(side[key]) for side in sides for key in ("impact_low", "impact_high")), default=0.0)
    return {"share": max((theme["share_high"] for theme in themes), default=0.0), "impact": widest}


def _theme_view(
    theme: dict[str, Any], themes: list[dict[str, Any]], units: pl.DataFrame, summary: dict[str, Any], t: Words
) -> dict[str, Any]:
    before, reach = theme["previous_share"], _reach(themes, summary)
    quotes = balanced_quotes(units, theme, _below(theme, themes))
    return theme | {
        "badge": badge(theme, summary),
        "uncertain": is_uncertain(theme),
        "impacts": [
            (side, marks.impact_mark(side, reach["impact"], t),
             t.certain(side["certainty"], few=side["n"] < UNCERTAIN_BELOW), people_told(theme, side["side"], t))
            for side in impacts(theme, summary)
        ],
        "lowest": min((side["impact"] for side in impacts(theme, summary)), default=None),
        "share_change": None if before is None else 100 * (theme["share"] - before),
        "share_mark": marks.share_mark(theme, reach["share"]),
        "weeks": marks.weekly_bars(theme["weekly"], t),
        "week_scale": marks.weeks_scale(theme["weekly"], t),
        "children": children_of(theme, summary),
        "quotes": [(quote, mark_words(quote.text, theme)) for quote in quotes],
    }
