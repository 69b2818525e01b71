"""Growth is beyond chance or not told, and begins on its most likely day."""

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.growth import LEAST, RATIO, WINDOWS, dispersion, growth_evidence, growth_start, scan_p

TOTALS = np.full(70, 4)


def days(*mentions):
    """Return mentions per day from (days ago, how many)."""
    counts = np.zeros(70, int)
    for ago, n in mentions:
        counts[69 - ago] += n
    return counts


def test_growth_by_pencil():
    # Eight mentions, all in the last 5 days of 70: (5/70)^8 by the binomial, the best of the five windows. Chance is
    # charged with the largest p value up to that one that a count of eight can reach in each window.
    counts = days((0, 2), (1, 2), (2, 1), (3, 2), (4, 1))
    (p,) = scan_p(counts[None], TOTALS)
    best = (5 / 70) ** 8
    attained = 0.0
    for window in WINDOWS:
        share = window / 70
        grown = [k for k in range(LEAST, 9) if k / share >= RATIO * (8 - k) / (1 - share)]
        attained += max((t for k in grown if (t := binom.sf(k - 1, 8, share)) <= best * (1 + 1e-9)), default=0.0)
    assert p == pytest.approx(attained)
    assert p >= best


def test_more_things_asked_make_any_one_less_telling():
    grows, steady = days((0, 3), (1, 3), (30, 1)), days(*((ago, 1) for ago in range(0, 70, 5)))
    alone = scan_p(grows[None], TOTALS)[0]
    among = scan_p(np.stack([grows, *[steady] * 50]), TOTALS)[0]
    assert alone < among


def test_things_too_rare_to_grow_cost_nothing():
    grows = days((0, 3), (1, 3), (30, 1))
    rare = np.stack([days((ago, 1)) for ago in range(50)])
    assert scan_p(np.vstack([grows, rare]), TOTALS)[0] == scan_p(grows[None], TOTALS)[0]


def test_a_busy_week_is_no_growth():
    totals = TOTALS.copy()
    totals[-7:] *= 6
    counts = days(*((ago, 1) for ago in range(7, 70, 3)), *((ago, 2) for ago in range(7)))
    assert scan_p(counts[None], totals)[0] == 1.0


def test_five_mentions_and_two_weeks_are_too_little():
    assert scan_p(days((0, 5))[None], TOTALS)[0] == 1.0
    assert scan_p(days((0, 9))[None, -15:], TOTALS[-15:])[0] == 1.0
    assert scan_p(np.zeros((0, 70), int), TOTALS).shape == (0,)


def test_what_comes_and_goes_needs_more_to_stand_out():
    quiet = days(*((ago, 1) for ago in range(14, 70, 4)), (0, 4), (1, 4))
    wild = days((17, 7), (45, 7), (0, 4), (1, 4))
    assert (dispersion(np.stack([quiet, wild]), TOTALS) >= 1).all()
    assert scan_p(wild[None], TOTALS)[0] > scan_p(quiet[None], TOTALS)[0]


def test_growth_begins_where_it_is_most_likely():
    counts = days((60, 1), (40, 1), (11, 1), (5, 3), (4, 2), (2, 4), (0, 3))
    assert growth_start(counts, TOTALS) == 69 - 5
    assert growth_evidence(counts, TOTALS).argmax() == 69 - 5
    assert growth_start(np.zeros(70, int), TOTALS) == 69 - 27


def test_nothing_grows_by_chance_on_sixty_nights():
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(60):
        day = rng.integers(0, 70, 300)
        totals = np.bincount(day, minlength=70)
        sizes = rng.choice([6, 10, 20, 50], 80)
        counts = np.stack([np.bincount(day[rng.choice(300, n, replace=False)], minlength=70) for n in sizes])
        alarms += scan_p(counts, totals).min() < 0.01
    assert alarms <= 2
