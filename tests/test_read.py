"""Export files to feedback: what is kept, what goes to quarantine, what is refused."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipeline.read import InputError, Scale, SourceSpec, parse_moment, parse_score, read_source

HEADER = "id,at,score,comment,plan\n"
COLUMNS = {"id": "id", "text": "comment", "score": "score", "received_at": "at"}


def source(path, columns=COLUMNS, kind="survey"):
    return SourceSpec("survey", kind, (str(path),), columns, ("plan",))


def read(tmp_path, body, encoding="utf-8", **options):
    path = tmp_path / "survey.csv"
    path.write_bytes((HEADER + body).encode(encoding))
    return read_source(source(path, **options), "Asia/Tokyo")


@pytest.mark.parametrize(
    ("written", "score"),
    [
        ("9", 9),
        ("１０", 10),
        ("10点", 10),
        ("⑩", 10),
        ("9.0", 9),
        ("8/10", 8),
        ("9 - とても勧めたい", 9),
        ("10：とても勧めたい", 10),
        ("0（まったく勧めない）", 0),
        ("0", 0),
        ("", None),
        ("　 ", None),
    ],
)
def test_scores_are_read_as_people_write_them(written, score):
    assert parse_score(written) == score


@pytest.mark.parametrize("written", ["11", "-1", "とても良い", "7.5", "99", "8-9", "8〜9", "7 8", "N/A", "010"])
def test_other_scores_are_refused(written):
    with pytest.raises(ValueError, match="from 0 to 10"):
        parse_score(written)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-03 21:05:00",
        "2026/11/3 21:05",
        "2026.11.3 21:05",
        "２０２６／１１／３　２１：０５",
        "2026年11月3日 21時5分",
        "2026年11月3日(火) 21:05",
        "2026年11月3日 午後9時5分",
        "2026/11/3 9:05 PM",
        "令和8年11月3日 21:05",
        "R8.11.3 21:05",
        "20261103 210500",
        "202611032105",
        "2026-11-03T12:05:00Z",
        "2026-11-03T21:05:00.000+09:00",
        "2026-11-03 12:05:00 UTC",
        "2026-11-03 21:05 JST",
    ],
)
def test_dates_are_read_as_japanese_exports_write_them(written):
    assert parse_moment(written, ZoneInfo("Asia/Tokyo")) == datetime(2026, 11, 3, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2026-11-03", "20261103", "2026年11月3日", "令和8年11月3日"])
def test_a_date_alone_is_its_midnight(written):
    assert parse_moment(written, ZoneInfo("Asia/Tokyo")) == datetime(2026, 11, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("written", ["昨日", "11/3", "2026-13-01", "2026-02-30", "2026-11-03 25:00", "0000-01-01", "1-1-1"])
def test_other_dates_are_refused(written):
    with pytest.raises(ValueError, match="date"):
        parse_moment(written, ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("written", ["46329.878472", "４６３２９．８７８４７２", "2026-11-03T21:05:00+0900", "2026/11/03 21:05:00"])
def test_serials_of_spreadsheets_and_other_ways_to_write_the_same_moment(written):
    assert parse_moment(written, ZoneInfo("Asia/Tokyo")) == datetime(2026, 11, 3, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "night", "day"),
    [
        ("11/3 21:05", date(2026, 11, 22), date(2026, 11, 3)),
        ("11月3日(火) 21時5分", date(2026, 11, 22), date(2026, 11, 3)),
        ("11/22 21:05", date(2026, 11, 22), date(2026, 11, 22)),
        ("11/23 21:05", date(2026, 11, 22), date(2025, 11, 23)),
        ("12/31 21:05", date(2027, 1, 5), date(2026, 12, 31)),
        ("2/29 21:05", date(2026, 11, 22), date(2024, 2, 29)),
    ],
)
def test_a_date_without_a_year_is_the_last_one_up_to_the_night(written, night, day):
    moment = parse_moment(written, ZoneInfo("Asia/Tokyo"), night)
    assert moment.astimezone(ZoneInfo("Asia/Tokyo")) == datetime(day.year, day.month, day.day, 21, 5, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("written", ["11/31", "13/1", "11/3/26", "11-3"])
def test_days_without_a_year_that_are_none(written):
    with pytest.raises(ValueError, match="date"):
        parse_moment(written, ZoneInfo("Asia/Tokyo"), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("written", "scale", "answer"),
    [("5点", Scale(1, 5), 5), ("４ - 満足", Scale(1, 5), 4), ("4/5", Scale(1, 5), 4), ("7", Scale(1, 7), 7), ("100", Scale(0, 100), 100), ("", Scale(1, 5), None)],
)
def test_answers_on_other_scales(written, scale, answer):
    assert parse_score(written, scale) == answer


@pytest.mark.parametrize(("written", "scale"), [("0", Scale(1, 5)), ("6", Scale(1, 5)), ("4/10", Scale(1, 5)), ("満足", Scale(1, 5))])
def test_answers_off_their_scale_are_refused(written, scale):
    with pytest.raises(ValueError, match=r"csat must be a whole number from 1 to 5"):
        parse_score(written, scale, "csat")


@pytest.mark.parametrize("written", ["", "5", "5-1", "1-1", "0-1000", "a-b"])
def test_scales_that_are_none(written):
    with pytest.raises(ValueError, match="a scale is written lowest-highest"):
        Scale.parse(written)


def test_a_date_without_a_zone_is_in_the_configured_one():
    expected = datetime(2026, 11, 3, 12, 5, tzinfo=UTC)
    assert parse_moment("2026/11/3 21:05", ZoneInfo("Asia/Tokyo")) == expected


def test_every_row_is_read_or_quarantined_with_its_row_number(tmp_path):
    body = "A,2026-11-01,9,良い,x\nB,2026-11-01,12,悪い,x\n,2026-11-01,3,遅い,x\nD,2026-13-01,3,遅い,x\nE,1\n"
    reading = read(tmp_path, body)
    assert reading.feedback["feedback_id"].to_list() == ["A"]
    assert reading.quarantine["row"].to_list() == [3, 4, 5, 6]
    assert reading.quarantine["column"].to_list() == ["score", "id", "at", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "euc_jp"])
def test_encodings_of_japanese_exports(tmp_path, encoding):
    assert read(tmp_path, "A,2026-11-01,9,返品が遅い,x\n", encoding).feedback["text"].to_list() == ["返品が遅い"]


def test_a_wrong_column_is_named_with_the_nearest_one(tmp_path):
    with pytest.raises(InputError, match=r"'coment'.*did you mean 'comment'"):
        read(tmp_path, "A,2026-11-01,9,x,x\n", columns=COLUMNS | {"text": "coment"})


def test_no_rows_below_the_header(tmp_path):
    with pytest.raises(InputError, match="no rows below the header"):
        read(tmp_path, "")


def test_only_bad_rows(tmp_path):
    with pytest.raises(InputError, match=r"none of 1 rows can be used; survey.csv row 2: score must be"):
        read(tmp_path, "A,2026-11-01,99,x,x\n")


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_source(source(tmp_path / "none.csv"), "Asia/Tokyo")


def test_a_cell_with_line_breaks_is_one_row(tmp_path):
    body = 'A,2026-11-01,9,"一行目\n二行目",x\n\nB,2026-11-01,99,悪い,x\n,,,,\nC,2026-11-01,5,"引用符""あり""",x\n'
    reading = read(tmp_path, body)
    assert reading.feedback["text"].to_list() == ["一行目\n二行目", '引用符"あり"']
    assert reading.feedback["row"].to_list() == [2, 6]
    assert reading.quarantine["row"].to_list() == [4]
    assert reading.read == 3


