"""The demo's two nights as an operator runs them: not one personal string of its data in any byte that is left."""

import csv
import json
import os
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = sorted((ROOT / "configs" / "demo").glob("*.csv"))
PERSONAL = (ROOT / "tests" / "data" / "demo_personal.txt").read_text(encoding="utf-8").split()


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory):
    """Every byte after the demo, by where it stands: night folders, database, cache, key, Prefect's home, the log."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-c", "from flows.cli import main; main()", "demo", "--out", str(folder / "out")]
    environment = os.environ | {"PREFECT_HOME": str(folder / "prefect")}
    done = subprocess.run(command, check=True, env=environment, timeout=1500, capture_output=True, cwd=ROOT)
    found = {"log": done.stdout + done.stderr}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
            if path.suffix == ".xlsx":
                with zipfile.ZipFile(path) as book:
                    found |= {f"{path.name}/{name}": book.read(name) for name in book.namelist()}
    return found


def spellings(string: str) -> set[bytes]:
    """Return the string as files may hold it: UTF-8, one width, JSON's escapes."""
    written = {string, unicodedata.normalize("NFKC", string)}
    return {
        form
        for text in written
        for form in (text.encode(), json.dumps(text)[1:-1].encode())
    }


def places(left_behind: dict[str, bytes], strings) -> list[str]:
    return [
        f"{string} in {place}"
        for string in strings
        for place, content in left_behind.items()
        if any(form in content for form in spellings(string))
    ]


def test_the_night_left_its_files(left_behind):
    assert {"out/2026-11-15/units.csv", "out/2026-11-22/report.html", "out/kikitori.db"} <= left_behind.keys()


def test_every_planted_string_is_in_the_demos_data():
    data = unicodedata.normalize("NFKC", "".join(path.read_text(encoding="utf-8") for path in DATA))
    assert [string for string in PERSONAL if unicodedata.normalize("NFKC", string) not in data] == []


def test_no_planted_string_is_in_any_byte(left_behind):
    assert places(left_behind, PERSONAL) == []


def test_no_customer_id_is_in_any_byte(left_behind):
    customers = set()
    for path in DATA:
        with path.open(encoding="utf-8-sig", newline="") as file:
            customers |= {row["customer_id"] for row in csv.DictReader(file) if row.get("customer_id")}
    assert customers
    assert places(left_behind, sorted(customers)) == []
