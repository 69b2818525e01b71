"""The published folders: rendered from what the store holds, written beside their place, then renamed.

A night is stored first and rendered from what is stored, so any night can be rendered again, without models,
to the same bytes. A night whose pages were not written (a killed run) or are out of date (an erasure) is
pending in the store until they are.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from flows.config import ConfigError
from flows.keys import KEY_FILE
from pipeline.report import (
    Night,
    render_csv,
    render_html,
    render_index,
    render_markdown,
    render_theme_pages,
    render_workbook,
)
from pipeline.store import Store
from pipeline.summary import dump_summary

TABLES = ("units", "themes", "quarantine")
WORKSPACE = ".work"
"""The folder in OUT for what is being written; what a killed run left in it goes when the next one starts."""


def stored_tables(night: Night) -> dict:
    """Return what the store keeps of a night's pages: its tables, and the settings they are rendered with."""
    return {
        "tables": {name: getattr(night, name) for name in TABLES},
        "settings": {
            "title": night.title, "timezone": night.timezone, "language": night.language, "labels": dict(night.labels),
        },
    }


def stored_night(store: Store, business_date: date) -> Night:
    """Return a night as it is stored, ready to be rendered.

    Raises
    ------
    ConfigError
        If there is none of that date, or an older version stored it without its tables.
    """
    night = store.load_night(business_date)
    if night is None:
        known = ", ".join(day.isoformat() for day in store.dates()[-5:]) or "none"
        raise ConfigError(f"no night of {business_date} is stored; the last stored nights: {known}")
    if not set(TABLES) <= set(night.tables):
        raise ConfigError(f"the night of {business_date} was stored without its tables; run it again")
    tables = {name: night.tables[name] for name in TABLES}
    return Night(
        title=night.settings["title"],
        business_date=business_date.isoformat(),
        summary=night.summary,
        timezone=night.settings["timezone"],
        n_erased=night.n_erased,
        language=night.settings.get("language", "ja"),  # older versions wrote Japanese only
        labels=night.settings.get("labels", {}),
        **tables,
    )


def night_files(night: Night) -> dict[str, bytes]:
    """Return the content of every file of a night's folder, by file name."""
    return {
        "report.html": render_html(night).encode(),
        "report.xlsx": render_workbook(night),
        "report.md": render_markdown(night).encode(),
        "summary.json": dump_summary(night.summary),
        "units.csv": render_csv(night.units),
        "themes.csv": render_csv(night.themes),
        "quarantine.csv": render_csv(night.quarantine),
    }


def write_pages(store: Store, business_date: date, folder: Path, *, told: Mapping[str, Any] | None = None) -> Path:
    """Render a stored night into its folder, the pages of all nights with it; return the night's folder.

    Language and labels are those the night was stored with, unless others are `told`.
    """
    night = replace(stored_night(store, business_date), **(told or {}))
    published = publish_folder(night_files(night), folder / business_date.isoformat())
    write_history(store, folder, night.language)
    store.pages_written(business_date)
    return published


def write_history(store: Store, folder: Path, language: str) -> None:
    """Write what puts the nights side by side: ``index.html``, and a page per theme under ``themes/``."""
    nights = store.nights()
    pages = {name: page.encode() for name, page in render_theme_pages(nights, language).items()}
    publish_folder(pages, folder / "themes")
    write_file(folder / "index.html", render_index(nights, language).encode())


def finish_pages(store: Store, folder: Path, *, but: date | None = None) -> list[date]:
    """Write the pages of every pending night, except one that is about to run again; return their dates."""
    pending = [day for day in store.dates(pending=True) if day != but]
    for day in pending:
        write_pages(store, day, folder)
    return pending


def publish_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files into a new folder and put it in the place of ``folder`` by renaming."""
    workspace = folder.parent / WORKSPACE
    clear_workspace(folder.parent)
    fresh, old = workspace / "new", workspace / "old"
    fresh.mkdir(parents=True)
    for name, content in files.items():
        (fresh / name).write_bytes(content)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    clear_workspace(folder.parent)
    return folder


def clear_workspace(folder: Path) -> None:
    """Remove what a killed run had begun to write."""
    if (folder / WORKSPACE).exists():
        shutil.rmtree(folder / WORKSPACE)
    for partial in folder.glob(f"{KEY_FILE}.*"):
        partial.unlink()


def write_file(path: Path, content: bytes) -> Path:
    """Replace one file in a single step."""
    partial = path.parent / WORKSPACE / path.name
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(content)
    os.replace(partial, path)
    partial.parent.rmdir()
    return path
