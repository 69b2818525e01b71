"""The night as an Excel workbook to go on working in."""

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from pipeline.report.analysis import Table, analysis_tables
from pipeline.report.cells import Cells
from pipeline.report.headline import alert_text, write_headline
from pipeline.report.layout import SHEETS
from pipeline.report.night import ACCOUNTED, Night, accounting, ranked_themes
from pipeline.report.notices import notice_lines
from pipeline.report.sheet_charts import driver_chart, line_chart, score_chart, sentiment_chart
from pipeline.report.tables import as_texts
from pipeline.report.theme_sheet import column_of, write_themes
from pipeline.report.wording import Words, count

CHARTED_THEMES, CHARTED_LINES = 15, 5
_A4 = 9
MOST_VOICES = 30_000
"""Opinions on the sheet of voices: a sheet cannot hold a million, and a file of 30,000 is one that people open."""

_WIDE = {"unit_text": 70, "theme": 22, "parent_theme": 18, "value": 40, "reason": 30, "file": 24}
_CODES = {"sentiment": "sentiments", "intent": "intents", "nps_group": "groups"}


def render_workbook(night: Night) -> bytes:
    """Return ``report.xlsx``: overview, themes, NPS drivers, trends, voices, quarantine; no cell is ever a formula."""
    buffer, t = io.BytesIO(), night.words
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        created = datetime.combine(date.fromisoformat(night.business_date), datetime.min.time())
        book.set_properties({"title": night.title, "author": "kikitori", "created": created})
        cells = Cells(book, t)
        names = ("overview", "themes", "drivers", "trends", "voices", "quarantine")
        sheets = {name: book.add_worksheet(t(f"sheet.{name}")) for name in names}
        tables = {table.key: table for table in analysis_tables(night.summary, night.local_units(), t)}
        write_themes(sheets["themes"], night.summary, cells)
        _write_drivers(sheets["drivers"], tables, cells)
        _write_trends(sheets["trends"], tables, night.summary, cells)
        _write_table(sheets["voices"], _newest(night.local_units()), cells)
        _write_table(sheets["quarantine"], night.quarantine, cells)
        _write_overview(sheets["overview"], night, cells)
        for sheet in sheets.values():
            _print_on_a4(sheet)
        for name in ("themes", "voices", "quarantine"):
            sheets[name].repeat_rows(0)
    return buffer.getvalue()


