"""The deployment's TOML file: read, checked, every problem named in one line."""

import difflib
import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from pipeline.customers import CUSTOMER_ROLES
from pipeline.insight import LoyaltySettings
from pipeline.mask import WordList
from pipeline.read import SourceSpec
from pipeline.read.scores import NPS_SCALE, NPS_SCALES, Scale
from pipeline.shards import SHARD_SIZE
from pipeline.tables import UNIT_COLUMNS
from pipeline.themes.codebooks import read_codebook

COLUMN_ROLES = ("id", "text", "score", "received_at", "customer", "csat", "ces", "dwb")
_WITHOUT_COLUMNS = {"zendesk", "transcript", "email"}  # tickets, and files that are one conversation or mail each


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the key and the remedy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_web_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _with_environment(value: SecretStr) -> SecretStr:
    """Replace ${NAME} by the environment's variable, so that no password stands in the file."""

    def found(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ValueError(f"the environment has no variable {match[1]}")
        return os.environ[match[1]]

    return SecretStr(re.sub(r"\$\{(\w+)\}", found, value.get_secret_value()))


class Source(_Section):
    """Where one kind of feedback comes from, and which of its columns mean what."""

    name: Annotated[str, Field(min_length=1)]
    kind: Literal["survey", "zendesk", "transcript", "email"] = "survey"
    path: str | None = None
    columns: dict[Literal[COLUMN_ROLES], str] = {}  # type: ignore[valid-type]
    segments: tuple[str, ...] = ()
    score_field: int | None = None
    scales: dict[Literal["score", "csat", "ces", "dwb"], str] = {}
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sheet: str | None = None
    agent_marks: tuple[str, ...] = ()
    customer_marks: tuple[str, ...] = ()
    database: SecretStr | None = None
    query: str | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            "x".encode(value or "utf-8")
        except LookupError:
            raise ValueError(f"unknown encoding {value!r}; e.g. utf-8, cp932, euc-jp, utf-16") from None
        return value

    @field_validator("scales")
    @classmethod
    def _usable_scales(cls, value: dict[str, str]) -> dict[str, str]:
        scales = {role: Scale.parse(written) for role, written in value.items()}
        if scales.get("score", NPS_SCALE) not in NPS_SCALES:
            raise ValueError(
                'score is the answer to the recommendation question: "0-10", "1-11" or "1-10"; '
                "an answer on another scale is no NPS: name its column csat, ces or dwb"
            )
        return value

    @field_validator("database")
    @classmethod
    def _from_environment(cls, value: SecretStr | None) -> SecretStr | None:
        return value and _with_environment(value)

    @model_validator(mode="after")
    def _check(self) -> "Source":
        if (self.path is None) == (self.database is None):
            raise ValueError("path says where the files are, or database and query where the rows are; give one")
        if (self.database is None) != (self.query is None):
            raise ValueError("database and query belong together")
        if self.query is not None and not re.match(r"\s*(?:SELECT|WITH)\b", self.query, re.IGNORECASE):
            raise ValueError("query must be one SELECT")
        if "text" not in self.columns and (self.database is not None or self.kind not in _WITHOUT_COLUMNS):
            raise ValueError('columns must say which column holds the text, e.g. { text = "comment" }')
        taken = sorted(set(self.segments) & set(UNIT_COLUMNS))
        if taken:
            raise ValueError(f"segments may not be named like a column of units.csv: {', '.join(taken)}")
        return self

    @property
    def spec(self) -> SourceSpec:
        """The source as reading takes it."""
        same = self.model_dump(include={
            "name", "kind", "columns", "segments", "score_field", "encoding", "delimiter", "sheet",
            "agent_marks", "customer_marks", "query",
        })  # fmt: skip
        return SourceSpec(
            **same,
            paths=() if self.path is None else (self.path,),
            scales={role: Scale.parse(written) for role, written in self.scales.items()},
            database=None if self.database is None else self.database.get_secret_value(),
        )


class Themes(_Section):
    """How themes are found."""

    granularity: Literal["coarse", "medium", "fine"] = "medium"
    random_state: int = 0
    codebook: Path | None = None  # named themes, matched first: .toml or .xlsx
    retire_after_days: Annotated[int, Field(ge=1)] = 400


class Naming(_Section):
    """An OpenAI-compatible endpoint that may propose names of new themes; without one, none is asked."""

    endpoint: str | None = None
    model: str = ""
    timeout_seconds: Annotated[float, Field(gt=0)] = 20

    @field_validator("endpoint")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError(f"endpoint must begin with http:// or https://; got {value!r}")
        return value


class Embedding(_Section):
    """The sentence encoder."""

    model: str = "bundled"
    prompt: str | None = None
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"


class Language(_Section):
    """The tokeniser's settings."""

    user_dictionary: Path | None = None


class Report(_Section):
    """How the report is told.

    ``labels`` gives the segments' columns and the sources the names that readers know them by: one name, or one for
    each language, ``plan = { ja = "プラン", en = "Plan" }``. What has none is told as it is written.
    """

    language: Literal["ja", "en"] = "ja"
    url: str | None = None  # where readers find the folder `out`: the base of the links to the reports
    labels: dict[str, str | dict[Literal["ja", "en"], str]] = {}

    def told(self, language: Literal["ja", "en"] | None = None) -> dict[str, Any]:
        """The language and the labels as a `Night` takes them; a label in another language is better than none."""
        chosen = language or self.language
        labels = {
            name: label if isinstance(label, str) else label.get(chosen) or next(iter(label.values()), name)
            for name, label in self.labels.items()
        }
        return {"language": chosen, "labels": labels}

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError(f"url must begin with http:// or https://; got {value!r}")
        return value and value.rstrip("/")


class Schedule(_Section):
    """When nights run by themselves, and what becomes of nights that were missed."""

    cron: str = "0 2 * * *"  # in the config's time zone; "": no schedule
    catch_up: Literal["run", "skip"] = "run"
    wait_minutes: Annotated[int, Field(ge=0)] = 120  # for a run that has the deployment to itself

    @field_validator("cron")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            if value and (len(value.split()) != 5 or next(CronSim(value, datetime.now(UTC)), None) is None):
                raise CronSimError("five fields that some day meets")
        except CronSimError as error:
            raise ValueError(
                f'cron has five fields, e.g. "0 2 * * *" for 02:00 every night, or is "" for no schedule; '
                f"got {value!r} ({error})"
            ) from None
        return value


class Privacy(_Section):
    """A deployment's own words: what is masked wherever it stands, and what is no name.

    Each list may be a file's path instead, with one word a line; a line that begins with # is a remark.
    """

    mask: tuple[str, ...] | Path = ()
    keep: tuple[str, ...] | Path = ()

    @property
    def words(self) -> WordList:
        """The lists, after `load_config` has read the files."""
        lists = (words if isinstance(words, tuple) else () for words in (self.mask, self.keep))
        return WordList(*lists)


class Customers(_Section):
    """The customers table, joined to feedback by the hashed customer id."""

    path: str
    columns: dict[Literal[CUSTOMER_ROLES], str]  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _check(self) -> "Customers":
        if "customer" not in self.columns:
            raise ValueError('columns must say which column holds the id, e.g. { customer = "customer_id" }')
        return self


class Loyalty(_Section):
    """What this deployment means by loyal, lost and worth an alert."""

    attitude_min: Annotated[int, Field(ge=0, le=10)] = LoyaltySettings.attitude_min
    orders_min: Annotated[int, Field(ge=1)] = LoyaltySettings.orders_min
    high_tiers: tuple[str, ...] = LoyaltySettings.high_tiers
    churn_days: Annotated[int, Field(ge=1)] = LoyaltySettings.churn_days
    csat_min: int = LoyaltySettings.csat_min
    ces_min: int = LoyaltySettings.ces_min
    dwb_min: int = LoyaltySettings.dwb_min
    period_days: Annotated[int, Field(ge=1)] = LoyaltySettings.period_days
    watch: tuple[Annotated[str, Field(min_length=1)], ...] = LoyaltySettings.watch

    @property
    def settings(self) -> LoyaltySettings:
        """The section as the statistics take it."""
        return LoyaltySettings(**self.model_dump())


class Notify(_Section):
    """Where alerts, failures and late data are told: figures and a link, no customer's sentence unless allowed.

    ``webhook`` is an address, or ``block`` the name of a notification block of Prefect (``slack-webhook/cx``).
    """

    webhook: SecretStr | None = None
    format: Literal["slack", "teams", "generic"] = "generic"
    block: str | None = None
    quotes: bool = False
    silent_days: Annotated[int, Field(ge=1)] | None = None  # a source without anything newer is told as late

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        found = value and _with_environment(value)
        if found and not _is_web_address(found.get_secret_value()):
            raise ValueError("webhook must begin with http:// or https://")
        return found

    @field_validator("block")
    @classmethod
    def _named(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", value):
            raise ValueError(f"block is a block's type and name, e.g. slack-webhook/cx; got {value!r}")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "Notify":
        if (self.webhook is None) == (self.block is None):
            raise ValueError("give webhook, the address to call, or block, the name of a notification block")
        return self


class Workers(_Section):
    """Where comments are parsed: in this process, in worker processes, or on a Dask cluster."""

    engine: Literal["local", "processes", "dask"] = "local"
    workers: Annotated[int, Field(ge=1, le=512)] | None = None  # default: as many as the machine has cores
    shard_size: Annotated[int, Field(ge=64)] = SHARD_SIZE
    address: str | None = None  # of a Dask scheduler; without one a cluster is started for the night

    @model_validator(mode="after")
    def _address_of_dask(self) -> "Workers":
        if self.address and self.engine != "dask":
            raise ValueError('address is of a Dask scheduler; it needs engine = "dask"')
        return self


class Config(_Section):
    """One deployment."""

    title: str = "お客さまの声"
    timezone: str = "Asia/Tokyo"
    window_days: Annotated[int, Field(ge=1)] = 90
    retention_days: Annotated[int, Field(ge=1)] | None = None
    out: Path = Path("out")
    store: str | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    themes: Themes = Themes()
    naming: Naming = Naming()
    embedding: Embedding = Embedding()
    language: Language = Language()
    privacy: Privacy = Privacy()
    customers: Customers | None = None
    loyalty: Loyalty = Loyalty()
    report: Report = Report()
    notify: Notify | None = None
    schedule: Schedule = Schedule()
    scale: Workers = Workers()

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

    @model_validator(mode="after")
    def _labels_of_something(self) -> "Config":
        known = [*self.segments, *(source.name for source in self.sources)]
        for name in self.report.labels:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"these are {', '.join(known)}"
                raise ValueError(f"report.labels: {name!r} is neither a segment nor a source; {hint}")
        return self

    @model_validator(mode="after")
    def _kept_for_the_window(self) -> "Config":
        if self.retention_days is not None and self.retention_days < self.window_days:
            raise ValueError(
                f"retention_days must be at least window_days ({self.window_days}); got {self.retention_days}"
            )
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
    resolved = _resolved(config, path)
    if resolved.themes.codebook:
        read_codebook(resolved.themes.codebook)  # what cannot be used is refused before the night begins
    return resolved


def _resolved(config: Config, path: Path) -> Config:
    folder = path.resolve().parent
    sources = tuple(_resolved_source(source, folder) for source in config.sources)
    dictionary = config.language.user_dictionary
    language = config.language.model_copy(update={"user_dictionary": dictionary and folder / dictionary})
    lists = {name: _word_list(path, folder, name, config.privacy) for name in Privacy.model_fields}
    privacy = Privacy(**lists)
    customers = config.customers
    if customers and "://" not in customers.path:
        customers = customers.model_copy(update={"path": str(folder / customers.path)})
    codebook = config.themes.codebook
    themes = config.themes.model_copy(update={"codebook": codebook and folder / codebook})
    changed = {"sources": sources, "language": language, "privacy": privacy, "customers": customers, "themes": themes}
    return config.model_copy(update=changed | {"out": folder / config.out})


def _word_list(config: Path, folder: Path, name: str, privacy: Privacy) -> tuple[str, ...]:
    """Return a list's words, read from its file where it names one; their texts stay out of messages."""
    words = getattr(privacy, name)
    if isinstance(words, Path):
        try:
            lines = map(str.strip, (folder / words).read_text(encoding="utf-8-sig").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigError(f"{config}: privacy.{name}: {folder / words} cannot be read: {reason}") from None
        words = tuple(line for line in lines if line and not line.startswith("#"))
    short = [number for number, word in enumerate(words, start=1) if len(word.strip()) < 2]
    if short:
        rule = f"a word must have at least 2 characters; word {short[0]} has fewer"
        raise ConfigError(f"{config}: privacy.{name}: {rule}")
    return words


def _resolved_source(source: Source, folder: Path) -> Source:
    if source.path is not None and "://" not in source.path:
        return source.model_copy(update={"path": str(folder / source.path)})
    if source.database is not None:
        try:
            url = sa.make_url(source.database.get_secret_value())
        except sa.exc.ArgumentError:
            return source  # reading says what is wrong with it
        if url.get_backend_name() == "sqlite" and url.database:
            written = url.set(database=str(folder / url.database)).render_as_string(hide_password=False)
            return source.model_copy(update={"database": SecretStr(written)})
    return source


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
        return list(CUSTOMER_ROLES if "customers" in where else COLUMN_ROLES)
    sections: dict[str, type[BaseModel]] = {
        "sources": Source,
        "themes": Themes,
        "naming": Naming,
        "embedding": Embedding,
        "language": Language,
        "privacy": Privacy,
        "customers": Customers,
        "loyalty": Loyalty,
        "report": Report,
        "notify": Notify,
        "schedule": Schedule,
        "scale": Workers,
    }
    section = next((sections[part] for part in where if part in sections), Config)
    return list(section.model_fields)
