"""Choose the few quotes that stand for a theme."""

import re
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.report.wording import UNIT_COLUMNS, day_of

READABLE = (12, 140)
"""Characters of a quote that says something and is still read; others come after."""

LONGEST = 280
"""Characters shown; the whole text is in report.xlsx and units.csv."""

TOO_ALIKE = 0.5
_CANDIDATES = 80


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


def choose_quotes(units: pl.DataFrame, theme_ids: list[str], n: int = 3) -> list[Quote]:
    """Return up to `n` quotes most similar to the themes, by different respondents, unlike one another.

    Texts whose character pairs overlap by more than half (Jaccard) are taken only when nothing else is left;
    the same words are never taken twice.
    """
    segments = [name for name in units.columns if name not in UNIT_COLUMNS]
    chosen: list[dict[str, Any]] = []
    candidates = _most_similar(units, theme_ids)
    for limit in (TOO_ALIKE, 1.0):
        for row in candidates:
            if len(chosen) < n and all(_differ(row, other, limit) for other in chosen):
                chosen.append(row)
    return [_quote(row, segments) for row in chosen]


def mark_words(text: str, theme: dict[str, Any]) -> Markup:
    """Return the text with the theme's words marked, everything in it escaped.

    Keywords and pairs hold dictionary forms: a verb or adjective is looked for by its stem (遅れる → 遅れ), a stem of
    one character only where kana follow (高い → 高く, but not 高齢).

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
    pattern = "|".join(_inflected(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    marked, end = Markup(""), 0
    for found in re.finditer(pattern, text):
        marked += text[end : found.start()]
        marked += Markup("<mark>{}</mark>").format(found[0])
        end = found.end()
    return marked + text[end:]


def _inflected(word: str) -> str:
    stem = word[:-1]
    if word[-1] not in "うくぐすつぬぶむるい" or not stem:
        return re.escape(word)
    return re.escape(stem) + ("[ぁ-ん]" if len(stem) == 1 else "")


def _most_similar(units: pl.DataFrame, theme_ids: list[str]) -> list[dict[str, Any]]:
    length = pl.col("unit_text").str.strip_chars().str.len_chars()
    return (
        units.filter(pl.col("theme_id").is_in(theme_ids) & (length > 0))
        .with_columns(_hard_to_read=~length.is_between(*READABLE))
        .sort(
            ["_hard_to_read", "similarity", "source", "feedback_id", "unit_index"],
            descending=[False, True, False, False, False],
            nulls_last=True,
        )
        .drop("_hard_to_read")
        .head(_CANDIDATES)
        .to_dicts()
    )


def _differ(row: dict[str, Any], other: dict[str, Any], limit: float) -> bool:
    if (row["source"], row["feedback_id"]) == (other["source"], other["feedback_id"]):
        return False
    a, b = _words_only(row["unit_text"]), _words_only(other["unit_text"])
    return a != b and _overlap(a, b) <= limit


def _words_only(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower() or text


def _overlap(a: str, b: str) -> float:
    pairs_a, pairs_b = ({t[i : i + 2] for i in range(max(1, len(t) - 1))} for t in (a, b))
    return len(pairs_a & pairs_b) / len(pairs_a | pairs_b)


def _quote(row: dict[str, Any], segments: list[str]) -> Quote:
    text = row["unit_text"].strip()
    return Quote(
        text=text if len(text) <= LONGEST else text[: LONGEST - 1] + "…",
        sentiment=row["sentiment"],
        group=row["nps_group"] or "unscored",
        score=row["nps_score"],
        day=day_of(row["received_at"]),
        source=row["source"],
        feedback_id=row["feedback_id"],
        segments=tuple(str(row[name]) for name in segments if row[name] not in (None, "")),
    )
