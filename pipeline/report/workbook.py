"""The night as an Excel workbook to go on working in."""

import io
import math
from datetime import date, datetime
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.report import wording
from pipeline.report.analysis import analysis_tables
from pipeline.report.charts import NEGATIVE, NEUTRAL, POSITIVE
from pipeline.report.headline import alert_text, write_headline
from pipeline.report.night import Night, accounting, badge, is_significant, is_uncertain, ranked_themes
from pipeline.report.tables import as_texts

LONGEST_CELL = 32_767
"""Characters Excel keeps in a cell."""

CHARTED_THEMES = 15
_WIDE = {"unit_text": 70, "theme": 22, "parent_theme": 18, "value": 40, "reason": 30, "file": 24}
_FORMATS: dict[str, dict[str, Any]] = {
    "text": {},
    "wrapped": {"text_wrap": True},
    "title": {"bold": True, "font_size": 16},
    "heading": {"bold": True, "font_size": 12},
    "header": {"bold": True, "bg_color": "#EDEBE6", "bottom": 1, "text_wrap": True},
    "integer": {"num_format": "#,##0"},
    "decimal": {"num_format": "0.000"},
    "points": {"num_format": "+0.0;-0.0;0.0"},
    "percent": {"num_format": "0.0%"},
    "money": {"num_format": "#,##0"},
    "time": {"num_format": "yyyy-mm-dd hh:mm"},
}
_CODES = {
    "sentiment": wording.SENTIMENTS,
    "intent": wording.INTENTS,
    "nps_group": wording.GROUPS,
}


def render_workbook(night: Night) -> bytes:
    """Return ``report.xlsx`` with the sheets 概要, テーマ, 分析, 声 and 隔離; no cell is ever a formula."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        created = datetime.combine(date.fromisoformat(night.business_date), datetime.min.time())
        book.set_properties({"title": night.title, "author": "kikitori", "created": created})
        writer = _Writer(book)
        overview = book.add_worksheet("概要")
        _write_themes(book.add_worksheet("テーマ"), night, writer)
        _write_analysis(book.add_worksheet("分析"), night, writer)
        _write_table(book.add_worksheet("声"), night.local_units(), writer)
        _write_table(book.add_worksheet("隔離"), night.quarantine, writer)
        _write_overview(overview, night, writer)
    return buffer.getvalue()


class _Writer:
    """Cell formats of one workbook, and the one way values reach a cell."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        font: dict[str, Any] = {"font_name": "Yu Gothic", "font_size": 10.5, "valign": "top"}
        self.book = book
        self.formats: dict[str, Format] = {
            name: book.add_format(font | extra)
            for name, extra in _FORMATS.items()
        }

    def write(self, sheet: Worksheet, row: int, column: int, value: Any, form: str = "text") -> None:
        """Write text as text (never a formula or a link), numbers as numbers, nothing as a blank."""
        chosen = self.formats[form]
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            sheet.write_blank(row, column, None, chosen)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), self.formats["time"])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            sheet.write_number(row, column, value, chosen)
        else:
            sheet.write_string(row, column, _fit(str(value)), chosen)

    def row(self, sheet: Worksheet, row: int, values: list[Any], form: str = "text") -> None:
        for column, value in enumerate(values):
            self.write(sheet, row, column, value, form)


