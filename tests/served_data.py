"""A shop of two sources for the tests of the server."""

import csv
import json

CONFIG = """
title = "夜の試験"
window_days = 30
{more}
[[sources]]
name = "survey"
path = "survey.csv"
columns = {{ id = "id", text = "comment", score = "score", received_at = "at", customer = "customer" }}
segments = ["plan"]

[[sources]]
name = "support"
path = "support*.csv"
columns = {{ id = "id", text = "comment", received_at = "at", customer = "customer" }}

[notify]
webhook = "{room}"
"""
WORDS = ("配送が遅くて困りました", "返品の手続きがわかりません", "梱包が丁寧でした", "値段が高いと感じます", "アプリがよく落ちます")
SAID = "玄関先のペンギンの置物を割られました"
"""What one customer wrote: no word of it belongs into Prefect's database."""
CUSTOMER = "KOKYAKU-4711"
FLOWS = ["nightly", "explore", "backfill", "curate", "forget", "report"]
DAYS = ["2024-11-20", "2024-11-21", "2024-11-22", "2024-11-23"]


def write_survey(folder):
    rows = [[f"R{n}", f"2024-11-{1 + n % 19:02}", n % 11, f"{WORDS[n % 5]}。{n}回目です", f"C{n}", "AB"[n % 2]] for n in range(30)]
    rows.append(["R99", "2024-11-18", 1, SAID, CUSTOMER, "A"])
    write(folder / "survey.csv", ["id", "at", "score", "comment", "customer", "plan"], rows)


def write_support(folder):
    write(folder / "support.csv", ["id", "at", "comment", "customer"], [[f"S{n}", f"2024-11-{2 + n}", WORDS[n % 5], f"C{n}"] for n in range(10)])


def write(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])


def published(folder):
    return sorted(path.name for path in (folder / "out").glob("2*"))


def summary(folder, day):
    return json.loads((folder / "out" / day / "summary.json").read_text(encoding="utf-8"))
