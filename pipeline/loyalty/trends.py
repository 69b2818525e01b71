"""Weeks and days of every theme, each week with the band that the weeks before it promise.

A week here is seven days that end on the business date, so that the newest one is whole. The band of a week is built
from up to eight whole weeks before it: the theme's share of the respondents there, times this week's respondents, ± 2
standard deviations of a prediction, widened where the earlier weeks scatter more than chance (quasi-binomial).

References
----------
McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, 2nd edition, 4.5. Chapman and Hall.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.loyalty.measures import Nps, nps
from pipeline.loyalty.mentions import KEY

MOST_WEEKS, LEAST_WEEKS = 8, 4
"""Weeks a band looks back, and the fewest it needs."""


@dataclass(frozen=True)
class Band:
    """What is expected of a count: mean, mean ± 2 standard deviations inside [0, n], and the deviation itself.

    The deviation was estimated with `freedom` degrees of freedom.
    """

    expected: float
    low: float
    high: float
    deviation: float
    freedom: int


@dataclass(frozen=True)
class Series:
    """A theme's respondents per whole week, oldest first, those whose words on it are negative, and per day."""

    theme_id: str
    n_feedback: list[int]
    negative: list[int]
    daily: list[int]


@dataclass(frozen=True)
class Trends:
    """The weeks (first day of each), their analysed respondents, the first day of `daily`, and every theme's series."""

    weeks: list[date]
    n_analysed: list[int]
    first_day: date
    series: list[Series]

    def volume_band(self, series: Series, week: int) -> Band | None:
        """Return the band of the theme's respondents in a week; None with fewer than four weeks before it."""
        return band(series.n_feedback[:week], self.n_analysed[:week], self.n_analysed[week])

    def negative_band(self, series: Series, week: int) -> Band | None:
        """Return the band of the negative ones among the theme's respondents of a week."""
        return band(series.negative[:week], series.n_feedback[:week], series.n_feedback[week])


def theme_trends(
    received: pl.DataFrame, mentions: pl.DataFrame, theme_ids: Sequence[str], window: tuple[date, date]
) -> Trends:
    """Return the series of every theme over the window's whole weeks and all its days.

    Parameters
    ----------
    received : pl.DataFrame
        Every respondent with an opinion unit: source, feedback_id, day (in the config's time zone).
    mentions : pl.DataFrame
        Who mentions which theme, with polarity.
    theme_ids : sequence of str
        The themes that are followed.
    window : (date, date)
        First and last day. Weeks before the first respondent are none.
    """
    start, end = window
    days = received.filter(pl.col("day").is_between(start, end))
    first = days["day"].min() if days.height else end + timedelta(days=1)
    assert isinstance(first, date)
    n_weeks = ((end - max(start, first)).days + 1) // 7
    n_days = (end - start).days + 1
    week = (n_weeks - 1 - (pl.lit(end) - pl.col("day")).dt.total_days() // 7).alias("week")
    told = days.with_columns(week, (pl.col("day") - pl.lit(start)).dt.total_days().alias("at"))
    said = mentions.join(told, on=KEY, how="inner")
    by_week = said.group_by("theme_id", "week").agg(pl.len(), (pl.col("polarity") < 0).sum().alias("negative"))
    weekly = {(theme, at): (n, negative) for theme, at, n, negative in by_week.iter_rows()}
    daily = {(theme, at): n for theme, at, n in said.group_by("theme_id", "at").len().iter_rows()}
    heard = dict(told.group_by("week").len().iter_rows())
    series = [
        Series(
            theme_id,
            [weekly.get((theme_id, at), (0, 0))[0] for at in range(n_weeks)],
            [weekly.get((theme_id, at), (0, 0))[1] for at in range(n_weeks)],
            [daily.get((theme_id, at), 0) for at in range(n_days)],
        )
        for theme_id in sorted(theme_ids)
    ]
    weeks = [end - timedelta(days=7 * (n_weeks - at) - 1) for at in range(n_weeks)]
    return Trends(weeks, [heard.get(at, 0) for at in range(n_weeks)], start, series)


def weekly_nps(scored: pl.DataFrame, weeks: Sequence[date]) -> list[Nps]:
    """Return the NPS of every whole week, over all who gave a score in it, with or without a comment.

    Parameters
    ----------
    scored : pl.DataFrame
        Respondents: score (0 to 10) and day (in the config's time zone).
    weeks : sequence of date
        The first day of each week.
    """
    found = []
    for start in weeks:
        score = scored.filter(pl.col("day").is_between(start, start + timedelta(days=6)))["score"]
        promoters, detractors = int((score >= 9).sum()), int((score <= 6).sum())
        found.append(nps(promoters, score.len() - promoters - detractors, detractors))
    return found


def band(counts: Sequence[int], totals: Sequence[int], n: int) -> Band | None:
    """Return the band of a count out of n from earlier counts out of earlier totals, oldest first.

    Weeks without anybody are no evidence. With share p = (Σy + ½) / (Σm + 1) over the last eight,
    dispersion φ = max(1, Σ (y − m p)² / (m p (1 − p)) / (weeks − 1)) and deviation √(φ n p (1 − p) (1 + n / Σm)).

    Examples
    --------
    >>> band([2, 3, 2, 3], [50, 50, 50, 50], 50).high  # 2.6 ± 2 · √(50 · 0.052 · 0.948 · 1.25)
    6.13...
    """
    known = [(y, m) for y, m in zip(counts, totals, strict=True) if m][-MOST_WEEKS:]
    if len(known) < LEAST_WEEKS:
        return None
    total = sum(m for _, m in known)
    p = (sum(y for y, _ in known) + 0.5) / (total + 1)
    scatter = sum((y - m * p) ** 2 / (m * p * (1 - p)) for y, m in known) / (len(known) - 1)
    deviation = math.sqrt(max(1.0, scatter) * n * p * (1 - p) * (1 + n / total))
    low, high = max(0.0, n * p - 2 * deviation), min(float(n), n * p + 2 * deviation)
    return Band(n * p, low, high, deviation, len(known) - 1)