def _write_overview(sheet: Worksheet, night: Night, writer: _Writer) -> None:
    summary, nps = night.summary, night.summary["nps"]
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 7, 12)
    window = f"{wording.full_date(summary['window']['from'])}〜{wording.full_date(summary['window']['to'])}"
    writer.write(sheet, 0, 0, night.title, "title")
    writer.write(sheet, 1, 0, f"{wording.full_date(night.business_date)}　期間 {window}")
    lines = [s.text for s in write_headline(summary)] + [f"警報：{alert_text(a)}" for a in summary["alerts"]]
    if night.n_erased:
        lines.append(f"公開後に{night.n_erased:,}件の回答の文章を消去しました。数字は公開時のままです。")
    for at, line in enumerate(lines, start=3):
        sheet.merge_range(at, 0, at, 9, "")
        writer.write(sheet, at, 0, line, "wrapped")
        sheet.set_row(at, 32)
    at = len(lines) + 4
    for column, (label, value, form) in enumerate([
        ("NPS", nps["score"], "points"), ("95%区間 下限", nps["low"], "points"),
        ("95%区間 上限", nps["high"], "points"), ("n", nps["n"], "integer"),
        ("批判者", nps["detractors"], "integer"), ("中立者", nps["passives"], "integer"),
        ("推奨者", nps["promoters"], "integer"), ("平均点", nps["mean"], "decimal"),
    ]):
        writer.write(sheet, at, column, label, "header")
        writer.write(sheet, at + 1, column, value, form)
    at = _write_accounting(sheet, at + 3, summary, writer)
    at = _write_distribution(sheet, at + 1, nps, writer)
    _chart_themes(sheet, at + 1, ranked_themes(summary), writer)


def _write_accounting(sheet: Worksheet, at: int, summary: dict[str, Any], writer: _Writer) -> int:
    keys = ("read", "analysed", "no_opinion", "duplicate", "quarantined", "outside_window", "carried_over")
    words = ["ソース", "読み込み", "分析", "意見なし", "重複", "隔離", "期間外", "以前の夜から"]
    writer.row(sheet, at, words, "header")
    for row in accounting(summary):
        at += 1
        writer.write(sheet, at, 0, row["name"] or "合計")
        for column, key in enumerate(keys, start=1):
            writer.write(sheet, at, column, row[key], "integer")
    return at + 1


def _write_distribution(sheet: Worksheet, at: int, nps: dict[str, Any], writer: _Writer) -> int:
    writer.row(sheet, at, ["点数", "回答者数"], "header")
    for score, n in enumerate(nps["distribution"]):
        writer.row(sheet, at + 1 + score, [score, n], "integer")
    if nps["n"]:
        colours = [NEGATIVE] * 7 + [NEUTRAL] * 2 + [POSITIVE] * 2
        chart = writer.book.add_chart({"type": "column"})
        chart.add_series({
            "categories": ["概要", at + 1, 0, at + 11, 0], "values": ["概要", at + 1, 1, at + 11, 1], "gap": 30,
            "points": [{"fill": {"color": colour}} for colour in colours], "data_labels": {"value": True},
        })
        chart.set_title({"name": f"点数の分布（n={wording.count(nps['n'])}）", "overlay": False})
        chart.set_legend({"none": True})
        chart.set_y_axis({"visible": False, "major_gridlines": {"visible": False}})
        chart.set_size({"width": 560, "height": 250})
        sheet.insert_chart(at, 3, chart)
    return at + 13


def _chart_themes(sheet: Worksheet, at: int, themes: list[dict[str, Any]], writer: _Writer) -> None:
    shown = min(len(themes), CHARTED_THEMES)
    if not shown:
        writer.write(sheet, at, 0, "テーマはありません。")
        return
    keys = [key for key, *_ in _THEME_COLUMNS]
    chart = writer.book.add_chart({"type": "bar", "subtype": "stacked"})
    for sentiment, colour in (("negative", NEGATIVE), ("neutral", NEUTRAL), ("positive", POSITIVE)):
        column = keys.index(sentiment)
        chart.add_series({
            "name": wording.SENTIMENTS[sentiment], "categories": ["テーマ", 1, keys.index("name"), shown, 1],
            "values": ["テーマ", 1, column, shown, column], "fill": {"color": colour}, "gap": 45,
        })
    chart.set_title({"name": f"テーマ別の回答者数と感情（上位{shown}件）", "overlay": False})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"major_gridlines": {"visible": False}, "label_position": "high"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 900, "height": 120 + 30 * shown})
    sheet.insert_chart(at, 0, chart)


