"""Progress of long work, shown as bars in the terminal while one is open, and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_bars: ContextVar[Progress | None] = ContextVar("bars", default=None)


@contextmanager
def terminal_progress() -> Iterator[None]:
    """Show the bars of every :func:`stage` that moves inside the block, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        token = _bars.set(bars)
        try:
            yield
        finally:
            _bars.reset(token)


def stage(description: str) -> Callable[[int, int], None]:
    """Return a callback (done, total) that draws one bar from its first call on; silent where none are shown."""
    bars = _bars.get()
    shown: list[TaskID] = []

    def move(done: int, total: int) -> None:
        if bars is None:
            return
        if not shown:
            shown.append(bars.add_task(description, total=total))
        bars.update(shown[0], completed=done, total=total)

    return move