def test_a_quotation_mark_that_never_closes_costs_one_row(tmp_path):
    reading = read(tmp_path, 'A,2026-11-01,9,良い,x\nB,2026-11-01,9,"閉じない,x\nC,2026-11-01,9,遅い,x\n')
    assert reading.feedback["feedback_id"].to_list() == ["A", "C"]
    assert reading.quarantine["row"].to_list() == [3]
    assert "never closed" in reading.quarantine["reason"][0]


def test_half_a_file_costs_its_last_row(tmp_path):
    reading = read(tmp_path, "A,2026-11-01,9,良い,x\nB,2026-11-01,9,途中")
    assert reading.feedback["feedback_id"].to_list() == ["A"]
    assert reading.quarantine["reason"].to_list() == ["the row has 4 cells, the header 5"]


def test_empty_cells_beyond_the_header_do_no_harm(tmp_path):
    assert read(tmp_path, "A,2026-11-01,9,良い,x,,\n").feedback.height == 1


def test_one_damaged_byte_costs_its_row_and_not_the_file(tmp_path):
    path = tmp_path / "survey.csv"
    good = "".join(f"{i},2026-11-01,9,とても良い対応でした,x\n" for i in range(50))
    path.write_bytes((HEADER + good).encode() + b"B,2026-11-01,9,\xe3\x81,x\n")
    reading = read_source(source(path), "Asia/Tokyo")
    assert reading.feedback.height == 50
    assert reading.quarantine["row"].to_list() == [52]