_THEME_COLUMNS: list[tuple[str, str, str, int]] = [
    ("rank", "順位", "integer", 6),
    ("name", "テーマ", "text", 24),
    ("parent_name", "上位テーマ", "text", 18),
    ("badge", "状態", "text", 8),
    ("n_feedback", "言及した回答者 n", "integer", 10),
    ("share", "言及率", "percent", 9),
    ("share_low", "言及率 下限", "percent", 9),
    ("share_high", "言及率 上限", "percent", 9),
    ("previous_share", "前回の言及率", "percent", 9),
    ("negative", "否定的", "integer", 9),
    ("neutral", "どちらでもない", "integer", 9),
    ("positive", "肯定的", "integer", 9),
    *(
        (f"{group}.{key}", f"{who} {word}", "integer", 9)
        for group, who in wording.GROUPS.items()
        for key, word in {"n_feedback": "n", **wording.SENTIMENTS}.items()
    ),
    ("nps", "触れた人のNPS", "points", 10),
    ("nps_n", "触れた人のNPSの n", "integer", 10),
    ("impact", "NPSへの影響", "points", 10),
    ("impact_low", "影響 下限", "points", 10),
    ("impact_high", "影響 上限", "points", 10),
    ("p_adjusted", "調整済み p", "decimal", 10),
    ("verdict", "判定", "text", 11),
    ("caution", "注意", "text", 12),
    ("keywords", "キーワード", "text", 36),
    ("pairs", "係り受け", "text", 40),
    ("first_seen", "初めて現れた日", "text", 13),
    ("theme_id", "テーマID", "text", 14),
]


def _write_themes(sheet: Worksheet, night: Night, writer: _Writer) -> None:
    themes = ranked_themes(night.summary)
    for column, (key, label, form, width) in enumerate(_THEME_COLUMNS):
        sheet.set_column(column, column, width)
        writer.write(sheet, 0, column, label, "header")
        for at, theme in enumerate(themes, start=1):
            writer.write(sheet, at, column, _theme_cell(theme, key, night.summary), form)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(themes)), len(_THEME_COLUMNS) - 1)


def _theme_cell(theme: dict[str, Any], key: str, summary: dict[str, Any]) -> Any:
    if key == "badge":
        return wording.STATUSES[badge(theme, summary) or "continuing"] if summary["previous"] else None
    if key == "verdict":
        return "計算なし" if theme["impact"] is None else "有意" if is_significant(theme) else "有意でない"
    if key == "caution":
        return "参考値（n<30）" if is_uncertain(theme) else None
    if "." in key:
        group, name = key.split(".")
        return theme["by_group"].get(group, {}).get(name, 0)
    return " / ".join(theme[key]) if isinstance(theme[key], list) else theme[key]


def _write_analysis(sheet: Worksheet, night: Night, writer: _Writer) -> None:
    """Write every table of the analysis below one another, all rows of each."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 9, 16)
    at = 0
    for table in analysis_tables(night.summary, night.local_units()):
        writer.write(sheet, at, 0, table.title, "heading")
        writer.write(sheet, at + 1, 0, table.note)
        writer.row(sheet, at + 2, [column.header for column in table.columns], "header")
        for row, values in enumerate(table.rows, start=at + 3):
            for column, value in enumerate(values):
                form = table.columns[column].form
                writer.write(sheet, row, column, value, "wrapped" if form == "quote" else form)
        at += len(table.rows) + 5


def _write_table(sheet: Worksheet, table: pl.DataFrame, writer: _Writer) -> None:
    for column, name in enumerate(table.columns):
        series = table[name]
        sheet.set_column(column, column, _WIDE.get(name, 13))
        writer.write(sheet, 0, column, _header(series), "header")
        form = "wrapped" if name == "unit_text" else "decimal" if series.dtype.is_float() else "text"
        codes = _CODES.get(name, {})
        values = series if series.dtype.is_temporal() else as_texts(series)
        for at, value in enumerate(values, start=1):
            told = wording.reason_words(value) if name == "reason" else codes.get(value, value)
            writer.write(sheet, at, column, told, form)
    sheet.freeze_panes(1, 0)
    if table.width:
        sheet.autofilter(0, 0, max(1, table.height), table.width - 1)


def _header(series: pl.Series) -> str:
    label = wording.COLUMNS.get(series.name, series.name)
    zone = getattr(series.dtype, "time_zone", None)
    return f"{label}（{zone}）" if zone else label


def _fit(text: str) -> str:
    note = "…（以下はunits.csvに）"
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(note)] + note
