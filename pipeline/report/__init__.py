"""The report of one night: HTML, Markdown, Excel and CSV, and the pages that put all nights side by side.

Everything here is a pure function of a `Night`, or of the nights' summaries: the same ones give the same bytes.
"""

from pipeline.report.history import render_index, render_theme_pages
from pipeline.report.html import render_html
from pipeline.report.markdown import render_markdown
from pipeline.report.message import Event, Message, render_message
from pipeline.report.night import Night
from pipeline.report.tables import render_csv
from pipeline.report.workbook import render_workbook

__all__ = [
    "Event", "Message", "Night", "render_csv", "render_html", "render_index", "render_markdown", "render_message",
    "render_theme_pages", "render_workbook",
]
