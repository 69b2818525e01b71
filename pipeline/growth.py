"""Whether a count grows beyond chance, and since when: a scan over the last days.

A scan statistic in time (Naus 1965, doi:10.1080/01621459.1965.10480810; prospective: Kulldorff 2001,
doi:10.1111/1467-985X.00186): of K mentions in a window with N respondents, those of the last days, n respondents,
are Binomial(K, n/N) if nothing has changed (the conditional test of two Poisson rates, Przyborowski & Wilenski 1940,
doi:10.1093/biomet/31.3-4.313). It compares shares, so a busy week is no growth. Several windows end on the
last day; where mentions scatter from week to week more than chance, counts are divided by their dispersion
(quasi-likelihood, as in :mod:`pipeline.loyalty.trends`).

Thousands of counts are tested, most of them small. p values of small counts take few values, so that the chance of
any false alarm is counted exactly as discrete as it is: the sum, over all counts and windows, of the largest
attainable p value that is no larger (Westfall & Wolfinger 1997, doi:10.1080/00031305.1997.10473577).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln

WINDOWS = (3, 5, 7, 10, 14)
"""Days that are compared with the days before them."""

LEAST = 6
"""Respondents of the last days that growth needs."""

RATIO = 3.0
"""Least ratio of the share now to the share before."""

LOOK_BACK = 28
"""Days among which the first day of growth is looked for."""

DAYS_BEFORE = 14
"""Days of answers a window is compared with, at least."""

_POOLED_FREEDOM = 10
_LEAST_EXPECTED = 5

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def scan_p(counts: Counts, totals: Counts) -> Floats:
    """Return the adjusted p value of the growth of each count, 1 where there is none.

    Parameters
    ----------
    counts : ndarray of int, (n, n_days)
        Respondents per day who mention each thing.
    totals : ndarray of int, (n_days,)
        All respondents per day, the oldest day first.

    Returns
    -------
    ndarray of float, (n,)
        A bound of the chance that anything among the n would seem to grow so much if nothing did.
    """
    usable = _windows(totals)
    if not len(counts) or not usable:
        return np.ones(len(counts))
    mentions = counts.sum(axis=1)
    spread = np.round(dispersion(counts, totals), 2)  # so that counts of one kind have one table
    best = np.ones(len(counts))
    shares = np.array([totals[-days:].sum() / totals.sum() for days in usable])
    for days, share in zip(usable, shares, strict=True):
        recent = counts[:, -days:].sum(axis=1)
        before = (mentions - recent) / (1 - share)
        grown = (recent >= LEAST) & (recent / share >= RATIO * before)
        p = _tail(recent, mentions, share, spread)
        best = np.where(grown, np.minimum(best, p), best)
    return _adjust(best, mentions, spread, shares)


def dispersion(counts: Counts, totals: Counts) -> Floats:
    """Return how much more each count scatters from week to week than chance, at least 1, (n,).

    Pearson's χ² over its degrees of freedom, in whole weeks before the tested windows; a count's own is drawn
    towards that of all counts together, and is never less.
    """
    history = len(totals) - max(WINDOWS)
    weeks = history // 7
    if weeks < 2:
        return np.ones(len(counts))
    by_week = counts[:, history - 7 * weeks : history].reshape(len(counts), weeks, 7).sum(axis=2)
    heard = totals[history - 7 * weeks : history].reshape(weeks, 7).sum(axis=1)
    told = heard > 0
    share = heard[told] / max(1, heard.sum())
    expected = by_week.sum(axis=1)[:, None] * share
    chi2 = np.divide((by_week[:, told] - expected) ** 2, expected, where=expected > 0, out=np.zeros_like(expected))
    chi2, freedom = chi2.sum(axis=1), max(1, told.sum() - 1)
    enough = by_week.sum(axis=1) >= _LEAST_EXPECTED
    pooled = max(1.0, float(chi2[enough].mean() / freedom)) if enough.any() else 1.0
    own = (_POOLED_FREEDOM * pooled + chi2) / (_POOLED_FREEDOM + freedom)
    return np.where(enough, np.maximum(pooled, own), pooled)


def growth_start(counts: Counts, totals: Counts, look_back: int = LOOK_BACK) -> int:
    """Return the day on which a count most likely began to grow: the place with the most evidence.

    Parameters
    ----------
    counts, totals : ndarray of int, (n_days,)
        Respondents per day who mention it, and all.

    Examples
    --------
    >>> growth_start(np.array([0, 1, 0, 0, 0, 1, 0, 3, 4, 2]), np.full(10, 9), 5)
    7
    """
    days = np.arange(max(0, len(totals) - look_back), len(totals))
    return int(days[np.argmax(growth_evidence(counts, totals)[days])])


def growth_evidence(counts: Counts, totals: Counts) -> Floats:
    """Return, for each day, the log Bayes factor of a higher share from that day on to one share throughout.

    Each share has Jeffreys' prior, Beta(½, ½): with the likelihood alone, one early mention with none before it
    would draw the start to itself.
    """
    since, heard = (np.cumsum(series[::-1])[::-1] for series in (counts, totals))
    before, heard_before = since[0] - since, heard[0] - heard
    evidence = _evidence(since, heard) + _evidence(before, heard_before) - _evidence(since[:1], heard[:1])
    grows = since * np.maximum(heard_before, 1) > before * heard
    return np.where(grows & (heard_before > 0), evidence, -np.inf)


def _evidence(k: Counts, n: Counts) -> Floats:
    return betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)


def _windows(totals: Counts) -> list[int]:
    """Return the windows that have answers and enough days of them before."""
    told = np.flatnonzero(totals)
    if not len(told):
        return []
    before = len(totals) - int(told[0])
    return [days for days in WINDOWS if before - days >= DAYS_BEFORE and totals[-days:].sum()]


def _tail(recent: NDArray, mentions: NDArray, share: float, spread: NDArray) -> Floats:
    """Return P(X ≥ recent) for X ~ Binomial(mentions, share), counts divided by their dispersion."""
    k, n = recent / spread, mentions / spread
    return np.where(k > 0, betainc(np.maximum(k, 1e-9), n - k + 1, share), 1.0)


def _adjust(p: Floats, mentions: Counts, spread: Floats, shares: Floats) -> Floats:
    """Return, for each p, the sum over all counts and windows of the largest attainable p value up to it."""
    kinds, times = np.unique(np.stack([mentions, spread]), axis=1, return_counts=True)
    asked = np.flatnonzero(p < 1)
    chance = np.zeros(len(asked))
    for (n, phi), copies in zip(kinds.T, times, strict=True):
        if n < LEAST:
            continue
        k = np.arange(LEAST, n + 1)
        for share in shares:
            grown = k / share >= RATIO * (n - k) / (1 - share)
            table = _tail(k[grown], n, share, phi)  # falls with k
            place = len(table) - np.searchsorted(table[::-1], p[asked], side="right")
            inside = place < len(table)
            chance[inside] += copies * table[place[inside]]
    adjusted = np.ones(len(p))
    adjusted[asked] = np.minimum(1.0, chance)
    return adjusted
