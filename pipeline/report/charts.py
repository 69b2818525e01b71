"""Charts as inline SVG: Altair where a chart has axes, a few lines of SVG for the marks inside tables.

Colours mean the same everywhere: orange is a detractor or a negative opinion, grey neither, blue a promoter or a
positive opinion; orange is always on the left. The pair is told apart in all common forms of colour blindness.
The palette below is the light one; report.css maps each of these fills to a variable, so that charts follow the
reader's dark mode and still stand alone where styles are stripped.
"""

import re
from collections.abc import Callable
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from pipeline.report.night import is_significant
from pipeline.report.wording import GROUPS, SENTIMENTS, count, percent, points, points_interval, week_start

NEGATIVE, NEUTRAL, POSITIVE = "#d4661b", "#aeb5bf", "#2a6db0"
INK, MUTED, LINE = "#1e2530", "#5d6673", "#dcdad4"
GROUP_COLOURS = {"detractor": NEGATIVE, "passive": NEUTRAL, "promoter": POSITIVE}
_WIDTH = 420

FEW = 10
"""A stacked bar of fewer respondents is drawn pale: its proportions mean little."""


def distribution_chart(nps: dict[str, Any]) -> Markup:
    """Return the respondents per score, 0 to 10, coloured by NPS group, each bar with its n."""
    rows = [
        {"score": score, "n": n, "colour": GROUP_COLOURS[_group(score)]}
        for score, n in enumerate(nps["distribution"])
    ]
    scale = alt.Scale(domain=[-0.6, 10.6], nice=False, zero=False)
    top = max(nps["distribution"])
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("score:Q", scale=scale, axis=None))
    y = alt.Y("n:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=None)
    bars = base.mark_bar(size=28, cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
        y=y, color=alt.Color("colour:N", scale=None)
    )
    counts = base.mark_text(dy=-8, fontSize=12, color=MUTED).encode(y=y, text="n:Q")
    scores = base.mark_text(fontSize=13, color=INK).encode(y=alt.value(164), text="score:Q")
    groups = [
        {"at": 3, "from": -0.35, "to": 6.35, "word": GROUPS["detractor"], "colour": NEGATIVE},
        {"at": 7.5, "from": 6.65, "to": 8.35, "word": GROUPS["passive"], "colour": NEUTRAL},
        {"at": 9.5, "from": 8.65, "to": 10.35, "word": GROUPS["promoter"], "colour": POSITIVE},
    ]
    brackets = alt.Chart(alt.Data(values=groups))
    rules = brackets.mark_rule(strokeWidth=3).encode(
        x=alt.X("from:Q", scale=scale, axis=None), x2="to:Q", y=alt.value(180),
        color=alt.Color("colour:N", scale=None),
    )
    words = brackets.mark_text(fontSize=12, color=MUTED).encode(
        x=alt.X("at:Q", scale=scale, axis=None), y=alt.value(195), text="word:N"
    )
    label = "点数ごとの回答者数：" + "、".join(f"{row['score']}点 {row['n']}人" for row in rows)
    return _draw([bars, counts, scores, rules, words], "distribution", 150, {"top": 24, "bottom": 56}, label)


def group_chart(nps: dict[str, Any]) -> Markup:
    """Return one bar of detractors, passives and promoters, with shares and counts."""
    n, start, rows = nps["n"], 0.0, []
    for group, colour in GROUP_COLOURS.items():
        size = nps[group + "s"]
        rows.append({
            "from": start, "to": start + size / n, "colour": colour, "word": f"{GROUPS[group]} {percent(size / n)}",
            "count": f"{count(size)}人",
        })
        start += size / n
    x = alt.Scale(domain=[0, 1], nice=False)
    bar = alt.Chart(alt.Data(values=rows)).mark_bar(size=26, stroke="#ffffff", strokeWidth=1.5).encode(
        x=alt.X("from:Q", scale=x, axis=None), x2="to:Q", y=alt.value(40), color=alt.Color("colour:N", scale=None)
    )
    middle = min(0.62, max(0.38, (rows[1]["from"] + rows[1]["to"]) / 2))
    layers = [bar]
    anchors: list[tuple[float, Any]] = [(0.0, "left"), (middle, "center"), (1.0, "right")]
    for row, (at, align) in zip(rows, anchors, strict=True):
        text = alt.Chart(alt.Data(values=[row | {"at": at}])).encode(x=alt.X("at:Q", scale=x, axis=None))
        layers.append(text.mark_text(align=align, fontSize=13, color=INK).encode(y=alt.value(14), text="word:N"))
        layers.append(text.mark_text(align=align, fontSize=12, color=MUTED).encode(y=alt.value(66), text="count:N"))
    label = "NPSグループ：" + "、".join(f"{row['word']}（{row['count']}）" for row in rows)
    return _draw(layers, "groups", 74, {"top": 2, "bottom": 2}, label)


def trend_chart(nights: list[dict[str, Any]]) -> Markup:
    """Return NPS over nights with its intervals; `nights` have business_date and nps, oldest first."""
    rows = [
        {"i": i, "day": night["business_date"][5:].replace("-", "/"), **night["nps"]}
        for i, night in enumerate(nights)
    ]
    x = alt.Scale(domain=[-0.5, len(rows) - 0.5], nice=False, zero=False)
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    y = alt.Scale(domain=[low, high], nice=False, zero=False)
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("i:Q", scale=x, axis=None))
    score = alt.Y("score:Q", scale=y, axis=None)
    labelled = base.transform_filter(f"datum.i % {1 + len(rows) // 8} == 0 || datum.i == {len(rows) - 1}")
    numbers = labelled.mark_text(dx=6, dy=-9, align="left", fontSize=12, color=INK).encode(
        y=score, text=alt.Text("score:Q", format="+.1f")
    )
    days = labelled.mark_text(fontSize=12, color=MUTED).encode(y=alt.value(146), text="day:N")
    layers = [
        base.mark_rule(strokeWidth=6, color=LINE).encode(y=alt.Y("low:Q", scale=y, axis=None), y2="high:Q"),
        base.mark_line(strokeWidth=2, color=POSITIVE).encode(y=score),
        base.mark_point(size=36, filled=True, opacity=1, color=POSITIVE).encode(y=score),
        numbers,
        days,
    ]
    label = "NPSの推移：" + "、".join(f"{row['day']} {points(row['score'])}（n={row['n']}）" for row in rows)
    return _draw(layers, "trend", 124, {"top": 20, "bottom": 34}, label, width=720)


