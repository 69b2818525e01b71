import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from importlib.resources import files

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from report_data import HOSTILE, make_empty_night, make_night

from flows.publish import night_files, stored_night, stored_tables
from pipeline.report import (
    render_csv,
    render_html,
    render_index,
    render_markdown,
    render_theme_pages,
    render_workbook,
    voices,
)
from pipeline.report.analysis import analysis_tables
from pipeline.report.headline import alert_story, alert_text, write_headline
from pipeline.report.history import page_of
from pipeline.report.marks import weeks_scale
from pipeline.report.night import accounting, badge, impacts, priorities, ranked_themes
from pipeline.report.quotes import alert_quotes, balanced_quotes, mark_words, theme_quotes
from pipeline.report.voices import voices_data, words_by_score
from pipeline.report.wording import percent, points, words_of
from pipeline.store import Store
from pipeline.summary import dump_summary

JA = words_of("ja")
RENDERERS = [render_html, render_markdown, render_workbook]


class Page(HTMLParser):
    """The elements, attributes and text of a page, as a browser would take them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words, self._raw = [], [], [], False
        self.feed(source)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._raw = tag in ("style", "script")

    def handle_endtag(self, tag):
        self._raw = False

    def handle_data(self, data):
        if not self._raw:
            self.words.append(data)


@pytest.fixture(scope="module")
def night():
    return make_night()


@pytest.fixture(scope="module")
def page(night):
    return Page(render_html(night))


@pytest.fixture(scope="module")
def book(night):
    return openpyxl.load_workbook(io.BytesIO(render_workbook(night)))


@pytest.mark.parametrize("render", RENDERERS)
def test_same_night_gives_the_same_bytes(render, night):
    first = render(night)
    render(make_empty_night())
    assert render(make_night()) == first


@pytest.mark.parametrize("render", RENDERERS)
def test_an_empty_night_is_told_not_crashed_on(render):
    assert render(make_empty_night())


def test_an_empty_night_says_what_is_missing():
    text = Page(render_html(make_empty_night())).text
    assert "点数のある回答がないため、NPSは計算していません" in text
    assert "まだテーマが見つかっていません" in text
    assert "読み込めなかった行はありません" in text


def test_page_asks_nothing_of_the_network_and_runs_only_its_own_script(page):
    policy = next(value for _, value in page.attributes if value and value.startswith("default-src 'none'"))
    assert policy.count("sha256-") == 1 and "connect-src" not in policy
    links = [value for name, value in page.attributes if name in ("src", "href", "xlink:href", "action")]
    assert all(link.startswith(("#", "data:,")) for link in links)
    assert any(value and value.startswith("default-src 'none'") for _, value in page.attributes)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_hostile_words_stay_words(night):
    hostile = '<script>x</script>"\'><img src=x onerror=y>'
    theme = night.summary["themes"][0] | {"name": hostile, "keywords": [hostile], "pairs": [hostile],
                                          "parent_name": hostile}
    alert = {"kind": hostile, "name": hostile, "n_feedback": 3}
    sources = [night.summary["sources"][0] | {"name": hostile}]
    summary = night.summary | {"themes": [theme], "alerts": [alert], "sources": sources}
    units = night.units.with_columns(
        pl.lit(hostile).alias("unit_text"), pl.lit(hostile).alias("channel"), pl.lit(hostile).alias("source")
    )
    quarantine = night.quarantine.with_columns(pl.lit(hostile).alias("reason"), pl.lit(hostile).alias("file"))
    page = Page(render_html(replace(night, title=hostile, summary=summary, units=units, quarantine=quarantine)))
    assert page.tags.count("script") == 3 and "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(hostile) > 8


def test_customers_are_quoted_word_for_word(page):
    for text in HOSTILE[:3]:
        assert text in page.text


def test_no_element_has_another_ones_id(page):
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")}
    assert targets <= set(ids)


_NO_PERIODS = make_empty_night().summary["periods"]


@pytest.mark.parametrize(
    ("changes", "sentence", "expected"),
    [
        ({}, 0, "この70日のNPSは−6.3です。この28日は−9.1で、その前の28日の−9.1より3.0ポイント低い値です。この70日は412人、95%区間 −14.1〜+1.6。この28日は190人、その前の28日は190人、差の95%区間 −12.0〜+6.0。"),
        ({"periods": _NO_PERIODS}, 0, "前回（11月20日、403人）は−2.4でした。"),
        ({"periods": _NO_PERIODS, "previous": None}, 0, "比べられる前の値はまだありません"),
        ({"periods": _NO_PERIODS, "previous": {"business_date": "2024-11-20", "nps": None, "n": 0}}, 0, "比べられる前の値はまだありません"),
        ({}, 1, "新しい話題「新しい保冷箱」が現れました（11月18日から17人）。この70日にこの話題に触れたのは17人で、否定的 14人（うち点数あり14人）、肯定的 0人です。"),
        ({"alerts": [], "previous": None}, 1, "初めての集計です。8テーマが見つかり"),
        ({"alerts": []}, 1, "「配送の遅れ」に触れる人が増えました。その前の28日の17.0%から、この28日は27.0%（52人）です。"),
        ({"alerts": [], "periods": _NO_PERIODS}, 1, "新しく現れたテーマは「新しい保冷箱」です（17人）。"),
        ({"alerts": [], "themes": []}, 1, "はっきり悪くなったことは見つかりませんでした"),
        ({}, 2, "最も大きいのは「配送の遅れ」への不満です：否定的 63人（うち点数あり63人）。点数のある63人のNPSは−48.6で、この人たちを除くと、全体のNPSは4.9ポイント高くなります。いっしょに起きていることで、原因とは限りません。NPSへの影響 −4.9、95%区間 −6.8〜−3.0。点数のある63人のうち批判者（0〜6点）は41人。"),
        ({"themes": []}, 2, "まだテーマが見つかっていません"),
    ],
)
def test_headline_says_what_changed(night, changes, sentence, expected):
    told = write_headline(night.summary | changes, JA)[sentence]
    assert expected in told.text + told.after + told.figures


@pytest.mark.parametrize(("p", "n", "named"), [(0.001, 130, True), (0.5, 130, False), (0.001, 20, False)])
def test_headline_and_chart_name_a_week_that_differs_beyond_chance(night, p, n, named):
    weeks = [week | {"difference": 0.4, "p_adjusted": 0.9} for week in night.summary["trends"]["nps"]]
    weeks[1] |= {"score": -61.0, "difference": -27.5, "p_adjusted": p, "n": n}
    summary = night.summary | {"trends": night.summary["trends"] | {"nps": weeks}}
    day = JA.short_date(summary["trends"]["weeks"][1])
    told = f"{day}からの週は{points(-61.0)}（{n}人）で、ほかの週より27.5ポイント低く"
    page = night_files(replace(night, summary=summary))["report.html"].decode()
    assert (told in write_headline(summary, JA)[0].after) == named
    assert page.count(told) == (2 if named else 0)


def test_headline_says_so_when_no_theme_lowers_nps_beyond_chance(night):
    unclear = [row | {"action": "frequent", "certainty": "chance"} for row in night.summary["priorities"]]
    sentence = write_headline(night.summary | {"priorities": unclear}, JA)[2]
    assert sentence.text == "NPSを下げているとはっきり言えるテーマはありません（2テーマを調べました）。"
    assert sentence.certainty is None and sentence.theme_id is None


def test_few_complaints_are_for_reference_only(night):
    first, second = night.summary["priorities"]
    few = [first | {"uncertain": True, "n": 12}, second]
    sentence = write_headline(night.summary | {"priorities": few}, JA)[2]
    assert sentence.certainty == "few" and "（確かさ：NPSへの影響は「人数が少なく、まだ言えない」）" in sentence.told(JA)


def test_every_answer_says_how_sure_it_is_in_the_same_words_as_the_tables(night, page):
    told = [sentence.certainty for sentence in write_headline(night.summary, JA)]
    assert told == ["chance", "clear", "clear", None]
    tables = {table.key: table for table in analysis_tables(night.summary, night.units, JA)}
    assert tables["priorities"].rows[0][8] == JA.certain("clear") == "たまたまとは考えにくい"
    assert page.text.count("確かさ：") == 3
    assert all(word in page.text for word in ("たまたまとは考えにくい", "たまたまかもしれない"))


def test_one_figure_tells_what_a_theme_does_to_nps_wherever_it_stands(night, page, book):
    (first, *_) = night.summary["priorities"]
    impact = points(first["impact"])
    assert f"{-first['impact']:.1f}ポイント高くなります" in write_headline(night.summary, JA)[2].text
    (row, *_) = next(t for t in analysis_tables(night.summary, night.units, JA) if t.key == "priorities").rows
    assert (row[1], row[6]) == (first["name"], first["impact"])
    theme = next(theme for theme in night.summary["themes"] if theme["theme_id"] == first["theme_id"])
    (negative, _) = impacts(theme, night.summary)
    assert (negative["impact"], negative["certainty"]) == (first["impact"], first["certainty"])
    assert f"否定的 63人（うち点数あり63人）：{impact}（−6.8〜−3.0）たまたまとは考えにくい" in page.text
    assert f"否定的 63人（うち点数あり63人）：{impact}（−6.8〜−3.0）たまたまとは考えにくい" in render_markdown(night).replace("\\", "")
    header, *rows = book["テーマ"].iter_rows(values_only=True)
    sheet = next(dict(zip(header, row, strict=True)) for row in rows if row[1] == first["name"])
    assert (sheet["否定的な声：NPSへの影響"], sheet["否定的な声：確かさ"]) == (first["impact"], "たまたまとは考えにくい")


def test_a_theme_that_only_holds_others_does_not_outdo_them(night):
    parent = night.summary["themes"][0] | {"theme_id": "p-配送", "name": "配送", "parent_id": None, "parent_name": None}
    summary = night.summary | {"themes": [parent, *night.summary["themes"]]}
    assert impacts(parent, summary) == []
    assert "内訳のテーマごとに見ます" in Page(render_html(replace(night, summary=summary))).text


def test_a_night_of_an_older_version_is_told_by_the_same_figure(night):
    old = [{"rank": 1, "theme_id": "t01", "action": "mend", "effect": -2.4, "points": -4.1}]
    summary = night.summary | {"priorities": old}
    assert priorities(summary)[0]["theme_id"] == "t01" and priorities(summary)[0]["impact"] == -4.9
    assert "NPSは4.9ポイント高くなります" in Page(render_html(replace(night, summary=summary))).text


def test_few_scores_are_for_reference_only(night):
    few = night.summary["nps"] | {"n": 12}
    assert "参考値" in write_headline(night.summary | {"nps": few}, JA)[0].text


def test_themes_are_ranked_by_share_and_unmentioned_ones_left_out(night):
    ranked = ranked_themes(night.summary)
    assert [theme["rank"] for theme in ranked] == list(range(1, 9))
    shares = [theme["share"] for theme in ranked]
    assert shares == sorted(shares, reverse=True)


def test_on_the_first_night_no_theme_is_marked_new(night):
    new = next(theme for theme in night.summary["themes"] if theme["status"] == "new")
    assert badge(new, night.summary) == "new"
    assert badge(new, night.summary | {"previous": None, "alerts": []}) is None


def test_a_source_that_does_not_add_up_is_pointed_out(night):
    broken = [night.summary["sources"][0] | {"read": 430}]
    summary = night.summary | {"sources": broken}
    assert accounting(summary)[0]["gap"] == 9
    assert "9件が合いません" in render_html(replace(night, summary=summary))
    assert all(row["gap"] == 0 for row in accounting(night.summary))


def test_a_source_that_is_missing_is_the_first_thing_told(night):
    first, *others = night.summary["sources"]
    gone = first | {"missing": "survey.csv: no file found", "carried_over": 12}
    told = replace(night, summary=night.summary | {"sources": [gone, *others]})
    line = f"データ「{first['name']}」は今夜読み込めませんでした（survey.csv: no file found）。"
    text = Page(render_html(told)).text
    assert line in text and text.index(line) < text.index("今日の要点")
    assert line.replace(".", "") in render_markdown(told).replace("\\", "").replace(".", "")
    sheet = openpyxl.load_workbook(io.BytesIO(render_workbook(told))).worksheets[0]
    assert any(line in str(cell.value) for row in sheet.iter_rows() for cell in row)
    assert "お読みになる前に" not in Page(render_html(night)).text


def test_the_answer_to_a_question_tells_the_question(night):
    question = {"sources": [], "segments": [["plan", "A"]], "groups": ["detractor"], "words": ["送料"], "n_period": 999}
    text = Page(render_html(replace(night, summary=night.summary | {"question": question}))).text
    assert "区分：plan「A」。NPSグループ：批判者。言葉（どれかを含む）：送料。" in text
    assert "期間内の回答 999件のうち" in text


def test_uncertain_and_insignificant_figures_are_marked(page):
    assert page.text.count("参考値（30人未満）") == 4  # two themes, in the table and in their sections
    assert "たまたまかもしれない" in page.text and "計算なし" in page.text


def test_a_parent_theme_is_quoted_from_its_children(night):
    parent = night.summary["themes"][0] | {"theme_id": "p-商品", "name": "商品", "parent_id": None, "parent_name": None}
    summary = night.summary | {"themes": [parent, *night.summary["themes"]]}
    text = Page(render_html(replace(night, summary=summary))).text
    assert "内訳のテーマ 2件" in text
    assert "引用できる声がありません" not in text


def test_a_quote_tells_the_day_of_the_deployments_own_clock(night):
    units = night.units.with_columns(received_at=pl.lit(datetime(2024, 11, 19, 22)).dt.replace_time_zone("UTC"))
    text = Page(render_html(replace(night, units=units, timezone="Asia/Tokyo"))).text
    assert "11月20日 survey A-1000" in text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1+1", "'＝1+1"),
        ("-12", "-12"),
        ("+3.5", "+3.5"),
        ("1=1", "1=1"),
        ("- 配送が遅い", "'- 配送が遅い"),
        ("普通の文", "普通の文"),
        ("", ""),
    ],
)
def test_csv_cells_cannot_be_formulas(written, expected):
    content = render_csv(pl.DataFrame({"a": ["x", written], "n": [-1, 2]}))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [["a", "n"], ["x", "-1"], [expected, "2"]]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_csv_keeps_every_text_and_neutralises_the_risky_ones(texts):
    content = render_csv(pl.DataFrame({"名前": texts, "n": [0] * len(texts)}))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    assert [cell.removeprefix("'") for cell, _ in rows] == [text.removeprefix("'") for text in texts]


def test_csv_opens_in_excel_with_lists_times_and_gaps():
    table = pl.DataFrame(
        {"a": [["配送", "遅い"], None], "t": [datetime(2024, 11, 21, 3, 4, 5), None], "=h": [None, 0.5]},
        schema_overrides={"t": pl.Datetime("us", "UTC")},
    )
    assert render_csv(table).decode() == (
        "\ufeffa,t,'=h\n配送 / 遅い,2024-11-21T03:04:05+00:00,\n,,0.5\n"
    )


def test_csv_of_an_empty_table_has_its_header(night):
    assert render_csv(night.quarantine.clear()).decode("utf-8-sig").startswith("source,file,row")


def test_workbook_has_its_sheets_filters_and_charts(book):
    assert book.sheetnames == ["概要", "テーマ", "NPS要因", "推移", "声", "隔離"]
    assert book["声"].freeze_panes == "A2" and book["テーマ"].freeze_panes == "C2"
    assert book["声"].auto_filter.ref and book["テーマ"].auto_filter.ref
    assert len(book["概要"]._charts) == 2
    assert book.properties.created == datetime(2024, 11, 21)


def test_workbook_prints_every_sheet_across_one_page_with_its_header_repeated(book):
    for sheet in book:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)  # width: 1 when unsaid
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert [sheet.title for sheet in book if sheet.print_title_rows == "$1:$1"] == ["テーマ", "声", "隔離"]


def test_workbook_holds_no_formula_and_no_link(book):
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert set(HOSTILE) <= {cell.value for cell in cells}


def test_workbook_accepts_what_excel_would_not(night):
    units = night.units.with_columns(
        unit_text=pl.lit("長" * 40_000), similarity=pl.lit(float("nan")), channel=pl.lit("\x00\x0b")
    )
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(replace(night, units=units))))
    assert len(book["声"]["E2"].value) <= 32_767


def test_a_workbook_of_many_opinions_holds_the_newest_and_says_so(night, monkeypatch):
    monkeypatch.setattr("pipeline.report.workbook.MOST_VOICES", 2)
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(night)))
    newest = night.units.sort("received_at", descending=True, maintain_order=True).head(2)
    texts = [row[night.units.columns.index("unit_text")].value for row in book["声"].iter_rows(min_row=2)]
    assert sorted(texts) == sorted(newest["unit_text"])
    told = " ".join(str(row[0].value) for row in book["概要"].iter_rows())
    assert f"新しい2件です。全{night.units.height}件はunits.csvにあります" in told


def test_workbook_tells_local_time(night):
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(replace(night, timezone="Asia/Tokyo"))))
    assert book["声"]["C1"].value == "受付日時（Asia/Tokyo）"
    assert book["声"]["C2"].value == datetime(2024, 11, 20, 12)


def test_markdown_quotes_no_customer(night):
    markdown = render_markdown(night)
    assert not [text for text in night.units["unit_text"] if text in markdown]


def test_markdown_shows_names_as_they_are(night):
    theme = night.summary["themes"][0] | {"name": "a|b <script> [x](y)\n# z"}
    markdown = render_markdown(replace(night, summary=night.summary | {"themes": [theme]}))
    assert "a\\|b &lt;script&gt; \\[x\\]\\(y\\) \\# z" in markdown
    assert "<script>" not in markdown


def test_page_workbook_and_markdown_tell_the_same_figures(night, page, book):
    markdown = render_markdown(night)
    sheet = book["テーマ"]
    columns = {cell.value: i for i, cell in enumerate(sheet[1])}
    for theme, row in zip(ranked_themes(night.summary), sheet.iter_rows(min_row=2, values_only=True), strict=True):
        assert row[columns["テーマ"]] == theme["name"]
        assert row[columns["触れた人数"]] == theme["n_feedback"]
        assert row[columns["触れた人の割合"]] == pytest.approx(theme["share"])
        assert row[columns["触れた人全員のNPSへの影響"]] == theme["impact"]
        for text in (page.text, markdown):
            assert theme["name"] in text and percent(theme["share"]) in text
            assert all(points(side["impact"]) in text for side in impacts(theme, night.summary))
    for text in (page.text, markdown):
        assert points(night.summary["nps"]["score"]) in text


def test_page_workbook_and_markdown_show_what_moves_loyalty(night, page, book):
    markdown = render_markdown(night)
    titles = [table.title for table in analysis_tables(night.summary, night.units, JA)]
    assert len(titles) == 14
    cells = {cell.value for name in ("NPS要因", "推移") for row in book[name].iter_rows() for cell in row}
    for title in titles:
        assert title in page.text and title in markdown and title in cells
    for text in (page.text, markdown):
        assert "まず直す" in text and "差のうち、channelの顔ぶれが変わった分" in text


def test_a_promoters_complaint_is_quoted_but_not_in_markdown(night, page):
    (row,) = next(t for t in analysis_tables(night.summary, night.units, JA) if t.key == "mismatches").rows
    assert row[0] == "点数は高い（9〜10点）が、言葉は不満" and row[2] == "雨の日でも時間どおりに来てくれて助かっています"
    assert row[2] in page.text and row[2] not in render_markdown(night)
    assert "言葉の読み取りに自信が持てない5人は載せていません" in page.text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("volume_spike", "「送料」の声が11月18日から急に増えています（この7日で12人、ふだんの週なら1.5人ほど）"),
        ("negative_spike", "「送料」で否定的な人が11月18日から急に増えています（この7日で12人、ふだんの週なら1.5人ほど）"),
        ("watch", "見張っている言葉「送料」が、この7日の声にありました（12人）"),
    ],
)
def test_alerts_say_what_they_are_about(kind, expected):
    alert = {"kind": kind, "name": "送料", "first_day": "2024-11-18", "n_feedback": 12, "expected": 1.5}
    assert alert_text(alert, JA) == expected


_LOWER = {"value": "Web", "n": 75, "n_feedback": 76, "nps": -58.7, "low": -69.0, "high": -43.0, "difference": -23.6,
          "difference_low": -37.0, "difference_high": -8.2, "p_adjusted": 0.014, "uncertain": False, "themes": []}
_FALLEN = {"column": "channel", "value": "Web", "nps_now": -70.0, "n_now": 41, "nps_before": -20.0, "n_before": 35,
           "difference": -50.0, "difference_low": -75.0, "difference_high": -21.0, "p_adjusted": 0.01, "uncertain": False}


def _for_whom(night, lower=None, fallen=None, labels=None):
    periods = night.summary["periods"] | {"segments": [_FALLEN | (fallen or {"p_adjusted": 0.9})]}
    segments = [{"column": "channel", "values": [_LOWER | (lower or {"p_adjusted": 0.9})]}]
    (told,) = write_headline(night.summary | {"segments": segments, "periods": periods}, JA.with_labels(labels or {}))[3:]
    return told


def test_headline_tells_whose_nps_is_lower_beyond_chance(night):
    told = _for_whom(night, {"p_adjusted": 0.014}, labels={"channel": "受付経路"})
    assert told.certainty == "clear"
    assert told.text.startswith("その前の28日と比べて、とくに悪くなったと言える区分はありません。")
    assert "受付経路「Web」の人で、この70日のNPSは−58.7と、ほかの人より23.6ポイント低い値です。" in told.text
    assert told.figures == "「Web」は75人、ほかの人との差の95%区間 −37.0〜−8.2。"
    assert [one.of for one in told.verdicts] == ["lower"]  # the certainty is not of getting worse


@pytest.mark.parametrize(("before", "expected"), [(-20.0, "以前から低いのは"), (5.0, "この70日を通して低いのは")])
def test_a_segment_is_low_for_longer_only_where_it_was_low_before(night, before, expected):
    assert expected in _for_whom(night, {"p_adjusted": 0.014}, {"p_adjusted": 0.9, "nps_before": before}).text


def test_headline_tells_for_whom_nps_fell_beyond_chance(night):
    told = _for_whom(night, fallen={"p_adjusted": 0.01})
    assert told.certainty == "clear"
    assert "とくに悪くなったのはchannel「Web」の人で、その前の28日の−20.0から、この28日は−70.0になりました。" in told.text
    assert told.figures.startswith("その前の28日は35人、この28日は41人、差の95%区間 −75.0〜−21.0。")


@pytest.mark.parametrize("unclear", [{"p_adjusted": 0.2}, {"uncertain": True, "p_adjusted": 0.01}, {"difference": 23.6, "p_adjusted": 0.01}])
def test_nobody_is_named_where_nothing_is_clear(night, unclear):
    told = _for_whom(night, unclear, unclear)
    assert told.certainty is None
    assert told.text.startswith("はっきり評価が低い区分や、はっきり下がった区分はありません（30人以上の1区分を比べました）。")


def test_headline_tells_who_speaks_of_its_themes(night):
    more = {"theme_id": "t01", "name": "配送の遅れ", "n": 21, "lift": 2.4, "lift_low": 1.3, "lift_high": 4.4, "p_adjusted": 0.01}
    told = _for_whom(night, {"p_adjusted": 0.9, "themes": [more]})
    assert "「配送の遅れ」はchannel「Web」の人に多い話題です（ほかの2.4倍、21人）。" in told.after
    assert "「新しい保冷箱」は、特定の区分に偏っているとは言えません。" in told.after
    assert told.told(JA) == told.text + told.after


def test_a_certainty_stands_beside_what_it_is_of(night):
    news = write_headline(night.summary, JA)[1]
    assert news.told(JA).startswith(
        "新しい話題「新しい保冷箱」が現れました（11月18日から17人）。"
        "（確かさ：話題が現れたことは「たまたまとは考えにくい（30人未満の参考値）」、NPSへの影響は「ほかの話題の影響と分けられない（30人未満の参考値）」）"
    )


def _beside(night, **changes):
    first = next(alert for alert in night.summary["alerts"] if alert["kind"] == "new_theme")
    other = {"kind": "growing_theme", "theme_id": None, "name": "箱が重い", "inside": {"theme_id": "t03", "name": "送料"},
             "first_day": "2024-11-19", "n_feedback": 7, "share": 0.06, "share_before": 0.0, "feedback": []} | changes
    return night.summary | {"alerts": [first, other]}, other


def test_every_notice_is_named_and_those_that_begin_together_are_one_story(night):
    summary, other = _beside(night)
    after = write_headline(summary, JA)[1].after
    assert "同じころ、「送料」の中の「箱が重い」（11月19日から7人）の声も増えており、同じ出来事かもしれません。" in after
    assert alert_story(other, summary, JA) == "「新しい保冷箱」と同じころに始まりました。同じ出来事かもしれません。"
    summary, other = _beside(night, first_day="2024-11-01")
    after = write_headline(summary, JA)[1].after
    assert "ほかのお知らせ：「送料」の中の「箱が重い」（11月1日から7人）。" in after and "同じ" not in after
    assert alert_story(other, summary, JA) == ""


def test_page_lets_customers_speak_under_the_headline(night):
    page = render_html(night)
    lead = page[page.index('id="headline"'):page.index('id="priorities"')]
    complaints = night.units.filter((pl.col("theme_id") == "t01") & (pl.col("sentiment") == "negative"))["unit_text"]
    assert sum(text in lead for text in complaints) == 2


@pytest.mark.parametrize(
    ("topic", "n", "told"), [("保冷箱・新しい", 9, False), ("保冷箱・ふた", 9, True), ("保冷箱・ふた", 18, False)]
)
def test_an_alert_names_the_smaller_topics_that_say_more_than_its_theme(topic, n, told):
    alert = {"kind": "new_theme", "name": "新しい保冷箱", "first_day": "2024-11-18", "n_feedback": 17,
             "topics": [{"name": topic, "first_day": "2024-11-19", "n_feedback": n}]}
    assert (topic in alert_text(alert, JA)) == told


def test_a_topic_stands_with_its_theme_wherever_notices_are_told(night):
    alert = {"kind": "growing_theme", "theme_id": None, "name": "送料が上がる", "inside": {"theme_id": "t03", "name": "送料"},
             "first_day": "2024-11-18", "n_feedback": 9, "share": 0.17, "share_before": 0.0, "p": 0.001, "feedback": []}
    told = replace(night, summary=night.summary | {"alerts": [alert]})
    line = "「送料」の中で「送料が上がる」という声が11月18日から増えています（それ以降は9人で、意見を書いた人の17.0%。それまでは0.0%）"
    assert line in Page(render_html(told)).text and line in render_markdown(told)
    (table,) = (table for table in analysis_tables(told.summary, told.units, JA) if table.key == "alerts")
    assert table.rows[0][:3] == ("増えている話題", "送料 › 送料が上がる", 9)


def test_index_lists_nights_newest_first_with_links(night):
    nights = [night.summary | {"business_date": day} for day in ("2024-11-20", "2024-11-21")]
    page = Page(render_index(nights))
    links = [value for name, value in page.attributes if name == "href" and "report" in value]
    assert links == ["2024-11-21/report.html", "2024-11-20/report.html"]
    assert "n=412" in " ".join(value or "" for _, value in page.attributes) and "−14.1〜+1.6" in page.text
    assert render_index(nights[::-1]) == render_index(nights)


def test_index_of_no_night_and_of_a_night_without_scores():
    assert "まだ集計した夜はありません" in render_index([])
    assert "2024年11月21日" in render_index([make_empty_night().summary])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3.24, "+3.2"), (-4.06, "−4.1"), (0.04, "0.0"), (-0.04, "0.0"), (None, "—")],
)
def test_points_carry_their_sign(value, expected):
    assert points(value) == expected


@pytest.mark.parametrize(("week", "expected"), [("2024-11-18", "11/18"), ("2024-W47", "11/18"), ("先週", "先週")])
def test_weeks_are_told_by_their_monday(week, expected):
    assert JA.week_start(week) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("the row has 6 cells, the header 7", "列の数が見出しと合いません（行は6列、見出しは7列）"),
        ("date must look like 2026-11-03 21:05:00", "日時の書き方が読めません（例：2026-11-03 21:05:00）"),
        ("a rule of tomorrow", "a rule of tomorrow"),
    ],
)
def test_quarantine_reasons_are_told_in_japanese(reason, expected):
    assert JA.reason(reason) == expected


def test_sub_themes_stand_under_their_parent_without_a_rank(night):
    parent = night.summary["themes"][1] | {"theme_id": "p-配送", "name": "配送", "parent_id": None, "parent_name": None}
    ranked = ranked_themes(night.summary | {"themes": [parent, *night.summary["themes"]]})
    at = [theme["theme_id"] for theme in ranked].index("p-配送")
    assert [(theme["theme_id"], theme["rank"], theme["depth"]) for theme in ranked[at + 1 : at + 3]] == [
        ("t01", None, 1), ("t07", None, 1),
    ]
    ranks = [theme["rank"] for theme in ranked if theme["depth"] == 0]
    assert ranks == list(range(1, len(ranks) + 1))


def test_a_theme_that_grows_is_marked(night):
    alert = {"kind": "volume_spike", "theme_id": "t01", "name": "配送の遅れ", "n_feedback": 19}
    assert badge(night.summary["themes"][0], night.summary | {"alerts": [alert]}) == "rising"
    assert badge(night.summary["themes"][0], night.summary) is None


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("配送が遅くて困る", ["配送", "遅く"]),
        ("高齢の母が頼んでいます", []),
        ("送料が高すぎる", ["高す"]),
        ("<b>配送</b>", ["配送"]),
    ],
)
def test_a_themes_words_are_marked_in_its_quotes(text, marked):
    shown = mark_words(text, {"keywords": ["配送", "遅い", "高い"], "pairs": ["する→ない"]})
    assert re.findall("<mark>(.*?)</mark>", shown) == marked
    assert Markup(re.sub("</?mark>", "", shown)).unescape() == text


def test_the_pages_search_holds_every_opinion_with_its_filters(night):
    data = voices_data(night.units, night.summary)
    assert data["n"] == len(data["rows"]) == night.units.height
    told = {(row[0], row[1] >= 0 and data["themes"][row[1]][0], data["groups"][row[3]], row[4]) for row in data["rows"]}
    assert told == {
        (unit["unit_text"].strip(), unit["theme_id"] or False, unit["nps_group"] or "unscored", unit["nps_score"])
        for unit in night.units.to_dicts()
    }


def test_more_opinions_than_a_page_can_hold_are_cut_from_the_oldest(night, monkeypatch):
    monkeypatch.setattr(voices, "MOST_BYTES", 1_000)
    data = voices_data(night.units, night.summary)
    days = [row[5] for row in data["rows"]]
    assert 0 < len(days) < data["n"] == night.units.height
    assert days == sorted(days, reverse=True)
    text = Page(render_html(night)).text
    assert f"新しいものから {len(days)}件（全 {data['n']}件）" in text


def test_respondents_are_counted_by_score_and_the_sign_of_their_words(night):
    rows = words_by_score(night.units)
    assert sum(row["n"] for row in rows) == night.units["nps_score"].drop_nulls().len()
    assert all(row["n"] == row["negative"] + row["neutral"] + row["positive"] for row in rows)
    mixed = night.units.filter(pl.col("theme_id") == "t03").with_columns(feedback_id=pl.lit("A-1"), nps_score=pl.lit(5, pl.Int64))
    assert words_by_score(mixed) == [{"score": 5, "negative": 1, "neutral": 0, "positive": 0, "n": 1}]


def test_a_page_per_theme_tells_its_history(night):
    before = night.summary | {"business_date": "2024-11-20"}
    pages = render_theme_pages([night.summary, before])
    assert set(pages) == {f"t0{i}.html" for i in range(1, 9)}
    page = Page(pages["t01.html"])
    links = [value for name, value in page.attributes if name == "href" and "report" in value]
    assert links == ["../2024-11-21/report.html#theme-t01", "../2024-11-20/report.html#theme-t01"]
    assert "22.7%" in page.text and "n=88" in " ".join(value or "" for _, value in page.attributes)
    index = [value for name, value in Page(render_index([night.summary, before])).attributes if name == "href"]
    assert {f"themes/{name}" for name in pages} <= set(index)


def test_no_theme_id_leads_out_of_its_folder():
    assert "/" not in page_of("../../etc/passwd") and page_of("T0012") == "T0012.html"


def _flat(section, place=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def test_the_catalogues_say_the_same_things():
    ja, en = (dict(_flat(words_of(language).texts)) for language in ("ja", "en"))
    assert set(ja) == set(en)
    for key in ja:
        if isinstance(ja[key], list):
            assert len(ja[key]) == len(en[key]), key
        elif not key.startswith("date."):
            assert set(re.findall(r"{\w+}", ja[key])) == set(re.findall(r"{\w+}", en[key])), key


def test_no_word_of_the_report_stands_outside_the_catalogues():
    japanese = re.compile(r"[ぁ-んァ-ヶ一-龠]")
    folder = files("pipeline.report")
    for template in folder.joinpath("templates").iterdir():
        assert not japanese.search(template.read_text(encoding="utf-8")), template.name
    english = Page(render_html(replace(make_empty_night(), title="Box", language="en"))).text
    assert not japanese.search(english)


def test_the_report_speaks_english_where_it_is_asked_to(night):
    english = replace(night, language="en")
    page, markdown = Page(render_html(english)), render_markdown(english)
    assert ("lang", "en") in page.attributes
    for words in ("What got worse", "hardly chance", "What lowers NPS", "Thu 21 Nov 2024", "Mend first", "Search the voices"):
        assert words in page.text
    assert "may be chance" in markdown
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(english)))
    assert book.sheetnames == ["Overview", "Themes", "NPS drivers", "Trends", "Voices", "Quarantine"]
    with pytest.raises(ValueError, match="language must be one of ja, en; got 'fr'"):
        words_of("fr")


def test_html_excel_markdown_json_and_store_agree(night, tmp_path):
    """One figure at a time: NPS and its interval, and every theme's n, share and impact, wherever they are told."""
    day = date.fromisoformat(night.business_date)
    with Store.open(f"sqlite:///{tmp_path / 'kikitori.db'}") as store:
        store.save_night(day, night.summary, [], **stored_tables(night))
        stored = stored_night(store, day)
    published = night_files(stored)
    summary, page = json.loads(published["summary.json"]), Page(published["report.html"].decode())
    assert stored.summary == summary == json.loads(dump_summary(night.summary))
    markdown = published["report.md"].decode()
    book = openpyxl.load_workbook(io.BytesIO(published["report.xlsx"]))
    overview = {cell.value: book["概要"].cell(cell.row + 1, cell.column).value for row in book["概要"].iter_rows() for cell in row}
    nps = summary["nps"]
    assert (overview["NPS"], overview["n"], overview["95%区間 下限"]) == (nps["score"], nps["n"], nps["low"])
    for text in (page.text, markdown):
        assert points(nps["score"]) in text and JA.points_interval(nps["low"], nps["high"]) in text
    header, *rows = book["テーマ"].iter_rows(values_only=True)
    sheet = {row[header.index("テーマID")]: dict(zip(header, row, strict=True)) for row in rows}
    lines = {line.split(" | ")[1].split(" **")[0]: line for line in markdown.splitlines()[::-1] if line.count(" | ") == 5}
    themes = [theme for theme in summary["themes"] if theme["n_feedback"]]
    assert set(sheet) == {theme["theme_id"] for theme in themes}
    for theme in themes:
        row, n, share = sheet[theme["theme_id"]], theme["n_feedback"], percent(theme["share"])
        assert (row["触れた人数"], row["触れた人の割合"], row["触れた人全員のNPSへの影響"]) == (n, theme["share"], theme["impact"])
        assert (row["否定的"], row["肯定的"]) == (theme["negative"], theme["positive"])
        assert share in lines[theme["name"]] and f"| {n}" in lines[theme["name"]]
        assert f"{share}（{JA.percent_interval(theme['share_low'], theme['share_high'])}、{n}人）" in page.text
        for side in impacts(theme, summary):
            who, said = JA.name("sides", side["side"]), theme[f"{side['side']}_mentions"]
            scored = f"（うち点数あり{said['nps_n']}人）" if theme[side["side"]] else ""
            people = f"{JA.name('sentiments', side['side'])} {theme[side['side']]}人{scored}"
            assert (side["impact"], side["n"]) == (said["impact"], said["nps_n"])
            figures = [row[f"{who}：{key}"] for key in ("書いた人（点数あり）", "NPSへの影響", "影響 95%下限", "影響 95%上限")]
            assert figures == [said[key] for key in ("nps_n", "impact", "impact_low", "impact_high")]
            interval = JA.points_interval(said["impact_low"], said["impact_high"])
            told = f"{people}：{points(said['impact'])}（{interval}）{JA.certain(side['certainty'])}"
            assert told in lines[theme["name"]] and told in page.text
    first, *rows = book["NPS要因"].iter_rows(min_row=4, max_col=11, values_only=True)
    for row, ranked in zip([first, *rows], summary["priorities"], strict=False):
        assert (row[1], row[4], row[5], row[6]) == (ranked["name"], ranked["n"], ranked["nps"], ranked["impact"])
        assert f"| {ranked['name']} | " in markdown and points(ranked["impact"]) in markdown and points(ranked["nps"]) in page.text


