"""Where readers find a published page: the base address of the reports, and a deployment's place below it."""

import os
import re
import unicodedata
from pathlib import Path

from flows.config import Config

BASE = "KIKITORI_REPORTS_URL"
"""The environment variable by which ``kikitori serve`` tells its runs where it serves the reports."""


def slug(config_path: str | Path) -> str:
    """Return a deployment's short name: its config file's, in lower case, as artifact keys and addresses have it.

    Examples
    --------
    >>> slug("configs/Carrier NPS.toml")
    'carrier-nps'
    """
    plain = unicodedata.normalize("NFKD", Path(config_path).stem).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "kikitori"


def link_to(page: Path, config: Config, config_path: str | Path, folder: Path) -> str:
    """Return the address of a page below a deployment's folder; a file's where nobody serves the folder."""
    served = os.environ.get(BASE)
    base = config.report.url or (served and f"{served}/{slug(config_path)}")
    if not base or folder.resolve() != config.out.resolve():
        return page.resolve().as_uri()
    return f"{base}/{page.resolve().relative_to(folder.resolve()).as_posix()}"