def stacked_bar(counts: dict[str, Any], who: str) -> Markup:
    """Return negative, neutral and positive respondents as one full-width bar; empty when there are none."""
    total = sum(counts[sentiment] for sentiment in SENTIMENTS)
    told = "・".join(f"{word}{count(counts[key])}" for key, word in SENTIMENTS.items())
    rects, x = Markup(""), 0.0
    for sentiment in SENTIMENTS if total else ():
        width = 100 * counts[sentiment] / total
        if width:
            rects += Markup('<rect class="{}" x="{:.2f}" width="{:.2f}" height="10"/>').format(
                sentiment, x, max(0.4, width - 0.6)
            )
        x += width
    return Markup(
        '<svg class="{4}" role="img" aria-label="{0} n={1}：{2}" viewBox="0 0 100 10"'
        ' preserveAspectRatio="none"><title>{0} n={1}：{2}</title>{3}</svg>'
    ).format(who, count(total), told, rects, "stack few" if total < FEW else "stack")


def share_mark(theme: dict[str, Any], largest: float) -> Markup:
    """Return the theme's share as a bar with its interval, on the scale of the largest one."""
    scale = 100 / largest if largest else 0.0
    return Markup(
        '<svg class="share-mark" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">'
        '<rect class="track" width="{:.2f}" height="8"/>'
        '<rect class="whisker" x="{:.2f}" y="3.2" width="{:.2f}" height="1.6"/></svg>'
    ).format(theme["share"] * scale, theme["share_low"] * scale,
             (theme["share_high"] - theme["share_low"]) * scale)


def impact_mark(theme: dict[str, Any], largest: float) -> Markup:
    """Return the theme's impact as a dot on its interval, zero in the middle; nothing where it is undefined."""
    if theme["impact"] is None or not largest:
        return Markup("")
    at = [60 + 56 * theme[key] / largest for key in ("impact_low", "impact", "impact_high")]
    sign = ("negative" if theme["impact"] < 0 else "positive") if is_significant(theme) else "unclear"
    interval = points_interval(theme["impact_low"], theme["impact_high"])
    return Markup(
        '<svg class="impact-mark {0}" role="img" aria-label="影響 {1}、95%区間 {2}" viewBox="0 0 120 14">'
        '<line class="base" x1="2" x2="118" y1="7" y2="7"/><line class="zero" x1="60" x2="60" y1="0" y2="14"/>'
        '<line class="range" x1="{3:.2f}" x2="{5:.2f}" y1="7" y2="7"/><circle cx="{4:.2f}" cy="7" r="3.6"/></svg>'
    ).format(sign, points(theme["impact"]), interval, *at)


def weekly_bars(weekly: list[dict[str, Any]]) -> Markup:
    """Return the respondents per week as small bars, the last week stressed."""
    top = max((week["n_feedback"] for week in weekly), default=0)
    if not top:
        return Markup("")
    step, bars = 120 / len(weekly), Markup("")
    for i, week in enumerate(weekly):
        height = 28 * week["n_feedback"] / top
        bars += Markup(
            '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}の週 n={}</title></rect>'
        ).format("last" if i == len(weekly) - 1 else "week", i * step, 30 - height, step * 0.78, height,
                 week_start(week["week"]), count(week["n_feedback"]))
    told = "、".join(f"{week_start(week['week'])} {week['n_feedback']}" for week in weekly)
    return Markup(
        '<svg class="weeks" role="img" aria-label="週ごとの回答者数：{}" viewBox="0 0 120 31" '
        'preserveAspectRatio="none"><rect class="ground" y="30" width="120" height="1"/>{}</svg>'
    ).format(told, bars)


def _group(score: int) -> str:
    return "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"


def _draw(
    layers: list[alt.Chart], name: str, height: int, padding: dict[str, int], label: str, width: int = _WIDTH
) -> Markup:
    """Return the layers as SVG whose size never depends on the fonts of the machine."""
    spec = (
        alt.layer(*layers)
        .properties(width=width, height=height, padding={"left": 2, "right": 2} | padding,
                         autosize=alt.AutoSizeParams(type="none"), background="transparent")
        .configure(font="inherit", aria=False)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg = vl_convert.vegalite_to_svg(spec, vl_version=alt.SCHEMA_VERSION.lstrip("v").rsplit(".", 1)[0])
    svg = re.sub(r"\bclip\d+\b", _numbered(f"{name}-clip"), svg)
    return Markup('<div class="chart" role="img" aria-label="{}">{}</div>').format(label, Markup(svg))


def _numbered(name: str) -> Callable[[re.Match[str]], str]:
    """Rename ids in order of appearance: Vega counts them up over the life of the process."""
    seen: dict[str, str] = {}
    return lambda found: seen.setdefault(found[0], f"{name}{len(seen)}")
