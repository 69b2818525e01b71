"""The tables of what moves loyalty: one definition for the page, the workbook and the Markdown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipeline.report import wording
from pipeline.report.layout import LAYOUTS, Column
from pipeline.report.night import SIGNIFICANT
from pipeline.report.quotes import LONGEST

SHOWN = 15
"""Rows of a table on the page and in Markdown; the workbook has all."""

WEEKS = 6
"""Weeks shown of a theme; summary.json has all."""

Row = tuple[Any, ...]

FORMS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: wording.NONE if value is None else str(value),
    "quote": lambda value: wording.NONE if value is None else str(value),
    "integer": wording.count,
    "points": wording.points,
    "percent": wording.percent,
    "decimal": lambda value: wording.NONE if value is None else f"{value:.2f}",
    "money": lambda value: wording.NONE if value is None else f"{value:,.0f}",
}


@dataclass(frozen=True)
class Table:
    """Rows of values under columns, with a title and a line on how to read them."""

    key: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: list[Row]

    def told(self, *, quotes: bool = True) -> tuple[list[Column], list[list[str]]]:
        """Return the shown columns and the first rows as texts; without quotes, no customer's words."""
        kept = [at for at, column in enumerate(self.columns) if quotes or column.form != "quote"]
        rows = [[FORMS[self.columns[at].form](row[at]) for at in kept] for row in self.rows[:SHOWN]]
        return [self.columns[at] for at in kept], rows


def analysis_tables(summary: dict[str, Any], units: pl.DataFrame) -> list[Table]:
    """Return the tables that have something to tell, in reading order."""
    rows: dict[str, list[Row]] = {
        "priorities": _priorities(summary), "drivers": _drivers(summary), "mismatches": _mismatches(summary, units),
        "alerts": _alerts(summary), "segments": _segments(summary), "segment_themes": _segment_themes(summary),
        "periods": _periods(summary), "changes": _theme_changes(summary), "trends": _trends(summary),
        "measures": _measures(summary), "behaviour": _behaviour(summary), "map": _map(summary),
        "captive": _captive(summary),
    }
    tables = [Table(key, LAYOUTS[key].title, LAYOUTS[key].note, LAYOUTS[key].columns, rows[key]) for key in LAYOUTS]
    return [_completed(table, summary) for table in tables if table.rows]


def _priorities(summary: dict[str, Any]) -> list[Row]:
    return [
        (row["rank"], row["name"], wording.ACTIONS[row["action"]], row["n_feedback"], row["share"],
         wording.SIDES.get(row["side"]), row["n"], row["effect"], _interval(row, "effect"), _trend(row), _caution(row))
        for row in summary["priorities"]
    ]


def _drivers(summary: dict[str, Any]) -> list[Row]:
    return [
        (row["name"], wording.SIDES[row["side"]], row["n"], row["weight"], row["effect"], _interval(row, "effect"),
         row["points"], _interval(row, "points"), _verdict(row), _caution(row))
        for row in summary["drivers"]["rows"]
    ]


def _mismatches(summary: dict[str, Any], units: pl.DataFrame) -> list[Row]:
    words = _spoken(units)
    return [
        (wording.MISMATCHES[row["kind"]], row["score"], words.get((row["source"], row["feedback_id"])),
         row["gap"], f"{row['source']} {row['feedback_id']}")
        for row in summary["mismatches"]
    ]


def _alerts(summary: dict[str, Any]) -> list[Row]:
    rows = []
    for alert in summary["alerts"]:
        behind = "、".join(f"{row['source']} {row['feedback_id']}" for row in alert.get("feedback", [])[:10])
        expected = alert.get("expected")
        rows.append((wording.ALERTS.get(alert["kind"], alert["kind"]), alert.get("name"), alert.get("n_feedback"),
                     expected, wording.short_date(alert.get("first_day")), behind or wording.NONE))
    return rows


def _segments(summary: dict[str, Any]) -> list[Row]:
    return [
        (segment["column"], row["value"], row["n"], row["nps"], wording.points_interval(row["low"], row["high"]),
         row["difference"], _interval(row, "difference"), _verdict(row), _caution(row))
        for segment in summary["segments"] for row in segment["values"]
    ]


def _segment_themes(summary: dict[str, Any]) -> list[Row]:
    return [
        (segment["column"], row["value"], theme["name"], theme["n"], theme["lift"],
         f"{theme['lift_low']:.1f}〜{theme['lift_high']:.1f}")
        for segment in summary["segments"] for row in segment["values"] for theme in row["themes"]
    ]


def _periods(summary: dict[str, Any]) -> list[Row]:
    periods = summary["periods"]
    now, before, gap = periods["now"], periods["before"], periods["difference"]
    if gap["value"] is None:
        return []
    rows: list[Row] = [
        (f"直近{periods['days']}日（{_days(now)}）", now["n"], now["nps"], _bounds(now), _caution(now)),
        (f"その前の{periods['days']}日（{_days(before)}）", before["n"], before["nps"], _bounds(before),
         _caution(before)),
        ("差", None, gap["value"], _bounds(gap), None if gap["p"] < SIGNIFICANT else "有意でない"),
    ]
    for part in periods["mix_and_rate"]:
        mix, rate = (wording.points_interval(part[f"{name}_low"], part[f"{name}_high"]) for name in ("mix", "rate"))
        rows.append((f"差のうち、{part['column']}の構成が変わった分", None, part["mix"], mix, None))
        rows.append((f"差のうち、{part['column']}ごとの評価が変わった分", None, part["rate"], rate, None))
    return rows


