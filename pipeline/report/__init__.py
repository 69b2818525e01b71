"""The report of one night: HTML, Markdown, Excel and CSV, and the index of all nights.

Everything here is a pure function of a `Night`: the same night gives the same bytes.
"""

from pipeline.report.html import render_html, render_index
from pipeline.report.markdown import render_markdown
from pipeline.report.night import Night
from pipeline.report.tables import render_csv
from pipeline.report.workbook import render_workbook

__all__ = ["Night", "render_csv", "render_html", "render_index", "render_markdown", "render_workbook"]
