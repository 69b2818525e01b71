"""The deployment's TOML file: read, checked, every problem named in one line."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.tables import UNIT_COLUMNS

COLUMN_ROLES = ("id", "text", "score", "received_at", "customer", "csat")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the key and the remedy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Section):
    """Where one kind of feedback comes from, and which of its columns mean what."""

    name: Annotated[str, Field(min_length=1)]
    kind: Literal["survey", "zendesk", "transcript"] = "survey"
    path: str
    columns: dict[Literal[COLUMN_ROLES], str] = {}  # type: ignore[valid-type]
    segments: tuple[str, ...] = ()
    score_field: int | None = None

    @model_validator(mode="after")
    def _check(self) -> "Source":
        if self.kind != "zendesk" and "text" not in self.columns:
            raise ValueError('columns must say which column holds the text, e.g. { text = "comment" }')
        taken = sorted(set(self.segments) & set(UNIT_COLUMNS))
        if taken:
            raise ValueError(f"segments may not be named like a column of units.csv: {', '.join(taken)}")
        return self


class Themes(_Section):
    """How themes are found."""

    granularity: Literal["coarse", "medium", "fine"] = "medium"
    random_state: int = 0
    retire_after_days: Annotated[int, Field(ge=1)] = 400


class Naming(_Section):
    """An OpenAI-compatible endpoint that may propose names of new themes; without one, none is asked."""

    endpoint: str | None = None
    model: str = ""
    timeout_seconds: Annotated[float, Field(gt=0)] = 20

    @field_validator("endpoint")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(f"endpoint must begin with http:// or https://; got {value!r}")
        return value


class Embedding(_Section):
    """The sentence encoder."""

    model: str = "bundled"
    prompt: str | None = None
    device: str = "auto"


class Language(_Section):
    """The tokeniser's settings."""

    user_dictionary: Path | None = None


class Config(_Section):
    """One deployment."""

    title: str = "お客さまの声"
    timezone: str = "Asia/Tokyo"
    window_days: Annotated[int, Field(ge=1)] = 90
    out: Path = Path("out")
    store: str | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    themes: Themes = Themes()
    naming: Naming = Naming()
    embedding: Embedding = Embedding()
    language: Language = Language()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), n=1)
            raise ValueError(f"unknown time zone {value!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return value

    @model_validator(mode="after")
    def _distinct_names(self) -> "Config":
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each source needs its own name; {', '.join(twice)} is used twice")
        return self

    @property
    def segments(self) -> tuple[str, ...]:
        """Every segment of every source, each once, in the order of the file."""
        return tuple(dict.fromkeys(name for source in self.sources for name in source.segments))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a day begins and ends."""
        return ZoneInfo(self.timezone)


def load_config(path: str | Path) -> Config:
    """Return the checked configuration, its relative paths resolved against its own folder.

    Raises
    ------
    ConfigError
        If the file is missing, is not TOML, or holds a key or value that cannot be used.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give the path of a TOML config") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error)}") from None
    return _resolved(config, path.resolve().parent)


def _resolved(config: Config, folder: Path) -> Config:
    sources = tuple(
        source if "://" in source.path else source.model_copy(update={"path": str(folder / source.path)})
        for source in config.sources
    )
    dictionary = config.language.user_dictionary
    language = config.language.model_copy(update={"user_dictionary": dictionary and folder / dictionary})
    return config.model_copy(update={"sources": sources, "out": folder / config.out, "language": language})


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    unknown = next((problem for problem in problems if problem["type"] == "extra_forbidden"), None)
    problem = unknown or problems[0]
    *where, key = problem["loc"] or ("the file",)
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    under = f" under {place}" if place else ""
    if unknown is None and "[key]" not in where and str(key) != "[key]":
        message = problem["msg"].removeprefix("Value error, ")
        return f"{'.'.join(filter(None, [place, _shown(key)]))}: {message}"
    valid = _valid_keys(where)
    name = where[-1] if str(key) == "[key]" else key
    near = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.4)
    return f"unknown key {str(name)!r}{under}; " + (
        f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(valid)}"
    )


def _shown(key: Any) -> str:
    return f"[{key}]" if isinstance(key, int) else str(key)


def _valid_keys(where: list[Any]) -> list[str]:
    """Return the keys that the section at this place knows."""
    if "columns" in where:
        return list(COLUMN_ROLES)
    sections: dict[str, type[BaseModel]] = {
        "sources": Source,
        "themes": Themes,
        "naming": Naming,
        "embedding": Embedding,
        "language": Language,
    }
    section = next((sections[part] for part in where if part in sections), Config)
    return list(section.model_fields)
