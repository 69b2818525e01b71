"""``kikitori themes …``: look at the registry, and decide what it may not decide by itself."""

import csv
import getpass
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.errors import one_line_errors

app = typer.Typer(no_args_is_help=True, help="List and curate the themes; every later night honours it.")

ConfigArgument = Annotated[Path, typer.Argument(help="The deployment's TOML file.")]
ThemeArgument = Annotated[str, typer.Argument(help="A theme's id, e.g. T0003.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Where the nights are; default as configured.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="First night it holds for; default: the one after the newest night.")
]


@app.command("list")
def list_(config: ConfigArgument, out: OutOption = None, all_: Annotated[bool, typer.Option("--all")] = False) -> None:
    """Show the themes with their ids; --all shows retired ones, too."""
    from rich.console import Console
    from rich.table import Table

    from flows.curation import list_themes

    with one_line_errors(), _store(config, out) as store:
        rows = list_themes(store, everything=all_)
    table = Table("ID", "テーマ", "上位", "状態", "回答", "最初の夜", "最後の夜", "印", "キーワード")
    for row in rows:
        table.add_row(
            row.theme_id, row.name, row.parent, row.status, row.n_feedback, row.first_seen, row.last_seen, row.marks,
            "、".join(row.keywords),
        )  # fmt: skip
    Console(width=None if Console().is_terminal else 160).print(table)


@app.command()
def history(config: ConfigArgument, out: OutOption = None) -> None:
    """Show every decision, and what became of themes in each night."""
    from flows.curation import told_history

    with one_line_errors(), _store(config, out) as store:
        lines = told_history(store)
    typer.echo("\n".join(lines) or "no decisions and no nights so far")


@app.command()
def rename(
    config: ConfigArgument, theme: ThemeArgument, name: str, by: ByOption = None, from_: FromOption = None,
    out: OutOption = None,
) -> None:  # fmt: skip
    """Give a theme a name; no night changes it again."""
    _decide(config, out, by, from_, "rename", theme, {"name": name})


@app.command()
def merge(
    config: ConfigArgument, theme: ThemeArgument, into: Annotated[str, typer.Argument(help="The theme that stays.")],
    by: ByOption = None, from_: FromOption = None, out: OutOption = None,
) -> None:  # fmt: skip
    """Count a theme as part of another one from now on."""
    _decide(config, out, by, from_, "merge", theme, {"into": into})


@app.command()
def split(
    config: ConfigArgument, theme: ThemeArgument,
    parts: Annotated[int, typer.Option(help="How many themes it becomes.")] = 2,
    by: ByOption = None, from_: FromOption = None, out: OutOption = None,
) -> None:  # fmt: skip
    """Split a theme; its largest part keeps the id, the others get new ones."""
    _decide(config, out, by, from_, "split", theme, {"parts": parts})


@app.command()
def pin(config: ConfigArgument, theme: ThemeArgument, by: ByOption = None, from_: FromOption = None,
        out: OutOption = None) -> None:  # fmt: skip
    """Keep a theme alive, even while nobody speaks of it."""
    _decide(config, out, by, from_, "pin", theme, {})


@app.command()
def unpin(config: ConfigArgument, theme: ThemeArgument, by: ByOption = None, from_: FromOption = None,
          out: OutOption = None) -> None:  # fmt: skip
    """Let a pinned theme go dormant again."""
    _decide(config, out, by, from_, "unpin", theme, {})


@app.command()
def hide(config: ConfigArgument, theme: ThemeArgument, by: ByOption = None, from_: FromOption = None,
         out: OutOption = None) -> None:  # fmt: skip
    """Leave a theme out of the report; it is counted all the same."""
    _decide(config, out, by, from_, "hide", theme, {})


@app.command()
def unhide(config: ConfigArgument, theme: ThemeArgument, by: ByOption = None, from_: FromOption = None,
           out: OutOption = None) -> None:  # fmt: skip
    """Show a hidden theme again."""
    _decide(config, out, by, from_, "unhide", theme, {})


@app.command()
def move(
    config: ConfigArgument, phrase: Annotated[str, typer.Argument(help="Words as they stand in the comments.")],
    theme: ThemeArgument, by: ByOption = None, from_: FromOption = None, out: OutOption = None,
) -> None:  # fmt: skip
    """Put every unit that holds a phrase into a theme."""
    _decide(config, out, by, from_, "move", theme, {"phrase": phrase})


@app.command()
def retire(config: ConfigArgument, theme: ThemeArgument, by: ByOption = None, from_: FromOption = None,
           out: OutOption = None) -> None:  # fmt: skip
    """End a theme: its units belong to none from now on, and it does not come back by itself."""
    _decide(config, out, by, from_, "retire", theme, {})


@app.command()
def refit(config: ConfigArgument, by: ByOption = None, from_: FromOption = None, out: OutOption = None) -> None:
    """Find themes afresh in the next night and match them to the known ones."""
    _decide(config, out, by, from_, "refit", None, {})


@app.command()
def undo(
    config: ConfigArgument, number: Annotated[int, typer.Argument(help="The decision's number in the history.")],
    by: ByOption = None, from_: FromOption = None, out: OutOption = None,
) -> None:  # fmt: skip
    """Undo a decision; it stays in the history."""
    _decide(config, out, by, from_, "undo", None, {"number": number})


@app.command()
def export(
    config: ConfigArgument,
    file: Annotated[
        Path | None,
        typer.Argument(help="FILE.toml or FILE.xlsx: a codebook; FILE.csv or FILE.json: a list. Default: JSON here."),
    ] = None,
    date_: Annotated[str | None, typer.Option("--date", help="Night of a codebook; default the newest.")] = None,
    out: OutOption = None,
) -> None:
    """Write the themes to edit: a codebook that a config can name (themes.codebook), or a list."""
    from flows.codebooks import WRITERS, export_codebook
    from flows.config import load_config
    from flows.curation import export_themes

    with one_line_errors(), _store(config, out) as store:
        if file and file.suffix.lower() in WRITERS:
            n = export_codebook(store, load_config(config).title, file, _night(date_, "--date"))
        else:
            rows = export_themes(store)
            n = len(rows)
    if file is None:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if file.suffix.lower() not in WRITERS:
        text = _csv(rows) if file.suffix == ".csv" else json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
        file.write_text(text, encoding="utf-8-sig" if file.suffix == ".csv" else "utf-8")
    typer.echo(f"{file}: {n} themes")


def _decide(
    config: Path, out: Path | None, by: str | None, from_: str | None, kind: str, theme: str | None,
    detail: dict[str, Any],
) -> None:  # fmt: skip
    from flows.curation import decide

    with one_line_errors(), _store(config, out) as store:
        decision = decide(store, kind, theme, detail, made_by=by or getpass.getuser(), holds_from=_night(from_))
    from pipeline.themes.curation import told

    typer.echo(f"{decision.number} {told(decision)} (from the night of {decision.holds_from}; "
               f"kikitori themes undo CONFIG {decision.number} takes it back)")  # fmt: skip


@contextmanager
def _store(config: Path, out: Path | None) -> Iterator[Any]:
    from flows.config import ConfigError, load_config
    from pipeline.store import Store

    settings = load_config(config)
    folder = out or settings.out
    if settings.store is None and not (folder / "kikitori.db").exists():
        raise ConfigError(f"no nights at {folder}; run one first with kikitori run {config}")
    with Store.open(settings.store or f"sqlite:///{folder / 'kikitori.db'}") as store:
        yield store


def _night(value: str | None, option: str = "--from") -> date | None:
    from flows.config import ConfigError

    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ConfigError(f"{option} must look like 2026-11-22; got {value!r}") from None


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["theme_id"])
    writer.writeheader()
    for row in rows:
        writer.writerow({k: " / ".join(v) if isinstance(v, list) else v for k, v in row.items()})
    return text.getvalue()
