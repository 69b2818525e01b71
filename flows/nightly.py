"""The night, as a table of contents: read, cleanse, split, encode, group, count, publish."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from glob import glob
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.config import Config, ConfigError, Source, load_config
from flows.keys import deployment_key
from flows.name_endpoint import name_proposer
from flows.progress import stage
from flows.publish import night_files, publish_folder, write_file
from models.embedding import Encoder
from models.sentiment import SentimentClassifier
from pipeline import segment
from pipeline.encode import Encoded, encode_units, with_sentiment
from pipeline.intake import Intake, account, take_in
from pipeline.opinions import annotate_texts, opinion_units
from pipeline.parse import Parser, shared_parser
from pipeline.read import InputError, Reading, SourceSpec, read_source
from pipeline.registry import Registry
from pipeline.report import Night, render_index
from pipeline.segment import Annotation
from pipeline.store import Store
from pipeline.summary import build_summary
from pipeline.tables import units_table
from pipeline.theme_news import with_theme_news
from pipeline.themes import ThemedNight, find_themes


@dataclass(frozen=True)
class Tools:
    """What a night loads once: store, secret, parser and models."""

    store: Store
    secret: bytes
    parser: Parser
    classifier: SentimentClassifier


@flow(name="nightly", validate_parameters=False)
def nightly(config_path: str, business_date: str | None = None, out: str | None = None) -> str:
    """Analyse the window that ends on a business date and publish its folder.

    Parameters
    ----------
    config_path : str
        The deployment's TOML file.
    business_date : str, optional
        ISO date; default today in the config's time zone.
    out : str, optional
        Where the nights' folders go; default as configured.
    """
    config = load_config(config_path)
    folder = Path(out) if out else config.out
    day = date.fromisoformat(business_date) if business_date else datetime.now(config.zone).date()
    window = (day - timedelta(days=config.window_days - 1), day)

    readings = {source.name: read(source, config.timezone) for source in config.sources}
    tools = load_tools(config, folder)
    with tools.store:
        intake = take_in(readings, window=window, timezone=config.timezone, customer_key=tools.secret)
        feedback = remember(intake, config, window, tools)
        annotations, units = split(feedback, tools)
        encoded = encode(units, tools)
        registry = tools.store.registry_before(day)
        themed = group(with_sentiment(units, encoded), encoded.embeddings, config, day, registry, tools)
        before = tools.store.night_before(day)
        summary = build_summary(
            title=config.title,
            business_date=day,
            window=window,
            versions=versions(tools),
            sources=account(intake, feedback, annotations),
            feedback=feedback,
            units=themed.units,
            themes=themed.themes,
            previous=before.summary if before else None,
            timezone=config.timezone,
        )
        summary = with_theme_news(
            summary, themed, registry, feedback, timezone=config.timezone, segments=config.segments
        )
        table = units_table(themed.units, feedback, segments=config.segments)
        night = Night(
            config.title, day.isoformat(), summary, table, themed.themes, intake.quarantine, timezone=config.timezone
        )
        published = publish(night, themed, folder, tools)
    return str(published)


@task(task_run_name="read {source.name}", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5,
      retry_condition_fn=lambda task, run, state: not isinstance(state.data, InputError))
def read(source: Source, timezone: str) -> Reading:
    """Read every file of one source."""
    paths = tuple(sorted(glob(source.path))) or (source.path,)
    spec = SourceSpec(source.name, source.kind, paths, dict(source.columns), source.segments, source.score_field)
    return read_source(spec, timezone)


def load_tools(config: Config, folder: Path) -> Tools:
    """Open the store and load parser and models."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(config.store or f"sqlite:///{folder / 'kikitori.db'}")
    try:
        encoder = Encoder.from_pretrained(
            config.embedding.model,
            prompt=config.embedding.prompt,
            device=config.embedding.device,
            progress=stage("モデルを展開"),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    classifier = SentimentClassifier.from_pretrained(encoder, progress=stage("感情モデルを用意"))
    return Tools(store, deployment_key(folder), shared_parser(config.language.user_dictionary), classifier)


@task(cache_policy=NO_CACHE)
def remember(intake: Intake, config: Config, window: tuple[date, date], tools: Tools) -> pl.DataFrame:
    """Mask names, store tonight's feedback, and return all that is stored of the window."""
    texts = intake.feedback["text"].to_list()
    annotations = annotate_texts(
        texts, tools.parser, cache=tools.store, secret=tools.secret, progress=stage("意見に分ける")
    )
    masked = pl.Series("text", [annotation.text for annotation in annotations], pl.Utf8)
    tools.store.upsert_feedback(intake.feedback.with_columns(masked), window[1])
    names = [source.name for source in config.sources]
    return tools.store.load_feedback(names, *window, timezone=config.timezone, seen_by=window[1])


@task(cache_policy=NO_CACHE)
def split(feedback: pl.DataFrame, tools: Tools) -> tuple[list[Annotation], pl.DataFrame]:
    """Split the window's feedback into opinion units."""
    annotations = annotate_texts(
        feedback["text"].to_list(), tools.parser, cache=tools.store, secret=tools.secret
    )
    return annotations, opinion_units(feedback, annotations)


@task(cache_policy=NO_CACHE)
def encode(units: pl.DataFrame, tools: Tools) -> Encoded:
    """Compute vectors, polarity and intent of the units."""
    return encode_units(
        units["unit_text"].to_list(),
        tools.classifier,
        cache=tools.store,
        secret=tools.secret,
        progress=stage("ベクトルと感情"),
    )


@task(cache_policy=NO_CACHE)
def group(
    units: pl.DataFrame, embeddings: np.ndarray, config: Config, day: date, registry: Registry, tools: Tools
) -> ThemedNight:
    """Group the units into themes and give each its permanent id."""
    return find_themes(
        units,
        embeddings,
        granularity=config.themes.granularity,
        random_state=config.themes.random_state,
        registry=registry,
        model_id=tools.classifier.encoder.model_id,
        business_date=day,
        retire_after=config.themes.retire_after_days,
        propose=name_proposer(config.naming.endpoint, config.naming.model, config.naming.timeout_seconds),
    )


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def publish(night: Night, themed: ThemedNight, folder: Path, tools: Tools) -> Path:
    """Write the night's folder and the index, keep the night in the store, and leave artifacts."""
    files = night_files(night)
    day = date.fromisoformat(night.business_date)
    tools.store.save_night(day, night.summary, themed.stored, themed.transitions, themed.members)
    published = publish_folder(files, folder / night.business_date)
    write_file(folder / "index.html", render_index(tools.store.nights()).encode())
    create_markdown_artifact(key="night", markdown=files["report.md"].decode(), description=night.title)
    create_table_artifact(key="themes", table=_theme_artifact(night), description=night.title)
    return published


def versions(tools: Tools) -> dict[str, str]:
    """Return what a figure depends on: code, models, segmenter and parser."""
    return {
        "kikitori": version("kikitori"),
        "embedding": tools.classifier.encoder.model_id,
        "sentiment": tools.classifier.model_id,
        "segmenter": segment.VERSION,
        "parser": tools.parser.version,
    }


def _theme_artifact(night: Night) -> list[dict]:
    columns = ("theme_id", "name", "status", "n_feedback", "share", "positive", "negative", "impact")
    return [{column: theme[column] for column in columns} for theme in night.summary["themes"]]
