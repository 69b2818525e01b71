"""Where the bytes are: files, folders, globs, archives and URLs, each read as it was when it was opened.

What is packed is unpacked as a stream and never to more than a multiple of its size, so an archive bomb costs
one line. A file that grows while it is read ends where it ended when it was opened.
"""

import gzip
import io
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from pipeline.read.contract import InputError, SourceSpec

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


def members(source: SourceSpec) -> Generator[Member, None, None]:
    """Yield every file of a source, in the order of their names; each may be opened until the next is asked for.

    Raises
    ------
    InputError
        If nothing is found, or something cannot be opened or unpacked.
    """
    for path in source.paths:
        found = _remote_paths(path, source) if "://" in path else _local_paths(path, source)
        for one in found:
            with _opened(one, source) as (stream, size):
                yield from _inside(_shown_name(one), stream, size)


# --- finding ---------------------------------------------------------------------------------------------------------


def _local_paths(path: str, source: SourceSpec) -> list[str]:
    try:
        if os.path.isdir(path):
            return _in_folder(path, source)
        if os.path.lexists(path) or not has_magic(path):
            return [path]
        anchor = Path(path).anchor
        pattern = str(PurePath(path).relative_to(anchor)) if anchor else path
        matches = Path(anchor or ".").glob(pattern)  # unlike glob.glob it follows no link below **
        found = _once([str(match) for match in matches if not match.is_dir() and not _is_hidden(match.name)])
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(path, source, error) from None
    if not found:
        raise InputError(f"{path}: no such file; check path of source {source.name!r}")
    return found


def _in_folder(path: str, source: SourceSpec) -> list[str]:
    """Return the readable files below a folder; links to folders are not followed, so a loop ends."""
    found = [
        os.path.join(folder, name)
        for folder, folders, names in os.walk(path)
        if not folders.sort()  # type: ignore[func-returns-value]
        for name in names
        if PurePath(name).suffix.lower() in READABLE and not _is_hidden(name)
    ]
    if not found:
        raise InputError(f"{path}: no file that can be read in this folder; check path of source {source.name!r}")
    return _once(found)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$"))  # ~$book.xlsx is Excel's lock


def _once(paths: Sequence[str]) -> list[str]:
    """Return the paths in order; of several links to one file the first."""
    return list({os.path.realpath(path): path for path in sorted(paths, reverse=True)}.values())[::-1]


def _remote_paths(url: str, source: SourceSpec) -> list[str]:
    import fsspec  # only for URLs

    if not has_magic(urlsplit(url).path):
        return [url]
    try:
        system, pattern = fsspec.core.url_to_fs(url)
        found = sorted(system.unstrip_protocol(path) for path in system.glob(pattern))
    except Exception as error:  # every file system has errors of its own
        raise _unreadable(url, source, error) from None
    if not found:
        raise InputError(f"{_shown_url(url)}: no such file; check path of source {source.name!r}")
    return found


# --- opening ---------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: str, source: SourceSpec) -> Iterator[tuple[Callable[[], BinaryIO], int]]:
    """Give a function that opens the file as it is now, and its size."""
    with ExitStack() as stack:
        try:
            file = _fetched(path) if "://" in path else _regular_file(path)
            size = os.fstat(stack.enter_context(file).fileno()).st_size
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError(
                f"{_shown_url(path)}: no such file; check path of source {source.name!r}"
            ) from None
        except Exception as error:  # every file system has errors of its own
            raise _unreadable(path, source, error) from None
        name = _shown_name(path)
        yield lambda: cast(BinaryIO, io.BufferedReader(_Window(file.fileno(), size, name), 1 << 18)), size


def _regular_file(path: str) -> BinaryIO:
    kind = os.stat(path).st_mode  # before opening: a pipe would wait for its writer
    if not stat.S_ISREG(kind):
        raise InputError(f"{path}: cannot be read (not a file)")
    return open(path, "rb")


def _fetched(url: str) -> BinaryIO:
    """Copy what is behind a URL into a nameless file: it may change between two looks."""
    import fsspec

    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        with fsspec.open(url, "rb") as stream:
            while block := stream.read(1 << 20):
                copy.write(block)
                if copy.tell() > MAX_BYTES:
                    raise InputError(f"{_shown_url(url)}: larger than {MAX_BYTES >> 30} GB; split the export")
        copy.flush()
    except BaseException:
        copy.close()
        raise
    return copy


class _Window(io.RawIOBase):
    """The first `size` bytes of a descriptor; several may read it at once."""

    def __init__(self, descriptor: int, size: int, name: str) -> None:
        self._descriptor, self._size, self._name, self._position = descriptor, size, name, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the start of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._position))
        data = os.pread(self._descriptor, wanted, self._position)
        if wanted and not data:
            raise InputError(f"{self._name}: the file became shorter while it was read; run again when it is written")
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


# --- unpacking -------------------------------------------------------------------------------------------------------


def _inside(name: str, stream: Callable[[], BinaryIO], size: int) -> Iterator[Member]:
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
    inner = _printable(_entry_name(entry))

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


# --- names and messages ----------------------------------------------------------------------------------------------


def _shown_name(path: str) -> str:
    name = PurePosixPath(urlsplit(path).path).name if "://" in path else PurePath(path).name
    return _printable(name or _shown_url(path))


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)


def _shown_url(path: str) -> str:
    """Return a path as messages may show it: a URL without user, password and query."""
    if "://" not in path:
        return _printable(path)
    parts = urlsplit(path)
    return _printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _unreadable(path: str, source: SourceSpec, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return InputError(f"{_shown_url(path)}: cannot be read ({reason}); check path of source {source.name!r}")
