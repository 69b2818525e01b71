"""The night, as a table of contents: read, cleanse, split, encode, group, count, publish."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.config import Config, ConfigError, Source, load_config
from flows.deployment import deployment
from flows.keys import deployment_key
from flows.name_endpoint import name_proposer
from flows.progress import stage
from flows.publish import finish_pages, stored_tables, write_pages
from models.embedding import Encoder
from models.sentiment import SentimentClassifier
from models.theme_prior import prior_for
from pipeline import segment
from pipeline.cache import text_key
from pipeline.customers import Customers, read_customers
from pipeline.encode import Encoded, adapt_to_scores, encode_units, with_sentiment
from pipeline.erasure import expire
from pipeline.intake import Intake, account, refuse, take_in, window_feedback
from pipeline.mask import NO_WORDS, WordList
from pipeline.near_duplicates import near_duplicates
from pipeline.opinions import annotate_texts, opinion_units
from pipeline.parse import Parser, shared_parser
from pipeline.read import InputError, Reading, read_source
from pipeline.report import Night
from pipeline.segment import Annotation
from pipeline.store import Store
from pipeline.summary import build_summary
from pipeline.tables import units_table
from pipeline.themes.codebook_themes import NamedThemes, with_codebook
from pipeline.themes.codebooks import read_codebook
from pipeline.themes.news import with_theme_news
from pipeline.themes.night import ThemedNight, find_themes
from pipeline.themes.registry import Registry
from pipeline.tombstones import Tombstones, tombstones


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

    with deployment(config, folder, night=day) as store:
        readings = {source.name: read(source, config.timezone, day, config.privacy.words) for source in config.sources}
        tools = load_tools(config, folder, store)
        intake = take_in(
            readings,
            window=window,
            timezone=config.timezone,
            customer_key=tools.secret,
            words=config.privacy.words,
        )
        refused = tombstones(store)
        intake = refuse(intake, refused, tools.secret)
        customers = customers_table(config, refused, tools.secret) if config.customers else None
        tonight, news, feedback = remember(intake, config, window, tools)
        annotations, units = split(feedback, config, tools)
        encoded, adaptation = adapt_to_scores(encode(units, tools), units, feedback)
        registry = store.registry_before(day)
        themed = group(with_sentiment(units, encoded), encoded.embeddings, config, day, registry, tools)
        before = store.night_before(day)
        copies = near_duplicates(feedback)
        summary = build_summary(
            title=config.title,
            business_date=day,
            window=window,
            versions=versions(tools),
            sentiment_adaptation=adaptation._asdict(),
            sources=account(intake, news, feedback, annotations),
            feedback=feedback,
            units=themed.units,
            themes=themed.themes,
            previous=before.summary if before else None,
            timezone=config.timezone,
            near_duplicate=copies,
            segments=config.segments,
            customers=customers.table if customers else None,
            settings=config.loyalty.settings,
        )
        summary = with_theme_news(
            summary, themed, registry, feedback, timezone=config.timezone, segments=config.segments
        )
        quarantine = pl.concat([intake.quarantine, customers.quarantine]) if customers else intake.quarantine
        table = units_table(themed.units, feedback, segments=config.segments, near_duplicate=copies)
        night = Night(
            config.title, day.isoformat(), summary, table, themed.themes, quarantine, timezone=config.timezone,
            language=config.report.language,
        )
        published = publish(night, themed, tonight, folder, store)
        keep_for(config, folder, tools)
    return str(published)


@task(task_run_name="read {source.name}", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5,
      retry_condition_fn=lambda task, run, state: not isinstance(state.data, InputError))
def read(source: Source, timezone: str, day: date, words: WordList = NO_WORDS) -> Reading:
    """Read every file of one source, or the rows of its query."""
    return read_source(source.spec, timezone, day, words=words)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5,
      retry_condition_fn=lambda task, run, state: not isinstance(state.data, InputError))
def customers_table(config: Config, refused: Tombstones, secret: bytes) -> Customers:
    """Read the customers table, without whoever was erased."""
    assert config.customers
    columns = dict(config.customers.columns)
    return read_customers(
        config.customers.path,
        columns,
        customer_key=secret,
        timezone=config.timezone,
        refused=refused.customers,
        words=config.privacy.words,
    )


def load_tools(config: Config, folder: Path, store: Store) -> Tools:
    """Load parser and models."""
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
def remember(
    intake: Intake, config: Config, window: tuple[date, date], tools: Tools
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Mask names in tonight's feedback; return it, what is news in it, and all feedback of the window."""
    feedback, store = intake.feedback, tools.store
    keys = [text_key(text, tools.secret) for text in feedback["text"]]
    links = zip(feedback["source"], feedback["feedback_id"], feedback["customer"], keys, strict=True)
    store.link_texts(links, window[1])
    annotations = annotate_texts(
        feedback["text"].to_list(),
        tools.parser,
        cache=store,
        secret=tools.secret,
        words=config.privacy.words,
        progress=stage("意見に分ける"),
    )
    tonight = feedback.with_columns(pl.Series("text", [annotation.text for annotation in annotations], pl.Utf8))
    news = store.compare(tonight, window[1])
    names = [source.name for source in config.sources]
    stored = store.load_feedback(names, *window, timezone=config.timezone, seen_by=window[1])
    return tonight, news, window_feedback(stored, tonight, news, window=window, timezone=config.timezone)


