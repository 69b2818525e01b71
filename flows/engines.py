"""Where the shards of a night are computed: in this process, in worker processes, or on a Dask cluster.

Shards do not pass through Prefect's engine: no text becomes a parameter, a result or a log line of a task run.
"""

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flows.config import ConfigError, Workers
from pipeline.shards import Compute, Run, Shard, compute_shard, in_this_process, start_worker


class WorkerError(RuntimeError):
    """Workers ended, or cannot be reached; the message is one line."""


def engine_of(scale: Workers, workspace: Path) -> Run:
    """Return how this deployment computes shards.

    A single shard is computed in this process: starting workers, which load their models, would take longer.

    Parameters
    ----------
    scale : Workers
        The config's section `scale`.
    workspace : Path
        A folder of the deployment in which a temporary cluster may leave files while it runs.
    """
    if scale.engine == "local":
        return in_this_process
    workers = scale.workers or os.cpu_count() or 1
    opened = _processes(workers) if scale.engine == "processes" else _dask(scale.address, workers, workspace)

    def run(compute: Compute, shards: Sequence[list[str]]) -> Iterator[list[bytes]]:
        if len(shards) < 2:
            yield from in_this_process(compute, shards)
            return
        with opened() as submit:
            yield from _in_order(submit, compute, shards, ahead=2 * workers)

    return run


_Submit = Callable[[Compute, Shard], Any]


def _in_order(submit: _Submit, compute: Compute, shards: Sequence[list[str]], *, ahead: int) -> Iterator[list[bytes]]:
    """Yield results in the order of the shards; so many are under way that memory does not grow with their number."""
    waiting: deque[Any] = deque()
    for shard in shards:
        waiting.append(submit(compute, Shard(shard)))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _processes(workers: int) -> Callable[[], Any]:
    @contextmanager
    def opened() -> Iterator[_Submit]:
        # Spawned, not forked: this process has threads, and a forked copy of a lock they hold would never open.
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=start_worker, initargs=(1,))
        try:
            yield lambda compute, shard: pool.submit(compute_shard, compute, shard)
        except BrokenProcessPool:
            raise WorkerError(
                "a worker process ended before its time, as when memory runs out; what was computed is kept: "
                "set fewer scale.workers or a smaller scale.shard_size, then run again"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)

    return opened


def _dask(address: str | None, workers: int, workspace: Path) -> Callable[[], Any]:
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError:
        raise ConfigError("scale.engine: dask is not installed: pip install 'kikitori[dask]'") from None

    @contextmanager
    def opened() -> Iterator[_Submit]:
        spill = workspace / "dask"
        local = {
            "n_workers": workers,
            "threads_per_worker": 1,
            "local_directory": str(spill),
            "security": True,  # certificates of its own: other users of this machine can neither listen nor submit
            "protocol": "tls://",
            "host": "127.0.0.1",
            "dashboard_address": None,
        }
        if not address:
            spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with DaskTaskRunner(address=address) if address else DaskTaskRunner(cluster_kwargs=local) as runner:
                client = runner.client
                # Not pure: a key made of the texts would be a hash of a customer's words without a secret.
                yield lambda compute, shard: client.submit(compute_shard, compute, shard, pure=False)
        except (OSError, TimeoutError) as error:
            where = address or "a temporary cluster"
            raise WorkerError(f"Dask: {where} cannot be used ({type(error).__name__}); check scale.address") from None
        finally:
            shutil.rmtree(spill, ignore_errors=True)

    return opened
