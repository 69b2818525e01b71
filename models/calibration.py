"""How far probabilities can be believed: one temperature, and the error that remains.

Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

N_BINS = 15


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature at which the labels' mean negative log-likelihood is least, to 4 decimals.

    Parameters
    ----------
    logits : ndarray, (n, n_classes)
        Of texts the model was not trained on.
    labels : ndarray of int, (n,)
        Their classes.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x)), 4)


def expected_calibration_error(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Return the mean gap between confidence and accuracy, in [0, 1], over 15 bins of equal width, by their size."""
    proba = softmax(logits / temperature, axis=1)
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == labels
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    size = np.bincount(bins, minlength=N_BINS)
    gap = np.bincount(bins, weights=confidence - right, minlength=N_BINS)
    return float(np.abs(gap).sum() / size.sum())
