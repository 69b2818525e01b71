"""The night, as a table of contents: read, cleanse, split, encode, group, count, publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from prefect import State, get_run_logger

from flows.artifacts import leave_artifacts
from flows.config import Config, ConfigError, Notify, Source, load_config
from flows.deployment import deployment
from flows.engines import engine_of
from flows.errors import described, told_errors
from flows.explorations import remove_outdated
from flows.fields import titled
from flows.forms import refresh_menus
from flows.keys import deployment_key
from flows.links import link_to, slug
from flows.name_endpoint import name_proposer
from flows.notify import NotifyError, notify_night
from flows.outcome import Overtaken, already_published, night_state
from flows.plan import run_missed_nights, tonight_of
from flows.progress import stage
from flows.publish import WORKSPACE, finish_pages, stored_night, stored_tables, write_pages
from flows.runs import close_dead_runs, run_name
from flows.steps import AGAIN, shown_progress, step, told_flow
from models.embedding import Encoder
from models.sentiment import SentimentClassifier
from models.theme_prior import prior_for
from pipeline import segment
from pipeline.cache import Cache, text_key
from pipeline.customers import Customers, read_customers
from pipeline.encode import Encoded, adapt_to_scores, encode_units, with_sentiment
from pipeline.erasure import expire
from pipeline.intake import Intake, account, refuse, take_in, window_feedback
from pipeline.near_duplicates import near_duplicates
from pipeline.opinions import Annotator, mask_names, opinion_units
from pipeline.parse import parser_version
from pipeline.read import NO_ROWS, Reading, read_source
from pipeline.report import Night
from pipeline.store import Store
from pipeline.summary import build_summary
from pipeline.tables import units_table
from pipeline.themes.codebook_themes import NamedThemes, with_codebook
from pipeline.themes.codebooks import read_codebook
from pipeline.themes.news import with_theme_news
from pipeline.themes.night import ThemedNight, find_themes
from pipeline.themes.registry import Registry
from pipeline.tombstones import Tombstones, tombstones

N_STEPS = 9
"""Steps of a night beside the reading of its sources."""


@dataclass(frozen=True)
class Tools:
    """What a night or a question loads once: cache, secret, models, and what splits comments into opinions."""

    cache: Cache
    secret: bytes
    annotator: Annotator
    classifier: SentimentClassifier


@told_flow("nightly", flow_run_name=run_name)
def nightly(
    config_path: str,
    business_date: Annotated[date | None, titled("対象日")] = None,
    force: Annotated[bool, titled("公開済みでも作り直す")] = False,
    out: str | None = None,
    wait_minutes: int | None = None,
) -> State:
    """夜間の分析：対象日までの期間の声を分析し、レポートを公開します。

    Args:
        config_path: 設定ファイル（TOML）。
        business_date: この日までの期間を分析します。空欄なら、予定時刻の日（手で始めたときは今日）です。
        force: チェックすると、すでに公開した日も分析し直し、置き換えます。
        out: レポートの置き場所。空欄なら設定ファイルのとおりです。
        wait_minutes: ほかの処理が終わるのを待つ分数。空欄なら設定ファイルのとおりです。
    """
    config = load_config(config_path)
    folder = Path(out) if out else config.out
    try:
        day = business_date or tonight_of(config)
    except Overtaken as overtaken:
        return overtaken.state
    missed = run_missed_nights(config, config_path, folder, day) if business_date is None else {}
    wait = 60 * (config.schedule.wait_minutes if wait_minutes is None else wait_minutes)
    with deployment(config, folder, night=day if force else None, wait=wait) as store:
        close_dead_runs()
        report = folder / day.isoformat() / "report.html"
        link = link_to(report, config, config_path, folder)
        if day in store.dates() and not force:
            tell(stored_night(store, day), link, config, folder, store)
            return already_published(day, link)
        with shown_progress(f"{slug(config_path)}-progress", f"{config.title} {day}", len(config.sources) + N_STEPS):
            night = analyse(config, day, folder, store)
        leave_artifacts(night, link, slug(config_path))
        tell(night, link, config, folder, store)
    refresh_menus(config, config_path)
    return night_state(night.summary, link, missed)


def analyse(config: Config, day: date, folder: Path, store: Store) -> Night:
    """Analyse the window that ends on a day, keep the night in the store and publish its folder."""
    window = (day - timedelta(days=config.window_days - 1), day)
    readings, missing = read_all(config, day)
    tools = load_tools(config, folder, store)
    refused = tombstones(store)
    intake = cleanse(readings, config, window, refused, tools)
    del readings  # as large as the intake, and unmasked
    customers = customers_table(config, refused, tools.secret) if config.customers else None
    tonight = without_names(intake, day, store, tools)
    news, feedback = with_earlier_nights(tonight, config, window, store)
    units = split(feedback, tools)
    encoded = encode(units, tools)
    registry, before = store.registry_before(day), store.night_before(day)
    fitted, adaptation = adapt_to_scores(encoded, units, feedback)
    themed = group(with_sentiment(units, fitted), fitted.embeddings, config, day, registry, tools)
    night = count(
        config,
        themed,
        fitted.embeddings,
        feedback,
        registry,
        window=window,
        sources=account(intake, news, feedback, units, config.timezone, missing),
        versions=versions(tools),
        sentiment_adaptation=adaptation._asdict(),
        previous=before.summary if before else None,
        customers=customers.table if customers else None,
        quarantine=pl.concat([intake.quarantine, *([customers.quarantine] if customers else [])]),
    )
    publish(night, themed, tonight, folder, store)
    keep_for(config, folder, store, tools)
    return night


def tell(night: Night, link: str, config: Config, folder: Path, store: Store) -> None:
    """Tell what is new where [notify] says so; what is not delivered keeps no night from being published."""
    if config.notify:
        try:
            send(night, link, config.notify, store, deployment_key(folder))
        except NotifyError as error:
            get_run_logger().warning(str(error))


@step("tell what is new", retries=2, retry_delay_seconds=10)
def send(night: Night, link: str, settings: Notify, store: Store, secret: bytes) -> None:
    """Send the night's alerts and late data that were not told yet."""
    notify_night(night, link, settings, store, secret)


