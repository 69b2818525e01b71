"""The command line: nights, the server with its forms, themes, erasure, and what is installed."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows import themes
from flows.environment import ALWAYS, COMMAND_LINE, WITH_WORKERS, serving, set_defaults
from flows.errors import one_line_errors

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
    unless_published: Annotated[bool, typer.Option("--unless-published", help="Not if it is published.")] = False,
    wait: Annotated[int, typer.Option(help="Minutes to wait for a run that is under way.")] = 0,
) -> None:
    """Run one night, again if it is published already."""
    _run_night(config, date_, out, force=not unless_published, wait=wait)


@app.command()
def serve(
    configs: Annotated[list[Path], typer.Argument(help="The deployments' TOML files.")],
    port: Annotated[int, typer.Option(help="Of the UI, the API and the reports.")] = 4200,
    host: Annotated[str, typer.Option(help="The address to listen on; others have no password.")] = "127.0.0.1",
    home: Annotated[Path | None, typer.Option(help="Prefect's folder; default OUT/.prefect.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="Another name browsers call this machine by.")] = None,
    pool: Annotated[str | None, typer.Option(help="Leave the runs to the workers of this work pool.")] = None,
) -> None:
    """Serve the Prefect UI, the schedules, the forms and the reports, in one process; runs are its children."""
    with one_line_errors():
        from flows.config import load_config

        place = (home or load_config(configs[0]).out / ".prefect").resolve()
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        set_defaults(serving(place, host, port), WITH_WORKERS if pool else {})
        from flows.serve import serve as serve_all

        typer.echo(f"http://{host}:{port}")
        serve_all(configs, host=host, port=port, names=name or (), pool=pool)


@app.command()
def deploy(
    config: Annotated[Path, typer.Argument(help="The deployment's TOML file.")],
    pool: Annotated[str, typer.Option(help="The work pool whose workers run it.")],
) -> None:
    """Register the schedule and the forms on the Prefect server of PREFECT_API_URL, for the workers of a pool."""
    with one_line_errors():
        import asyncio

        from flows.deploy import register

        asyncio.run(register(config, pool))
    typer.echo(f"{config}: registered for the workers of {pool}")


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
            written = write_pages(store, day or stored[-1], folder, told=settings.report.told())
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
    typer.echo(erased.told)


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
        wanted = settings.embedding
        encoder = Encoder.from_pretrained(
            wanted.model, prompt=wanted.prompt, device=wanted.device, precision=wanted.precision
        )
        typer.echo(f"model {encoder.model_id}")
        settings.out.mkdir(parents=True, exist_ok=True)
        with Store.open(store_url(settings, settings.out)) as store:
            typer.echo(f"store answers; {len(store.nights())} nights")


def main() -> None:
    """Run the command line."""
    set_defaults(ALWAYS)
    app()


def _run_night(config: Path, business_date: str | None, out: Path | None, *, force: bool = True, wait: int = 0) -> None:
    from flows.config import load_config
    from flows.progress import terminal_progress

    set_defaults(COMMAND_LINE)
    with one_line_errors():
        day = _checked_date(business_date) if business_date else None
        settings = load_config(config)  # what can be refused before the models are loaded is refused here
        folder, day = out or settings.out, day or datetime.now(settings.zone).date()
        from flows.nightly import nightly
        from flows.outcome import INCOMPLETE

        with terminal_progress():
            state = nightly(str(config), day, force, str(folder), wait_minutes=wait, return_state=True)
        if state.name != INCOMPLETE:
            state.result()  # raises what went wrong
    typer.echo(f"{folder / day.isoformat() / 'report.html'}")
    if state.name == INCOMPLETE:
        print(f"kikitori: {state.message}", file=sys.stderr)
        raise typer.Exit(2)


def _checked_date(value: str) -> date:
    from flows.config import ConfigError

    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ConfigError(f"--date must look like 2026-11-22; got {value!r}") from None
