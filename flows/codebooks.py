"""Export a night's themes as a codebook: ``kikitori themes export``."""

from datetime import date, timedelta
from pathlib import Path

from flows.config import ConfigError, load_config
from pipeline.codebook_themes import codebook_of
from pipeline.codebooks import to_excel, to_toml
from pipeline.store import Store

WRITERS = {".toml": to_toml, ".xlsx": to_excel}


def export_codebook(config_path: str | Path, file: Path, business_date: date | None = None) -> int:
    """Write the themes that were alive on a night into a .toml or .xlsx file; return how many.

    Parameters
    ----------
    config_path : str or Path
        The deployment's TOML file; its store holds the nights.
    file : Path
        Where to write; an existing file is not overwritten.
    business_date : date, optional
        The night; default the newest.

    Raises
    ------
    ConfigError
        If the file's kind is unknown, it exists, or there is no such night.
    """
    if file.suffix.lower() not in WRITERS:
        raise ConfigError(f"{file.name}: a codebook is a .toml or .xlsx file")
    if file.exists():
        raise ConfigError(f"{file}: exists already; give the name of a new file")
    config = load_config(config_path)
    url = config.store or f"sqlite:///{config.out / 'kikitori.db'}"
    if config.store is None and not (config.out / "kikitori.db").exists():
        raise ConfigError(f"{config.out}: no night has run yet; run kikitori run first")
    with Store.open(url) as store:
        nights = [date.fromisoformat(str(night["business_date"])) for night in store.nights()]
        day = business_date or max(nights, default=None)
        if day is None or day not in nights:
            known = f"the last is {max(nights)}" if nights else "none has run yet"
            raise ConfigError(f"{config.title}: no night {day or ''}; {known}".replace("  ", " "))
        codebook = codebook_of(store.registry_before(day + timedelta(days=1)), f"{config.title} {day}")
    file.write_bytes(WRITERS[file.suffix.lower()](codebook))
    return len(codebook.themes)
