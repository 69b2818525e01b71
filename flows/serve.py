"""Server, schedules and forms in one process: what ``kikitori serve`` starts."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import prefect
import uvicorn
from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.runner import Runner
from prefect.server.api.server import create_app

from flows.automations import announce_failures
from flows.config import ConfigError, load_config
from flows.deploy import delete_others, deployments_of, drop_schedule, register
from flows.links import slug
from flows.runs import close_runs, living_runs
from flows.web import OwnOrigin, reports

LOCAL = ("127.0.0.1", "localhost")
START = 180
"""Seconds the server may take to start on a busy machine."""


def serve(
    configs: Sequence[Path], *, host: str, port: int, names: Sequence[str] = (), pool: str | None = None
) -> None:
    """Serve the deployments until the process is told to end.

    The settings of :mod:`flows.environment` must be in force. Runs are processes of their own.

    Parameters
    ----------
    host, port, names
        Where to listen, and by which other names browsers and workers may call this server.
    pool : str, optional
        The work pool whose workers run everything; made where it is missing. Default: this process does.

    Raises
    ------
    ConfigError
        If a config cannot be used, two have one name, or the port is taken.
    """
    folders = {slug(path): load_config(path).out for path in configs}
    if len(folders) < len(configs):
        raise ConfigError("two of the configs have the same file name, which is their name in the UI; rename one")
    _check_free(host, port)
    with _server(folders, frozenset(f"{name}:{port}" for name in {host, *LOCAL, *names}), host, port) as failed:
        asyncio.run(_run(configs, failed) if pool is None else _wait(configs, pool, failed))
    if failed.is_set():
        raise RuntimeError("the server ended; see its log")


async def _wait(configs: Sequence[Path], pool: str, failed: threading.Event) -> None:
    """Register the deployments for the workers of a pool, and stay until told to end."""
    for path in configs:
        await register(path, pool)
    await _told(failed)


async def _run(configs: Sequence[Path], failed: threading.Event) -> None:
    runner = Runner(name="kikitori", pause_on_shutdown=False)
    ids: dict[Path, list[UUID]] = {}
    for path in configs:
        ids[path] = []
        for deployment in deployments_of(path):
            ids[path].append(await runner.aadd_deployment(deployment))
            await drop_schedule(ids[path][-1], deployment)
    await asyncio.to_thread(_recover, {deployment for served in ids.values() for deployment in served})
    for path, served in ids.items():
        await asyncio.to_thread(announce_failures, path, served)
    watched = asyncio.create_task(_until_told(runner, failed))  # after start, whose own handler would not stop it
    await runner.start()
    await watched


async def _until_told(runner: Runner, failed: threading.Event) -> None:
    """Stop the runner, and the runs under way with it, on a signal or when the server has ended."""
    await _told(failed)
    await runner.astop()


async def _told(failed: threading.Event) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    while not failed.is_set() and not told.is_set():
        await asyncio.sleep(0.5)


def _recover(served: set[UUID]) -> None:
    """Put in order what the last process left: deployments it alone had, runs without a process, slots they held.

    Nothing but this process runs the deployments of this server, so whoever held a slot is gone.
    """
    delete_others(served)
    close_runs(served, but=living_runs())
    with get_client(sync_client=True) as client:
        for deployment_id in served:
            limit = client.read_deployment(deployment_id).global_concurrency_limit
            if limit:
                client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))


@contextmanager
def _server(folders: dict[str, Path], hosts: frozenset[str], host: str, port: int) -> Iterator[threading.Event]:
    """Run the Prefect server in a thread; the event is set when it ends by itself."""
    prefect.__ui_v2_static_path__ = Path("/nonexistent")  # it asks an analytics host, see flows.web
    app = create_app(final=True)
    app.router.routes.insert(0, reports(folders))
    config = uvicorn.Config(
        OwnOrigin(app, hosts), host=host, port=port, log_level="warning", timeout_keep_alive=60, ws="websockets-sansio"
    )
    server, failed = uvicorn.Server(config), threading.Event()

    def run() -> None:
        try:
            server.run()
        finally:
            if not server.should_exit:
                failed.set()

    thread = threading.Thread(target=run, name="prefect-server", daemon=True)
    thread.start()
    try:
        _until_started(server, thread)
        yield failed
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def _until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(10 * START):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.1)
    raise RuntimeError("the Prefect server did not start; see its log")


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind((host, port))
        except OSError as error:
            raise ConfigError(f"--port {port} on {host} cannot be used: {error.strerror}; give another") from None
