"""What a customer writes stays text in every file of a night, whatever it pretends to be."""

import csv
import io
import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import openpyxl
import polars as pl
import pytest
from report_data import make_night

from flows.publish import night_files
from pipeline.quotes import SHORTEST
from pipeline.report import render_index

FORMULAS = ["=HYPERLINK(\"http://example.com\",\"x\")", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1"]
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "{{ 7*7 }}{% raw %}",
    "[押して](javascript:alert(1))",
    "![x](http://example.com/x.png)",
    "| a | b |\n|---|---|",
    "# 見出し\n- 項目 `code` **太字**",
    "http://example.com/login www.example.com",
    "&lt;script&gt;",
]
HOSTILE = FORMULAS + MARKUP


def night_of(words):
    """A night in which the words stand wherever a customer's, or an export's, words can stand."""
    night = make_night()
    named = {"name": words, "keywords": [words], "pairs": [words], "parent_name": words}
    themes = [theme | named for theme in night.summary["themes"]]
    alerts = [alert | {"name": words} for alert in night.summary["alerts"]]
    sources = [source | {"name": words} for source in night.summary["sources"]]
    texts = [pl.lit(words).alias(name) for name in ("feedback_id", "unit_text", "theme", "channel", "source")]
    return replace(
        night,
        summary=night.summary | {"themes": themes, "alerts": alerts, "sources": sources},
        units=night.units.with_columns(texts),
        themes=night.themes.with_columns(name=pl.lit(words), keywords=pl.lit([words]), pairs=pl.lit([words])),
        quarantine=night.quarantine.with_columns([pl.lit(words).alias(n) for n in ("file", "feedback_id", "value")]),
    )


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture(scope="module", params=range(len(HOSTILE)), ids=[f"payload {i}" for i in range(len(HOSTILE))])
def hostile(request):
    words = HOSTILE[request.param]
    return words, night_files(night_of(words))


@cache
def plain_night(words):
    return night_files(night_of(words))


@pytest.fixture(scope="module")
def harmless(hostile):
    """A night of harmless words, as long as a quote must be where the hostile ones are."""
    words, _ = hostile
    return plain_night("普通の言葉を普通に書きました" if len(words.strip()) >= SHORTEST else "普通の言葉")


def test_no_cell_of_a_csv_file_begins_like_a_formula(hostile):
    words, files = hostile
    for name in ("units.csv", "themes.csv", "quarantine.csv"):
        rows = list(csv.reader(io.StringIO(files[name].decode("utf-8-sig"), newline="")))
        cells = [cell for row in rows for cell in row]
        assert any(words in cell for cell in cells), name
        risky = [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
        assert [cell for cell in risky if not _is_number(cell)] == [], name


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(hostile):
    words, files = hostile
    book = openpyxl.load_workbook(io.BytesIO(files["report.xlsx"]))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    shown = words.replace("\r", "_x000D_")
    assert any(shown in str(cell.value) or words in str(cell.value) for cell in cells)


def test_the_page_has_the_elements_of_a_harmless_one(hostile, harmless):
    _, files = hostile
    page, plain = Page(files["report.html"].decode()), Page(harmless["report.html"].decode())
    assert sorted(page.tags) == sorted(plain.tags)
    assert sorted(name for name, _ in page.attributes) == sorted(name for name, _ in plain.attributes)
    links = [value for name, value in page.attributes if name in ("href", "src", "action", "xlink:href")]
    assert all(value.startswith(("#", "data:,")) for value in links)


def test_markdown_and_so_the_artifact_shows_the_words_as_they_are(hostile, harmless):
    _, files = hostile
    text, plain = files["report.md"].decode(), harmless["report.md"].decode()
    assert [line.count("|") - line.count("\\|") for line in text.splitlines()] == [
        line.count("|") for line in plain.splitlines()
    ]
    assert "<" not in text and "://" not in text and "www." not in text
    for mark in ("](", "![", "`", "**太字"):
        assert mark not in text.replace(f"\\{mark[0]}", "").replace("\\(", "").replace("\\*", "")


def test_the_summary_holds_the_words_themselves(hostile):
    words, files = hostile
    assert json.loads(files["summary.json"])["themes"][0]["name"] == words


@pytest.mark.parametrize("words", MARKUP)
def test_the_list_of_nights_is_inert_too(words):
    page = Page(render_index([night_of(words).summary | {"title": words}]))
    assert "script" not in page.tags and "img" not in page.tags
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
