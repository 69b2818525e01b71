"""The one way values reach a cell of the workbook: text as text, never a formula or a link."""

import math
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.report.wording import Words

LONGEST_CELL = 32_767
"""Characters Excel keeps in a cell."""

_FORMATS: dict[str, dict[str, Any]] = {
    "text": {},
    "wrapped": {"text_wrap": True},
    "quote": {"text_wrap": True},
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


class Cells:
    """The cell formats of one workbook, and what writes into its cells."""

    def __init__(self, book: xlsxwriter.Workbook, t: Words) -> None:
        font: dict[str, Any] = {"font_name": t("sheet.font"), "font_size": 10.5, "valign": "top"}
        self.book, self.t = book, t
        self.formats: dict[str, Format] = {name: book.add_format(font | extra) for name, extra in _FORMATS.items()}

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
            sheet.write_string(row, column, self._fit(str(value)), chosen)

    def row(self, sheet: Worksheet, row: int, values: list[Any], form: str = "text") -> None:
        """Write the values side by side from the first column on."""
        for column, value in enumerate(values):
            self.write(sheet, row, column, value, form)

    def _fit(self, text: str) -> str:
        note = self.t("sheet.rest")
        return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(note)] + note