def test_segments_and_sources_are_told_by_their_labels(night):
    labelled = replace(night, labels={"channel": "受付経路", "survey": "アンケート"})
    page, markdown = Page(render_html(labelled)), render_markdown(labelled)
    for text in (page.text, markdown):
        assert "受付経路" in text and "アンケート" in text
        assert not re.search(r"\bchannel\b|\bsurvey\b", text.replace("survey-1121.csv", ""))
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(labelled)))
    assert "受付経路" in [cell.value for cell in book["声"][1]]
    assert "アンケート" in {cell.value for cell in book["声"]["B"]}
    assert render_csv(labelled.units) == render_csv(night.units)  # files for other programs keep the names of the data


def test_a_notice_lets_the_people_behind_it_speak(night, page):
    behind = night.units.filter(pl.col("theme_id") == "t07").select("source", "feedback_id").to_dicts()
    (alert,) = (alert for alert in night.summary["alerts"] if alert["theme_id"] == "t07")
    alert = alert | {"feedback": behind}
    told = replace(night, summary=night.summary | {"alerts": [alert]})
    quotes = alert_quotes(alert, night.units)
    assert len(quotes) == 2 and {quote.text for quote in quotes} <= set(night.units.filter(pl.col("theme_id") == "t07")["unit_text"])
    (row,) = next(t for t in analysis_tables(told.summary, told.units, JA) if t.key == "alerts").rows
    assert row[2] == 17 and all(quote.text in row[5] for quote in quotes)
    assert not any(person["feedback_id"] in row[5] for person in behind)
    assert row[5] not in render_markdown(told)


def test_small_charts_tell_their_scale_in_words(night, page):
    weekly = night.summary["themes"][0]["weekly"]
    assert weeks_scale(weekly, JA) == ["4", "最多19", "19"]
    assert "中央が0、両端が±6.8" in page.text and "棒の右端が" in page.text


def test_a_themes_quotes_speak_as_its_people_do(night):
    divided = night.summary["themes"][3]  # アプリ: 19 negative, 19 positive
    assert {quote.sentiment for quote in balanced_quotes(night.units, divided)} == {"negative", "positive"}
    one_sided = night.summary["themes"][2] | {"positive": 1, "negative": 40}
    assert {quote.sentiment for quote in balanced_quotes(night.units, one_sided)} == {"negative"}
    assert len({quote.feedback_id for quote in balanced_quotes(night.units, divided)}) == 3


def test_theme_quotes_are_of_one_side_where_one_is_asked_for(night):
    theme = night.summary["themes"][0]
    assert {quote.sentiment for quote in theme_quotes(night.units, theme, side="positive")} == {"positive"}