def read_all(config: Config, day: date) -> tuple[dict[str, Reading], dict[str, str]]:
    """Read every source; return the readings, and why a source is missing where others could be read.

    Raises
    ------
    InputError, Fault
        That of the first source, if none could be read.
    """
    readings, errors = {}, {}
    for source in config.sources:
        try:
            readings[source.name] = read(source, config, day)
        except Exception as error:
            readings[source.name], errors[source.name] = NO_ROWS, error
    if len(errors) == len(readings):
        raise next(iter(errors.values()))
    told = told_errors()
    return readings, {name: str(e) if isinstance(e, told) else described(e) for name, e in errors.items()}


@step("read a source", task_run_name="read {source.name}", **AGAIN)
def read(source: Source, config: Config, day: date) -> Reading:
    """Read every file of one source, or the rows of its query."""
    return read_source(source.spec, config.timezone, day, words=config.privacy.words)


@step("read the customers table", **AGAIN)
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


def load_tools(config: Config, folder: Path, cache: Cache) -> Tools:
    """Load the models, and say where comments are parsed."""
    try:
        encoder = Encoder.from_pretrained(
            config.embedding.model,
            prompt=config.embedding.prompt,
            device=config.embedding.device,
            precision=config.embedding.precision,
            progress=stage("モデルを展開"),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    classifier = SentimentClassifier.from_pretrained(encoder, progress=stage("感情モデルを用意"))
    secret = deployment_key(folder)
    annotator = Annotator(
        cache,
        secret,
        user_dictionary=config.language.user_dictionary,
        words=config.privacy.words,
        run=engine_of(config.scale, folder / WORKSPACE),
        shard_size=config.scale.shard_size,
    )
    return Tools(cache, secret, annotator, classifier)


@step("cleanse: duplicates, personal data by pattern, who was erased")
def cleanse(
    readings: dict[str, Reading], config: Config, window: tuple[date, date], refused: Tombstones, tools: Tools
) -> Intake:
    """Return the usable feedback of the window, without whoever was erased."""
    intake = take_in(
        readings, window=window, timezone=config.timezone, customer_key=tools.secret, words=config.privacy.words
    )
    return refuse(intake, refused, tools.secret)


@step("mask names in tonight's feedback")
def without_names(intake: Intake, day: date, store: Store, tools: Tools) -> pl.DataFrame:
    """Return tonight's feedback with names masked; where the cache will keep its words is noted first."""
    feedback = intake.feedback
    keys = [text_key(text, tools.secret) for text in feedback["text"]]
    links = zip(feedback["source"], feedback["feedback_id"], feedback["customer"], keys, strict=True)
    store.link_texts(links, day)
    return feedback.with_columns(mask_names(feedback["text"], tools.annotator, progress=stage("意見に分ける")))


@step("join earlier nights' feedback")
def with_earlier_nights(
    tonight: pl.DataFrame, config: Config, window: tuple[date, date], store: Store
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is news in tonight's feedback, and all feedback of the window."""
    news = store.compare(tonight, window[1])
    names = [source.name for source in config.sources]
    stored = store.load_feedback(names, *window, timezone=config.timezone, seen_by=window[1])
    return news, window_feedback(stored, tonight, news, window=window, timezone=config.timezone)


@step("split comments into opinions")
def split(feedback: pl.DataFrame, tools: Tools) -> pl.DataFrame:
    """Split feedback into opinion units."""

    def polarity(texts: list[str]) -> np.ndarray:
        return encode_units(texts, tools.classifier, cache=tools.cache, secret=tools.secret).polarity

    return opinion_units(feedback, tools.annotator, polarity)


@step("compute vectors, sentiment and intent")
def encode(units: pl.DataFrame, tools: Tools) -> Encoded:
    """Compute vectors, polarity and intent of the units."""
    return encode_units(
        units["unit_text"].to_list(),
        tools.classifier,
        cache=tools.cache,
        secret=tools.secret,
        progress=stage("ベクトルと感情"),
    )


@step("group opinions into themes")
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


@step("count: NPS, drivers, trends, alerts")
def count(
    config: Config,
    themed: ThemedNight,
    embeddings: np.ndarray,
    feedback: pl.DataFrame,
    registry: Registry,
    *,
    window: tuple[date, date],
    sources: Sequence[Mapping[str, Any]],
    versions: Mapping[str, str],
    sentiment_adaptation: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    customers: pl.DataFrame | None,
    quarantine: pl.DataFrame,
) -> Night:
    """Count the figures, and lay out the tables of the pages."""
    copies = near_duplicates(feedback)
    summary = build_summary(
        title=config.title,
        business_date=window[1],
        window=window,
        versions=versions,
        sentiment_adaptation=sentiment_adaptation,
        sources=sources,
        feedback=feedback,
        units=themed.units,
        themes=themed.themes,
        previous=previous,
        timezone=config.timezone,
        near_duplicate=copies,
        segments=config.segments,
        customers=customers,
        settings=config.loyalty.settings,
    )
    summary = with_theme_news(
        summary, themed, registry, feedback, embeddings, timezone=config.timezone, segments=config.segments
    )
    return Night(
        config.title,
        window[1].isoformat(),
        summary,
        units_table(themed.units, feedback, segments=config.segments, near_duplicate=copies),
        themed.themes,
        quarantine,
        timezone=config.timezone,
        **config.report.told(),
    )


@step("publish the night", **AGAIN)
def publish(night: Night, themed: ThemedNight, tonight: pl.DataFrame, folder: Path, store: Store) -> None:
    """Keep the night in the store, in one transaction, and write its pages from there."""
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
    write_pages(store, day, folder)


@step("erase what is older than retention_days")
def keep_for(config: Config, folder: Path, store: Store, tools: Tools) -> None:
    """Erase what is older than retention_days before the newest night, from the store and from every page."""
    if config.retention_days is None:
        return
    before = store.dates()[-1] - timedelta(days=config.retention_days - 1)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    erased = expire(store, before, timezone=config.timezone, secret=tools.secret, at=now)
    if erased.anything:
        finish_pages(store, folder)
        remove_outdated(store, folder)
        store.compact()  # where somebody reads it just now, the next night does


def versions(tools: Tools) -> dict[str, str]:
    """Return what a figure depends on: code, models, segmenter and parser."""
    return {
        "kikitori": version("kikitori"),
        "embedding": tools.classifier.encoder.model_id,
        "sentiment": tools.classifier.model_id,
        "segmenter": segment.VERSION,
        "parser": parser_version(tools.annotator.user_dictionary),
    }


