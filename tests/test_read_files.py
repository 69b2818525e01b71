"""Where files are found, how they are unpacked, and what a hostile one costs: one clear line, little memory."""

import gzip
import io
import os
import struct
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from pipeline.read import InputError, SourceSpec, archives, files, read_source

COLUMNS = {"id": "id", "text": "comment", "score": "score"}


def survey(identity, n=1):
    return ("id,score,comment\n" + "".join(f"{identity}{i or ''},9,良い\n" for i in range(n))).encode()


def read(*paths, kind="survey", columns=COLUMNS):
    return read_source(SourceSpec("survey", kind, tuple(map(str, paths)), columns), "Asia/Tokyo")


def ids(*paths, **options):
    return read(*paths, **options).feedback["feedback_id"].to_list()


def refused(path, message, **options):
    with pytest.raises(InputError, match=message) as caught:
        read(path, **options)
    assert "\n" not in str(caught.value)


def packed(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return out.getvalue()


def test_globs_folders_and_single_files_in_the_order_of_their_names(tmp_path):
    for name in ("b.csv", "a.csv", "notes.pdf", ".hidden.csv", "~$a.csv"):
        (tmp_path / name).write_bytes(survey(name[0]))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.csv").write_bytes(survey("c"))
    assert ids(tmp_path / "*.csv") == ["a", "b"]
    assert ids(tmp_path) == ["a", "b", "c"]
    assert ids(tmp_path / "**" / "*.csv") == ["a", "b", "c"]


def test_a_name_that_looks_like_a_pattern(tmp_path):
    (tmp_path / "survey[1].csv").write_bytes(survey("A"))
    assert ids(tmp_path / "survey[1].csv") == ["A"]


def test_a_pattern_without_a_match(tmp_path):
    refused(tmp_path / "*.csv", "no such file; check path of source 'survey'")


def test_links_that_go_in_circles(tmp_path):
    (tmp_path / "a.csv").write_bytes(survey("A"))
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "same.csv").symlink_to(tmp_path / "a.csv")
    assert ids(tmp_path) == ["A"]
    assert ids(tmp_path / "**" / "*.csv") == ["A"]
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    refused(tmp_path / "loop.csv", "cannot be read")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    refused(tmp_path / "pipe.csv", "cannot be read")


def test_gz_and_zip_with_several_members(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(survey("A")))
    (tmp_path / "b.zip").write_bytes(packed(two__csv=survey("C"), one__csv=survey("B"), readme__md=b"x"))
    reading = read(tmp_path)
    assert reading.feedback["feedback_id"].to_list() == ["A", "B", "C"]
    assert reading.feedback["file"].to_list() == ["a.csv.gz", "b.zip/one.csv", "b.zip/two.csv"]


def test_archives_named_as_if_they_were_none(tmp_path):
    (tmp_path / "a.csv").write_bytes(gzip.compress(survey("A")))
    (tmp_path / "b.csv").write_bytes(packed(b__csv=survey("B")))
    assert ids(tmp_path) == ["A", "B"]


def test_names_in_archives_of_japanese_windows(tmp_path):
    data = packed(ABCDEF__csv=survey("A")).replace(b"ABCDEF", "調査表".encode("cp932"))
    (tmp_path / "a.zip").write_bytes(data)
    assert read(tmp_path / "a.zip").feedback["file"].to_list() == ["a.zip/調査表.csv"]


def test_any_url_that_fsspec_knows():
    with fsspec.open("memory://exports/a.csv", "wb") as out:
        out.write(survey("A"))
    with fsspec.open("memory://exports/b.csv.gz", "wb") as out:
        out.write(gzip.compress(survey("B")))
    assert ids("memory://exports/a.csv") == ["A"]
    assert ids("memory://exports/*") == ["A", "B"]
    refused("memory://exports/none.csv", "no such file")
    refused("memory://none/*.csv", "no such file")
    refused("nosuchscheme://user:geheim@host/a.csv?token=geheim", r"nosuchscheme://host/a.csv: cannot be read")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_file_on_a_web_server(tmp_path):
    (tmp_path / "a.csv").write_bytes(survey("A"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            assert ids(f"{address}/a.csv?token=x") == ["A"]
            refused(f"{address}/none.csv", "none.csv: no such file")
        finally:
            server.shutdown()
            thread.join()


def test_a_file_that_grows_while_it_is_read_ends_where_it_ended(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(survey("A", 3))
    with_more = files.members(SourceSpec("survey", "survey", (str(path),), COLUMNS))
    member = next(with_more)
    path.write_bytes(survey("A", 3) + b"late,9,x\n")
    with member.open() as stream:
        assert stream.read() == survey("A", 3)
    path.write_bytes(b"id")
    with member.open() as stream, pytest.raises(InputError, match="became shorter while it was read"):
        stream.read()
    with_more.close()


# --- hostile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [gzip.compress(survey("A", 500))[:60], packed(a__csv=survey("A", 500))[:80], packed(a__csv=survey("A", 500))[:-4]])
def test_archives_that_end_too_early(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "the archive is damaged or incomplete")


def test_archive_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1 << 20)
    nothing = b"0" * (30 << 20)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(nothing))
    refused(tmp_path / "a.csv.gz", "if it is no archive bomb, unpack it first")
    (tmp_path / "a.zip").write_bytes(packed(a__csv=nothing))
    refused(tmp_path / "a.zip", "if it is no archive bomb, unpack it first")


def test_an_archive_that_lies_about_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1 << 20)
    data = packed(a__csv=b"0" * (30 << 20))
    at = data.index(b"PK\1\2") + 24
    (tmp_path / "a.zip").write_bytes(data[:at] + struct.pack("<I", 1000) + data[at + 4 :])
    refused(tmp_path / "a.zip", "a.zip")