def _theme_changes(summary: dict[str, Any]) -> list[Row]:
    moved = [row for row in summary["periods"]["themes"] if _significant(row)]
    return [
        (row["name"], row["n_now"], row["share_now"], row["n_before"], row["share_before"],
         f"{100 * row['difference']:+.1f}（{100 * row['difference_low']:+.1f}〜{100 * row['difference_high']:+.1f}）",
         _caution(row))
        for row in sorted(moved, key=lambda row: (-abs(row["difference"]), row["theme_id"]))
    ]


def _trends(summary: dict[str, Any]) -> list[Row]:
    trends = summary["trends"]
    rows = []
    for theme in sorted(trends["themes"], key=lambda theme: (-sum(theme["n_feedback"]), theme["theme_id"])):
        if theme["low"] and theme["low"][-1] is not None:
            usual = f"{theme['low'][-1]:.1f}〜{theme['high'][-1]:.1f}"
            rows.append((theme["name"], *theme["n_feedback"][-WEEKS:], usual))
    return rows


def _completed(table: Table, summary: dict[str, Any]) -> Table:
    """Return the table with what its layout cannot know: the weeks of the trends, the R² of the drivers."""
    if table.key == "drivers":
        found = summary["drivers"]
        r2, n = wording.percent(found["r2"]), wording.count(found["n"])
        told = f"全体で点数のばらつきの{r2}を説明します（R²、n={n}）。"
        return replace(table, note=table.note + told)
    if table.key != "trends":
        return table
    weeks = (Column(f"{wording.week_start(week)}〜", "integer") for week in summary["trends"]["weeks"][-WEEKS:])
    return replace(table, columns=(*table.columns, *weeks, Column("今週の見込み")))


def _measures(summary: dict[str, Any]) -> list[Row]:
    return [
        (wording.MEASURES[key], found["n"], found["share"], wording.percent_interval(found["low"], found["high"]),
         found["mean"], f"{found['least']}以上")
        for key in wording.MEASURES if (found := summary["measures"][key])
    ]


def _behaviour(summary: dict[str, Any]) -> list[Row]:
    found = summary["measures"]["behaviour"]
    if not found:
        return []
    repeat, churn, value = found["repeat_rate"], found["churn"], found["lifetime_value"]
    percent, money = wording.percent, FORMS["money"]
    rows: list[Row] = [
        ("リピート率", percent(repeat["share"]), wording.percent_interval(repeat["low"], repeat["high"]), repeat["n"]),
        (f"離脱率（{churn['days']}日購入なし）", percent(churn["share"]),
         wording.percent_interval(churn["low"], churn["high"]), churn["n"]),
        ("一人あたり売上", money(found["revenue_per_customer"]), wording.NONE, found["n"]),
        ("LTV（平均単価×年間回数×継続年数）", money(value["value"]), wording.NONE, value["n"]),
        ("上位2割の顧客の売上", percent(found["top_fifth_share"]), wording.NONE, found["n"]),
    ]
    for group, part in found["by_group"].items():
        rows.append((f"{wording.GROUPS[group]}の売上", money(part["revenue"]), percent(part["share"]), part["n"]))
    return rows


def _map(summary: dict[str, Any]) -> list[Row]:
    found = summary["loyalty_map"] or {"quadrants": []}
    return [
        (wording.QUADRANTS[row["quadrant"]], row["n"], row["share"],
         wording.percent_interval(row["share_low"], row["share_high"]), row["revenue"], row["revenue_share"],
         "、".join(theme["name"] for theme in row["themes"]) or wording.NONE, _caution(row))
        for row in found["quadrants"] if found["n"]
    ]


def _captive(summary: dict[str, Any]) -> list[Row]:
    found = summary["loyalty_map"] or {"captive_themes": []}
    return [(row["name"], row["n"], row["negative"], row["revenue"]) for row in found["captive_themes"]]


def _spoken(units: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Return everything each respondent said, cut to the length of a quote."""
    joined = units.sort("source", "feedback_id", "unit_index").group_by("source", "feedback_id", maintain_order=True)
    texts = joined.agg(pl.col("unit_text").str.strip_chars().str.join("／"))
    return {(s, f): t if len(t) <= LONGEST else t[: LONGEST - 1] + "…" for s, f, t in texts.iter_rows()}


def _interval(row: dict[str, Any], key: str) -> str:
    return wording.points_interval(row[f"{key}_low"], row[f"{key}_high"])


def _bounds(row: dict[str, Any]) -> str:
    return wording.points_interval(row["low"], row["high"])


def _days(period: dict[str, Any]) -> str:
    return f"{wording.short_date(period['from'])}〜{wording.short_date(period['to'])}"


def _significant(row: dict[str, Any]) -> bool:
    return row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT


def _verdict(row: dict[str, Any]) -> str:
    return "計算なし" if row["p_adjusted"] is None else "有意" if _significant(row) else "有意でない"


def _caution(row: dict[str, Any]) -> str | None:
    return "参考値（n<30）" if row["uncertain"] else None


def _trend(row: dict[str, Any]) -> str:
    if row["trend"] == 1.0:
        return wording.NONE
    return "増えている" if row["trend"] > 1 else "減っている"
