"""Locks on folders: one process at a time, and none is left behind by a process that died."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LOCK = ".kikitori.lock"
POLL = 1.0
"""Seconds between two attempts to have for oneself what is busy."""


class BusyError(RuntimeError):
    """Another process works on the same deployment; the message is one line."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the kernel drops it when the process ends, however it ends."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            who = f"process {holder}" if holder.isdigit() else "another run"
            raise BusyError(f"{who} is working on {path.parent}; let it end, then run again") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def in_time(wait: float, opened: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter a context that may be busy, again and again until the wait in seconds is over."""
    ends = time.monotonic() + wait
    while True:
        with ExitStack() as stack:
            try:
                value = stack.enter_context(opened())
            except BusyError:
                if time.monotonic() >= ends:
                    raise
            else:
                yield value
                return
        time.sleep(POLL)
