"""Have a deployment's folder and database for oneself: one run at a time, whatever became of the last one."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from flows.config import Config, ConfigError
from flows.explorations import remove_outdated
from flows.locks import LOCK, BusyError, in_time, locked
from flows.publish import clear_workspace, finish_pages
from pipeline.store import Store

_UNWRITABLE = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EFBIG: "files may not be that large here: raise the limit, then run again",
    errno.EROFS: "make it writable, or set another out",
    errno.EACCES: "make it writable, or set another out",
    errno.EPERM: "make it writable, or set another out",
    errno.ENOTDIR: "set out to a folder",
    errno.EEXIST: "set out to a folder",
    errno.EIO: "check the disk, then run again",
}


class UnwritableError(RuntimeError):
    """What a run leaves cannot be written; the message is one line."""


def store_url(config: Config, folder: Path) -> str:
    """Return where the deployment's database is: as configured, or in its folder."""
    return config.store or f"sqlite:///{folder / 'kikitori.db'}"


@contextmanager
def deployment(config: Config, folder: Path, *, night: date | None = None, wait: float = 0) -> Iterator[Store]:
    """Open a deployment for writing, alone; what a killed run left unfinished is finished first.

    Parameters
    ----------
    folder : Path
        Where its nights are published.
    night : date, optional
        The night that is about to run: its own pages need no finishing.
    wait : float
        Seconds to wait for another process to end.

    Raises
    ------
    BusyError
        If another process works on this folder or database until the wait is over. A killed process holds nothing.
    UnwritableError
        If the folder cannot be written, at the start or later.
    """
    with writable(folder), in_time(wait, lambda: _alone(config, folder)) as store:
        clear_workspace(folder)
        finish_pages(store, folder, but=night)
        remove_outdated(store, folder)
        yield store


def published_nights(config: Config, folder: Path) -> list[date]:
    """Return the dates of the stored nights, oldest first, while somebody else may be working."""
    if config.store is None and not (folder / "kikitori.db").exists():
        return []
    with Store.open(store_url(config, folder)) as store:
        return store.dates()


@contextmanager
def _alone(config: Config, folder: Path) -> Iterator[Store]:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for place in sorted({folder.resolve(), *_folder_of(store_url(config, folder))}):
            stack.enter_context(locked(place / LOCK))
        store = stack.enter_context(Store.open(store_url(config, folder)))
        if not stack.enter_context(store.running()):
            raise BusyError("another run is using this deployment's database; let it end, then run again")
        yield store


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn a full disk or a folder that may not be written into one clear line."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        where = error.filename2 or error.filename or folder
        reason = os.strerror(error.errno)
        raise UnwritableError(
            f"{where}: cannot be written ({reason}); {_UNWRITABLE[error.errno]}; what was published before is untouched"
        ) from error


def _folder_of(url: str) -> set[Path]:
    """Return the folder an SQLite file is in: two deployments' folders may share it."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError(f"store: {error}") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return set()
    folder = Path(parsed.database).resolve().parent
    return {folder} if folder.is_dir() else set()
