"""Every format and encoding of survey exports: the same rows come out; headers, delimiters and databases."""

import io
import json
import sqlite3

import polars as pl
import pytest
import xlsxwriter

from pipeline.read import InputError, Scale, SourceSpec, read_source

ROWS = [
    ["回答ID", "日時", "点数", "ご意見", "満足度"],
    ["A1", "2026年11月3日 21:05", "10点", "①返品が遅い。㈱見本の\"箱\"が,つぶれていた", "4"],
    ["A2", "令和8年11月3日", "９", "一行目\n二行目", "5"],
    ["A3", "2026-11-04 10:00:00", "99", "点数がおかしい", "3"],
]
COLUMNS = {"id": "回答ID", "text": "ご意見", "score": "点数", "received_at": "日時", "csat": "満足度"}
TEXTS = ['①返品が遅い。㈱見本の"箱"が,つぶれていた', "一行目\n二行目"]
ENCODINGS = ["utf-8", "utf-8-sig", "cp932", "euc_jis_2004", "utf-16", "utf-16-le", "utf-16-be", "utf-16-le-bom", "utf-16-be-bom"]


def encoded(text, encoding):
    if encoding.endswith("-bom"):
        return ("\ufeff" + text).encode(encoding.removesuffix("-bom"))
    return text.encode(encoding)


def delimited(separator):
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in ROWS]
    return "".join(separator.join(row) + "\r\n" for row in quoted)


def json_lines():
    return "".join(json.dumps(dict(zip(ROWS[0], row, strict=True)), ensure_ascii=False) + "\n" for row in ROWS[1:])


def json_list():
    return json.dumps({"responses": [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]}, ensure_ascii=False, indent=1)


FORMATS = {"comma.csv": lambda: delimited(","), "semicolon.csv": lambda: delimited(";"), "pipe.csv": lambda: delimited("|"),
           "tab.tsv": lambda: delimited("\t"), "tab.txt": lambda: delimited("\t"), "lines.jsonl": json_lines, "list.json": json_list}


def read(path, columns=COLUMNS, **options):
    return read_source(SourceSpec("survey", "survey", (str(path),), columns, **options), "Asia/Tokyo")


def check(reading):
    assert reading.feedback["feedback_id"].to_list() == ["A1", "A2"]
    assert reading.feedback["text"].to_list() == TEXTS
    assert reading.feedback["score"].to_list() == [10, 9]
    assert reading.feedback["csat"].to_list() == [4, 5]
    assert reading.feedback["received_at"].dt.to_string("%d %H:%M").to_list() == ["03 12:05", "02 15:00"]
    assert reading.quarantine["feedback_id"].to_list() == ["A3"]
    assert reading.read == 3


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_text_format_in_every_encoding(tmp_path, name, encoding):
    path = tmp_path / name
    path.write_bytes(encoded(FORMATS[name](), encoding))
    check(read(path))


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "iso2022_jp"])
def test_the_older_names_of_encodings(tmp_path, encoding):
    path = tmp_path / "old.csv"
    path.write_bytes("id,comment\nA,返品が遅くて困りました\n".encode(encoding))
    columns = {"id": "id", "text": "comment"}
    assert read(path, columns).feedback["text"].to_list() == ["返品が遅くて困りました"]
    assert read(path, columns, encoding=encoding).feedback["text"].to_list() == ["返品が遅くて困りました"]


