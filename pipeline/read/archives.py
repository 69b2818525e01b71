"""Archives: their files as streams, never unpacked to more than a multiple of their size."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any, BinaryIO, cast

from pipeline.read.contract import InputError

MAX_BYTES = 8 << 30  # of one file, unpacked
MAX_RATIO = 200  # Japanese CSV packs to a tenth, at most a fortieth
ALWAYS_ALLOWED = 64 << 20  # below this no ratio is asked
MAX_MEMBERS = 10_000
TABLES = {".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx", ".xlsm", ".parquet"}
READABLE = TABLES | {".eml", ".gz", ".zip"}


@dataclass(frozen=True)
class Member:
    """One readable file, or one file of an archive.

    Attributes
    ----------
    name : str
        As quarantine and messages show it: file.csv, archive.zip/file.csv.
    kind : str
        A suffix: .xlsx, .parquet and archives by their content, others by their name.
    open : callable
        Gives a new stream of the same bytes each time.
    """

    name: str
    kind: str
    open: Callable[[], BinaryIO]



def members_inside(name: str, stream: Callable[[], BinaryIO], size: int) -> Iterator[Member]:
    """Yield the files of an archive, or the file itself where it is none."""
    with stream() as opened:
        kind = _kind(name, opened)
    if kind == ".gz":
        yield _unpacked_gz(name, stream, size)
    elif kind == ".zip":
        yield from _unpacked_zip(name, stream, size)
    elif kind == ".xls":
        raise InputError(f"{name}: an old or password-protected Excel file; save it as .xlsx without a password")
    else:
        yield Member(name, kind, stream)


def _kind(name: str, stream: BinaryIO) -> str:
    """Return a suffix by the first bytes where they tell, else by the name: exports are often named wrongly."""
    head = stream.read(8)
    suffix = PurePath(name).suffix.lower()
    if head.startswith(b"\x1f\x8b"):
        return ".gz"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return ".xls"
    if head.startswith(b"PAR1"):
        return ".parquet"
    if head.startswith(b"PK"):
        return ".xlsx" if suffix in {".xlsx", ".xlsm"} or _holds_workbook(stream) else ".zip"
    return suffix if suffix in READABLE or suffix == ".xls" else ".csv"


def _holds_workbook(stream: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except _UNPACKING:
        return False


def _unpacked_gz(name: str, stream: Callable[[], BinaryIO], size: int) -> Member:
    def opened() -> BinaryIO:
        packed = stream()
        return _guarded(gzip.GzipFile(fileobj=packed), name, size, packed)

    inner = PurePath(name).stem if name.lower().endswith(".gz") else name
    with opened() as first:
        kind = _kind(inner, first)
    if kind in {".gz", ".zip", ".xls"}:
        raise InputError(f"{name}: an archive inside an archive; unpack it once")
    return Member(name, kind, opened)


def _unpacked_zip(name: str, stream: Callable[[], BinaryIO], size: int) -> Iterator[Member]:
    packed = stream()
    with packed, _unpacking(name), zipfile.ZipFile(packed) as archive:
        entries = sorted(filter(_is_data, archive.infolist()), key=_entry_name)
        _check_entries(name, entries, size)
        for entry in entries:
            yield _zip_member(name, archive, entry, size)


def _check_entries(name: str, entries: list[zipfile.ZipInfo], size: int) -> None:
    if not entries:
        raise InputError(f"{name}: no file that can be read in this archive; expected csv, tsv, xlsx, jsonl or parquet")
    if len(entries) > MAX_MEMBERS:
        raise InputError(f"{name}: {len(entries):,} files in one archive; at most {MAX_MEMBERS:,} are read")
    if sum(entry.file_size for entry in entries) > _allowed(size):
        raise _too_large(name)
    if any(entry.flag_bits & 1 for entry in entries):
        raise InputError(f"{name}: the archive needs a password; save it without one")
    nested = next((e for e in entries if PurePosixPath(_entry_name(e)).suffix.lower() in {".zip", ".gz"}), None)
    if nested:
        raise InputError(f"{name}: an archive inside an archive; unpack it once")


def _zip_member(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int) -> Member:
    inner = printable(_entry_name(entry))

    def opened() -> BinaryIO:
        with _unpacking(name):
            return _guarded(cast(BinaryIO, archive.open(entry)), name, size)

    with opened() as first:
        return Member(f"{name}/{inner}", _kind(inner, first), opened)


def _is_data(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_entry_name(entry))
    hidden = any(part.startswith((".", "__MACOSX", "~$")) for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in READABLE


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; archives made on Japanese Windows have it in CP932 without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return entry.filename


_UNPACKING = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except _UNPACKING as error:
        raise InputError(f"{name}: the archive is damaged or incomplete ({type(error).__name__})") from None


def _guarded(stream: Any, name: str, size: int, *below: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Guarded(stream, name, _allowed(size), below), 1 << 18))


class _Guarded(io.RawIOBase):
    """An unpacked stream that ends with a clear message when it is damaged or too large."""

    def __init__(self, stream: Any, name: str, allowed: int, below: Sequence[BinaryIO]) -> None:
        self._stream, self._name, self._left, self._below = stream, name, allowed, below

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _unpacking(self._name):
            data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._name)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            for stream in self._below:
                stream.close()
        super().close()


def _allowed(size: int) -> int:
    return min(MAX_BYTES, max(ALWAYS_ALLOWED, MAX_RATIO * size))


def _too_large(name: str) -> InputError:
    return InputError(
        f"{name}: unpacks to more than {MAX_RATIO} times its size or {MAX_BYTES >> 30} GB; "
        "if it is no archive bomb, unpack it first"
    )


def printable(name: str) -> str:
    """Return a name as messages may show it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)
