"""Codebooks by name, and a night's themes written as one: ``kikitori themes export``."""

from datetime import date, timedelta
from pathlib import Path

from flows.config import Config, ConfigError
from pipeline.question import QuestionError
from pipeline.store import Store
from pipeline.themes.codebook_themes import codebook_of
from pipeline.themes.codebooks import to_excel, to_toml

WRITERS = {".toml": to_toml, ".xlsx": to_excel}
SHIPPED = Path(__file__).parent.parent / "configs" / "codebooks"
AS_CONFIGURED, NO_CODEBOOK = "設定のとおり", "使わない"
"""What a form offers beside the names."""


def known_codebooks(config: Config) -> dict[str, Path]:
    """Return the codebooks a question may name: those beside the configured one, and the shipped ones."""
    own = config.themes.codebook.parent if config.themes.codebook else None
    places = [SHIPPED, *([own] if own else [])]
    return {path.stem: path for place in places for path in sorted(place.glob("*.*")) if path.suffix in WRITERS}


def codebook_named(name: str, config: Config) -> Path:
    """Return the codebook's file.

    Raises
    ------
    QuestionError
        If there is none of that name.
    """
    known = known_codebooks(config)
    if name not in known:
        raise QuestionError(f"コードブック「{name}」はありません。あるのは {'、'.join(known) or 'なし'} です")
    return known[name]


def export_codebook(store: Store, title: str, file: Path, business_date: date | None = None) -> int:
    """Write the themes that were alive on a night into a .toml or .xlsx file; return how many.

    Parameters
    ----------
    store : Store
        Holds the nights.
    title : str
        The deployment's title.
    file : Path
        Where to write; an existing file is not overwritten.
    business_date : date, optional
        The night; default the newest.

    Raises
    ------
    ConfigError
        If the file exists, or there is no such night.
    """
    if file.exists():
        raise ConfigError(f"{file}: exists already; give the name of a new file")
    nights = [date.fromisoformat(night["business_date"]) for night in store.nights()]
    day = business_date or max(nights, default=None)
    if day is None or day not in nights:
        asked = f" of {day}" if day else ""
        raise ConfigError(f"{title}: no night{asked}; the newest is {max(nights, default='none')}")
    codebook = codebook_of(store.registry_before(day + timedelta(days=1)), f"{title} {day}")
    file.write_bytes(WRITERS[file.suffix.lower()](codebook))
    return len(codebook.themes)