def test_quarantine_shows_the_cell_without_personal_data(tmp_path, parser):
    body = "A,2026-11-01,9,良い,x\nB,2026-11-01,080-0000-1234,悪い,x\nC,2026-11-01,鈴木花子です,悪い,x\n"
    assert read(tmp_path, body).quarantine["value"].to_list() == ["[電話]", "[氏名]です"]


def test_quarantine_shows_at_most_80_characters_and_no_half_of_a_number(tmp_path):
    body = f"A,2026-11-01,9,良い,x\nB,2026-11-01,{'・' * 70}080-0000-1234・080-0000-5678,悪い,x\n"
    (value,) = read(tmp_path, body).quarantine["value"]
    assert value == "・" * 70 + "[電話]・[電話]"[:10]


def test_empty_texts_scores_and_dates_are_kept_as_they_are(tmp_path):
    row = read(tmp_path, "A,,,,\n").feedback.row(0, named=True)
    assert (row["text"], row["score"], row["received_at"], row["plan"]) == ("", None, None, "")


def test_tables_have_the_contracts_columns_and_types(tmp_path):
    reading = read(tmp_path, "A,2026-11-01,9,良い,x\n")
    expected = ["source", "feedback_id", "text", "score", "received_at", "customer", "csat", "ces", "dwb", "file", "row", "plan"]
    assert reading.feedback.columns == expected
    assert reading.feedback.schema["received_at"] == pl.Datetime("us", "UTC")
    assert reading.quarantine.columns == ["source", "file", "row", "feedback_id", "column", "reason", "value"]


def test_without_an_id_column_the_id_is_of_the_content(tmp_path):
    columns = {"text": "comment", "score": "score"}
    body = "A,2026-11-01,9,良い,x\nB,2026-11-01,9,良い,x\nA,2026-11-01,9,良い,x\n"
    one, two, three = read(tmp_path, body, columns=columns).feedback["feedback_id"]
    assert one == three != two
    assert len(one) == 16


@pytest.mark.parametrize(("name", "separator"), [("s.tsv", "\t"), ("s.csv", ";"), ("s.csv", "\t"), ("S.CSV", ",")])
def test_delimiters_are_found(tmp_path, name, separator):
    path = tmp_path / name
    path.write_text((HEADER + "A,2026-11-01,9,良い,x\n").replace(",", separator))
    assert read_source(source(path), "Asia/Tokyo").feedback["text"].to_list() == ["良い"]


