"""Work on many texts in shards, here or in workers; what a worker needs is imported there, once.

A worker is told the texts of a shard and gives back bytes. It has no store, no key and no config, and what it says
about a shard that failed holds no word of it. The one who hands out the shards is the only one who writes.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

Compute = Callable[[list[str]], list[bytes]]
SHARD_SIZE = 2_048  # comments a worker parses at a time: half a minute of one core, and some megabytes on the way


class Run(Protocol):
    """How shards are computed: the values of each shard, in the order of the shards."""

    def __call__(self, compute: Compute, shards: Sequence[list[str]]) -> Iterator[list[bytes]]:
        """Yield what ``compute`` returns for each shard."""


class ShardError(RuntimeError):
    """A shard could not be computed; the message says where the program stood, and nothing of the texts."""


class Shard:
    """Some texts, which no log can show by printing their holder."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def __repr__(self) -> str:
        """Return how many texts there are."""
        return f"<shard of {len(self.texts)} texts>"


def in_this_process(compute: Compute, shards: Sequence[list[str]]) -> Iterator[list[bytes]]:
    """Yield the values of each shard, computed here."""
    return map(compute, shards)


def compute_shard(compute: Compute, shard: Shard) -> list[bytes]:
    """Return the values of a shard, in a worker.

    Raises
    ------
    ShardError
        In place of any error: its message could quote a text.
    """
    try:
        return compute(shard.texts)
    except Exception as error:
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name} line {place.tb_lineno}" if place else "unknown place"
        raise ShardError(f"{type(error).__name__} in {where}, in a {shard!r}") from None


def start_worker(threads: int) -> None:
    """Prepare a worker process: so many threads for its arithmetic, and an end as soon as its parent has ended.

    Parsing needs no PyTorch, but spaCy imports it where it finds it: 190 MB and two seconds of each worker.
    """
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]  # how Python says: not to be imported
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent: Any = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
