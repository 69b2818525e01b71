"""What a group of respondents answered: NPS, and shares such as CSAT, CES and DWB, with their intervals.

References
----------
Rocks, B. (2016). Interval Estimation for the "Net Promoter Score". The American Statistician 70, 365-372.
    doi:10.1080/00031305.2016.1198279
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    doi:10.1080/01621459.1927.10502953
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import polars as pl

GROUPS = ("promoter", "passive", "detractor", "unscored")
# Three pseudo-respondents: 3/4 promoter, 3/2 passive, 3/4 detractor (Rocks 2016).
PSEUDO = (0.75, 1.5, 0.75)
UNCERTAIN_BELOW = 30
"""A figure of fewer respondents is marked uncertain, and shown as 参考値 (for reference only)."""

SIGNIFICANT = 0.05
"""What counts as significant: a p, adjusted over all that are looked at, below it."""


class Groups(NamedTuple):
    """How many scored respondents are promoters, passives and detractors."""

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        """All respondents with a score."""
        return self.promoters + self.passives + self.detractors

    def without(self, part: "Groups") -> "Groups":
        """Return the respondents outside a part of these."""
        return Groups(*(all_ - some for all_, some in zip(self, part, strict=True)))

    @classmethod
    def counted(cls, by_group: Mapping[str, int]) -> "Groups":
        """Return the counts of a mapping from NPS group to respondents; those without a score are left out."""
        return cls(*(by_group.get(group, 0) for group in GROUPS[:3]))


@dataclass(frozen=True)
class Nps:
    """A Net Promoter Score in points with its interval; score, low and high are None when n is 0."""

    score: float | None
    low: float | None
    high: float | None
    n: int
    promoters: int
    passives: int
    detractors: int


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] of n with its Wilson interval; None when n is 0."""

    share: float | None
    low: float | None
    high: float | None
    k: int
    n: int


def nps_group(score: pl.Expr) -> pl.Expr:
    """Return promoter (9-10), passive (7-8) or detractor (0-6) for a score; null stays null."""
    return (
        pl.when(score >= 9)
        .then(pl.lit("promoter"))
        .when(score >= 7)
        .then(pl.lit("passive"))
        .when(score.is_not_null())
        .then(pl.lit("detractor"))
    )


def nps(promoters: int, passives: int, detractors: int, *, confidence: float = 0.95) -> Nps:
    """Return the Net Promoter Score with its adjusted-Wald interval, in NPS points.

    Parameters
    ----------
    promoters, passives, detractors : int
        Respondents scoring 9-10, 7-8 and 0-6.
    confidence : float
        Coverage of the interval.

    Returns
    -------
    Nps
        score is the plain figure; low and high come from the counts with three pseudo-respondents added,
        cut to [-100, 100].

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    >>> nps(3, 2, 5).score
    -20.0
    """
    groups = Groups(promoters, passives, detractors)
    if min(groups) < 0:
        raise ValueError(f"counts of respondents cannot be negative; got {tuple(groups)}")
    if groups.n == 0:
        return Nps(None, None, None, 0, 0, 0, 0)
    adjusted = tuple(count + pseudo for count, pseudo in zip(groups, PSEUDO, strict=True))
    mean, variance = moments(adjusted)
    margin = z_value(confidence) * math.sqrt(variance / sum(adjusted))
    score, _ = moments(groups)
    low, high = max(-1.0, mean - margin), min(1.0, mean + margin)
    return Nps(100 * score, 100 * low, 100 * high, groups.n, *groups)


def wilson_interval(successes: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the Wilson score interval of the share successes / n, in [0, 1]; None when n is 0.

    Examples
    --------
    >>> low, high = wilson_interval(0, 10)
    >>> (low, round(high, 4))
    (0.0, 0.2775)
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n; got {successes} of {n}")
    if n == 0:
        return None
    z2 = z_value(confidence) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    margin = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the formula gives exactly 0 or 1; floating point would leave 1e-17.
    low = 0.0 if successes == 0 else max(0.0, centre - margin)
    high = 1.0 if successes == n else min(1.0, centre + margin)
    return low, high


def share_of(successes: int, n: int) -> Share:
    """Return the share successes / n with its Wilson interval."""
    low, high = wilson_interval(successes, n) or (None, None)
    return Share(successes / n if n else None, low, high, successes, n)


def top_box(answers: pl.Series, least: int) -> Share:
    """Return the share of answers of at least `least`; missing answers are not counted.

    Examples
    --------
    >>> top_box(pl.Series([5, 4, 2, None]), 4).share
    0.6666666666666666
    """
    given = answers.drop_nulls()
    return share_of(int((given >= least).sum()), given.len())


def score_distribution(feedback: pl.DataFrame) -> list[int]:
    """Return how many respondents gave each score from 0 to 10 (11 counts); no score, not counted.

    Raises
    ------
    ValueError
        If a score lies outside 0 to 10.
    """
    scores = feedback.select(pl.col("score").cast(pl.Int64)).drop_nulls()
    counts = dict(scores.group_by("score").len().iter_rows())
    outside = sorted(set(counts) - set(range(11)))
    if outside:
        raise ValueError(f"score must be 0 to 10; got {outside[0]} (reading sends such rows to quarantine)")
    return [counts.get(score, 0) for score in range(11)]


def moments(counts: Sequence[float]) -> tuple[float, float]:
    """Return mean and variance of +1, 0, −1 over promoters, passives, detractors."""
    promoters, _, detractors = counts
    n = sum(counts)
    mean = (promoters - detractors) / n
    return mean, (promoters + detractors) / n - mean**2


def z_value(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)
