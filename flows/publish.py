"""A night's folder: written beside its place, then renamed, so that a reader never sees half of it."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.report import Night, render_csv, render_html, render_markdown, render_workbook
from pipeline.summary import dump_summary


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


def publish_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files into a new folder and put it in the place of ``folder`` by renaming."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as workspace:
        fresh, old = Path(workspace) / "new", Path(workspace) / "old"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def write_file(path: Path, content: bytes) -> Path:
    """Replace one file in a single step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)
    return path
