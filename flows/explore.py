"""An analyst's question to the stored responses: a report of its own beside the nights, which stay as they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from prefect import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.artifacts import leave_artifacts
from flows.codebooks import AS_CONFIGURED, NO_CODEBOOK, codebook_named
from flows.config import Config, load_config
from flows.deployment import store_url
from flows.explorations import publish_exploration
from flows.fields import titled
from flows.links import link_to, slug
from flows.nightly import count, encode, group, load_tools, split, versions
from flows.steps import shown_progress, step, told_flow
from pipeline.encode import adapt_to_scores, with_sentiment
from pipeline.question import Question, QuestionError, account_for, as_answer, responses_asked
from pipeline.read.contract import QUARANTINE_SCHEMA
from pipeline.report import Night
from pipeline.store import Store
from pipeline.themes.registry import Registry

N_STEPS = 6
NO_THEMES = Registry([], 1)
GROUPS = {"推奨者": "promoter", "中立者": "passive", "批判者": "detractor"}
Granularity = Literal["設定のとおり", "粗い", "標準", "細かい"]
GRANULARITIES = {"設定のとおり": None, "粗い": "coarse", "標準": "medium", "細かい": "fine"}


class ReadOnly:
    """The cache of a store to read from alone: what a question computes for itself is in memory while it is answered.

    Otherwise a response erased meanwhile could come back into the cache.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own: dict[str, dict[str, bytes]] = {}

    def cache_has(self, namespace: str, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have a value."""
        keys, own = list(keys), self._own.get(namespace, {})
        return self._store.cache_has(namespace, keys) | (own.keys() & set(keys))

    def cache_get(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the kept values, by key."""
        keys, own = list(keys), self._own.get(namespace, {})
        return self._store.cache_get(namespace, keys) | {key: own[key] for key in keys if key in own}

    def cache_put(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Keep values, by key, in memory."""
        self._own.setdefault(namespace, {}).update(values)


@told_flow("explore", flow_run_name="explore {title}")
def explore(
    config_path: str,
    title: Annotated[str, titled("題名")] = "個別の分析",
    date_from: Annotated[date | None, titled("期間の始まり")] = None,
    date_to: Annotated[date | None, titled("期間の終わり")] = None,
    sources: Annotated[list[str], titled("ソース")] = [],  # noqa: B006 (Prefect shows the default in the form)
    segments: Annotated[list[str], titled("区分")] = [],  # noqa: B006
    nps_groups: Annotated[list[Literal["推奨者", "中立者", "批判者"]], titled("NPSグループ")] = [],  # noqa: B006
    words: Annotated[list[str], titled("言葉")] = [],  # noqa: B006
    granularity: Annotated[Granularity, titled("テーマの細かさ")] = "設定のとおり",
    codebook: Annotated[str, titled("コードブック")] = AS_CONFIGURED,
    match_registry: Annotated[bool, titled("登録済みのテーマに合わせる")] = True,
) -> State:
    """個別の分析：期間や区分をしぼって分析し、専用のレポートを作ります。夜間のレポートとテーマの登録簿は変わりません。

    Args:
        config_path: 設定ファイル（TOML）。
        title: レポートの題名。
        date_from: この日から。空欄なら、期間の終わりから設定の日数（window_days）だけさかのぼります。
        date_to: この日まで。空欄なら、いちばん新しい夜まで。
        sources: 対象のソース。空なら、すべて。
        segments: 対象の区分を「列=値」の形で。同じ列の値はどれか、異なる列はすべてに当てはまる回答。空なら、すべて。
        nps_groups: 対象のNPSグループ。空なら、点数のない回答も含めてすべて。
        words: このどれかの言葉を含む回答だけ。全角・半角と大文字・小文字は区別しません。空なら、すべて。
        granularity: テーマをどのくらい細かく分けるか。
        codebook: 名前を決めたテーマの一覧を使うか、どれを使うか。
        match_registry: チェックすると、登録簿のテーマは同じ番号と名前で出ます。外すと、すべて見つけ直します。
    """
    config = load_config(config_path)
    with Store.open(store_url(config, config.out)) as store:
        question = _checked(config, store, date_from, date_to, sources, segments, nps_groups, words)
        asked_for = _as_asked(config, title, granularity, codebook)
        with shown_progress(f"{slug(config_path)}-explore-progress", title, N_STEPS):
            night = answer(question, asked_for, store, match_registry)
            name = f"{datetime.now(config.zone):%Y%m%d}-{str(flow_run.id or 'local')[:8]}"
            published = publish(night, store, config.out, name)
        link = link_to(published / "report.html", config, config_path, config.out)
        leave_artifacts(night, link, f"{slug(config_path)}-explore")
    return Completed(message=f"{title}: {link}")


def answer(question: Question, config: Config, store: Store, match_registry: bool) -> Night:
    """Return the report of the question, from what nights have stored."""
    tools = load_tools(config, config.out, ReadOnly(store))
    feedback, asked = select(question, config, store)
    units = split(asked, tools)
    encoded, adaptation = adapt_to_scores(encode(units, tools), units, asked)
    registry = store.registry_before(question.end + timedelta(days=1)) if match_registry else NO_THEMES
    units = with_sentiment(units, encoded)
    themed = as_answer(group(units, encoded.embeddings, config, question.end, registry, tools), registry)
    night = count(
        config,
        themed,
        encoded.embeddings,
        asked,
        registry,
        window=(question.start, question.end),
        sources=account_for(asked, units),
        versions=versions(tools),
        sentiment_adaptation=adaptation._asdict(),
        previous=None,
        customers=None,
        quarantine=pl.DataFrame(schema=QUARANTINE_SCHEMA),
    )
    return replace(night, summary=night.summary | {"question": question.told(feedback.height)})


@step("select the responses asked about")
def select(question: Question, config: Config, store: Store) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the stored responses of the period, and those of them that the question is about."""
    names = [source.name for source in config.sources]
    feedback = store.load_feedback(names, question.start, question.end, timezone=config.timezone)
    return feedback, responses_asked(feedback, question)


@step("publish the report")
def publish(night: Night, store: Store, folder: Path, name: str) -> Path:
    """Publish the report under OUT/explore."""
    return publish_exploration(night, store, folder, name)


def _checked(
    config: Config,
    store: Store,
    date_from: date | None,
    date_to: date | None,
    sources: list[str],
    segments: list[str],
    nps_groups: Sequence[str],
    words: list[str],
) -> Question:
    nights = store.dates()
    if not nights:
        raise QuestionError("まだ夜間の分析が一度も済んでいません。nightly を先に実行してください")
    known = [source.name for source in config.sources]
    if strange := sorted(set(sources) - set(known)):
        raise QuestionError(f"ソース「{strange[0]}」はありません。あるのは {'、'.join(known)} です")
    end = date_to or nights[-1]
    start = date_from or end - timedelta(days=config.window_days - 1)
    groups = tuple(GROUPS[group] for group in nps_groups)
    said = tuple(word.strip() for word in words if word.strip())
    return Question(start, end, tuple(sources), tuple(_segment(s, config) for s in segments), groups, said)


def _segment(written: str, config: Config) -> tuple[str, str]:
    column, equals, value = written.partition("=")
    if not equals or column not in config.segments:
        columns = "、".join(config.segments) or "（区分の列は設定されていません）"
        raise QuestionError(f"区分「{written}」は「列=値」の形で書いてください。列は {columns} です")
    return column, value


def _as_asked(config: Config, title: str, granularity: str, codebook: str) -> Config:
    """Return the deployment's configuration with what the question wants otherwise."""
    themes = config.themes
    if codebook != AS_CONFIGURED:
        path = None if codebook == NO_CODEBOOK else codebook_named(codebook, config)
        themes = themes.model_copy(update={"codebook": path})
    if chosen := GRANULARITIES[granularity]:
        themes = themes.model_copy(update={"granularity": chosen})
    return config.model_copy(update={"title": f"{config.title}：{title}", "themes": themes})
