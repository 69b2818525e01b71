"""The small marks inside tables and lists, a few lines of SVG each; report.css gives them their colours."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from pipeline.loyalty.priorities import CLEAR
from pipeline.report.wording import Words, count, percent, points

SENTIMENT_COLOURS = {"negative": "#d4661b", "neutral": "#aeb5bf", "positive": "#2a6db0"}
"""Of an opinion, and of detractors, passives and promoters; told apart in all common forms of colour blindness."""

FEW = 10
"""A stacked bar of fewer respondents is drawn pale: its proportions mean little."""


def stacked_bar(counts: dict[str, Any], who: str, t: Words) -> Markup:
    """Return negative, neutral and positive respondents as one full-width bar; empty when there are none."""
    total = sum(counts[sentiment] for sentiment in SENTIMENT_COLOURS)
    told = t.listed(f"{word} {count(counts[key])}" for key, word in t.part("sentiments").items())
    label = t("chart.stack", who=who, n=count(total), told=told)
    rects, x = Markup(""), 0.0
    for sentiment in SENTIMENT_COLOURS if total else ():
        width = 100 * counts[sentiment] / total
        if width:
            rects += Markup('<rect class="{}" x="{:.2f}" width="{:.2f}" height="10"/>').format(
                sentiment, x, max(0.4, width - 0.6)
            )
        x += width
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 100 10" preserveAspectRatio="none">'
        '<title>{}</title>{}</svg>'
    ).format("stack few" if total < FEW else "stack", label, label, rects)


def share_mark(theme: dict[str, Any], largest: float) -> Markup:
    """Return the theme's share as a bar with its interval, on the scale of the largest one."""
    scale = 100 / largest if largest else 0.0
    return Markup(
        '<svg class="share-mark" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">'
        '<rect class="track" width="{:.2f}" height="8"/>'
        '<rect class="whisker" x="{:.2f}" y="3.2" width="{:.2f}" height="1.6"/></svg>'
    ).format(theme["share"] * scale, theme["share_low"] * scale,
             (theme["share_high"] - theme["share_low"]) * scale)


def impact_mark(side: dict[str, Any], largest: float, t: Words) -> Markup:
    """Return an impact as a dot on its interval, zero in the middle, on the scale of the largest; hollow if unclear."""
    if not largest:
        return Markup("")
    at = [60 + 56 * side[key] / largest for key in ("impact_low", "impact", "impact_high")]
    sign = side["side"] if side["certainty"] == CLEAR else "unclear"
    interval = t.points_interval(side["impact_low"], side["impact_high"])
    label = t("chart.impact", side=t.name("sides", side["side"]), impact=points(side["impact"]), interval=interval)
    return Markup(
        '<svg class="impact-mark {0}" role="img" aria-label="{1}" viewBox="0 0 120 14">'
        '<line class="base" x1="2" x2="118" y1="7" y2="7"/><line class="zero" x1="60" x2="60" y1="0" y2="14"/>'
        '<line class="range" x1="{2:.2f}" x2="{4:.2f}" y1="7" y2="7"/><circle cx="{3:.2f}" cy="7" r="3.6"/></svg>'
    ).format(sign, label, *at)


def weekly_bars(weekly: list[dict[str, Any]], t: Words) -> Markup:
    """Return the respondents per week as small bars, the last week stressed."""
    top = max((week["n_feedback"] for week in weekly), default=0)
    if not top:
        return Markup("")
    step, bars = 120 / len(weekly), Markup("")
    for i, week in enumerate(weekly):
        height = 28 * week["n_feedback"] / top
        bars += Markup(
            '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
        ).format("last" if i == len(weekly) - 1 else "week", i * step, 30 - height, step * 0.78, height,
                 t("chart.week", week=t.week_start(week["week"]), n=count(week["n_feedback"])))
    told = t.listed(f"{t.week_start(week['week'])} {week['n_feedback']}" for week in weekly)
    return Markup(
        '<svg class="weeks" role="img" aria-label="{}" viewBox="0 0 120 31" '
        'preserveAspectRatio="none"><rect class="ground" y="30" width="120" height="1"/>{}</svg>'
    ).format(t("chart.weeks", rows=told), bars)


def weeks_scale(weekly: list[dict[str, Any]], t: Words) -> list[str]:
    """Return what the small bars show: the respondents of the first week, of the highest one, and of the last."""
    if not weekly:
        return []
    counts = [week["n_feedback"] for week in weekly]
    return [count(counts[0]), t("chart.most", n=count(max(counts))), count(counts[-1])]


def share_line(shares: Sequence[float | None], t: Words) -> Markup:
    """Return a theme's share night by night as a small line from zero, the newest at the right; gaps where unheard."""
    top = max((share for share in shares if share is not None), default=0.0)
    if not top:
        return Markup("")
    step = 112 / max(1, len(shares) - 1)
    known = [(4 + i * step, 28 - 24 * share / top) for i, share in enumerate(shares) if share is not None]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
    label = t("chart.history", rows=t.listed(percent(share) for share in shares))
    return Markup(
        '<svg class="line" role="img" aria-label="{}" viewBox="0 0 120 31"><polyline points="{}"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="3"/></svg>'
    ).format(label, path, *known[-1])
