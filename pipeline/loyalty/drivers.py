"""What each of many overlapping themes adds to what people answer, the others held still: an additive decomposition.

Two decompositions of one regression of the answers on who says something negative or positive about which theme:

- of the mean answer: mean = baseline + Σ share · coefficient, exactly (the NPS is the mean of +100, 0 and −100);
- of R², in shares of the variance: Johnson's relative weights, which stay sensible where themes travel together.

References
----------
Johnson, J. W. (2000). A heuristic method for estimating the relative weight of predictor variables in multiple
    regression. Multivariate Behavioral Research 35, 1-19. doi:10.1207/S15327906MBR3501_1
Grömping, U. (2007). Estimators of relative importance in linear regression based on variance decomposition.
    The American Statistician 61, 139-147. doi:10.1198/000313007X188252
MacKinnon, J. G., White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with improved
    finite sample properties. Journal of Econometrics 29, 305-325. doi:10.1016/0304-4076(85)90158-7
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decomposition:
    """The regression of the answers on the mentions, one entry per column of the design.

    Attributes
    ----------
    r2 : float
        Share of the variance of the answers that the mentions account for.
    baseline : float
        The regression's answer of somebody who mentions none of them.
    weights : ndarray, (n_columns,)
        Johnson's relative weights; they sum to r2.
    coefficients, coefficients_low, coefficients_high : ndarray, (n_columns,)
        How far a mentioner's answer is from that of somebody alike who does not mention it, with its interval.
    contributions, low, high : ndarray, (n_columns,)
        share · coefficient with its interval; baseline + contributions.sum() is the mean answer.
    p : ndarray, (n_columns,)
        Two-sided p value of the coefficient.
    """

    r2: float
    baseline: float
    weights: Array
    coefficients: Array
    coefficients_low: Array
    coefficients_high: Array
    contributions: Array
    low: Array
    high: Array
    p: Array


def decompose(mentions: NDArray[np.bool_], values: NDArray[np.int64], *, confidence: float = 0.95) -> Decomposition:
    """Return what each column of mentions adds to the mean answer and to R².

    Parameters
    ----------
    mentions : ndarray of bool, (n_respondents, n_columns)
        Who mentions what; columns may overlap, and even be the same.
    values : ndarray of int, (n_respondents,)
        The answers: scores from 0 to 10, or +100, 0 and −100 for the NPS.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    Decomposition
        The same whatever the order of the respondents. Columns that are the same share evenly. Weights are 0 where
        nothing varies.

    Raises
    ------
    ValueError
        If there are no respondents.
    """
    if not len(values):
        raise ValueError("a decomposition needs respondents with a score; got none")
    rows = np.column_stack([mentions, values]).astype(np.int64)
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    x, y, n = distinct[:, :-1].astype(float), distinct[:, -1].astype(float), repeats.astype(float)
    share, mean = n @ x / n.sum(), float(n @ y / n.sum())
    x, y = x - share, y - mean
    gram, cross = x.T @ (n[:, None] * x), x.T @ (n * y)
    inverse = np.linalg.pinv(gram, rcond=1e-9, hermitian=True) if gram.size else gram
    slopes = inverse @ cross
    error = np.sqrt(_slope_variance(x, y - x @ slopes, n, inverse))
    freedom = max(1.0, n.sum() - np.linalg.matrix_rank(inverse, hermitian=True) - 1.0) if gram.size else 1.0
    squared = np.maximum(0.0, slopes**2 - error**2)  # unbiased for the square of the true slope, but for the cut
    spread = np.sqrt((share * error) ** 2 + squared * share * (1 - share) / n.sum())
    quantile = student.ppf(0.5 + confidence / 2, freedom)
    weights = _relative_weights(gram, cross, float(n @ y**2))
    return Decomposition(
        float(weights.sum()),
        mean - float(share @ slopes),
        weights,
        slopes,
        slopes - quantile * error,
        slopes + quantile * error,
        share * slopes,
        share * slopes - quantile * spread,
        share * slopes + quantile * spread,
        2 * student.sf(np.abs(slopes) / np.where(error > 0, error, np.inf), freedom),
    )


def _relative_weights(gram: Array, cross: Array, total: float) -> Array:
    """Return Johnson's relative weights from sums of squares and products around the means.

    With the correlations C between the columns and r with the answers: (C^½ ∘ C^½) (C^−½ r)², the squares taken
    entry by entry; directions without variance are left out.
    """
    size = np.sqrt(np.diag(gram))
    if not gram.size or total <= 0:
        return np.zeros(len(gram))
    scale = np.where(size > 0, 1 / np.where(size > 0, size, 1.0), 0.0)
    correlation, r = gram * np.outer(scale, scale), cross * scale / np.sqrt(total)
    values, vectors = np.linalg.eigh(correlation)
    values, vectors = values[values > 1e-9], vectors[:, values > 1e-9]
    root = (vectors * np.sqrt(values)) @ vectors.T
    beta = (vectors / np.sqrt(values)) @ (vectors.T @ r)
    return root**2 @ beta**2


def _slope_variance(x: Array, residual: Array, n: Array, inverse: Array) -> Array:
    """Return the mean of the classical and the HC3 variance of each slope.

    Five mentioners who answer alike have next to no residuals, and HC3 alone would be sure of them;
    the classical variance alone ignores that detractors agree.
    """
    total = n.sum()
    rank = float(np.trace(inverse @ (x.T @ (n[:, None] * x))))
    classical = np.diag(inverse) * float(n @ residual**2) / max(1.0, total - rank - 1)
    leverage = np.minimum(np.einsum("ij,jk,ik->i", x, inverse, x) + 1 / total, 0.9)
    half = x @ inverse
    robust = (half**2).T @ (n * (residual / (1 - leverage)) ** 2)
    return (classical + robust) / 2
