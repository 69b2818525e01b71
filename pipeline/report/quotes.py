"""Quotes as the report shows them: who said it, the theme's words marked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.loyalty import KEY
from pipeline.quotes import N_QUOTES, choose_quotes, stem_pattern
from pipeline.report.wording import UNIT_COLUMNS, day_of

LONGEST = 280
"""Characters shown; the whole text is in report.xlsx and units.csv."""

MINORITY = 0.25
"""Least number of people on a theme's smaller side, per person on its larger one, that has a quote among three."""


@dataclass(frozen=True)
class Quote:
    """One opinion in a customer's own words, with what is known about who said it."""

    text: str
    sentiment: str
    group: str
    score: int | None
    day: str | None
    source: str
    feedback_id: str
    segments: tuple[str, ...]


def theme_quotes(
    units: pl.DataFrame, theme: dict[str, Any], below: Iterable[str] = (), n: int = N_QUOTES, *, side: str | None = None
) -> list[Quote]:
    """Return up to `n` quotes of a theme and the themes below it, of one sentiment where a `side` is given.

    They stand for figures on scores: those who gave one come first, and of these the group that the words agree with.
    """
    said = units.filter(pl.col("theme_id").is_in([theme["theme_id"], *below]))
    said = said.filter(pl.col("sentiment") == side) if side else said
    return _quotes(said, n, theme["keywords"], prefer=_scored_first())


def balanced_quotes(units: pl.DataFrame, theme: dict[str, Any], below: Iterable[str] = ()) -> list[Quote]:
    """Return three quotes of a theme that speak as its people do, one of the smaller side where it counts.

    Where nothing of the theme is surely read, what is said of it without a judgement stands for it.
    """
    below = list(below)
    more, fewer = sorted(("negative", "positive"), key=lambda side: -theme[side])
    heard = ((more, N_QUOTES - 1), (fewer, 1)) if MINORITY * theme[more] <= theme[fewer] else ((more, N_QUOTES),)
    told = [quote for side, n in heard for quote in theme_quotes(units, theme, below, n, side=side)]
    told += [quote for quote in theme_quotes(units, theme, below, 2 * N_QUOTES) if quote not in told]
    people: dict[tuple[str, str], Quote] = {}
    for quote in told:
        people.setdefault((quote.source, quote.feedback_id), quote)
    if people:
        return list(people.values())[:N_QUOTES]
    said = units.filter(pl.col("theme_id").is_in([theme["theme_id"], *below]) & (pl.col("sentiment") == "neutral"))
    return _quotes(said, N_QUOTES, theme["keywords"], sure=False)


def alert_quotes(
    alert: dict[str, Any], units: pl.DataFrame, n: int = 2, *, side: str | None = None, told: Iterable[Quote] = ()
) -> list[Quote]:
    """Return up to `n` quotes of the respondents behind an alert, first of all of what they said of its theme.

    Quotes that were `told` already are not told again.
    """
    behind = pl.DataFrame(alert.get("feedback", []), schema=dict.fromkeys(KEY, pl.Utf8))
    said = units.join(behind, on=KEY, how="semi")
    about = alert.get("theme_id") or (alert.get("inside") or {}).get("theme_id")
    own = said.filter(pl.col("theme_id").eq_missing(about))
    own = own if about and own.height else said
    one_sided = own.filter(pl.col("sentiment") == side) if side else own
    names = [alert.get("name") or "", *(topic["name"] for topic in alert.get("topics", []))]
    words = [word for name in names for word in name.split("・")]
    known = set(told)
    found = _quotes(one_sided, n + len(known), words)
    return [quote for quote in found if quote not in known][:n]


def mark_words(text: str, theme: dict[str, Any]) -> Markup:
    """Return the text with the theme's words marked, everything in it escaped.

    Keywords and pairs hold dictionary forms: a verb or adjective is looked for by its stem (遅れる → 遅れ).

    Examples
    --------
    >>> str(mark_words("配送が遅くて<困る>", {"keywords": ["遅い"], "pairs": []}))
    '配送が<mark>遅く</mark>て&lt;困る&gt;'
    """
    parts = (part for pair in theme["pairs"] for part in re.split(r"→|\+", pair))
    given = {word.strip() for word in (*theme["keywords"], *parts)}
    words = {word for word in given if word and not re.fullmatch(r"[ぁ-ん]{1,2}", word)}  # する, ない: too common
    if not words:
        return Markup.escape(text)
    pattern = "|".join(stem_pattern(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    marked, end = Markup(""), 0
    for found in re.finditer(pattern, text):
        marked += text[end : found.start()]
        marked += Markup("<mark>{}</mark>").format(found[0])
        end = found.end()
    return marked + text[end:]


def shortened(text: str) -> str:
    """Return the text as it is shown: at most 280 characters."""
    text = text.strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _quotes(
    units: pl.DataFrame, n: int, words: Iterable[str], *, sure: bool = True, prefer: pl.Expr | None = None
) -> list[Quote]:
    segments = [name for name in units.columns if name not in UNIT_COLUMNS]
    return [_quote(row, segments) for row in choose_quotes(units, n, words=words, sure=sure, prefer=prefer)]


def _scored_first() -> pl.Expr:
    """Return 2 for words that agree with the group of whoever said them, 1 for others with a score, else 0."""
    group, sentiment = pl.col("nps_group").cast(pl.Utf8), pl.col("sentiment").cast(pl.Utf8)
    agree = ((sentiment == "negative") & (group == "detractor")) | ((sentiment == "positive") & (group == "promoter"))
    scored = pl.col("nps_score").is_not_null().cast(pl.Int64)
    return scored + (agree & pl.col("nps_score").is_not_null()).fill_null(False).cast(pl.Int64)


def _quote(row: dict[str, Any], segments: list[str]) -> Quote:
    return Quote(
        text=shortened(row["unit_text"]),
        sentiment=row["sentiment"],
        group=row["nps_group"] or "unscored",
        score=row["nps_score"],
        day=day_of(row["received_at"]),
        source=row["source"],
        feedback_id=row["feedback_id"],
        segments=tuple(str(row[name]) for name in segments if row[name] not in (None, "")),
    )