def test_a_declared_encoding_that_does_not_fit_is_named(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_bytes(delimited(",").encode("cp932"))
    with pytest.raises(InputError, match="not text in utf-8; correct or remove encoding"):
        read(path, encoding="utf-8")


def test_parquet_and_workbooks(tmp_path):
    frame = pl.DataFrame(ROWS[1:], schema=ROWS[0], orient="row")
    frame.write_parquet(tmp_path / "survey.parquet")
    frame.write_excel(tmp_path / "survey.xlsx")
    check(read(tmp_path / "survey.parquet"))
    check(read(tmp_path / "survey.xlsx"))
    (tmp_path / "survey.xlsx").rename(tmp_path / "misnamed.csv")
    check(read(tmp_path / "misnamed.csv"))


def test_a_workbook_as_people_make_them(tmp_path):
    """A cover sheet, a title above the header, a blank row, dates and numbers of the spreadsheet's own."""
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("表紙").write("A1", "集計")
    sheet = book.add_worksheet("回答")
    sheet.write("A1", "2026年度 調査")
    sheet.write_row("B3", ROWS[0])
    sheet.write_row("B5", ["A1", "", 9.0, "遅い", 4])
    sheet.write_number("C5", 46329.8784722222, book.add_format({"num_format": "yyyy年m月d日 hh:mm"}))
    sheet.write_row("B6", ["A2", "46329.8784722222", 99, "遅い", 4])
    book.close()
    reading = read(path)
    assert reading.feedback.row(0, named=True)["received_at"].isoformat() == "2026-11-03T12:05:00+00:00"
    assert (reading.feedback["row"].to_list(), reading.quarantine["row"].to_list()) == ([5], [6])
    assert read(path, sheet="回答").read == 2
    with pytest.raises(InputError, match="no sheet '他' in this workbook"):
        read(path, sheet="他")


def test_the_three_header_rows_of_qualtrics(tmp_path):
    path = tmp_path / "qualtrics.csv"
    path.write_text(
        'ResponseId,Q1,Q2\n回答ID,"おすすめ\n度",ご意見\n"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"\n'
        "R_1,9,良い\nR_2,12,悪い\n"
    )
    for columns in ({"id": "ResponseId", "score": "Q1", "text": "Q2"}, {"id": "回答ID", "score": "おすすめ 度", "text": "ご意見"}):
        reading = read(path, columns)
        assert reading.feedback["row"].to_list() == [4]
        assert reading.quarantine["row"].to_list() == [5]


def test_lines_above_the_header_are_a_preamble(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("顧客満足度調査,,\n出力日,2026-11-22\n\nsep=;\nid;score;comment\nA;9;良い\n")
    reading = read(path, {"id": "id", "score": "score", "text": "comment"})
    assert reading.feedback["row"].to_list() == [6]
    assert reading.read == 1


def test_a_declared_delimiter(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("id^comment\nA^良い\n")
    assert read(path, {"id": "id", "text": "comment"}, delimiter="^").feedback["text"].to_list() == ["良い"]


def test_blank_and_repeated_names_of_columns(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("id,,comment,comment\nA,9,良い,悪い\n")
    columns = {"id": "id", "score": "column 2", "text": "comment (2)"}
    assert read(path, columns).feedback.select("score", "text").row(0) == (9, "悪い")
    with pytest.raises(InputError, match=r"'comment' stands 2 times in the header; rename one, or say which: 'comment \(1\)'"):
        read(path, columns | {"text": "comment"})


def test_a_quotation_mark_that_swallows_rows_costs_only_its_own(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text('id,score,comment\nA,9,"閉じない\nB,8,良い\nC,7,速い\nD,6,"引用,あり"\nE,5,悪い\n')
    reading = read(path, {"id": "id", "score": "score", "text": "comment"})
    assert reading.feedback["feedback_id"].to_list() == ["B", "C", "D", "E"]
    assert reading.quarantine["row"].to_list() == [2]


def test_a_quotation_mark_that_is_never_closed_costs_one_row_of_a_long_file(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text('id,score,comment\nA,9,"閉じない\n' + "".join(f"B{i},8,{'とても良い' * 20}\n" for i in range(12_000)))
    reading = read(path, {"id": "id", "score": "score", "text": "comment"})
    assert (reading.feedback.height, reading.quarantine["row"].to_list()) == (12_000, [2])


def test_an_eleven_point_question_numbered_from_one(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("id,score,comment\nA,11,良い\nB,1,悪い\nC,0,無い\n")
    reading = read(path, {"id": "id", "score": "score", "text": "comment"}, scales={"score": Scale(1, 11)})
    assert reading.feedback["score"].to_list() == [10, 0]
    assert reading.quarantine["reason"].to_list() == ["score must be a whole number from 1 to 11"]


def test_one_column_may_be_a_role_and_a_segment(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("id,comment,csat\nA,良い,4\n")
    row = read(path, {"id": "id", "text": "comment", "csat": "csat"}, segments=("id",)).feedback.row(0, named=True)
    assert (row["id"], row["feedback_id"], row["csat"]) == ("A", "A", 4)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "survey.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table answers (id text, at text, score integer, comment text)")
        connection.executemany("insert into answers values (?, ?, ?, ?)", [("A", "2026-11-03", 9, "良い"), ("B", None, 99, "悪い")])
    connection.close()
    return path


def queried(url, query="select * from answers order by id"):
    columns = {"id": "id", "text": "comment", "score": "score", "received_at": "at"}
    return read_source(SourceSpec("crm", "survey", (), columns, database=url, query=query), "Asia/Tokyo")


def test_the_rows_of_a_query(database):
    reading = queried(f"sqlite:///{database}")
    assert reading.feedback.select("feedback_id", "score", "text", "file", "row").row(0) == ("A", 9, "良い", "query", 2)
    assert reading.quarantine.select("feedback_id", "row").row(0) == ("B", 3)


def test_a_query_never_writes(database):
    with pytest.raises(InputError, match="refuses the query"):
        queried(f"sqlite:///{database}", "delete from answers returning id, comment, score, at")
    assert queried(f"sqlite:///{database}").read == 2


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(InputError, match="refuses the query"):
        queried(f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "nodialect://u:geheim@h/d", "postgresql+psycopg://u:geheim@127.0.0.1:1/d"])
def test_a_password_is_never_shown(url):
    with pytest.raises(InputError) as caught:
        queried(url)
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(SourceSpec("crm", "survey", (), {}, database=url, query="select 1"))


def test_transcripts_one_a_file_with_the_date_in_the_name(tmp_path):
    (tmp_path / "call_20261103_2105.txt").write_bytes("OP: はい\nCU: 遅いです\n".encode("cp932"))
    (tmp_path / "call_b.txt").write_text("お客様：高いです")
    reading = read_source(SourceSpec("calls", "transcript", (str(tmp_path),), {}, ("channel",)), "Asia/Tokyo")
    assert reading.feedback.select("feedback_id", "text", "channel").rows() == [("call_20261103_2105", "遅いです", ""), ("call_b", "高いです", "")]
    assert reading.feedback["received_at"].dt.to_string("%d %H:%M").to_list() == ["03 12:05", None]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tickets_and_conversations_in_every_encoding(tmp_path, encoding):
    ticket = {"id": 1, "requester_id": 7, "comments": [{"author_id": 7, "public": True, "body": "届くのが遅くて困りました"}]}
    (tmp_path / "a.jsonl").write_bytes(encoded(json.dumps(ticket, ensure_ascii=False) + "\n", encoding))
    (tmp_path / "a.txt").write_bytes(encoded("OP: お電話ありがとうございます\nCU: 届くのが遅くて困りました\n", encoding))
    for kind, name in (("zendesk", "a.jsonl"), ("transcript", "a.txt")):
        reading = read_source(SourceSpec(kind, kind, (str(tmp_path / name),), {}), "Asia/Tokyo")
        assert reading.feedback["text"].to_list() == ["届くのが遅くて困りました"]


def test_mails_one_a_file(tmp_path):
    message = io.StringIO("From: k@example.com\nDate: Tue, 3 Nov 2026 21:05:00 +0900\n\n遅いです\n\n> 承知しました\n")
    (tmp_path / "1.eml").write_bytes(message.getvalue().encode())
    row = read_source(SourceSpec("mails", "email", (str(tmp_path / "*.eml"),), {}), "Asia/Tokyo").feedback.row(0, named=True)
    assert (row["feedback_id"], row["text"], row["customer"]) == ("1", "遅いです", "k@example.com")
    assert row["received_at"].isoformat() == "2026-11-03T12:05:00+00:00"
