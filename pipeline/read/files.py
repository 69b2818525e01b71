"""Where the bytes are: files, folders, globs and URLs, each read as it was when it was opened.

A file that grows while it is read ends where it ended when it was opened.
"""

import io
import os
import stat
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from glob import has_magic
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from pipeline.read.archives import MAX_BYTES, READABLE, Member, members_inside, printable
from pipeline.read.contract import InputError, SourceSpec


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
                yield from members_inside(_shown_name(one), stream, size)


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
    except InputError:
        raise
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


# --- names and messages ----------------------------------------------------------------------------------------------


def _shown_name(path: str) -> str:
    name = PurePosixPath(urlsplit(path).path).name if "://" in path else PurePath(path).name
    return printable(name or _shown_url(path))


def _shown_url(path: str) -> str:
    """Return a path as messages may show it: a URL without user, password and query."""
    if "://" not in path:
        return printable(path)
    parts = urlsplit(path)
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _unreadable(path: str, source: SourceSpec, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return InputError(f"{_shown_url(path)}: cannot be read ({reason}); check path of source {source.name!r}")
