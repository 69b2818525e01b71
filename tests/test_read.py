"""Export files to feedback: what is kept, what goes to quarantine, what is refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.read import InputError, SourceSpec, customer_words, parse_moment, parse_score, read_source

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
    [("9", 9), ("１０", 10), ("10点", 10), ("9 - とても勧めたい", 9), ("0", 0), ("", None), ("  ", None)],
)
def test_scores_are_read_as_people_write_them(written, score):
    assert parse_score(written) == score


@pytest.mark.parametrize("written", ["11", "-1", "とても良い", "7.5", "99"])
def test_other_scores_are_refused(written):
    with pytest.raises(ValueError, match="from 0 to 10"):
        parse_score(written)


def test_a_date_without_a_zone_is_in_the_configured_one():
    expected = datetime(2026, 11, 3, 12, 5, tzinfo=UTC)
    assert parse_moment("2026/11/3 21:05", ZoneInfo("Asia/Tokyo")) == expected


def test_every_row_is_read_or_quarantined_with_its_row_number(tmp_path):
    body = "A,2026-11-01,9,良い,x\nB,2026-11-01,12,悪い,x\n,2026-11-01,3,遅い,x\nD,2026-13-01,3,遅い,x\nE,1\n"
    reading = read(tmp_path, body)
    assert reading.feedback["feedback_id"].to_list() == ["A"]
    assert reading.quarantine["row"].to_list() == [3, 4, 5, 6]
    assert reading.quarantine["column"].to_list() == ["score", "id", "at", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
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


@pytest.mark.parametrize(
    ("transcript", "said"),
    [
        ("オペレーター：お電話ありがとうございます\nお客様：えー、届かないんです\n昨日から待っています", "届かないんです\n昨日から待っています"),
        ("OP: はい\nCU: 解約したい\nOP: 承知しました", "解約したい"),
        ("【担当】確認します\n【顧客】早くして", "早くして"),
        ("[10:32] お客様：開けません\n[10:33] オペレーター：失礼しました", "開けません"),
        ("印のない文はそのまま", "印のない文はそのまま"),
    ],
)
def test_only_the_customer_is_heard(transcript, said):
    assert customer_words(transcript) == said
