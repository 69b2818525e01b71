"""A deployment's scores as weak labels, on opinions whose true polarity the test knows."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from models.adaptation import MIN_PER_GROUP, adapt

# How often detractors, passives and promoters (rows) say something negative, neutral, positive.
SPOKEN = np.array([[0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6]])
REQUEST = 5  # column of the intent that this deployment means as a complaint


def deployment(n: int, *, requests_read_as_neutral: float, seed: int = 0):
    """Return calibrated logits of two units a respondent, groups, respondents and true polarities."""
    random = np.random.default_rng(seed)
    respondents = np.repeat(np.arange(n), 2)
    groups = random.choice(3, n, p=[0.4, 0.3, 0.3])[respondents]
    truth = np.array([random.choice(3, p=SPOKEN[group]) for group in groups])
    misread = (truth == 0) & (random.random(len(truth)) < requests_read_as_neutral)
    said = np.where(misread, 1, truth)
    evidence = random.normal(0, 1, (len(truth), 3))
    evidence[np.arange(len(truth)), said] += 2
    prior = np.log(SPOKEN[groups].mean(axis=0))
    polarity = log_softmax(2 * evidence + prior, axis=1)  # the posterior of means 2 apart, variance 1
    intent = np.zeros((len(truth), 5))
    intent[misread, REQUEST - 3] = 4
    return np.hstack([polarity, intent]), groups, respondents, truth


def accuracy(polarity: np.ndarray, truth: np.ndarray) -> float:
    return float((polarity.argmax(axis=1) == truth).mean())


def test_requests_that_are_complaints_here_are_learned_from_the_scores():
    logits, groups, respondents, truth = deployment(2000, requests_read_as_neutral=0.4)
    adaptation = adapt(logits, groups, respondents)
    assert adaptation.decision.used and adaptation.decision.reason == "helps"
    assert accuracy(adaptation(logits), truth) > accuracy(logits[:, :3], truth) + 0.005


def test_a_model_that_is_right_already_is_left_alone():
    for seed in range(4):
        decision = adapt(*deployment(600, requests_read_as_neutral=0.0, seed=seed)[:3]).decision
        assert (decision.used, decision.reason) == (False, "does not help")


def test_scores_that_say_nothing_change_nothing():
    logits, groups, respondents, _ = deployment(1000, requests_read_as_neutral=0.4)
    people = np.random.default_rng(1).permutation(groups[::2])
    adaptation = adapt(logits, np.repeat(people, 2), respondents)
    assert not adaptation.decision.used
    assert np.array_equal(adaptation(logits), logits[:, :3].astype(np.float32))


@pytest.mark.parametrize("n_promoters", [0, MIN_PER_GROUP - 1])
def test_too_few_scores_are_said_to_be_too_few(n_promoters):
    groups = np.array([0] * 300 + [2] * n_promoters + [-1] * 50)
    logits = np.zeros((len(groups), 8))
    adaptation = adapt(logits, groups, np.arange(len(groups)))
    assert adaptation.decision == (False, "too few scores", n_promoters, 300, None, None)
    assert adaptation(logits).shape == (len(groups), 3)


def test_no_units_at_all_are_too_few():
    decision = adapt(np.zeros((0, 8)), np.zeros(0, int), np.zeros(0, int)).decision
    assert not decision.used and decision.n_promoters == 0


def test_the_map_is_the_same_for_one_unit_as_for_all():
    logits, groups, respondents, _ = deployment(1000, requests_read_as_neutral=0.4)
    adaptation = adapt(logits, groups, respondents)
    together = softmax(adaptation(logits), axis=1)
    assert np.allclose(softmax(adaptation(logits[5:6]), axis=1), together[5:6], atol=1e-6)
