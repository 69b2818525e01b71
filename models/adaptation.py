"""Fit the polarity of one deployment to its own words, with its customers' scores as weak labels.

A promoter's opinion is more often praise and a detractor's more often a complaint, but far from always. So a
score is taken for a noisy observation of the polarity (Dawid & Skene 1979, doi:10.2307/2346806): the model's own
reading and how often each group says what, estimated together by expectation maximisation. What is learned is
small, an affine map of the eight logits (matrix scaling, Guo et al. 2017, arXiv:1706.04599), drawn to the
identity: it can learn that requests are complaints here, never that a topic is bad. It is used only if on
respondents left out it tells their group better than the model does as it came. A respondent's own score is
never an input of their own polarity.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

N_GROUPS = 3  # detractors, passives, promoters
MIN_PER_GROUP = 100  # respondents: below that the check cannot tell a gain from luck
_FOLDS = 5
_ROUNDS = 20
_PENALTY = 0.003  # of the squared distance from the identity, in nats per unit
_MOST = 20_000  # units that are looked at: 27 numbers need no more
_SMOOTHING = 5.0  # pseudo-units when counting how often a group says what

Floats = NDArray[np.floating]


class Decision(NamedTuple):
    """What was decided and why; the gain is in nats per respondent left out, with the low end of its 95 % interval."""

    used: bool
    reason: str  # "helps", "does not help" or "too few scores"
    n_promoters: int
    n_detractors: int
    gain: float | None = None
    gain_low: float | None = None


@dataclass(frozen=True)
class Adaptation:
    """An affine map from logits (n, k) to polarity logits (n, 3), and the decision that stands behind it."""

    weight: Floats
    bias: Floats
    decision: Decision

    def __call__(self, logits: Floats) -> Floats:
        """Return adapted polarity logits, float32 (n, 3)."""
        return (logits[:, : len(self.bias)] + logits @ self.weight + self.bias).astype(np.float32)


def adapt(logits: Floats, groups: NDArray[np.integer], respondents: NDArray[np.integer]) -> Adaptation:
    """Return the adaptation to a deployment's scores; one that changes nothing where it does not help.

    Parameters
    ----------
    logits : ndarray, (n_units, k)
        Calibrated: negative, neutral, positive, then those of intent.
    groups : ndarray of int, (n_units,)
        Of the unit's respondent: 0 detractor, 1 passive, 2 promoter; −1 without a score.
    respondents : ndarray of int, (n_units,)
        Numbers that depend on who they are and not on the order of the rows; all units of one are left out together.
    """
    scored = groups >= 0
    logits, groups, respondents = np.asarray(logits[scored], np.float64), groups[scored], respondents[scored]
    counts = [len(np.unique(respondents[groups == group])) for group in range(N_GROUPS)]
    n_detractors, _, n_promoters = counts
    if min(n_detractors, n_promoters) < MIN_PER_GROUP:
        return _unchanged(logits.shape[1], Decision(False, "too few scores", n_promoters, n_detractors))
    with threadpool_limits(1):  # sums in a fixed order, whatever the number of cores
        return _checked(logits, groups, respondents, (n_promoters, n_detractors))


def _checked(
    logits: Floats, groups: NDArray[np.integer], respondents: NDArray[np.integer], counts: tuple[int, int]
) -> Adaptation:
    if len(logits) > _MOST:
        every = np.unique(respondents, return_inverse=True)[1] % -(-len(logits) // _MOST) == 0
        logits, groups, respondents = logits[every], groups[every], respondents[every]
    gain = _held_out_gain(logits, groups, respondents)
    low = float(gain.mean() - 1.96 * gain.std(ddof=1) / np.sqrt(len(gain)))
    used = low > 0
    decision = Decision(used, "helps" if used else "does not help", *counts, float(gain.mean()), low)
    if not used:
        return _unchanged(logits.shape[1], decision)
    fit = _fit(logits, groups)
    return Adaptation(fit.weight, fit.bias, decision)


def _unchanged(k: int, decision: Decision) -> Adaptation:
    return Adaptation(np.zeros((k, 3)), np.zeros(3), decision)


def _held_out_gain(logits: Floats, groups: NDArray[np.integer], respondents: NDArray[np.integer]) -> Floats:
    """Return for each respondent how much likelier their group is under the adapted model than under the plain one."""
    people, person = np.unique(respondents, return_inverse=True)
    fold = np.arange(len(people)) % _FOLDS
    gain = np.zeros(len(people))
    for k in range(_FOLDS):
        inside = fold[person] == k
        plain = _fit(logits[~inside], groups[~inside], moves=False)
        adapted = _fit(logits[~inside], groups[~inside])
        likelier = adapted.log_likelihood(logits[inside], groups[inside])
        likelier -= plain.log_likelihood(logits[inside], groups[inside])
        np.add.at(gain, person[inside], likelier)
    return gain


class _Fit(NamedTuple):
    """The map, and P(group | polarity), (3 groups, 3 polarities)."""

    weight: Floats
    bias: Floats
    spoken: Floats

    def polarity(self, logits: Floats) -> Floats:
        return softmax(logits[:, :3] + logits @ self.weight + self.bias, axis=1)

    def log_likelihood(self, logits: Floats, groups: NDArray[np.integer]) -> Floats:
        return np.log((self.polarity(logits) * self.spoken[groups]).sum(axis=1))


def _fit(logits: Floats, groups: NDArray[np.integer], *, moves: bool = True) -> _Fit:
    """Return the map and the habits of the groups, estimated together; the habits alone where the map may not move."""
    k = logits.shape[1]
    change = np.zeros(3 * (k + 1))
    fit = _Fit(np.zeros((k, 3)), np.zeros(3), _spoken(softmax(logits[:, :3], axis=1), groups))
    for _ in range(_ROUNDS):
        target = fit.polarity(logits) * fit.spoken[groups]
        target /= target.sum(axis=1, keepdims=True)
        if moves:
            change = minimize(_loss, change, args=(logits, target), jac=True, method="L-BFGS-B").x
        fit = _Fit(change[:-3].reshape(k, 3), change[-3:], _spoken(target, groups))
    return fit


def _spoken(polarity: Floats, groups: NDArray[np.integer]) -> Floats:
    """Return how likely each group is where a polarity is said, drawn a little to the groups' shares."""
    share = np.bincount(groups, minlength=N_GROUPS)[:, None] / len(groups)
    counts = np.stack([polarity[groups == group].sum(axis=0) for group in range(N_GROUPS)]) + _SMOOTHING * share
    return counts / counts.sum(axis=0)


def _loss(change: Floats, logits: Floats, target: Floats) -> tuple[float, Floats]:
    weight, bias = change[:-3].reshape(-1, 3), change[-3:]
    adapted = logits[:, :3] + logits @ weight + bias
    n = len(logits)
    loss = -(target * log_softmax(adapted, axis=1)).sum() / n + _PENALTY * (change**2).sum()
    slope = (softmax(adapted, axis=1) - target) / n
    gradient = np.concatenate([(logits.T @ slope).ravel(), slope.sum(axis=0)])
    return float(loss), gradient + 2 * _PENALTY * change
