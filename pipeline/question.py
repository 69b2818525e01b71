"""An analyst's question: which of the stored responses it is about, and how its report accounts for them.

A question reads what nights have stored and leaves nothing behind: no theme, no night, no figure.
"""

import unicodedata
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from pipeline.loyalty import nps_group
from pipeline.loyalty.mentions import KEY
from pipeline.themes.night import ThemedNight
from pipeline.themes.registry import ALIVE, Registry

FIRST_NEW = "X"
"""Themes that only the question found are X01, X02, …: they are not in the registry."""


class QuestionError(ValueError):
    """The question cannot be answered; the message is one line for whoever asked, in their language."""


@dataclass(frozen=True)
class Question:
    """What is asked about; an empty part asks about everything.

    Attributes
    ----------
    start, end : date
        First and last day, both included.
    sources : tuple of str
        Names of sources.
    segments : tuple of (str, str)
        Column and value. Values of one column are alternatives; every column named must fit.
    groups : tuple of str
        promoter, passive, detractor.
    words : tuple of str
        At least one of them stands in the response; width and case do not matter.
    """

    start: date
    end: date
    sources: tuple[str, ...] = ()
    segments: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise QuestionError(f"期間の始まり（{self.start}）が終わり（{self.end}）より後です。入れ替えてください")

    def told(self, n_period: int) -> dict[str, Any]:
        """Return the question as JSON values, with the number of responses in its period, for summary.json."""
        parts = {name: value for name, value in asdict(self).items() if name not in ("start", "end")}
        return parts | {"n_period": n_period}


def responses_asked(feedback: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Return the responses of the period that the question is about.

    Raises
    ------
    QuestionError
        If there are none; the message counts what each part of the question left.
    """
    steps = [f"期間内 {feedback.height}件"]
    for label, condition in _conditions(feedback, question):
        feedback = feedback.filter(condition)
        steps.append(f"{label} {feedback.height}件")
    if feedback.is_empty():
        raise QuestionError(f"条件に合う回答がありません（{' → '.join(steps)}）。条件をゆるめてください")
    return feedback


def _conditions(feedback: pl.DataFrame, question: Question) -> list[tuple[str, pl.Expr]]:
    found = []
    if question.sources:
        found.append(("ソース", pl.col("source").is_in(question.sources)))
    for column in dict.fromkeys(column for column, _ in question.segments):
        values = [value for name, value in question.segments if name == column]
        known = pl.col(column).is_in(values) if column in feedback.columns else pl.lit(False)
        found.append((f"区分 {column}", known))
    if question.groups:
        found.append(("NPSグループ", nps_group(pl.col("score")).is_in(question.groups).fill_null(False)))
    if question.words:
        words = [unicodedata.normalize("NFKC", word).lower() for word in question.words]
        plain = pl.col("text").fill_null("").str.normalize("NFKC").str.to_lowercase()
        found.append(("言葉", plain.str.contains_any(words)))
    return found


def account_for(asked: pl.DataFrame, units: pl.DataFrame) -> list[dict[str, object]]:
    """Return the accounting of a question: which of the responses asked about were analysed, by the units they have."""
    opinions = asked.join(units.select(*KEY).unique().with_columns(has_opinion=pl.lit(True)), on=KEY, how="left")
    rows: list[dict[str, object]] = []
    for name in sorted(asked["source"].unique()):
        mine = opinions.filter(pl.col("source") == name)
        analysed = int(mine["has_opinion"].sum())
        rows.append({
            "name": name, "read": mine.height, "analysed": analysed, "no_opinion": mine.height - analysed,
            "duplicate": 0, "quarantined": 0, "outside_window": 0, "carried_over": 0, "missing": None,
        })  # fmt: skip
    return rows


def as_answer(themed: ThemedNight, registry: Registry) -> ThemedNight:
    """Return the themes of a question: those that responses speak of, the new ones under ids of their own.

    The registry would give the numbers of the new ones to other themes on the next night.
    """
    known = {theme.theme_id for theme in registry.themes}
    themes = themed.themes.filter(pl.col("status").is_in(ALIVE))
    fresh = [theme for theme in themes["theme_id"] if theme not in known]
    ids = {theme: f"{FIRST_NEW}{number:02d}" for number, theme in enumerate(fresh, start=1)}
    renamed = themes.with_columns(pl.col("theme_id", "parent_id").replace(ids))
    units = themed.units.with_columns(pl.col("theme_id").replace(ids))
    return replace(themed, units=units, themes=renamed, transitions=[])
