"""How two groups of respondents differ: in NPS, in the share that mentions a theme, and by how much more often.

References
----------
Agresti, A., Caffo, B. (2000). Simple and effective confidence intervals for proportions and differences of
    proportions result from adding two successes and two failures. The American Statistician 54, 280-288.
    doi:10.1080/00031305.2000.10474560
Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
    Medicine 17, 873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
Katz, D., Baptista, J., Azen, S. P., Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474. doi:10.2307/2530610
Kitagawa, E. M. (1955). Components of a difference between two rates. JASA 50, 1168-1194.
    doi:10.1080/01621459.1955.10501299
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import hypergeom

from pipeline.loyalty.measures import Groups, moments, wilson_interval, z_value

_HALF = (0.375, 0.75, 0.375)  # half of Rocks' three pseudo-respondents for each of the two groups
_NOBODY = Groups(0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """A difference (one group − another) with its interval; all None where one group is empty."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class MixRate:
    """An NPS change in points: what comes of who answered (mix), what of how they scored (rate)."""

    change: Difference
    mix: Difference
    rate: Difference


UNKNOWN = Difference(None, None, None, None)


def nps_difference(one: Groups, other: Groups, *, confidence: float = 0.95) -> Difference:
    """Return NPS(one) − NPS(other) of two groups without a common respondent, in points.

    The interval is a Wald interval after half of Rocks' pseudo-respondents joined each group (the idea of Agresti and
    Caffo 2000), around their difference; value is the plain one.

    Examples
    --------
    >>> nps_difference(Groups(3, 0, 1), Groups(0, 1, 1)).value
    100.0
    """
    if not one.n or not other.n:
        return UNKNOWN
    value = 100 * (moments(one)[0] - moments(other)[0])
    padded = [[count + pseudo for count, pseudo in zip(group, _HALF, strict=True)] for group in (one, other)]
    (mean1, var1), (mean0, var0) = map(moments, padded)
    centre = 100 * (mean1 - mean0)
    error = 100 * math.sqrt(var1 / sum(padded[0]) + var0 / sum(padded[1]))
    margin = z_value(confidence) * error
    low, high = max(-200.0, centre - margin), min(200.0, centre + margin)
    return Difference(value, min(low, value), max(high, value), math.erfc(abs(centre) / error / math.sqrt(2)))


def against_the_others(groups: Sequence[Groups]) -> list[Difference]:
    """Return for each of the groups its NPS minus that of all the others together, in points.

    Examples
    --------
    >>> [gap.value for gap in against_the_others([Groups(1, 0, 0), Groups(0, 1, 0), Groups(0, 1, 0)])]
    [100.0, -50.0, -50.0]
    """
    everyone = Groups(*(sum(counts) for counts in zip(*groups, strict=True))) if groups else _NOBODY
    return [nps_difference(group, everyone.without(group)) for group in groups]


def share_difference(k1: int, n1: int, k0: int, n0: int, *, confidence: float = 0.95) -> Difference:
    """Return k1/n1 − k0/n0 with Newcombe's hybrid score interval; p is Fisher's, two-sided by doubling.

    Examples
    --------
    >>> share_difference(5, 10, 1, 10).value
    0.4
    """
    first, second = wilson_interval(k1, n1, confidence=confidence), wilson_interval(k0, n0, confidence=confidence)
    if first is None or second is None:
        return UNKNOWN
    p1, p0 = k1 / n1, k0 / n0
    low = p1 - p0 - math.hypot(p1 - first[0], second[1] - p0)
    high = p1 - p0 + math.hypot(first[1] - p1, p0 - second[0])
    p = min(1.0, 2 * min(more_often(k1, n1, k0, n0), more_often(k0, n0, k1, n1)))
    return Difference(p1 - p0, low, high, p)


def more_often(k1: int, n1: int, k0: int, n0: int) -> float:
    """Return Fisher's one-sided p value that k1 of n1 is not a larger share than k0 of n0."""
    return float(hypergeom.sf(k1 - 1, n1 + n0, k1 + k0, n1))