def _print_on_a4(sheet: Worksheet) -> None:
    """Print a sheet across, as wide as the page, on as many pages as its rows need."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)


def _write_overview(sheet: Worksheet, night: Night, cells: Cells) -> None:
    summary, nps, t = night.summary, night.summary["nps"], cells.t
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 7, 12)
    start, end = (t.full_date(summary["window"][key]) for key in ("from", "to"))
    cells.write(sheet, 0, 0, night.title, "title")
    cells.write(sheet, 1, 0, t("sheet.window", day=t.full_date(night.business_date), start=start, end=end))
    lines = _told(night, t)
    for at, line in enumerate(lines, start=3):
        sheet.merge_range(at, 0, at, 9, "")
        cells.write(sheet, at, 0, line, "wrapped")
        sheet.set_row(at, 32)
    at = len(lines) + 4
    for column, (label, value, form) in enumerate([
        ("NPS", nps["score"], "points"), (t("sheet.low"), nps["low"], "points"),
        (t("sheet.high"), nps["high"], "points"), ("n", nps["n"], "integer"),
        *((t.name("groups", group), nps[f"{group}s"], "integer") for group in ("detractor", "passive", "promoter")),
        (t("nps.mean"), nps["mean"], "decimal"),
    ]):
        cells.write(sheet, at, column, label, "header")
        cells.write(sheet, at + 1, column, value, form)
    at = _write_accounting(sheet, at + 3, summary, cells)
    at = _write_distribution(sheet, at + 1, nps, cells)
    _chart_themes(sheet, at + 1, len(ranked_themes(summary)), cells)


def _told(night: Night, t: Words) -> list[str]:
    alerts = [t("sheet.alert", text=alert_text(alert, t)) for alert in night.summary["alerts"]]
    erased = [t("sheet.erased", n=count(night.n_erased))] if night.n_erased else []
    n = night.units.height
    cut = [t("sheet.cut", shown=count(MOST_VOICES), n=count(n))] if n > MOST_VOICES else []
    told = [sentence.told(t) for sentence in write_headline(night.summary, t)]
    return notice_lines(night.summary, t) + told + alerts + erased + cut


def _newest(units: pl.DataFrame) -> pl.DataFrame:
    """Return as many of the newest opinions as the sheet holds, in their order."""
    if units.height <= MOST_VOICES:
        return units
    dated = units.with_row_index("row").sort("received_at", descending=True, nulls_last=True, maintain_order=True)
    return dated.head(MOST_VOICES).sort("row").drop("row")


def _write_accounting(sheet: Worksheet, at: int, summary: dict[str, Any], cells: Cells) -> int:
    header = [cells.t("accounting.source"), *(cells.t(f"accounting.{key}") for key in ACCOUNTED)]
    cells.row(sheet, at, header, "header")
    for row in accounting(summary):
        at += 1
        cells.write(sheet, at, 0, cells.t.label(row["name"]) if row["name"] else cells.t("total"))
        for column, key in enumerate(ACCOUNTED, start=1):
            cells.write(sheet, at, column, row[key], "integer")
    return at + 1


def _write_distribution(sheet: Worksheet, at: int, nps: dict[str, Any], cells: Cells) -> int:
    t, name = cells.t, sheet.get_name()
    cells.row(sheet, at, [t("sheet.score"), t("sheet.respondents")], "header")
    for score, n in enumerate(nps["distribution"]):
        cells.row(sheet, at + 1 + score, [score, n], "integer")
    if nps["n"]:
        categories, values = (name, at + 1, 0, at + 11, 0), (name, at + 1, 1, at + 11, 1)
        title = t("sheet.distribution", n=count(nps["n"]))
        sheet.insert_chart(at, 3, score_chart(cells.book, title, categories, values))
    return at + 13


def _chart_themes(sheet: Worksheet, at: int, n_themes: int, cells: Cells) -> None:
    t, shown = cells.t, min(n_themes, CHARTED_THEMES)
    if not shown:
        cells.write(sheet, at, 0, t("sheet.no_themes"))
        return
    name = t("sheet.themes")

    def block(key: str) -> tuple[str, int, int, int, int]:
        column = column_of(key, t)
        return (name, 1, column, shown, column)

    series = [(word, block(key)) for key, word in t.part("sentiments").items()]
    title = t("sheet.themes_chart", n=shown)
    sheet.insert_chart(at, 0, sentiment_chart(cells.book, title, block("name"), series))


def _write_drivers(sheet: Worksheet, tables: dict[str, Table], cells: Cells) -> None:
    """Write what moves NPS, and every table that says for whom; a chart of the priorities beside them."""
    places = _write_tables(sheet, 0, [tables[key] for key in SHEETS["drivers"] if key in tables], cells)
    if "priorities" in places:
        first, shown = places["priorities"], min(len(tables["priorities"].rows), CHARTED_THEMES)
        name = sheet.get_name()
        chart = driver_chart(cells.book, cells.t("sheet.drivers_chart"), (name, first, 1, first + shown - 1, 1),
                             (name, first, 6, first + shown - 1, 6))
        sheet.insert_chart(0, 13, chart)


def _write_trends(sheet: Worksheet, tables: dict[str, Table], summary: dict[str, Any], cells: Cells) -> None:
    """Write NPS and the themes week by week with their charts, then the tables of what changed."""
    t, name, trends = cells.t, sheet.get_name(), summary["trends"]
    weeks = trends["weeks"]
    themes = sorted(trends["themes"], key=lambda theme: (-sum(theme["n_feedback"]), theme["theme_id"]))
    nps = trends.get("nps") or []  # nights of an older version have none
    header = [t("sheet.week"), "NPS", t("sheet.low"), t("sheet.high"), "n", *(theme["name"] for theme in themes)]
    cells.row(sheet, 0, header, "header")
    for at, week in enumerate(weeks):
        cells.write(sheet, at + 1, 0, week)
        figures = nps[at] if nps else dict.fromkeys(("score", "low", "high", "n"))
        for column, key in enumerate(("score", "low", "high", "n"), start=1):
            cells.write(sheet, at + 1, column, figures[key], "integer" if key == "n" else "points")
        for column, theme in enumerate(themes, start=5):
            cells.write(sheet, at + 1, column, theme["n_feedback"][at], "integer")
    below = len(weeks) + 3
    if weeks:
        days = (name, 1, 0, len(weeks), 0)
        line = [(t("sheet.weekly_nps"), (name, 1, 1, len(weeks), 1))]
        sheet.insert_chart(below, 0, line_chart(cells.book, t("sheet.trend_chart"), days, line))
        lines = [(theme["name"], (name, 1, column, len(weeks), column))
                 for column, theme in enumerate(themes[:CHARTED_LINES], start=5)]
        if lines:
            title = t("sheet.theme_chart", n=len(lines))
            sheet.insert_chart(below, 7, line_chart(cells.book, title, days, lines))
        below += 17
    _write_tables(sheet, below, [tables[key] for key in SHEETS["trends"] if key in tables], cells)
    sheet.freeze_panes(1, 1)


def _write_tables(sheet: Worksheet, at: int, tables: list[Table], cells: Cells) -> dict[str, int]:
    """Write the tables below one another, all rows of each; return the first row of each one's values."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 11, 16)
    places = {}
    for table in tables:
        cells.write(sheet, at, 0, table.title, "heading")
        cells.write(sheet, at + 1, 0, table.note)
        cells.row(sheet, at + 2, [column.header for column in table.columns], "header")
        places[table.key] = at + 3
        for row, values in enumerate(table.rows, start=at + 3):
            for column, value in enumerate(values):
                cells.write(sheet, row, column, value, table.columns[column].form)
        at += len(table.rows) + 5
    return places


def _write_table(sheet: Worksheet, table: pl.DataFrame, cells: Cells) -> None:
    t = cells.t
    for column, name in enumerate(table.columns):
        series = table[name]
        sheet.set_column(column, column, _WIDE.get(name, 13))
        cells.write(sheet, 0, column, _header(series, t), "header")
        form = "wrapped" if name == "unit_text" else "decimal" if series.dtype.is_float() else "text"
        told = _told_as(name, t)
        for at, value in enumerate(series if series.dtype.is_temporal() else as_texts(series), start=1):
            cells.write(sheet, at, column, told(value), form)
    sheet.freeze_panes(1, 0)
    if table.width:
        sheet.autofilter(0, 0, max(1, table.height), table.width - 1)


def _told_as(column: str, t: Words) -> Callable[[Any], Any]:
    """Return what turns the values of a column into what readers call them."""
    if column == "reason":
        return t.reason
    if column == "source":
        return t.label
    codes = t.part(_CODES[column]) if column in _CODES else {}
    return lambda value: codes.get(value, value)


def _header(series: pl.Series, t: Words) -> str:
    known = t.part("columns")
    label = known.get(series.name) or t.label(series.name)
    zone = getattr(series.dtype, "time_zone", None)
    return t("sheet.zone", label=label, zone=zone) if zone else label
