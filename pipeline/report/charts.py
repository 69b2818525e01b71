"""The charts that have axes, as inline SVG through Altair; marks.py draws the small ones inside tables.

Colours mean the same everywhere: orange is a detractor or a negative opinion, grey neither, blue a promoter or a
positive opinion; orange is always on the left. The pair is told apart in all common forms of colour blindness.
The palette below is the light one; report.css maps each of these fills to a variable, so that charts follow the
reader's dark mode and still stand alone where styles are stripped.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from pipeline.loyalty.priorities import CLEAR
from pipeline.report.marks import FEW, SENTIMENT_COLOURS
from pipeline.report.wording import Words, count, percent, points

NEGATIVE, NEUTRAL, POSITIVE = SENTIMENT_COLOURS.values()
INK, MUTED, LINE, PAPER, ACCENT = "#1e2530", "#5d6673", "#dcdad4", "#ffffff", "#243b6b"
GROUP_COLOURS = {"detractor": NEGATIVE, "passive": NEUTRAL, "promoter": POSITIVE}
_WIDTH, _SEGMENTS, _LONGEST_NAME = 420, 340, 18
_AXIS: dict[str, Any] = {
    "labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
    "tickColor": LINE, "domainColor": LINE, "gridColor": LINE, "tickCount": 6, "titlePadding": 10,
}
_PLACES: dict[str, tuple[int, int, Any]] = {
    "right": (15, 0, "left"), "left": (-15, 0, "right"), "above": (0, -20, "center"), "below": (0, 20, "center"),
    "upper": (9, -19, "left"), "lower": (9, 19, "left"),
}
"""Where the name of a dot may stand: pixels to the right and down, and how it is aligned."""


def distribution_chart(nps: dict[str, Any], t: Words) -> Markup:
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
        {"at": 3, "from": -0.35, "to": 6.35, "word": t.name("groups", "detractor"), "colour": NEGATIVE},
        {"at": 7.5, "from": 6.65, "to": 8.35, "word": t.name("groups", "passive"), "colour": NEUTRAL},
        {"at": 9.5, "from": 8.65, "to": 10.35, "word": t.name("groups", "promoter"), "colour": POSITIVE},
    ]
    brackets = alt.Chart(alt.Data(values=groups))
    rules = brackets.mark_rule(strokeWidth=3).encode(
        x=alt.X("from:Q", scale=scale, axis=None), x2="to:Q", y=alt.value(180),
        color=alt.Color("colour:N", scale=None),
    )
    words = brackets.mark_text(fontSize=12, color=MUTED).encode(
        x=alt.X("at:Q", scale=scale, axis=None), y=alt.value(195), text="word:N"
    )
    told = t.listed(t("chart.distribution_row", score=row["score"], n=row["n"]) for row in rows)
    label = t("chart.distribution", rows=told)
    return _draw([bars, counts, scores, rules, words], "distribution", 150, {"top": 24, "bottom": 56}, label)


def group_chart(nps: dict[str, Any], t: Words) -> Markup:
    """Return one bar of detractors, passives and promoters, with shares and counts."""
    n, start, rows = nps["n"], 0.0, []
    for group, colour in GROUP_COLOURS.items():
        size = nps[group + "s"]
        rows.append({
            "from": start, "to": start + size / n, "colour": colour, "count": t("chart.people", n=count(size)),
            "word": f"{t.name('groups', group)} {percent(size / n)}",
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
    told = t.listed(t("chart.group_row", word=row["word"], n=row["count"]) for row in rows)
    label = t("chart.groups", rows=told)
    return _draw(layers, "groups", 74, {"top": 2, "bottom": 2}, label)


def trend_chart(rows: Sequence[dict[str, Any]], title: str, name: str, t: Words, *, form: str = "+.1f") -> Markup:
    """Return a figure over time with its intervals, each with its n.

    Parameters
    ----------
    rows : sequence of dict
        day (as it is told), value, low, high and n; oldest first, none of them missing.
    form : str
        How d3 writes a value: ``+.1f`` for NPS points, ``.1%`` for shares.
    """
    told = [row["value"] for row in rows]
    values = [
        row | {"i": i, "n_told": f"n={count(row['n'])}", "valley": i + 1 < len(rows) and told[i + 1] > row["value"]}
        for i, row in enumerate(rows)
    ]
    x = alt.Scale(domain=[-0.5, len(rows) - 0.5], nice=False, zero=False)
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    y = alt.Scale(domain=[low, high if high > low else low + 1], nice=False, zero=False)
    base = alt.Chart(alt.Data(values=values)).encode(x=alt.X("i:Q", scale=x, axis=None))
    axis = alt.Axis(format=".0%" if form.endswith("%") else "+d", title=None, **_AXIS | {"tickCount": 4})
    value = alt.Y("value:Q", scale=y, axis=axis)
    step = 1 + (len(rows) - 1) // 9
    labelled = base.transform_filter(f"({len(rows) - 1} - datum.i) % {step} == 0")
    numbers = [  # a number above its point, below it in a valley: the line is on the other side
        labelled.transform_filter(f"{'' if valley else '!'}datum.valley")
        .mark_text(dx=7, dy=12 if valley else -9, align="left", fontSize=12, color=INK)
        .encode(y=value, text=alt.Text("value:Q", format=form))
        for valley in (False, True)
    ]
    days = labelled.mark_text(fontSize=12, color=MUTED).encode(y=alt.value(146), text="day:N")
    sizes = labelled.mark_text(fontSize=11, color=MUTED).encode(y=alt.value(162), text="n_told:N")
    layers = [
        base.mark_rule(strokeWidth=6, color=LINE).encode(y=alt.Y("low:Q", scale=y, axis=axis), y2="high:Q"),
        base.mark_line(strokeWidth=2, color=ACCENT).encode(y=value),
        base.mark_point(size=36, filled=True, opacity=1, color=ACCENT).encode(y=value),
        *numbers,
        days,
        sizes,
    ]
    write = percent if form.endswith("%") else points
    listed = t.listed(t("chart.trend_row", day=row["day"], value=write(row["value"]), n=row["n"]) for row in rows)
    label = t("chart.trend", title=title, rows=listed)
    return _draw(layers, name, 124, {"top": 20, "bottom": 46, "left": 46, "right": 30}, label, width=690)


def priority_matrix(priorities: Sequence[dict[str, Any]], nps: dict[str, Any], t: Words) -> Markup:
    """Return how many speak of each theme against what NPS they have, numbered by rank, with a line for everybody's.

    Far right and far below the line is what lowers the NPS most: the impact is the one times the other. Hollow dots
    cannot be told from chance.
    """
    overall = nps["score"]
    rows = [
        {"x": row["n"], "y": row["nps"], "rank": str(row["rank"]), "colour": _impact_colour(row), "name": row["name"],
         "fill": _impact_colour(row) if row["certainty"] == CLEAR else PAPER,
         "ink": PAPER if row["certainty"] == CLEAR else MUTED}
        for row in priorities
    ]
    right, low, high = _reach(rows, overall)
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, right], nice=False),
              axis=alt.Axis(format=",d", title=t("priorities.x"), grid=False, **_AXIS))
    y = alt.Y("y:Q", scale=alt.Scale(domain=[low, high], nice=False, zero=False),
              axis=alt.Axis(labelExpr="datum.value ? format(datum.value, '+') : '0'", title=t("priorities.y"),
                            grid=True, titleAngle=0, titleAlign="left",
                            titleX=-50, titleY=-16, **_AXIS))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    everybody = alt.Chart(alt.Data(values=[{"y": overall}])).mark_rule(color=MUTED, strokeWidth=1).encode(y=y)
    everybodys = {"y": overall, "x": right, "told": t("segments.overall", score=points(overall))}
    told = alt.Chart(alt.Data(values=[everybodys]))
    line_name = told.mark_text(align="left", dx=6, fontSize=12, color=MUTED).encode(x=x, y=y, text="told:N")
    dots = base.mark_point(size=360, filled=True, opacity=1, strokeWidth=2).encode(
        fill=alt.Fill("fill:N", scale=None), stroke=alt.Stroke("colour:N", scale=None)
    )
    placed = _placed(rows, right, low, high)
    names = [
        alt.Chart(alt.Data(values=[row for row in placed if row["place"] == place])).encode(x=x, y=y)
        .mark_text(dx=dx, dy=dy, align=align, baseline="middle", fontSize=12, color=INK).encode(text="name:N")
        for place, (dx, dy, align) in _PLACES.items()
    ]
    ranks = base.mark_text(fontSize=12, fontWeight="bold").encode(
        text="rank:N", color=alt.Color("ink:N", scale=None)
    )
    label = t("chart.matrix", rows=t.listed(
        t("chart.matrix_row", rank=row["rank"], name=row["name"], n=row["n"], nps=points(row["nps"]),
          impact=points(row["impact"]))
        for row in priorities
    ))
    padding = {"top": 32, "bottom": 52, "left": 64, "right": 150}
    return _draw([everybody, line_name, *names, dots, ranks], "matrix", 330, padding, label, width=620)


def without_room(priorities: Sequence[dict[str, Any]], nps: dict[str, Any]) -> list[str]:
    """Return rank and name of the dots of `priority_matrix` beside which no name can stand."""
    rows = [{"x": row["n"], "y": row["nps"], "name": row["name"], "rank": str(row["rank"])} for row in priorities]
    named = {row["rank"] for row in _placed(rows, *_reach(rows, nps["score"]))}
    return [f"{row['rank']} {row['name']}" for row in rows if row["rank"] not in named]


def words_by_score_chart(rows: Sequence[dict[str, Any]], t: Words) -> Markup:
    """Return for each score how many respondents' words are negative, neither and positive, as shares with n."""
    bars = []
    for row in rows:
        start = 0.0
        for sentiment, colour in SENTIMENT_COLOURS.items():
            end = start + row[sentiment] / row["n"]
            bars.append({"score": row["score"], "from": start, "to": end, "colour": colour,
                         "pale": 0.5 if row["n"] < FEW else 1.0})
            start = end
    x = alt.X("score:Q", scale=alt.Scale(domain=[-0.6, 10.6], nice=False, zero=False), axis=None)
    y = alt.Scale(domain=[0, 1], nice=False)
    columns = alt.Chart(alt.Data(values=bars)).mark_bar(size=30, stroke=PAPER, strokeWidth=1).encode(
        x=x, y=alt.Y("from:Q", scale=y, axis=None), y2="to:Q", color=alt.Color("colour:N", scale=None),
        opacity=alt.Opacity("pale:Q", scale=None),
    )
    base = alt.Chart(alt.Data(values=[{"score": r["score"], "n": f"n={count(r['n'])}"} for r in rows])).encode(x=x)
    scores = base.mark_text(fontSize=13, color=INK).encode(y=alt.value(176), text="score:Q")
    sizes = base.mark_text(fontSize=10.5, color=MUTED).encode(y=alt.value(192), text="n:N")
    told = t.listed(
        t("chart.scores_row", score=row["score"], n=row["n"], told=t.listed(
            f"{word} {row[key]}" for key, word in t.part("sentiments").items()))
        for row in rows
    )
    label = t("chart.scores", rows=told)
    return _draw([columns, scores, sizes], "scores", 160, {"top": 6, "bottom": 38}, label, width=480)


