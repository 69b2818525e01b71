"""The command line: ``kikitori demo``, ``run``, ``report``, ``themes``, ``forget`` and ``doctor``."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows import themes
from flows.errors import one_line_errors

# Customers' words stay on this machine: Prefect's and the model hub's telemetry is off before either is imported.
SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "DASK_LOGGING__DISTRIBUTED": "error",  # its own lines on workers that come and go; what fails is an error of ours
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # a busy machine needs more than the default 20 s
}
DEMO = Path(__file__).parent.parent / "configs" / "demo" / "demo.toml"
DEMO_NIGHTS = ("2026-11-15", "2026-11-22")

PACKAGES = ("kikitori", "torch", "sentence-transformers", "spacy", "ginza", "SudachiPy", "SudachiDict-core", "prefect")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(themes.app, name="themes")


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("out/demo")) -> None:
    """Run the shipped sample through the real nightly flow: two nights, a week apart."""
    for night in DEMO_NIGHTS:
        _run_night(DEMO, night, out)


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="The deployment's TOML file.")],
    date_: Annotated[str | None, typer.Option("--date", help="Business date, e.g. 2026-11-22; default today.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the nights go; default as configured.")] = None,
) -> None:
    """Run one night."""
    _run_night(config, date_, out)


@app.command()
def report(
    config: Annotated[Path, typer.Argument(help="The deployment's TOML file.")],
    date_: Annotated[str | None, typer.Option("--date", help="The night; default the newest.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the nights go; default as configured.")] = None,
) -> None:
    """Render a stored night again, without models and without reading any source."""
    with one_line_errors():
        from flows.config import ConfigError, load_config
        from flows.deployment import deployment
        from flows.publish import write_pages

        settings = load_config(config)
        day = _checked_date(date_) if date_ else None
        folder = out or settings.out
        with deployment(settings, folder) as store:
            stored = store.dates()
            if not stored:
                raise ConfigError(f"no night is stored in {folder} yet; kikitori run stores one")
            written = write_pages(store, day or stored[-1], folder, language=settings.report.language)
    typer.echo(f"{written / 'report.html'}")


@app.command()
def forget(
    config: Annotated[Path, typer.Argument(help="The deployment's TOML file.")],
    customer: Annotated[str | None, typer.Option(help="A customer's id, as the exports have it.")] = None,
    feedback: Annotated[str | None, typer.Option(help="A response's id, as the exports have it.")] = None,
    source: Annotated[str | None, typer.Option(help="The response's source; default every source.")] = None,
    by: Annotated[str | None, typer.Option(help="Who asks for it; default the user of this process.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the nights go; default as configured.")] = None,
) -> None:
    """Erase a customer or a response: text, vectors, cache and every quote; refused from now on."""
    import getpass

    with one_line_errors():
        from flows.config import load_config
        from flows.erase import forget as forget_in

        settings = load_config(config)
        who = by or getpass.getuser()
        erased = forget_in(settings, out or settings.out, by=who, customer=customer, feedback=feedback, source=source)
    typer.echo(
        f"erased {erased.n_feedback} responses, {erased.n_units} units, {erased.n_quarantine} quarantined rows, "
        f"{erased.n_cache} cache rows; {len(erased.nights)} nights rendered again; refused from now on"
    )


@app.command()
def doctor(config: Annotated[Path | None, typer.Argument(help="A config to check, too.")] = None) -> None:
    """Say what is installed, which model is used and whether the database answers."""
    from importlib.metadata import version

    from models.embedding import Encoder

    for name in PACKAGES:
        typer.echo(f"{name} {version(name)}")
    with one_line_errors():
        if config is None:
            typer.echo(f"model {Encoder.from_pretrained().model_id}")
            return
        from flows.config import load_config
        from flows.deployment import store_url
        from pipeline.store import Store

        settings = load_config(config)
        typer.echo(f"model {Encoder.from_pretrained(settings.embedding.model).model_id}")
        settings.out.mkdir(parents=True, exist_ok=True)
        with Store.open(store_url(settings, settings.out)) as store:
            typer.echo(f"store answers; {len(store.nights())} nights")


def main() -> None:
    """Run the command line."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    app()


def _run_night(config: Path, business_date: str | None, out: Path | None) -> None:
    from flows.config import load_config
    from flows.progress import terminal_progress

    with one_line_errors():
        if business_date is not None:
            _checked_date(business_date)
        load_config(config)  # what can be refused before the models are loaded is refused here
        from flows.nightly import nightly

        with terminal_progress():
            folder = nightly(str(config), business_date, str(out) if out else None)
    typer.echo(f"{Path(folder) / 'report.html'}")


def _checked_date(value: str) -> date:
    from flows.config import ConfigError

    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ConfigError(f"--date must look like 2026-11-22; got {value!r}") from None
