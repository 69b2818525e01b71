"""What a theme's mentioners do to the NPS: leave-one-out impact, its interval, and the correction for many themes.

References
----------
Hampel, F. R. (1974). The influence curve and its role in robust estimation. JASA 69, 383-393.
    doi:10.1080/01621459.1974.10482962
Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289-300.
    doi:10.1111/j.2517-6161.1995.tb02031.x
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.loyalty.measures import PSEUDO, Groups, moments, z_value


@dataclass(frozen=True)
class Impact:
    """What a theme's mentioners do to the NPS, in points; all None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None


def impact(mentioners: Groups, everyone: Groups, *, confidence: float = 0.95) -> Impact:
    """Return the NPS of everyone minus the NPS without a theme's mentioners, in NPS points.

    Parameters
    ----------
    mentioners, everyone : Groups
        Scored respondents who mention the theme, and all scored respondents (mentioners included).
    confidence : float
        Coverage of the interval.

    Returns
    -------
    Impact
        value equals n_t (NPS_t - NPS) / (N - n_t). The interval is the delta method's, from the influence
        function, with the variance inside each group steadied by three pseudo-respondents of the overall
        mix (docs/methods.md says why); p is two-sided and below 1 - confidence exactly when the interval
        leaves 0 out. All None when nobody with a score mentions the theme, or everybody does.

    Raises
    ------
    ValueError
        If mentioners are not a part of everyone.

    Examples
    --------
    >>> round(impact(Groups(0, 1, 3), Groups(3, 2, 5)).value, 4)
    -36.6667
    """
    rest = everyone.without(mentioners)
    if min(*mentioners, *rest) < 0:
        raise ValueError(f"mentioners must be a part of everyone; got {mentioners} of {everyone}")
    if mentioners.n == 0 or rest.n == 0:
        return Impact(None, None, None, None)
    share = mentioners.n / everyone.n
    gap = moments(mentioners)[0] - moments(rest)[0]
    value = share * gap
    within = steady_variance(mentioners, everyone) / mentioners.n + steady_variance(rest, everyone) / rest.n
    error = math.sqrt(share**2 * within + gap**2 * share * (1 - share) / everyone.n)
    margin = z_value(confidence) * error
    p = math.erfc(abs(value) / error / math.sqrt(2))
    return Impact(100 * value, 100 * max(-2.0, value - margin), 100 * min(2.0, value + margin), p)


def adjust_p(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini-Hochberg adjusted p values in the same order; None stays None and is not counted.

    Examples
    --------
    >>> adjust_p([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    smallest = 1.0
    for rank in range(len(known), 0, -1):
        p, i = known[rank - 1]
        smallest = min(smallest, p * len(known) / rank)
        adjusted[i] = smallest
    return adjusted


def steady_variance(part: Groups, everyone: Groups) -> float:
    """Return the variance of a part's values with three pseudo-respondents added who score as everyone does.

    Without them three mentioners who all score 0 would have variance 0 and any theme so small would look
    certain; with them the interval of small themes keeps its coverage.
    """
    n = everyone.n + sum(PSEUDO)
    mix = [(count + pseudo) / n for count, pseudo in zip(everyone, PSEUDO, strict=True)]
    return moments([count + 3 * share for count, share in zip(part, mix, strict=True)])[1]