@task(cache_policy=NO_CACHE)
def split(feedback: pl.DataFrame, config: Config, tools: Tools) -> tuple[list[Annotation], pl.DataFrame]:
    """Split the window's feedback into opinion units."""
    annotations = annotate_texts(
        feedback["text"].to_list(),
        tools.parser,
        cache=tools.store,
        secret=tools.secret,
        words=config.privacy.words,
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
    encoder = tools.classifier.encoder
    named = None
    if config.themes.codebook:
        codebook, prior = read_codebook(config.themes.codebook), prior_for(encoder.model_id)
        named = NamedThemes.of(codebook, prior)
        registry = with_codebook(
            registry,
            codebook,
            encode=encoder.encode,
            embeddings=embeddings,
            prior=prior,
            signature=f"{encoder.model_id}|{config.themes.granularity}",
            business_date=day,
        )
    return find_themes(
        units,
        embeddings,
        granularity=config.themes.granularity,
        random_state=config.themes.random_state,
        registry=registry,
        model_id=encoder.model_id,
        business_date=day,
        retire_after=config.themes.retire_after_days,
        propose=name_proposer(config.naming.endpoint, config.naming.model, config.naming.timeout_seconds),
        codebook=named,
    )


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def publish(night: Night, themed: ThemedNight, tonight: pl.DataFrame, folder: Path, store: Store) -> Path:
    """Keep the night in the store, in one transaction, write its pages from there, and leave artifacts."""
    day = date.fromisoformat(night.business_date)
    store.save_night(
        day,
        night.summary,
        themed.stored,
        themed.transitions,
        themed.members,
        feedback_read=tonight,
        **stored_tables(night),
    )
    published = write_pages(store, day, folder)
    markdown = (published / "report.md").read_text(encoding="utf-8")
    create_markdown_artifact(key="night", markdown=markdown, description=night.title)
    create_table_artifact(key="themes", table=_theme_artifact(night), description=night.title)
    return published


@task(cache_policy=NO_CACHE)
def keep_for(config: Config, folder: Path, tools: Tools) -> None:
    """Erase what is older than retention_days before the newest night, from the store and from every page."""
    if config.retention_days is None:
        return
    before = tools.store.dates()[-1] - timedelta(days=config.retention_days - 1)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    erased = expire(tools.store, before, timezone=config.timezone, secret=tools.secret, at=now)
    if erased.anything:
        finish_pages(tools.store, folder)
        tools.store.compact()  # where somebody reads it just now, the next night does


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
