"""What is seen of an error: one line and exit status 2 on the command line, nothing of a customer's in a log."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

_ROOT = Path(__file__).parent.parent
_ROOMS = ("flows", "pipeline", "models")


class Fault(RuntimeError):
    """A fault in kikitori; the message names the kind of error and the places in the code, and no value."""


def told_errors() -> tuple[type[Exception], ...]:
    """Return the errors whose message is one line for the operator, without a customer's words."""
    from flows.config import ConfigError
    from flows.deployment import UnwritableError
    from flows.engines import WorkerError
    from flows.locks import BusyError
    from flows.notify import NotifyError
    from pipeline.question import QuestionError
    from pipeline.read import InputError
    from pipeline.store import StoreError
    from pipeline.themes.curation import CurationError

    return (
        BusyError, ConfigError, CurationError, InputError, NotifyError, QuestionError, StoreError, UnwritableError,
        WorkerError,
    )  # fmt: skip


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn an unusable config, input, store, worker or decision into one line on standard error and exit status 2."""
    try:
        yield
    except told_errors() as error:
        print(f"kikitori: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


@contextmanager
def without_words() -> Iterator[None]:
    """Replace an error nobody foresaw by a :class:`Fault`: its message might quote what a customer wrote."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (Fault, OSError, *told_errors())):  # what the system says names files, not words
            raise
        raise Fault(described(error)) from None


def described(error: BaseException) -> str:
    """Return the kind of an error and where in our code it came from, innermost place first; no message of its own."""
    places = []
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if any(path.is_relative_to(_ROOT / room) for room in _ROOMS):
            places.append(f"{path.relative_to(_ROOT)}:{frame.lineno} {frame.name}")
    return f"{type(error).__name__} at {' < '.join(places[:8]) or 'an unknown place'}"
