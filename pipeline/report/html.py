"""The night as one self-contained HTML page."""

from typing import Any

import polars as pl

from pipeline.report import charts, marks
from pipeline.report.analysis import SHOWN, Table, analysis_tables
from pipeline.report.headline import Sentence, alert_text, write_headline
from pipeline.report.layout import SECTIONS
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
from pipeline.report.notices import notice_lines
from pipeline.report.pages import render
from pipeline.report.quotes import Quote, choose_quotes, mark_words
from pipeline.report.transitions import transition_lines
from pipeline.report.voices import as_script_data, voices_data, words_by_score
from pipeline.report.wording import Words, words_of

LEAST_WEEKS = 3
"""A chart of weeks needs this many with a score."""


def render_html(night: Night) -> str:
    """Return ``report.html``: no request to anywhere, every text of a customer escaped, readable without its script."""
    summary, t = night.summary, words_of(night.language)
    themes, units = ranked_themes(summary), night.local_units()
    views = [_theme_view(theme, themes, units, summary, t) for theme in themes]
    voices = voices_data(units, summary)
    return render(
        "report.html.j2",
        night.language,
        night=night,
        summary=summary,
        nps=summary["nps"],
        weekly_nps=_weekly_nps(summary, t),
        notices=notice_lines(summary, t),
        headline=[(sentence, _in_their_words(sentence, themes, units)) for sentence in write_headline(summary, t)],
        themes=views,
        families=_families(views),
        silent=silent_themes(summary),
        transitions=transition_lines(summary, t),
        alerts=[alert_text(alert, t) for alert in summary["alerts"]],
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


def _in_their_words(sentence: Sentence, themes: list[dict[str, Any]], units: pl.DataFrame) -> Quote | None:
    """Return what a customer said of a sentence's theme; a complaint where it tells of complaints."""
    theme = next((theme for theme in themes if theme["theme_id"] == sentence.theme_id), None)
    if theme is None:
        return None
    said = units.filter(pl.col("sentiment") == "negative") if sentence.complaint else units
    below = [other["theme_id"] for other in themes if other["parent_id"] == theme["theme_id"]]
    return next(iter(choose_quotes(said, [theme["theme_id"], *below], 1)), None)


def _by_section(tables: list[Table]) -> dict[str, list[Table]]:
    known = {table.key: table for table in tables}
    return {section: [known[key] for key in keys if key in known] for section, keys in SECTIONS.items()}


def _figures(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> dict[str, Any]:
    """Return the charts of the analysis: the matrix, words by score, and one per segment column."""
    scored = words_by_score(units)
    effects = [row for row in summary["priorities"] if row["effect"] is not None]
    segments = [
        (segment["column"], charts.segment_chart(segment["column"], values, summary["nps"]["score"], t))
        for segment in summary["segments"]
        if (values := [row for row in segment["values"] if row["nps"] is not None])
    ]
    return {
        "matrix": charts.priority_matrix(effects, summary["drivers"]["n"], t) if effects else None,
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


def _families(views: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the themes as families: one that stands under no other, and what stands under it."""
    families: list[list[dict[str, Any]]] = []
    for view in views:
        if view["depth"] == 0:
            families.append([])
        families[-1].append(view)
    return families


def _theme_view(
    theme: dict[str, Any], themes: list[dict[str, Any]], units: pl.DataFrame, summary: dict[str, Any], t: Words
) -> dict[str, Any]:
    largest_share = max(other["share_high"] for other in themes)
    reach = [abs(other[key]) for other in themes for key in ("impact_low", "impact_high") if other[key] is not None]
    before, children = theme["previous_share"], children_of(theme, summary)
    quotes = choose_quotes(units, [theme["theme_id"], *(child["theme_id"] for child in children)])
    return theme | {
        "badge": badge(theme, summary),
        "uncertain": is_uncertain(theme),
        "significant": is_significant(theme),
        "share_change": None if before is None else 100 * (theme["share"] - before),
        "share_mark": marks.share_mark(theme, largest_share),
        "impact_mark": marks.impact_mark(theme, max(reach, default=0.0), t),
        "weeks": marks.weekly_bars(theme["weekly"], t),
        "children": children,
        "quotes": [(quote, mark_words(quote.text, theme)) for quote in quotes],
    }
