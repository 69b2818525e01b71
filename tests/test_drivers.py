"""The additive decomposition, on the ten respondents of respondents.py and on themes that travel together."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respondents import PACKING, RETURNS, SCORES, feedback, themes, units

from pipeline.insight import find_drivers
from pipeline.loyalty.drivers import decompose
from pipeline.loyalty.mentions import find_mentions

# 返品 is told negatively by r6, r7, r8; 梱包 positively by r0, r1, r3.
MENTIONS = np.array([[at in (6, 7, 8), at in (0, 1, 3)] for at in range(10)])
ANSWERS = np.array(SCORES[:10])


def lmg(mentions: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Shapley's shares of R², by averaging over all orders of the columns."""

    def r2(columns: tuple[int, ...]) -> float:
        x = np.column_stack([np.ones(len(values)), mentions[:, list(columns)]]).astype(float)
        fitted = x @ np.linalg.lstsq(x, values, rcond=None)[0]
        return 1 - ((values - fitted) ** 2).sum() / ((values - values.mean()) ** 2).sum()

    n = mentions.shape[1]
    shares = np.zeros(n)
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        for at, column in enumerate(order):
            shares[column] += (r2(order[: at + 1]) - r2(order[:at])) / len(orders)
    return shares


def test_ten_respondents_by_pencil() -> None:
    # Means: 返品 8/3, 梱包 9, the four others 6.5, all 6.1. Nobody says both, so effects are differences of means.
    split = decompose(MENTIONS, ANSWERS)
    assert split.baseline == pytest.approx(6.5)
    assert split.coefficients == pytest.approx([8 / 3 - 6.5, 2.5])
    assert split.contributions == pytest.approx([-1.15, 0.75])
    # Sums of squares: total 88.9, between 61.2333; r² are 0.56826 and 0.40543.
    assert split.r2 == pytest.approx(61.23333 / 88.9, abs=1e-6)
    assert split.weights == pytest.approx([0.42581, 0.26298], abs=1e-5)


def test_contributions_add_up_to_the_mean_and_weights_to_r2() -> None:
    rng = np.random.default_rng(0)
    mentions = rng.random((80, 6)) < 0.3
    values = rng.integers(0, 11, 80)
    split = decompose(mentions, values)
    assert split.baseline + split.contributions.sum() == pytest.approx(values.mean(), abs=1e-9)
    assert split.weights.sum() == pytest.approx(split.r2, abs=1e-12)
    assert (split.weights >= 0).all()


def test_two_columns_share_as_shapley_would() -> None:
    mentions = np.array([[1, 1], [1, 1], [1, 0], [0, 1], [0, 0], [0, 0], [1, 1], [0, 0], [1, 0], [0, 0]], bool)
    assert decompose(mentions, ANSWERS).weights == pytest.approx(lmg(mentions, ANSWERS), abs=1e-9)


def test_many_columns_share_nearly_as_shapley_would() -> None:
    rng = np.random.default_rng(1)
    mentions = rng.random((400, 5)) < 0.3
    mentions[:, 1] |= mentions[:, 0] & (rng.random(400) < 0.6)
    values = np.clip(np.round(8 - 4 * mentions[:, 0] - mentions[:, 2] + rng.normal(size=400)), 0, 10)
    assert decompose(mentions, values).weights == pytest.approx(lmg(mentions, values), abs=0.02)


def test_columns_that_are_the_same_share_evenly() -> None:
    twice = np.column_stack([MENTIONS, MENTIONS[:, 0]])
    split, once = decompose(twice, ANSWERS), decompose(MENTIONS, ANSWERS)
    assert split.weights[0] == pytest.approx(split.weights[2], abs=1e-9)
    assert split.contributions[0] + split.contributions[2] == pytest.approx(once.contributions[0])
    assert split.r2 == pytest.approx(once.r2)


def test_a_theme_that_only_travels_with_a_driver_ranks_below_it() -> None:
    rng = np.random.default_rng(2)
    driver = rng.random(300) < 0.15
    decoy = np.where(driver, rng.random(300) < 0.6, rng.random(300) < 0.05)
    values = np.clip(np.round(8 - 5 * driver + rng.normal(size=300)), 0, 10)
    split = decompose(np.column_stack([driver, decoy]), values)
    assert split.weights[0] > 2 * split.weights[1]
    assert split.p[0] < 1e-6 < 0.05 < split.p[1]


def test_edges() -> None:
    same = decompose(MENTIONS, np.full(10, 7))
    assert same.baseline == 7 and same.r2 == 0 and not same.contributions.any() and (same.p == 1).all()
    nobody = decompose(np.zeros((10, 0), bool), ANSWERS)
    assert nobody.baseline == pytest.approx(6.1) and nobody.r2 == 0
    everybody = decompose(np.ones((10, 1), bool), ANSWERS)
    assert everybody.weights[0] == 0 and everybody.baseline == pytest.approx(6.1)
    assert decompose(np.ones((1, 1), bool), np.array([3])).baseline == pytest.approx(3)
    with pytest.raises(ValueError, match="needs respondents with a score; got none"):
        decompose(np.zeros((0, 2), bool), np.array([], int))


@settings(max_examples=25)
@given(st.permutations(range(10)))
def test_the_order_of_respondents_changes_no_bit(order: list[int]) -> None:
    mixed, split = decompose(MENTIONS[order], ANSWERS[order]), decompose(MENTIONS, ANSWERS)
    for name in vars(split):
        assert np.array_equal(getattr(mixed, name), getattr(split, name)), name


def test_drivers_are_ranked_and_add_up_to_the_nps() -> None:
    five = [f"r{at}" for at in range(20)]
    scores = [0, 1, 2, 1, 3, 10, 9, 10, 9, 10, 7, 8, 7, 6, 8, 9, 7, 5, 8, 7]
    rows = [(name, RETURNS, "negative") for name in five[:5]] + [(name, PACKING, "positive") for name in five[5:10]]
    mentions = find_mentions(units(rows), themes(), parents=False)
    found = find_drivers(feedback(scores), mentions, {RETURNS: "返品", PACKING: "梱包"})
    assert [(row["name"], row["side"], row["n"], row["uncertain"]) for row in found["rows"]] == [
        ("返品", "negative", 5, True),
        ("梱包", "positive", 5, True),
    ]
    assert found["rows"][0]["effect"] < 0 < found["rows"][1]["effect"]
    nps = 100 * (6 - 7) / 20
    assert found["baseline"] + sum(row["points"] for row in found["rows"]) == pytest.approx(nps)


def test_four_mentioners_are_too_few_to_be_a_driver() -> None:
    mentions = find_mentions(units(), themes(), parents=False)
    assert find_drivers(feedback(), mentions, {RETURNS: "返品", PACKING: "梱包"})["rows"] == []
