"""Malformed files of every format: rows or one clear line, never another exception.

200 files by default, the same each time; `make bench` runs 2,000 new ones.
"""

import gzip
import io
import json
import os
import zipfile

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.mask import mask_patterns
from pipeline.read import InputError, SourceSpec, read_source, rows

N_FILES = int(os.environ.get("KIKITORI_FUZZ_FILES", 200))
COLUMNS = {"id": "id", "text": "comment", "score": "score", "received_at": "at"}
TABLE = {"id": ["A", "B", "C"], "at": ["2026-11-01", "11/3 21:05", ""], "score": ["9", "99", ""], "comment": ["返品が遅い", 'a,"b"\nc', ""]}
CSV = 'id,at,score,comment\nA,2026-11-01,9,返品が遅い\nB,11/3,99,"a,""b""\nc"\nC,,,\n'
LINES = "".join(json.dumps(dict(zip(TABLE, row, strict=True)), ensure_ascii=False) + "\n" for row in zip(*TABLE.values(), strict=True))
TICKET = json.dumps({
    "id": 1, "created_at": "2026-11-01T00:00:00Z", "requester_id": 7, "comments": [{"author_id": 7, "public": True, "body": "遅い"}],
    "satisfaction_rating": {"comment": "良い"}, "custom_fields": [{"id": 5, "value": "9"}],
})  # fmt: skip
MAIL = "From: k@example.com\nDate: Tue, 3 Nov 2026 21:05:00 +0900\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n遅い\n--x--\n"


def table(write):
    out = io.BytesIO()
    write(pl.DataFrame(TABLE), out)
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", CSV)
        packed.writestr("b.jsonl", LINES)
    return out.getvalue()


FILES = [
    ("survey", "a.csv", CSV.encode()),
    ("survey", "a.csv", CSV.encode("cp932")),
    ("survey", "a.tsv", CSV.replace(",", "\t").encode("utf-16")),
    ("survey", "a.jsonl", LINES.encode()),
    ("survey", "a.json", f'{{"responses": [{LINES.strip().replace(chr(10), ",")}]}}'.encode()),
    ("survey", "a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
    ("survey", "a.zip", archive()),
    ("survey", "a.parquet", table(lambda frame, out: frame.write_parquet(out))),
    ("survey", "a.xlsx", table(lambda frame, out: frame.write_excel(out))),
    ("zendesk", "a.jsonl", f"{TICKET}\n{TICKET}\n".encode()),
    ("transcript", "a.txt", "OP: はい\nCU: 遅い\n".encode()),
    ("email", "a.eml", MAIL.encode()),
]
ODD = [b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\n", b",", b"\t", b"{", b"[", b"\x1b$B", b"\x80", "\u202e".encode(), b"9" * 400, b"PK\3\4", b'"' * 99]
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["replace", "insert", "delete", "cut", "double"]), st.one_of(st.sampled_from(ODD), st.binary(max_size=8))),
    min_size=1,
    max_size=6,
)


def changed(data, changes):
    for where, change, piece in changes:
        at = int(where * len(data))
        if change == "replace":
            data = data[:at] + piece + data[at + len(piece) :]
        elif change == "insert":
            data = data[:at] + piece + data[at:]
        elif change == "delete":
            data = data[:at] + data[at + 1 + len(piece) * 3 :]
        elif change == "cut":
            data = data[: max(at, 1)]
        else:
            data = data[:at] + data[at // 2 :]
    return data


@settings(
    max_examples=N_FILES, derandomize=N_FILES == 200, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.sampled_from(FILES), CHANGES)
def test_a_malformed_file_gives_rows_or_one_clear_line(tmp_path_factory, file, changes):
    kind, name, data = file
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(changed(data, changes))
    columns = COLUMNS if kind == "survey" else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "mask_personal_data", mask_patterns)  # names are searched for elsewhere, by a slow parse
        try:
            reading = read_source(SourceSpec("survey", kind, (str(path),), columns, score_field=5), "Asia/Tokyo")
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert reading.feedback.height
            assert reading.quarantine["reason"].str.len_chars().min() != 0
            assert reading.feedback["text"].null_count() == reading.feedback["feedback_id"].null_count() == 0
