import numpy as np
import pytest
from scipy.special import softmax

from models.calibration import expected_calibration_error, fit_temperature


def drawn(n: int, *, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return logits `sharpness` times too large, and labels drawn from the true probabilities."""
    random = np.random.default_rng(0)
    true = random.normal(0, 1.5, (n, 3))
    labels = np.array([random.choice(3, p=row) for row in softmax(true, axis=1)])
    return sharpness * true, labels


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_how_much_too_sharp_the_logits_are(sharpness):
    logits, labels = drawn(4000, sharpness=sharpness)
    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.1)


def test_the_error_falls_when_the_temperature_is_right():
    logits, labels = drawn(4000, sharpness=2.5)
    assert expected_calibration_error(logits, labels, 2.5) < 0.03 < expected_calibration_error(logits, labels)


def test_sure_and_right_has_no_error_sure_and_half_right_has_a_half():
    logits = np.array([[50.0, 0.0, 0.0]] * 4)
    assert expected_calibration_error(logits, np.zeros(4, int)) == pytest.approx(0)
    assert expected_calibration_error(logits, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
