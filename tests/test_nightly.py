"""The night end to end, as an operator runs it: every file, every row, the same bytes again."""

import csv
import json
import os
import random
import subprocess
import sys

import pytest

HEADER = ["response_id", "submitted_at", "nps_score", "comment", "plan", "customer_id"]
CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { id = "response_id", text = "comment", score = "nps_score", received_at = "submitted_at", customer = "customer_id" }
segments = ["plan"]
"""
WORDS = ["配送が遅い", "返品の手続きがわからない", "梱包が丁寧でした", "値段が高い", "アプリが落ちる", "品ぞろえが良い"]
FILES = ["quarantine.csv", "report.html", "report.md", "report.xlsx", "summary.json", "themes.csv", "units.csv"]


def rows():
    good = [
        [f"R{i:03}", f"2026-11-{1 + i % 20:02} 10:00", str(i % 11), f"{WORDS[i % 6]}。{i}回目です", "A", f"C{i}"]
        for i in range(60)
    ]
    odd = [
        ["R100", "2026-11-03", "12", "速い", "A", "C1"],  # no such score: quarantine
        ["R101", "2026-11-03", "7", "特になし", "A", "C2"],  # no opinion
        ["R102", "2026-11-03", "", "", "A", "C3"],  # nothing said, no score
        ["R103", "2020-01-01", "7", "安い", "A", "C4"],  # before the window
        ["R104", "2026-11-04", "3", "佐々木と申します。電話080-0000-1234に返事がない", "A", "C5"],
    ]
    return [*good, *odd, good[0]]


def run(folder, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "night.toml").write_text(CONFIG, encoding="utf-8")
    with (folder / "survey.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([HEADER, *data])
    command = [sys.executable, "-c", "from flows.cli import main; main()", "run", str(folder / "night.toml")]
    environment = os.environ | {"PREFECT_HOME": str(folder.parent / "prefect")}
    subprocess.run([*command, "--date", "2026-11-22"], check=True, env=environment, timeout=900)
    return folder / "out" / "2026-11-22"


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return run(tmp_path_factory.mktemp("night") / "first", rows())


def test_every_file_of_the_contract_is_written(night):
    assert sorted(path.name for path in night.iterdir()) == FILES
    assert (night.parent / "index.html").exists()


def test_every_row_is_accounted_for(night):
    (source,) = json.loads((night / "summary.json").read_text(encoding="utf-8"))["sources"]
    assert source["outside_window"] == 1
    assert source["read"] == 65 == sum(source[part] for part in ("analysed", "no_opinion", "duplicate", "quarantined"))
    assert (source["no_opinion"], source["duplicate"], source["quarantined"]) == (2, 1, 1)


def test_no_personal_string_is_in_any_byte(night):
    for path in night.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert "佐々木".encode() not in content, path.name
            assert b"080-0000-1234" not in content, path.name


def test_the_order_of_the_rows_and_a_second_run_change_nothing(night, tmp_path):
    first = (night / "summary.json").read_bytes()
    shuffled = rows()
    random.Random(0).shuffle(shuffled)
    assert (run(tmp_path / "shuffled", shuffled) / "summary.json").read_bytes() == first
    assert (run(night.parent.parent, rows()) / "summary.json").read_bytes() == first
