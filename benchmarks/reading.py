"""A million rows of CSV read, masked by pattern and accounted for: python benchmarks/reading.py [ROWS].

The rows are made here: comments of 20 to 150 characters put together from phrases, every one different, one in 12
with a phone number, mail address, order number or postal address in it, one in 100 unusable, one in 200 sent twice.
Reading and masking run in a child process whose peak memory is the operating system's own figure. Names need a
parse and are timed by benchmarks/segmentation.py.
"""

import csv
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "reading.json"
COLUMNS = {
    "id": "response_id",
    "text": "comment",
    "score": "nps_score",
    "received_at": "submitted_at",
    "customer": "customer_id",
}
OPENERS = ["いつも使っています。", "初めて利用しました。", "三年ほど契約しています。", "友人にすすめられました。", ""]
SUBJECTS = ["配送", "返品の手続き", "アプリの動作", "電話の待ち時間", "店員の対応", "料金の説明", "商品の品質"]
VERDICTS = ["が遅いです", "がわかりにくい", "がとても良かった", "には満足しています", "は改善してほしい"]
DETAILS = ["先月の{n}日から", "{n}回問い合わせても", "{n}個まとめて買ったのに", "バージョン{n}.0にしてから"]
PERSONAL = [
    "連絡は080-0000-{n:04}まで",
    "c{n}@example.com へ返事をください",
    "注文番号A-{n:08}です",
    "〒100-0001 架空県仮市見本町{n}-2-3に届けて",
]


def main(n_rows: int) -> dict:
    """Measure, write the result beside this script and return it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survey.csv"
        expected = write_rows(path, n_rows)
        command = [sys.executable, __file__, "child", str(path)]
        child = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
        size = path.stat().st_size
    result = json.loads(child.stdout)
    for name in ("read", "quarantined", "duplicate"):
        if result[name] != expected[name]:
            raise SystemExit(f"{name}: {expected[name]} rows were written, {result[name]} counted")
    result |= {
        "rows_per_second_read": round(n_rows / result["seconds_read"]),
        "rows_per_second_masked": round(n_rows / result["seconds_masked"]),
        "megabytes_of_csv": round(size / 1e6, 1),
        "conditions": {
            "rows": n_rows,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, one process, other work may share the cores; processor seconds",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def write_rows(path: Path, n_rows: int) -> dict[str, int]:
    """Write the rows and return what reading has to count."""
    draw = random.Random(0)
    start = datetime(2026, 9, 1)
    counts = {"read": n_rows, "quarantined": 0, "duplicate": 0}
    previous: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*COLUMNS.values(), "plan"])
        for i in range(n_rows):
            if i % 200 == 199:
                counts["duplicate"] += 1
                writer.writerow(previous)
                continue
            row = [f"R{i:07}", comment(draw, i), str(draw.randrange(11)), "", f"C{draw.randrange(300_000):06}", "標準"]
            row[3] = f"{start + timedelta(seconds=7 * i % 7_000_000):%Y-%m-%d %H:%M:%S}"
            if i % 100 == 50:
                counts["quarantined"] += 1
                row[2] = str(11 + i % 89)
            else:
                previous = row
            writer.writerow(row)
    return counts


def comment(draw: random.Random, i: int) -> str:
    """Return one comment; no two are alike."""
    parts = [draw.choice(OPENERS)]
    for _ in range(draw.randint(1, 3)):
        parts.append(draw.choice(DETAILS).format(n=draw.randint(2, 990)))
        parts += [draw.choice(SUBJECTS), draw.choice(VERDICTS), "。"]
    if i % 12 == 0:
        parts.append(draw.choice(PERSONAL).format(n=i % 10_000))
    return "".join(parts) + f"（{i}件目の回答）"


def measure(path: str) -> dict:
    """Read, mask and account for one file in this process."""
    from pipeline.intake import take_in
    from pipeline.read import SourceSpec, read_source

    night = date(2026, 11, 22)
    begin = time.process_time()
    reading = read_source(SourceSpec("survey", "survey", (path,), COLUMNS, ("plan",)), "Asia/Tokyo", night)
    middle = time.process_time()
    peak_read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    intake = take_in(
        {"survey": reading}, window=(date(2026, 8, 25), night), timezone="Asia/Tokyo", customer_key=b"benchmark"
    )
    end = time.process_time()
    return {
        **intake.counts["survey"],
        "kept": intake.feedback.height,
        "with_mark": int(intake.feedback["text"].str.contains(r"\[(?:電話|メール|番号|住所|郵便番号)\]").sum()),
        "seconds_read": round(middle - begin, 1),
        "seconds_masked": round(end - middle, 1),
        "peak_megabytes_read": round(peak_read / 1024),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), ensure_ascii=False, indent=2))
