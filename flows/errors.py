"""What an operator sees of an error: one line and exit status 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn an unusable config, input, store, worker or decision into one line on standard error and exit status 2."""
    from flows.config import ConfigError
    from flows.deployment import BusyError, UnwritableError
    from flows.engines import WorkerError
    from pipeline.read import InputError
    from pipeline.store import StoreError
    from pipeline.themes.curation import CurationError

    try:
        yield
    except (BusyError, ConfigError, CurationError, InputError, StoreError, UnwritableError, WorkerError) as error:
        print(f"kikitori: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