def segment_chart(values: Sequence[dict[str, Any]], overall: float | None, t: Words) -> Markup:
    """Return the NPS of segments side by side, each with its interval and n; a line for everybody's."""
    rows = [
        {"name": str(row["value"])[:_LONGEST_NAME], "told": f"{points(row['nps'])}  n={count(row['n'])}",
         "nps": row["nps"], "low": row["low"], "high": row["high"], "at": at}
        for at, row in enumerate(values)
    ]
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    x = alt.Scale(domain=[low - 2, high + 2], nice=False, zero=False)
    y = alt.Y("at:Q", scale=alt.Scale(domain=[len(rows) - 0.5, -0.5], nice=False, zero=False), axis=None)
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    layers = [  # the words above their line, so that a phone shows both
        base.mark_rule(strokeWidth=6, color=LINE, yOffset=9).encode(x=alt.X("low:Q", scale=x, axis=None), x2="high:Q"),
        base.mark_point(size=60, filled=True, opacity=1, color=ACCENT, yOffset=9).encode(
            x=alt.X("nps:Q", scale=x, axis=None)
        ),
        base.mark_text(align="left", dy=-9, fontSize=13, color=INK).encode(x=alt.value(0), text="name:N"),
        base.mark_text(align="right", dy=-9, fontSize=12, color=MUTED).encode(x=alt.value(_SEGMENTS), text="told:N"),
    ]
    if overall is not None and low <= overall <= high:
        everybody = alt.Chart(alt.Data(values=[{"nps": overall}])).mark_rule(color=MUTED, strokeDash=[3, 3])
        layers.insert(0, everybody.encode(x=alt.X("nps:Q", scale=x, axis=None)))
    told = t.listed(
        t("chart.segment_row", value=row["value"], nps=points(row["nps"]), n=row["n"],
          interval=t.points_interval(row["low"], row["high"]))
        for row in values
    )
    label = t("chart.segments", rows=told)
    return _draw(layers, "segments", 46 * len(rows), {"top": 4, "bottom": 4}, label, width=_SEGMENTS)


