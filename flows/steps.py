"""Flows and tasks as kikitori makes them: nothing is cached or kept, progress is shown, errors tell no words."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import Flow, flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from flows.errors import without_words
from pipeline.read import InputError

P = ParamSpec("P")
R = TypeVar("R")

AGAIN = {
    "retries": 2,
    "retry_delay_seconds": 5,
    "retry_condition_fn": lambda task, run, state: not isinstance(state.data, InputError),
}
"""For steps that depend on a disk or a network: what is wrong with a file does not mend itself."""


class _Progress:
    """One progress artifact, moved by every step that ends."""

    def __init__(self, key: str, description: str, n_steps: int) -> None:
        self.n_steps, self.done = n_steps, 0
        self.artifact: UUID = create_progress_artifact(0.0, key=key, description=description)  # type: ignore[assignment]

    def advance(self) -> None:
        self.done = min(self.done + 1, self.n_steps)
        update_progress_artifact(self.artifact, 100 * self.done / self.n_steps)


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)


@contextmanager
def shown_progress(key: str, description: str, n_steps: int) -> Iterator[None]:
    """Show in the Prefect UI how many of the steps inside the block are done."""
    token = _progress.set(_Progress(key, description, n_steps))
    try:
        yield
    finally:
        _progress.reset(token)


def told_flow(name: str, **options: Any) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Make a function a flow of this name, whose errors tell no customer's words."""

    def wrap(function: Callable[P, R]) -> Flow[P, R]:
        return flow(name=name, persist_result=False, **options)(_told(function))

    return wrap


def step(name: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a task of this name; what it returns stays in memory.

    Prefect would call a task cached by its own source code up to date when a function it calls has changed, and a
    kept result would be a second store of customers' words.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            value = _told(function)(*args, **kwargs)
            if shown := _progress.get():
                shown.advance()
            return value

        shown = {"task_run_name": name} | options
        return task(name=name, cache_policy=NO_CACHE, persist_result=False, **shown)(run)

    return wrap


def _told(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with without_words():
            return function(*args, **kwargs)

    return run
