"""The words of the report, one catalogue per language, and the way numbers and dates are written.

A catalogue is ``words/<language>.toml``; no other file of the report holds a word that a reader sees.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

NONE = "—"
LANGUAGES = ("ja", "en")

UNIT_COLUMNS = frozenset((
    "feedback_id", "source", "received_at", "unit_index", "unit_text", "theme_id", "theme", "parent_theme",
    "similarity", "sentiment", "sentiment_score", "intent", "nps_score", "nps_group", "unassigned_reason",
    "near_duplicate",
))
"""Columns of units.csv that are no segment."""

_REASONS = {
    "score": r"score must be a whole number from (\d+) to (\d+)",
    "answer": r"(csat|ces|dwb) must be a whole number from (\d+) to (\d+)",
    "date": r"date must look like (.+)",
    "no_date": r"no such date or time",
    "amount": r"must be a number of at least 0",
    "orders": r"orders must be a whole number of at least 0",
    "later_row": r"the customer has another row with a later purchase",
    "no_id": r"the id is missing",
    "cells": r"the row has (\d+) cells, the header (\d+)",
    "json": r"the line is not a JSON object",
    "erased": r"erased on request",
    "list": r"the list is not JSON from here on",
    "quotation": r"a quotation mark is opened and never closed",
    "long_cell": r"a cell is longer than (.+) characters",
    "bytes": r"bytes that are not text in the file's encoding",
    "large_mail": r"the mail is larger than (\d+) MB",
    "no_mail": r"not a readable mail \(.+\)",
}


class Words:
    """The catalogue of one language.

    Parameters
    ----------
    language : str
        One of `LANGUAGES`.
    texts : dict
        The catalogue; sections are nested.
    labels : mapping of str, optional
        What readers call segment columns and sources.
    """

    def __init__(self, language: str, texts: dict[str, Any], labels: Mapping[str, str] | None = None) -> None:
        self.language = language
        self.texts = texts
        self.labels = labels or {}

    def with_labels(self, labels: Mapping[str, str]) -> "Words":
        """Return the same catalogue with a deployment's names of its segment columns and sources."""
        return Words(self.language, self.texts, labels)

    def label(self, name: str) -> str:
        """Return what readers call a segment column or a source; what has no label as it is."""
        return self.labels.get(name, name)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text under ``section.key``, its {names} filled in.

        Raises
        ------
        KeyError
            If the catalogue has no such key, or the text wants a value that was not given.
        """
        return str(self.part(key)).format(**values)

    def part(self, key: str) -> Any:
        """Return what stands under ``section.key``: a text, a list or a section."""
        found: Any = self.texts
        for name in key.split("."):
            found = found[name]
        return found

    def name(self, section: str, code: Any) -> str:
        """Return a code's word in a section; a code it does not know as it is, nothing as a dash."""
        return NONE if code is None else str(self.part(section).get(code, code))

    def certain(self, certainty: str, *, few: bool = False) -> str:
        """Return how certain a figure is, in words; of few people with the warning that goes with it."""
        word = self.name("certainty", certainty)
        return self("form.few", word=word) if few and certainty != "few" else word

    def listed(self, items: Any) -> str:
        """Return the items joined as the language joins a list."""
        return str(self.part("list_separator")).join(map(str, items))

    def interval(self, low: str, high: str) -> str:
        """Return two written bounds as one interval."""
        return self("form.interval", low=low, high=high)

    def points_interval(self, low: float | None, high: float | None) -> str:
        """Return ``−18.0〜−6.5``."""
        return NONE if low is None or high is None else self.interval(points(low), points(high))

    def percent_interval(self, low: float | None, high: float | None) -> str:
        """Return ``10.1〜14.9%``."""
        return NONE if low is None or high is None else self.interval(f"{100 * low:.1f}", f"{100 * high:.1f}%")

    def full_date(self, iso: str | None) -> str:
        """Return ``2024年11月21日（木）`` for an ISO date or time; anything else as it is."""
        return self._date("date.full", iso)

    def short_date(self, iso: str | None) -> str:
        """Return ``11月21日`` for an ISO date or time; anything else as it is."""
        return self._date("date.short", iso)

    def tick(self, iso: str | None) -> str:
        """Return ``11/21``, for axes, for an ISO date or time; anything else as it is."""
        return self._date("date.tick", iso)

    def week_start(self, week: str) -> str:
        """Return the Monday of ``2024-W47`` (or the ISO date itself) as ``11/18``; anything else as it is."""
        found = re.fullmatch(r"(\d{4})-?W(\d{2})", week)
        return self.tick(date.fromisocalendar(int(found[1]), int(found[2]), 1).isoformat() if found else week)

    def reason(self, reason: str) -> str:
        """Return a quarantine reason of pipeline.read in this language; one it does not know as it is."""
        for key, pattern in _REASONS.items():
            if found := re.fullmatch(pattern, reason):
                return str(self.part(f"reasons.{key}")).format(*found.groups())
        return reason

    def _date(self, form: str, iso: str | None) -> str:
        day = _parse(iso)
        if day is None:
            return iso or NONE
        return self(
            form, year=day.year, number=day.month, month=self.part("date.months")[day.month - 1], day=day.day,
            weekday=self.part("date.weekdays")[day.weekday()],
        )


@cache
def words_of(language: str) -> Words:
    """Return the catalogue of a language, ``ja`` or ``en``.

    Raises
    ------
    ValueError
        If there is none.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}; got {language!r}")
    text = files("pipeline.report").joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, tomllib.loads(text))


def count(n: int | None) -> str:
    """Return ``1,234``."""
    return NONE if n is None else f"{n:,}"


def points(value: float | None) -> str:
    """Return NPS points with their sign: ``+3.2``, ``−4.1``, ``0.0``."""
    if value is None:
        return NONE
    rounded = round(value, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as ``12.3%``."""
    return NONE if share is None else f"{100 * share:.1f}%"


def day_of(value: object) -> str | None:
    """Return the ISO date in a datetime, a date or an ISO text; None where there is none."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return str(value)[:10] if value not in (None, "") else None


def _parse(iso: str | None) -> date | None:
    try:
        return date.fromisoformat(iso[:10]) if iso else None
    except ValueError:
        return None