def _reach(rows: list[dict[str, Any]], overall: float) -> tuple[float, float, float]:
    """Return where the matrix ends: at the right, below and above."""
    heights = [overall, *(row["y"] for row in rows)]
    return 1.08 * max(row["x"] for row in rows), min(heights) - 12, max(heights) + 12


def _placed(rows: list[dict[str, Any]], right: float, low: float, high: float) -> list[dict[str, Any]]:
    """Return the dots with the place of their names, those left out that would touch a dot or another name."""
    at = [(620 * row["x"] / right, 330 * (high - row["y"]) / (high - low)) for row in rows]
    taken = [(x - 12, x + 12, y, 12.0) for x, y in at]
    placed: list[dict[str, Any]] = []
    for row, (x, y) in zip(rows, at, strict=True):
        size = sum(6.5 if char.isascii() else 12 for char in row["name"])
        for place, (dx, dy, align) in _PLACES.items():
            start = x + dx - {"left": 0.0, "right": size, "center": size / 2}[align]
            box = (start - 2, start + size + 2, y + dy, 7.0)
            if box[0] >= -40 and box[1] <= 760 and not any(_touch(box, other) for other in taken):
                taken.append(box)
                placed.append(row | {"place": place})
                break
    return placed


def _touch(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < one[3] + other[3]


def _impact_colour(row: dict[str, Any]) -> str:
    if row["certainty"] != CLEAR:
        return NEUTRAL
    return NEGATIVE if row["impact"] < 0 else POSITIVE


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
    svg = re.sub(r' role="graphics-(?:symbol|object)"| aria-roledescription="[a-z ]*"', "", svg)  # the label says all
    svg = re.sub(r"\bclip\d+\b", _numbered(f"{name}-clip"), svg)
    return Markup('<div class="chart" role="img" aria-label="{}">{}</div>').format(label, Markup(svg))


def _numbered(name: str) -> Callable[[re.Match[str]], str]:
    """Rename ids in order of appearance: Vega counts them up over the life of the process."""
    seen: dict[str, str] = {}
    return lambda found: seen.setdefault(found[0], f"{name}{len(seen)}")
