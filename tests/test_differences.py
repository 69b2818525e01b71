"""Differences between groups, each worked by pencil."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.loyalty import Groups
from pipeline.loyalty.differences import UNKNOWN, lift, mix_and_rate, more_often, nps_difference, share_difference

counts = st.builds(Groups, st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))


def test_nps_difference_of_ten_respondents_by_pencil() -> None:
    # (3 − 1)/4 − (1 − 3)/6. Padded by (3/8, 3/4, 3/8): means 2/5.5 and −2/7.5, variances 0.73140 and 0.56222;
    # error² = 0.73140/5.5 + 0.56222/7.5 = 0.20795; 63.030 ± 1.95996 · 45.601.
    gap = nps_difference(Groups(3, 0, 1), Groups(1, 2, 3))
    assert gap.value == pytest.approx(50 + 100 / 3)
    assert (gap.low, gap.high) == (pytest.approx(-26.35, abs=0.01), pytest.approx(152.41, abs=0.01))


@given(counts, counts)
def test_swapping_the_groups_turns_the_difference_around(one: Groups, other: Groups) -> None:
    gap, turned = nps_difference(one, other), nps_difference(other, one)
    if gap == UNKNOWN:
        assert not one.n or not other.n
        return
    assert gap.value == pytest.approx(-turned.value)
    assert (gap.low, gap.high) == (pytest.approx(-turned.high), pytest.approx(-turned.low))
    assert -200 <= gap.low <= gap.value <= gap.high <= 200


def test_share_difference_by_pencil() -> None:
    # Wilson: 5/10 in 0.2366–0.7634, 1/10 in 0.0179–0.4042.
    gap = share_difference(5, 10, 1, 10)
    assert gap.value == pytest.approx(0.4)
    assert (gap.low, gap.high) == (pytest.approx(-0.0024, abs=1e-3), pytest.approx(0.6759, abs=1e-3))


def test_lift_by_pencil() -> None:
    # 5/10 against 2/10. Fisher: (C(10,5) C(10,2) + C(10,6) C(10,1) + C(10,7)) / C(20,7) = 13560 / 77520.
    # Katz: log((5.5/11) / (2.5/11)) ± 1.95996 √(1/5.5 − 1/11 + 1/2.5 − 1/11) = 0.78846 ± 1.23960.
    times = lift(5, 10, 2, 10)
    assert times.value == 2.5
    assert times.p == pytest.approx(13560 / 77520)
    assert (times.low, times.high) == (pytest.approx(0.637, abs=1e-3), pytest.approx(7.599, abs=1e-3))


def test_lift_where_nobody_else_says_it_has_no_value_but_a_test() -> None:
    times = lift(4, 4, 0, 6)
    assert times.value is None
    assert times.p == pytest.approx(1 / 210)  # C(10, 4)


def test_more_often_is_certain_of_nothing_when_nobody_says_it() -> None:
    assert more_often(0, 5, 0, 5) == 1.0


def test_mix_and_rate_of_ten_respondents_by_pencil() -> None:
    # Before: A 2 of 5, all promoters; B 3 of 5 with −2/3. Now: A 1 of 5, promoter; B 4 of 5 with −1/4. NPS 0 both times.
    # Rate: B (0.6 + 0.8)/2 · (−1/4 + 2/3) = 0.29167. Mix: A −0.2 · 1, B 0.2 · (−2/3 − 1/4)/2: −0.29167.
    before = {"A": Groups(2, 0, 0), "B": Groups(0, 1, 2)}
    now = {"A": Groups(1, 0, 0), "B": Groups(1, 1, 2)}
    parts = mix_and_rate(now, before)
    assert parts.change.value == pytest.approx(0)
    assert parts.rate.value == pytest.approx(29.1667, abs=1e-4)
    assert parts.mix.value == pytest.approx(-29.1667, abs=1e-4)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=4))
def test_mix_and_rate_add_up_to_the_change(pairs: list[tuple[Groups, Groups]]) -> None:
    now = {str(at): pair[0] for at, pair in enumerate(pairs)}
    before = {str(at): pair[1] for at, pair in enumerate(pairs)}
    parts = mix_and_rate(now, before)
    if parts.change != UNKNOWN:
        assert parts.mix.value + parts.rate.value == pytest.approx(parts.change.value, abs=1e-9)
        assert parts.mix.low <= parts.mix.value <= parts.mix.high


def test_a_segment_that_is_new_is_all_mix() -> None:
    parts = mix_and_rate({"A": Groups(1, 0, 1), "B": Groups(2, 0, 0)}, {"A": Groups(2, 0, 2)})
    assert parts.rate.value == pytest.approx(0)
    assert parts.mix.value == pytest.approx(50)


def test_one_segment_has_no_mix() -> None:
    parts = mix_and_rate({"A": Groups(3, 1, 1)}, {"A": Groups(1, 1, 3)})
    assert (parts.mix.value, parts.mix.low, parts.mix.high) == (0, 0, 0)
    assert parts.rate.value == pytest.approx(80)
