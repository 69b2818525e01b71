"""What deserves a look tonight: sudden volume, sudden anger, new themes, and whatever is on the watch list.

A spike must pass three bars: at least five respondents, beyond 2 standard deviations of the recent weeks, and too
unlikely by chance given how many themes are looked at: Bonferroni over the night's tests at 5 %, by Fisher's exact test
and by the band's own deviation (Student's t), which knows how much the theme scatters. The chance of any false spike on
a quiet night is so at most about 5 %, whatever the number of themes, and mostly far less (benchmarks/loyalty.py).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from pipeline.growth import growth_start
from pipeline.loyalty.differences import more_often
from pipeline.loyalty.mentions import KEY
from pipeline.loyalty.trends import MOST_WEEKS, Band, Series, Trends

FALSE_ALARMS = 0.05
"""The chance of any false spike on a night on which nothing changes."""

LEAST = 5
"""Respondents (for anger: negative ones) of the last week that a spike needs."""

MOST_LISTED = 100
"""Feedback listed behind an alert, newest first."""


@dataclass(frozen=True)
class Spike:
    """A theme whose last week stands out: of `k` in `n`, `band.expected` were to be expected."""

    kind: str
    theme_id: str
    k: int
    n: int
    band: Band
    p: float
    since: date


def find_spikes(trends: Trends) -> list[Spike]:
    """Return the themes whose last week is beyond its band in volume or in negative share, most unlikely first.

    `since` is the first day of the unbroken run of weeks above their bands.
    """
    last = len(trends.weeks) - 1
    tested = []
    for series in trends.series if last >= 0 else ():
        for kind, counts, totals, band in (
            ("volume_spike", series.n_feedback, trends.n_analysed, trends.volume_band),
            ("negative_spike", series.negative, series.n_feedback, trends.negative_band),
        ):
            expected = band(series, last)
            if expected is not None and totals[last]:
                stands_out = counts[last] >= LEAST and counts[last] > expected.high
                p = _chance(counts, totals, expected) if stands_out else 1.0
                tested.append(Spike(kind, series.theme_id, counts[last], totals[last], expected, p, trends.weeks[last]))
    found = [spike for spike in tested if spike.p * len(tested) < FALSE_ALARMS]
    series_of = {series.theme_id: series for series in trends.series}
    dated = [Spike(**(vars(s) | {"since": _since(trends, series_of[s.theme_id], s.kind)})) for s in found]
    return sorted(dated, key=lambda spike: (spike.p, spike.theme_id, spike.kind))


def spike_alerts(
    trends: Trends, received: pl.DataFrame, mentions: pl.DataFrame, names: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the spikes as alerts, each with the first day of its growth and the feedback since then."""
    alerts = []
    for spike in find_spikes(trends):
        said = mentions.filter(pl.col("theme_id") == spike.theme_id).join(received, on=KEY, how="inner")
        everybody = received
        if spike.kind == "negative_spike":
            said, everybody = said.filter(pl.col("polarity") < 0), said
        said = said.filter(pl.col("day") >= _first_day(said, everybody, spike, trends))
        alerts.append({
            "kind": spike.kind, "theme_id": spike.theme_id, "name": names[spike.theme_id],
            "first_day": str(said["day"].min()), "week": trends.weeks[-1].isoformat(), "n_feedback": spike.k,
            "of": spike.n, "expected": spike.band.expected, "high": spike.band.high, "p": spike.p,
            "feedback": listed(said),
        })
    return alerts


def watch_alerts(
    watch: Sequence[str],
    feedback: pl.DataFrame,
    mentions: pl.DataFrame,
    names: dict[str, str],
    *,
    window: tuple[date, date],
) -> list[dict[str, Any]]:
    """Return an alert for every phrase or theme of the watch list that somebody used in the last seven days.

    Parameters
    ----------
    watch : sequence of str
        Phrases to find in the comments (full and half width alike), theme names or theme ids.
    feedback : pl.DataFrame
        Every respondent: source, feedback_id, day and, where phrases are to be found, text.
    """
    recent = feedback.filter(pl.col("day").is_between(window[1] - timedelta(days=6), window[1]))
    alerts = []
    for entry in dict.fromkeys(watch):
        theme_ids = sorted(theme_id for theme_id, name in names.items() if entry in (theme_id, name))
        hits = recent.filter(_contains(recent, entry)).select(*KEY, "day")
        said = mentions.filter(pl.col("theme_id").is_in(theme_ids)).select(KEY).unique()
        hits = pl.concat([hits, recent.join(said, on=KEY, how="semi").select(*KEY, "day")]).unique()
        if hits.height:
            alerts.append({
                "kind": "watch", "theme_id": theme_ids[0] if theme_ids else None, "name": entry,
                "first_day": str(hits["day"].min()), "n_feedback": hits.height, "feedback": listed(hits),
            })
    return alerts


def listed(said: pl.DataFrame) -> list[dict[str, str]]:
    """Return up to a hundred feedback ids with their source, newest first."""
    ordered = said.sort("day", *KEY, descending=[True, False, False], nulls_last=True)
    return ordered.select(KEY).head(MOST_LISTED).to_dicts()


def _chance(counts: list[int], totals: list[int], band: Band) -> float:
    """Return the larger of Fisher's p value against the weeks before and that of the band's deviation."""
    before = [(k, n) for k, n in zip(counts[:-1], totals[:-1], strict=True) if n][-MOST_WEEKS:]
    exact = more_often(counts[-1], totals[-1], sum(k for k, _ in before), sum(n for _, n in before))
    far = (counts[-1] - band.expected) / band.deviation if band.deviation else 0.0
    scattered = float(student.sf(far, band.freedom))
    return max(exact, scattered)


def _since(trends: Trends, series: Series, kind: str) -> date:
    band, counts = (
        (trends.volume_band, series.n_feedback) if kind == "volume_spike" else (trends.negative_band, series.negative)
    )
    week = len(trends.weeks) - 1
    while week > 0 and (before := band(series, week - 1)) and counts[week - 1] > before.high:
        week -= 1
    return trends.weeks[week]


def _first_day(said: pl.DataFrame, everybody: pl.DataFrame, spike: Spike, trends: Trends) -> date:
    """Return the most likely start of the growth, not before the week ahead of the run of weeks above the band."""
    end = trends.weeks[-1] + timedelta(days=6)
    n_days = (end - trends.first_day).days + 1

    def per_day(rows: pl.DataFrame) -> np.ndarray:
        at = (rows.filter(pl.col("day").is_between(trends.first_day, end))["day"] - trends.first_day).dt.total_days()
        return np.bincount(at.to_numpy(), minlength=n_days)

    look_back = (end - spike.since).days + 8
    return trends.first_day + timedelta(growth_start(per_day(said), per_day(everybody), look_back))


def _contains(feedback: pl.DataFrame, phrase: str) -> pl.Series:
    wanted = _plain(phrase)
    if "text" not in feedback.columns or not wanted:
        return pl.Series([False] * feedback.height, dtype=pl.Boolean)
    return pl.Series([wanted in _plain(text or "") for text in feedback["text"]], dtype=pl.Boolean)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