def lift(k1: int, n1: int, k0: int, n0: int, *, confidence: float = 0.95) -> Difference:
    """Return how many times as often one group mentions a theme as the other does: (k1/n1) / (k0/n0).

    The interval is Katz's on the logarithm, a half added to every count; p is Fisher's, one-sided: more often. value is
    None where the other group never mentions the theme.

    Examples
    --------
    >>> lift(5, 10, 2, 10).value
    2.5
    """
    if not n1 or not n0:
        return UNKNOWN
    a, b, c, d = k1 + 0.5, n1 + 1.0, k0 + 0.5, n0 + 1.0
    centre, margin = math.log(a / b / (c / d)), z_value(confidence) * math.sqrt(1 / a - 1 / b + 1 / c - 1 / d)
    value = k1 * n0 / (n1 * k0) if k0 else None
    return Difference(value, math.exp(centre - margin), math.exp(centre + margin), more_often(k1, n1, k0, n0))


def mix_and_rate(now: Mapping[str, Groups], before: Mapping[str, Groups], *, confidence: float = 0.95) -> MixRate:
    """Return an NPS change split into who answered and how they scored (Kitagawa 1955), in points.

    Parameters
    ----------
    now, before : mapping from segment to Groups
        The scored respondents of each period by segment.
    confidence : float
        Coverage of the intervals, the delta method's.

    Returns
    -------
    MixRate
        With w a segment's share of a period's respondents and s its NPS: rate = Σ (w₁ + w₀)/2 · (s₁ − s₀),
        mix = Σ (w₁ − w₀) (s₁ + s₀)/2, and change = mix + rate exactly. A segment missing from one period counts with
        the NPS it has in the other: all of it is mix.
    """
    total = {"now": sum(g.n for g in now.values()), "before": sum(g.n for g in before.values())}
    if not total["now"] or not total["before"]:
        return MixRate(UNKNOWN, UNKNOWN, UNKNOWN)
    cells = []
    for segment in sorted({*now, *before}):
        one, other = now.get(segment, _NOBODY), before.get(segment, _NOBODY)
        if one.n or other.n:
            cells.append(_Cell.of(one, other, total["now"], total["before"]))
    rate = sum((cell.w1 + cell.w0) / 2 * (cell.s1 - cell.s0) for cell in cells)
    mix = sum((cell.w1 - cell.w0) * (cell.s1 + cell.s0) / 2 for cell in cells)
    mix_variance = sum(_variance(cells, period, total[period], "mix") for period in total)
    rate_variance = sum(_variance(cells, period, total[period], "rate") for period in total)
    change = nps_difference(_summed(now), _summed(before), confidence=confidence)
    return MixRate(change, _normal(mix, mix_variance, confidence), _normal(rate, rate_variance, confidence))


@dataclass(frozen=True)
class _Cell:
    """One segment in both periods: counts, shares w and means s, each period's own first."""

    one: Groups
    other: Groups
    w1: float
    w0: float
    s1: float
    s0: float

    @classmethod
    def of(cls, one: Groups, other: Groups, n1: int, n0: int) -> "_Cell":
        s1 = moments(one if one.n else other)[0]
        s0 = moments(other if other.n else one)[0]
        return cls(one, other, one.n / n1, other.n / n0, s1, s0)


def _variance(cells: list[_Cell], period: str, n: int, part: str) -> float:
    """Return the delta-method variance that one period's respondents bring, from their influences on a part.

    A respondent of segment g who answers v moves the segment's share by (1 − w) / n and its mean by (v − s) / (w n).
    """
    sign = 1.0 if period == "now" else -1.0
    pulls = []  # (respondents, influence through the share, influence through the mean)
    for cell in cells:
        counts, s = (cell.one, cell.s1) if period == "now" else (cell.other, cell.s0)
        w = cell.w1 if period == "now" else cell.w0
        both, gap, middle, step = (cell.w1 + cell.w0) / 2, cell.s1 - cell.s0, (cell.s1 + cell.s0) / 2, cell.w1 - cell.w0
        for answer, count in zip((1, 0, -1), counts, strict=True):
            if count and part == "rate":
                pulls.append((count, gap / 2, sign * both * (answer - s) / w))
            elif count:
                pulls.append((count, sign * middle, step / 2 * (answer - s) / w))
    centre = sum(count * by_share for count, by_share, _ in pulls) / n
    return sum(count * (by_share - centre + by_mean) ** 2 for count, by_share, by_mean in pulls) / n**2


def _normal(value: float, variance: float, confidence: float) -> Difference:
    error = math.sqrt(variance)
    margin = z_value(confidence) * error
    p = math.erfc(abs(value) / error / math.sqrt(2)) if error else 1.0
    return Difference(100 * value, 100 * (value - margin), 100 * (value + margin), p)


def _summed(by_segment: Mapping[str, Groups]) -> Groups:
    return Groups(*(sum(counts) for counts in zip(*by_segment.values(), strict=True)))
