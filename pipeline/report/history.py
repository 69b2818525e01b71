"""The nights side by side: the page that lists them, and a page per theme with its history."""

import re
from typing import Any

from pipeline.report import charts, marks
from pipeline.report.headline import alert_text, people_told
from pipeline.report.night import impacts, ranked_themes
from pipeline.report.pages import render
from pipeline.report.wording import Words, words_of

MOST_NIGHTS = 60
"""Nights in a chart; the tables have all."""


def render_index(nights: list[dict[str, Any]], language: str = "ja") -> str:
    """Return ``index.html``: NPS and themes over the nights, and every night with a link to its report, newest first.

    Parameters
    ----------
    nights : list of dict
        The nights' summaries; only ``title``, ``business_date``, ``nps``, ``n_feedback``, ``themes`` and
        ``alerts`` are read, and all but ``business_date`` and ``nps`` may be missing.
    """
    t, ordered = words_of(language), _in_order(nights)
    scored = [
        {"day": t.tick(night["business_date"]), "value": night["nps"]["score"], **_bounds(night["nps"])}
        for night in ordered[-MOST_NIGHTS:] if night["nps"]["n"]
    ]
    return render(
        "index.html.j2",
        t,
        title=ordered[-1].get("title", "") if ordered else "",
        nights=[_night_view(night, t) for night in reversed(ordered)],
        themes=_theme_rows(ordered, t),
        trend=charts.trend_chart(scored, t("index.trend"), "trend", t) if len(scored) > 1 else None,
    )


def render_theme_pages(nights: list[dict[str, Any]], language: str = "ja") -> dict[str, str]:
    """Return a page per theme that was ever mentioned, by file name: its figures night by night."""
    t, ordered = words_of(language), _in_order(nights)
    histories: dict[str, list[dict[str, Any]]] = {}
    for night in ordered:
        for theme in ranked_themes(night) if "themes" in night else []:
            sides = [side | {"people": people_told(theme, side["side"], t)} for side in impacts(theme, night)]
            row = theme | {"business_date": night["business_date"], "impacts": sides}
            histories.setdefault(theme["theme_id"], []).append(row)
    title = ordered[-1].get("title", "") if ordered else ""
    return {page_of(theme_id): _theme_page(rows, title, t) for theme_id, rows in histories.items()}


def page_of(theme_id: str) -> str:
    """Return the file name of a theme's page; nothing in it leads out of its folder."""
    return re.sub(r"[^\w-]", "_", theme_id) + ".html"


def _theme_page(rows: list[dict[str, Any]], title: str, t: Words) -> str:
    points = [
        {"day": t.tick(row["business_date"]), "value": row["share"], "low": row["share_low"], "high": row["share_high"],
         "n": row["n_feedback"]}
        for row in rows[-MOST_NIGHTS:]
    ]
    chart = charts.trend_chart(points, t("theme_page.share"), "share", t, form=".1%") if len(points) > 1 else None
    return render("theme.html.j2", t, title=title, theme=rows[-1], rows=rows[::-1], chart=chart)


def _theme_rows(ordered: list[dict[str, Any]], t: Words) -> list[dict[str, Any]]:
    """Return the newest night's themes with their share on every night that is charted."""
    if not ordered or "themes" not in ordered[-1]:
        return []
    shares = [
        {theme["theme_id"]: theme["share"] for theme in night.get("themes", [])} for night in ordered[-MOST_NIGHTS:]
    ]
    return [
        theme | {"page": page_of(theme["theme_id"]), "shares": known,
                 "line": marks.share_line([night.get(theme["theme_id"]) for night in shares], t)}
        for theme in ranked_themes(ordered[-1])
        if (known := [night[theme["theme_id"]] for night in shares if night.get(theme["theme_id"]) is not None])
    ]


def _night_view(night: dict[str, Any], t: Words) -> dict[str, Any]:
    return {
        "business_date": night["business_date"],
        "nps": night["nps"],
        "n_feedback": night.get("n_feedback"),
        "n_themes": len(ranked_themes(night)) if "themes" in night else None,
        "alerts": [alert_text(alert, t) for alert in night.get("alerts", [])],
    }


def _in_order(nights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(nights, key=lambda night: night["business_date"])


def _bounds(nps: dict[str, Any]) -> dict[str, Any]:
    return {"low": nps["low"], "high": nps["high"], "n": nps["n"]}