@pytest.mark.parametrize("suffix", ["jsonl", "xlsx", "parquet"])
def test_other_tables_give_the_same_rows(tmp_path, suffix):
    rows = [
        {"id": "A", "at": "2026-11-01 09:00:00", "score": 9, "comment": "良い", "plan": "x"},
        {"id": "B", "at": "2026-11-01 09:00:00", "score": 99, "comment": "悪い", "plan": "x"},
    ]
    path = tmp_path / f"survey.{suffix}"
    frame = pl.DataFrame(rows)
    if suffix == "xlsx":
        frame.write_excel(path)
    elif suffix == "parquet":
        frame.write_parquet(path)
    else:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n{half")
    reading = read_source(source(path), "Asia/Tokyo")
    assert reading.feedback.row(0, named=True)["score"] == 9
    assert reading.feedback["received_at"][0] == datetime(2026, 11, 1, 0, tzinfo=UTC)
    assert reading.quarantine["reason"][0].startswith("score must be")
    assert reading.read == (3 if suffix == "jsonl" else 2)


def ticket(**changes):
    return {
        "id": 35001,
        "created_at": "2026-11-01T00:00:00Z",
        "requester_id": 7,
        "via": {"channel": "email"},
        "comments": [
            {"author_id": 7, "public": True, "body": "ログインできません"},
            {"author_id": 9, "public": True, "body": "再設定をお試しください"},
            {"author_id": 9, "public": False, "body": "社内メモ"},
            {"author_id": 7, "public": True, "body": "直りました"},
        ],
        "satisfaction_rating": {"score": "good", "comment": "早くて助かった"},
        "custom_fields": [{"id": 360001, "value": "9"}, {"id": 2, "value": None}],
    } | changes


def read_tickets(tmp_path, text):
    path = tmp_path / "tickets.jsonl"
    path.write_text(text)
    return read_source(SourceSpec("tickets", "zendesk", (str(path),), {}, ("via.channel",), 360001), "Asia/Tokyo")


def test_of_a_ticket_only_the_requesters_public_words_are_read(tmp_path):
    row = read_tickets(tmp_path, json.dumps(ticket())).feedback.row(0, named=True)
    assert row["text"] == "ログインできません\n直りました\n早くて助かった"
    assert (row["feedback_id"], row["score"], row["customer"]) == ("35001", 9, "7")
    assert row["via.channel"] == "email"


def test_a_ticket_without_comments_has_its_description(tmp_path):
    text = json.dumps({"tickets": [ticket(comments=None, description="遅い", satisfaction_rating=None)]})
    assert read_tickets(tmp_path, text).feedback["text"].to_list() == ["遅い"]


def test_lines_that_are_no_tickets_are_quarantined(tmp_path):
    lines = [json.dumps(ticket()), "[1, 2]", "{", json.dumps(ticket(id=None)), '{"id": 1, "comments": [3], "custom_fields": 4}']
    reading = read_tickets(tmp_path, "\n".join(lines))
    assert reading.feedback["feedback_id"].to_list() == ["35001", "1"]
    assert reading.quarantine["row"].to_list() == [2, 3, 4]


def test_a_missing_column_is_never_explained_with_a_customers_words(tmp_path):
    path = tmp_path / "no_header.csv"
    path.write_text("A,2026-11-01,9,担当の架空さんの説明がとても長くてわかりにくかったです,080-0000-1234\n")
    with pytest.raises(InputError) as caught:
        read_source(source(path), "Asia/Tokyo")
    assert "is the header row missing?" in str(caught.value)
    assert "架空" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "survey.csv: the file is empty"),
        (b" \n\n", "survey.csv: the file is empty"),
        (bytes(range(256)) * 4, "survey.csv: "),
        ((HEADER.strip() + ",comment\nA,,9,x,y,z\n").encode(), "'comment' stands 2 times"),
    ],
    ids=["empty", "blank", "binary", "column twice"],
)
def test_files_that_cannot_be_used_get_one_clear_line(tmp_path, content, message):
    path = tmp_path / "survey.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_source(source(path), "Asia/Tokyo")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet"])
def test_a_file_that_is_not_what_its_name_says(tmp_path, suffix):
    path = tmp_path / f"survey.{suffix}"
    path.write_text("not a table")
    with pytest.raises(InputError, match=f"not a readable {suffix} file"):
        read_source(source(path), "Asia/Tokyo")


def test_a_folder_without_a_readable_file(tmp_path):
    (tmp_path / "notes.pdf").write_text("x")
    with pytest.raises(InputError, match="no file that can be read in this folder"):
        read_source(source(tmp_path), "Asia/Tokyo")


def test_a_text_column_must_be_configured(tmp_path):
    with pytest.raises(InputError, match="columns has no text"):
        read(tmp_path, "A,2026-11-01,9,x,x\n", columns={"id": "id"})
