from datetime import date

import polars as pl
import pytest

from pipeline.cleanse import hash_customer
from pipeline.customers import read_customers
from pipeline.read import InputError

KEY = b"secret"
COLUMNS = {
    "customer": "会員ID", "orders": "回数", "revenue": "金額", "first_purchase": "初回", "last_purchase": "最終",
    "tier": "ランク",
}
HEADER = "会員ID,回数,金額,初回,最終,ランク"


def read(tmp_path, *lines, name="customers.csv", encoding="utf-8", columns=COLUMNS):
    path = tmp_path / name
    path.write_bytes("\n".join([HEADER, *lines]).encode(encoding))
    return read_customers(str(path), columns, customer_key=KEY, timezone="Asia/Tokyo")


def test_a_row_becomes_numbers_dates_and_a_hashed_customer(tmp_path):
    found = read(tmp_path, 'C001,３回,"¥12,340",2025/01/05,2026-11-03 23:30,ゴールド')
    assert found.table.to_dicts() == [{
        "customer": hash_customer("C001", KEY), "orders": 3, "revenue": 12340.0, "first_purchase": date(2025, 1, 5),
        "last_purchase": date(2026, 11, 3), "tier": "ゴールド",
    }]
    assert found.quarantine.is_empty()


def test_an_empty_cell_is_unknown(tmp_path):
    row = read(tmp_path, "C001,,,,,").table.row(0, named=True)
    assert [row[role] for role in COLUMNS if role != "customer"] == [None] * 5


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (",1,1,,,", "会員ID", "the id is missing"),
        ("C1,1.5,1,,,", "回数", "orders must be a whole number of at least 0"),
        ("C1,多い,1,,,", "回数", "must be a number of at least 0"),
        ("C1,1,-3,,,", "金額", "must be a number of at least 0"),
        ("C1,1,nan,,,", "金額", "must be a number of at least 0"),
        ("C1,1,1,いつか,,", "初回", "date must look like 2026-11-03 21:05:00"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_with_its_reason(tmp_path, line, column, reason):
    found = read(tmp_path, "C0,1,1,,,", line)
    (row,) = found.quarantine.to_dicts()
    assert (row["source"], row["file"], row["row"], row["column"], row["reason"]) == (
        "customers", "customers.csv", 3, column, reason,
    )
    assert row["feedback_id"] is None
    assert found.table.height == 1


def test_of_two_rows_of_a_customer_the_latest_purchase_stays(tmp_path):
    found = read(tmp_path, "C1,5,1,,2026-01-01,", "Ｃ1,6,1,,2026-02-01,", "C2,1,1,,,")
    assert sorted(found.table["orders"]) == [1, 6]
    assert found.quarantine["row"].to_list() == [2]


def test_what_quarantine_shows_of_a_row_is_masked(tmp_path):
    found = read(tmp_path, "C0,1,1,,,", "C1,080-0000-1234,1,,,", "C2,山田太郎様,1,,,")
    assert found.quarantine["value"].to_list() == ["[電話]", "[氏名]様"]


def test_an_erased_customer_is_left_out(tmp_path):
    read(tmp_path, "C0,1,1,,,", "C1,1,1,,,")
    gone = frozenset({hash_customer("C1", KEY)})
    path = str(tmp_path / "customers.csv")
    found = read_customers(path, COLUMNS, customer_key=KEY, timezone="Asia/Tokyo", refused=gone)
    assert found.table["customer"].to_list() == [hash_customer("C0", KEY)]


def test_the_order_of_rows_changes_nothing(tmp_path):
    lines = [f"C{at},{at},{at * 100},,2026-01-{at + 1:02}," for at in range(20)]
    forward, backward = read(tmp_path, *lines), read(tmp_path, *lines[::-1])
    assert forward.table.equals(backward.table)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_excels_encodings_are_read(tmp_path, encoding):
    assert read(tmp_path, "C1,1,1,,,金", encoding=encoding).table["tier"].to_list() == ["金"]


def test_parquet_and_json_lines_are_read(tmp_path):
    frame = pl.DataFrame({"id": ["C1"], "n": [3], "last": [date(2026, 1, 2)]})
    frame.write_parquet(tmp_path / "c.parquet")
    frame.write_ndjson(tmp_path / "c.jsonl")
    columns = {"customer": "id", "orders": "n", "last_purchase": "last"}
    for name in ("c.parquet", "c.jsonl"):
        table = read_customers(str(tmp_path / name), columns, customer_key=KEY, timezone="Asia/Tokyo").table
        assert (table["orders"][0], table["last_purchase"][0], table["revenue"][0]) == (3, date(2026, 1, 2), None)


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no column '会員番号'; check columns under customers"):
        read(tmp_path, "C1,1,1,,,", columns={"customer": "会員番号"})
    with pytest.raises(InputError, match="no such file; check path under customers"):
        read_customers(str(tmp_path / "none.csv"), COLUMNS, customer_key=KEY, timezone="UTC")
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"broken.parquet: cannot be read as a table"):
        read_customers(str(tmp_path / "broken.parquet"), COLUMNS, customer_key=KEY, timezone="UTC")
