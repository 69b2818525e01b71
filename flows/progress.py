"""Progress of long work, shown as bars in the terminal while one is open, and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_bars: ContextVar[Progress | None] = ContextVar("bars", default=None)


@contextmanager
def terminal_progress() -> Iterator[None]:
    """Show the bars of every :func:`stage` begun inside the block, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        token = _bars.set(bars)
        try:
            yield
        finally:
            _bars.reset(token)


def stage(description: str) -> Callable[[int, int], None]:
    """Return a callback (done, total) that moves one bar; it does nothing where no bars are shown."""
    bars = _bars.get()
    if bars is None:
        return lambda done, total: None
    bar = bars.add_task(description, total=None)
    return lambda done, total: bars.update(bar, completed=done, total=total)