def test_archives_in_archives_with_passwords_or_without_data(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed(b__zip=packed(c__csv=survey("A"))))
    refused(tmp_path / "a.zip", "an archive inside an archive")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(gzip.compress(survey("A"))))
    refused(tmp_path / "b.csv.gz", "an archive inside an archive")
    (tmp_path / "c.zip").write_bytes(packed(readme__md=b"x"))
    refused(tmp_path / "c.zip", "no file that can be read in this archive")
    data = bytearray(packed(a__csv=survey("A")))
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "d.zip").write_bytes(bytes(data))
    refused(tmp_path / "d.zip", "needs a password")


def test_a_workbook_that_claims_every_cell_there_is(tmp_path):
    """Decoded in this process it would end it: 16,384 x 1,048,576 cells are asked for at once."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "id", "x"
    book.save(tmp_path / "a.xlsx")
    refused(tmp_path / "a.xlsx", "not a readable xlsx file, or one that needs more than 4 GB")


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path, monkeypatch):
    from pipeline.read import sheets

    monkeypatch.setattr(sheets, "MAX_UNPACKED", 1 << 20)
    (tmp_path / "a.xlsx").write_bytes(packed(**{"xl/workbook__xml": b" " * (2 << 20)}))
    refused(tmp_path / "a.xlsx", "a workbook that unpacks to 2 MB; save it as CSV")


def test_an_old_or_locked_workbook(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    refused(tmp_path / "a.xlsx", "an old or password-protected Excel file")


@pytest.mark.parametrize(
    "cell", ['"' + ("あ" * 99 + "\n") * 20_000 + '"', "あ" * 17_000_000, "あ" * 1_000_001], ids=["lines", "one line", "over the limit"]
)
def test_an_enormous_cell_costs_its_row(tmp_path, cell):
    path = tmp_path / "a.csv"
    path.write_bytes(survey("A") + f"B,9,{cell}\nC,9,良い\n".encode())
    reading = read(path)
    assert reading.feedback["feedback_id"].to_list() == ["A", "C"]
    assert reading.quarantine["reason"].to_list() == ["a cell is longer than 1,000,000 characters"]


def test_ten_thousand_columns(tmp_path):
    path = tmp_path / "a.csv"
    more = ",".join(f"c{i}" for i in range(10_000))
    path.write_text(f"id,score,comment,{more}\nA,9,良い,{more}\nB,9,良い\n")
    reading = read(path)
    assert reading.feedback["text"].to_list() == ["良い"]
    assert reading.quarantine["reason"].to_list() == ["the row has 3 cells, the header 10003"]


def test_marks_of_writing_direction_and_nul_bytes_go(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,score,comment\nA\u202eB\0,9,良\u202eい\0\u200b\n")
    assert read(path).feedback.select("feedback_id", "text").row(0) == ("AB", "良い")


def test_deep_json_costs_its_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "A", "score": 9, "comment": "x"}\n' + '{"comment": ' * 100_000 + "\n" + "[" * 100_000 + "\n")
    reading = read(path)
    assert (reading.feedback.height, reading.quarantine["row"].to_list()) == (1, [2, 3])


def test_quarantine_leaves_out_ids_that_are_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,score,comment\nA,9,x\nk@example.com,99,x\n080-0000-1234,99,x\nとても困りました,99,x\nR-7,99,x\n")
    assert read(path).quarantine["feedback_id"].to_list() == [None, None, None, "R-7"]
