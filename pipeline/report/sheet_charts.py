"""The native charts of the workbook; orange is negative, blue positive, as on the page."""

from collections.abc import Sequence

from xlsxwriter.chart import Chart
from xlsxwriter.workbook import Workbook

from pipeline.report.charts import ACCENT, LINE, NEGATIVE, NEUTRAL, POSITIVE

Block = tuple[str, int, int, int, int]
"""Sheet name, first row, first column, last row, last column; from 0."""

_PALETTE = (ACCENT, NEGATIVE, "#4a8f7b", "#8a5a9e", "#b08900")


def score_chart(book: Workbook, title: str, categories: Block, values: Block) -> Chart:
    """Return the columns of the scores 0 to 10, coloured by NPS group."""
    colours = [NEGATIVE] * 7 + [NEUTRAL] * 2 + [POSITIVE] * 2
    chart = book.add_chart({"type": "column"})
    chart.add_series({
        "categories": list(categories), "values": list(values), "gap": 30, "data_labels": {"value": True},
        "points": [{"fill": {"color": colour}} for colour in colours],
    })
    chart.set_y_axis({"visible": False, "major_gridlines": {"visible": False}})
    return _finished(chart, title, 560, 250)


def sentiment_chart(book: Workbook, title: str, categories: Block, series: Sequence[tuple[str, Block]]) -> Chart:
    """Return stacked bars, one per theme: negative, neither, positive."""
    chart = book.add_chart({"type": "bar", "subtype": "stacked"})
    for (name, values), colour in zip(series, (NEGATIVE, NEUTRAL, POSITIVE), strict=True):
        chart.add_series({"name": name, "categories": list(categories), "values": list(values), "gap": 45,
                          "fill": {"color": colour}})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"major_gridlines": {"visible": False}, "label_position": "high"})
    return _finished(chart, title, 900, 120 + 30 * (categories[3] - categories[1] + 1), legend=True)


def driver_chart(book: Workbook, title: str, categories: Block, values: Block) -> Chart:
    """Return bars of NPS points, orange to the left of zero and blue to the right."""
    chart = book.add_chart({"type": "bar"})
    chart.add_series({
        "categories": list(categories), "values": list(values), "gap": 45, "fill": {"color": POSITIVE},
        "invert_if_negative": True, "invert_if_negative_color": NEGATIVE, "data_labels": {"value": True},
    })
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": LINE}}, "label_position": "high"})
    return _finished(chart, title, 760, 120 + 26 * (categories[3] - categories[1] + 1))


def line_chart(book: Workbook, title: str, categories: Block, series: Sequence[tuple[str, Block]]) -> Chart:
    """Return a line per series over the weeks."""
    chart = book.add_chart({"type": "line"})
    for (name, values), colour in zip(series, _PALETTE, strict=False):
        chart.add_series({"name": name, "categories": list(categories), "values": list(values),
                          "line": {"color": colour, "width": 2}, "marker": {"type": "circle", "size": 5,
                          "fill": {"color": colour}, "border": {"color": colour}}})
    chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": LINE}}})
    chart.set_x_axis({"label_position": "low"})
    return _finished(chart, title, 760, 300, legend=len(series) > 1)


def _finished(chart: Chart, title: str, width: int, height: int, *, legend: bool = False) -> Chart:
    chart.set_title({"name": title, "overlay": False, "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom"} if legend else {"none": True})
    chart.set_size({"width": width, "height": height})
    return chart
