"""The tables of what moves loyalty: one definition for the page, the workbook and the Markdown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipeline.loyalty import KEY
from pipeline.loyalty.measures import SIGNIFICANT, UNCERTAIN_BELOW
from pipeline.loyalty.priorities import CHANCE, CLEAR
from pipeline.report.headline import alert_side
from pipeline.report.layout import FORMS, Column
from pipeline.report.night import priorities
from pipeline.report.quotes import Quote, alert_quotes, shortened, theme_quotes
from pipeline.report.wording import NONE, Words, count, percent, points

SHOWN = 15
"""Rows of a table on the page and in Markdown; the workbook has all."""

WEEKS = 6
"""Weeks shown of a theme; summary.json has all."""

Row = tuple[Any, ...]

TOLD: dict[str, Callable[[Any], str]] = {
    "text": lambda value: NONE if value is None else str(value),
    "quote": lambda value: NONE if value is None else str(value),
    "integer": count,
    "points": points,
    "percent": percent,
    "decimal": lambda value: NONE if value is None else f"{value:.2f}",
    "money": lambda value: NONE if value is None else f"{value:,.0f}",
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
        rows = [[TOLD[self.columns[at].form](row[at]) for at in kept] for row in self.rows[:SHOWN]]
        return [self.columns[at] for at in kept], rows


def analysis_tables(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> list[Table]:
    """Return the tables that have something to tell, in reading order."""
    rows: dict[str, list[Row]] = {
        "priorities": _priorities(summary, units, t), "drivers": _drivers(summary, t),
        "mismatches": _mismatches(summary, units, t), "alerts": _alerts(summary, units, t),
        "segments": _segments(summary, t), "segment_changes": _segment_changes(summary, t),
        "segment_themes": _segment_themes(summary, t),
        "periods": _periods(summary, t), "changes": _theme_changes(summary, t), "trends": _trends(summary, t),
        "measures": _measures(summary, t), "behaviour": _behaviour(summary, t), "map": _map(summary, t),
        "captive": _captive(summary),
    }
    days = summary["periods"]["days"]
    return [_completed(_table(key, rows[key], days, t), summary, t) for key in FORMS if rows[key]]


def _table(key: str, rows: list[Row], days: int, t: Words) -> Table:
    headers, forms = t.part(f"tables.{key}.columns"), FORMS[key].split()
    columns = tuple(Column(header.format(days=days), form) for header, form in zip(headers, forms, strict=True))
    return Table(key, t(f"tables.{key}.title"), t(f"tables.{key}.note", days=days), columns, rows)


def _completed(table: Table, summary: dict[str, Any], t: Words) -> Table:
    """Return the table with what its layout cannot know: the weeks of the trends, the R² of the drivers, who is left
    out of the mismatches."""
    if table.key == "drivers":
        found = summary["drivers"]
        return replace(table, note=table.note + t("analysis.r2", r2=percent(found["r2"]), n=count(found["n"])))
    if table.key == "mismatches":
        return replace(table, note=_mismatch_note(table.note, summary, t))
    if table.key != "trends":
        return table
    starts = (t("analysis.week", week=t.tick(week)) for week in summary["trends"]["weeks"][-WEEKS:])
    weeks = (Column(start, "integer") for start in starts)
    return replace(table, columns=(*table.columns, *weeks, Column(t("analysis.expected"))))


def _mismatch_note(note: str, summary: dict[str, Any], t: Words) -> str:
    """Return what the listed kinds of people mean, which kind is not there, and how many are left out."""
    listed = {row["kind"] for row in summary["mismatches"]}
    kinds = t.part("mismatches")
    parts = [t(f"analysis.{kind}") for kind in kinds if kind in listed] + [note]
    parts += [t("analysis.none_of_kind", kind=name) for kind, name in kinds.items() if kind not in listed]
    left_out = summary.get("mismatches_left_out")
    return "".join(parts) + (t("analysis.left_out", n=count(left_out)) if left_out else "")


def _priorities(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> list[Row]:
    themes = {theme["theme_id"]: theme for theme in summary["themes"]}
    return [
        (row["rank"], row["name"], t.name("actions", row["action"]), t.name("sides", row["side"]), row["n"], row["nps"],
         row["impact"], _interval(row, "impact", t), t.certain(row["certainty"], few=row["uncertain"]), _trend(row, t),
         _joined(theme_quotes(units, themes[row["theme_id"]], n=1, side=row["side"]), t))
        for row in priorities(summary)
    ]


def _drivers(summary: dict[str, Any], t: Words) -> list[Row]:
    return [
        (row["name"], t.name("sides", row["side"]), row["n"], row["weight"], row["effect"],
         _interval(row, "effect", t), row["points"], _interval(row, "points", t), _verdict(row, t))
        for row in summary["drivers"]["rows"]
    ]


def _mismatches(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> list[Row]:
    texts, rows = _spoken(summary["mismatches"], units), []
    for row in summary["mismatches"]:
        person = (row["source"], row["feedback_id"])
        text = texts.get((*person, row["unit_index"])) if row.get("unit_index") is not None else None
        rows.append((
            t.name("mismatches", row["kind"]), row["score"], text or texts.get((*person, None)), row.get("certainty"),
            f"{t.label(row['source'])} {row['feedback_id']}",
        ))
    return rows


def _alerts(summary: dict[str, Any], units: pl.DataFrame, t: Words) -> list[Row]:
    rows = []
    for alert in summary["alerts"]:
        name, inside = alert.get("name"), alert.get("inside")
        name = t("alert.part", name=name, inside=inside["name"]) if inside else name
        quotes = alert_quotes(alert, units, side=alert_side(alert, summary))
        rows.append((t.name("alert_kinds", alert["kind"]), name, alert.get("n_feedback"),
                     alert.get("expected"), t.short_date(alert.get("first_day")), _joined(quotes, t)))
    return rows


def _segments(summary: dict[str, Any], t: Words) -> list[Row]:
    return [
        (t.label(segment["column"]), row["value"], row["n"], row["nps"], t.points_interval(row["low"], row["high"]),
         row["difference"], _interval(row, "difference", t), _verdict(row, t))
        for segment in summary["segments"] for row in segment["values"] if row["n"]
    ]


def _segment_changes(summary: dict[str, Any], t: Words) -> list[Row]:
    return [
        (t.label(row["column"]), row["value"], row["n_before"], row["nps_before"], row["n_now"], row["nps_now"],
         row["difference"], _interval(row, "difference", t), _verdict(row, t))
        for row in summary["periods"].get("segments", []) if row["difference"] is not None
    ]


def _segment_themes(summary: dict[str, Any], t: Words) -> list[Row]:
    return [
        (t.label(segment["column"]), row["value"], theme["name"], theme["n"], theme["lift"],
         t.interval(f"{theme['lift_low']:.1f}", f"{theme['lift_high']:.1f}"))
        for segment in summary["segments"] for row in segment["values"] for theme in row["themes"]
    ]


def _periods(summary: dict[str, Any], t: Words) -> list[Row]:
    periods = summary["periods"]
    gap = periods["difference"]
    if gap["value"] is None:
        return []
    rows: list[Row] = []
    for key, period in (("latest", periods["now"]), ("before", periods["before"])):
        label = t(f"analysis.{key}", days=periods["days"], span=_days(period, t))
        rows.append((label, period["n"], period["nps"], _bounds(period, t), _caution(period, t)))
    verdict = t.certain(CLEAR if gap["p"] < SIGNIFICANT else CHANCE)
    rows.append((t("analysis.difference"), None, gap["value"], _bounds(gap, t), verdict))
    for part in periods["mix_and_rate"]:
        for key in ("mix", "rate"):
            label = t(f"analysis.{key}", column=t.label(part["column"]))
            rows.append((label, None, part[key], _interval(part, key, t), None))
    return rows


def _theme_changes(summary: dict[str, Any], t: Words) -> list[Row]:
    moved = [row for row in summary["periods"]["themes"] if _significant(row)]
    return [
        (row["name"], row["n_now"], row["share_now"], row["n_before"], row["share_before"],
         f"{points(100 * row['difference'])} "
         f"({t.points_interval(100 * row['difference_low'], 100 * row['difference_high'])})",
         _caution(row, t))
        for row in sorted(moved, key=lambda row: (-abs(row["difference"]), row["theme_id"]))
    ]


def _trends(summary: dict[str, Any], t: Words) -> list[Row]:
    rows = []
    for theme in sorted(summary["trends"]["themes"], key=lambda theme: (-sum(theme["n_feedback"]), theme["theme_id"])):
        if theme["low"] and theme["low"][-1] is not None:
            usual = t.interval(f"{theme['low'][-1]:.1f}", f"{theme['high'][-1]:.1f}")
            rows.append((theme["name"], *theme["n_feedback"][-WEEKS:], usual))
    return rows


def _measures(summary: dict[str, Any], t: Words) -> list[Row]:
    return [
        (word, found["n"], found["share"], t.percent_interval(found["low"], found["high"]), found["mean"],
         t("analysis.at_least", least=found["least"]))
        for key, word in t.part("measures").items() if (found := summary["measures"][key])
    ]


def _behaviour(summary: dict[str, Any], t: Words) -> list[Row]:
    found = summary["measures"]["behaviour"]
    if not found:
        return []
    repeat, churn, value = found["repeat_rate"], found["churn"], found["lifetime_value"]
    money = TOLD["money"]
    rows: list[Row] = [
        (label, percent(part["share"]), t.percent_interval(part["low"], part["high"]), part["n"])
        for label, part in ((t("analysis.repeat"), repeat), (t("analysis.churn", days=churn["days"]), churn))
    ]
    rows += [
        (t("analysis.revenue_each"), money(found["revenue_per_customer"]), NONE, found["n"]),
        (t("analysis.lifetime"), money(value["value"]), NONE, value["n"]),
        (t("analysis.top_fifth"), percent(found["top_fifth_share"]), NONE, found["n"]),
    ]
    for group, part in found["by_group"].items():
        label = t("analysis.group_revenue", group=t.name("groups", group))
        rows.append((label, money(part["revenue"]), percent(part["share"]), part["n"]))
    return rows


def _map(summary: dict[str, Any], t: Words) -> list[Row]:
    found = summary["loyalty_map"] or {"quadrants": []}
    return [
        (t.name("quadrants", row["quadrant"]), row["n"], row["share"],
         t.percent_interval(row["share_low"], row["share_high"]), row["revenue"], row["revenue_share"],
         t.listed(theme["name"] for theme in row["themes"]) or NONE, _caution(row, t))
        for row in found["quadrants"] if found["n"]
    ]


def _captive(summary: dict[str, Any]) -> list[Row]:
    found = summary["loyalty_map"] or {"captive_themes": []}
    return [(row["name"], row["n"], row["negative"], row["revenue"]) for row in found["captive_themes"]]


def _spoken(people: list[dict[str, Any]], units: pl.DataFrame) -> dict[tuple[str, str, int | None], str]:
    """Return the people's opinions by source, id and place, and under the place None everything each of them said."""
    keys = pl.DataFrame(people, schema=dict.fromkeys(KEY, pl.Utf8))
    ordered = units.join(keys, on=KEY, how="semi").sort("source", "feedback_id", "unit_index")
    single = ordered.select("source", "feedback_id", "unit_index", "unit_text")
    joined = ordered.group_by("source", "feedback_id", maintain_order=True).agg(
        pl.col("unit_text").str.strip_chars().str.join("／")
    )
    said: dict[tuple[str, str, int | None], str] = {(s, f, None): shortened(text) for s, f, text in joined.iter_rows()}
    return said | {(s, f, at): shortened(text) for s, f, at, text in single.iter_rows()}


def _joined(quotes: list[Quote], t: Words) -> str | None:
    """Return the quotes as one text, None where there is none."""
    return "".join(t("analysis.quote", text=quote.text) for quote in quotes) or None


def _interval(row: dict[str, Any], key: str, t: Words) -> str:
    return t.points_interval(row[f"{key}_low"], row[f"{key}_high"])


def _bounds(row: dict[str, Any], t: Words) -> str:
    return t.points_interval(row["low"], row["high"])


def _days(period: dict[str, Any], t: Words) -> str:
    return t("date.span", start=t.short_date(period["from"]), end=t.short_date(period["to"]))


def _significant(row: dict[str, Any]) -> bool:
    return row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT


def _verdict(row: dict[str, Any], t: Words) -> str:
    if row["p_adjusted"] is None:
        return t("not_computed")
    return t.certain(CLEAR if _significant(row) else CHANCE, few=row["uncertain"])


def _caution(row: dict[str, Any], t: Words) -> str | None:
    return t("reference_n", n=UNCERTAIN_BELOW) if row["uncertain"] else None


def _trend(row: dict[str, Any], t: Words) -> str:
    return NONE if row["trend"] == 1.0 else t("analysis.rising" if row["trend"] > 1 else "analysis.falling")
