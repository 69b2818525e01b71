"""Ten respondents (respondents.py), counted by hand."""


from datetime import date
from math import sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from respondents import PACKING, RETURNS, SCORES, feedback, themes, units

from pipeline.loyalty import (
    Groups,
    Impact,
    adjust_p,
    impact,
    nps,
    nps_group,
    score_distribution,
    theme_table,
    top_box,
    wilson_interval,
)

EVERYONE, MENTIONERS = Groups(3, 2, 5), Groups(0, 1, 3)


def points(groups: Groups) -> float:
    """The NPS by its definition, independent of the code under test."""
    return 100 * (groups.promoters - groups.detractors) / groups.n


def known(effect: Impact) -> tuple[float, float, float, float]:
    value, low, high, p = effect.value, effect.low, effect.high, effect.p
    assert value is not None and low is not None and high is not None and p is not None
    return value, low, high, p


def test_nps_groups_split_at_seven_and_nine() -> None:
    frame = pl.DataFrame({"score": [*range(11), None]}).select(nps_group(pl.col("score")).alias("group"))
    assert frame["group"].to_list() == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2 + [None]


def test_nps_of_ten_respondents_by_pencil() -> None:
    # (3 − 5) / 10. Interval: counts 3.75, 3.5, 5.75 of 13; mean −2/13; variance 9.5/13 − 4/169 = 0.70710;
    # margin 1.95996 √(0.70710 / 13) = 0.45711.
    figure = nps(3, 2, 5)
    assert figure.score == pytest.approx(-20)
    assert (figure.low, figure.high) == (pytest.approx(-61.0957, abs=1e-3), pytest.approx(30.3264, abs=1e-3))
    assert figure.n == 10


def test_nps_without_scores_is_unknown() -> None:
    assert nps(0, 0, 0) == nps(0, 0, 0).__class__(None, None, None, 0, 0, 0, 0)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_nps_interval_holds_the_score_and_stays_on_the_scale(
    promoters: int, passives: int, detractors: int
) -> None:
    figure = nps(promoters, passives, detractors)
    if figure.score is not None and figure.low is not None and figure.high is not None:
        assert -100 <= figure.low <= figure.score <= figure.high <= 100
        assert figure.low < figure.high


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        nps(-1, 0, 2)


def test_wilson_interval_of_four_in_ten() -> None:
    assert wilson_interval(4, 10) == (pytest.approx(0.1682, abs=1e-4), pytest.approx(0.6873, abs=1e-4))
    assert wilson_interval(0, 0) is None
    assert (wilson_interval(0, 5) or (None,))[0] == 0.0
    assert (wilson_interval(5, 5) or (None,))[-1] == 1.0


def test_top_box_of_ten_answers() -> None:
    # 4 or 5 of the nine who answered: 5, 4, 4, 5.
    csat = top_box(pl.Series([5, 4, 3, 4, 1, 5, 2, 3, 3, None]), 4)
    assert (csat.k, csat.n, csat.share) == (4, 9, pytest.approx(4 / 9))
    assert (csat.low, csat.high) == (pytest.approx(0.1888, abs=1e-4), pytest.approx(0.7334, abs=1e-4))
    assert top_box(pl.Series([None], dtype=pl.Int64), 4).share is None


def test_impact_of_returns_by_pencil() -> None:
    # NPS of all −20; without the four who mention 返品: (3 − 2) / 6 = +16.667.
    # Pseudo-mix (3.75, 3.5, 5.75)/13; steady variances 0.49722 (mentioners) and 0.79557 (the rest);
    # error² = 0.4² (0.49722/4 + 0.79557/6) + (−0.75 − 0.16667)² 0.4 · 0.6 / 10 = 0.061271.
    effect = impact(MENTIONERS, EVERYONE)
    assert effect.value == pytest.approx(-36.6667, abs=1e-4)
    assert effect.low == pytest.approx(-36.6667 - 195.9964 * sqrt(0.061271), abs=0.01)
    assert effect.high == pytest.approx(11.85, abs=0.01)
    assert effect.p == pytest.approx(0.1385, abs=1e-3)


counts = st.integers(0, 300)


@given(counts, counts, counts, counts, counts, counts)
@example(0, 0, 2, 1, 0, 0)  # an impact may pass −100: two NPS differ by up to 200 points
def test_impact_is_the_leave_one_out_difference(
    p: int, a: int, d: int, rest_p: int, rest_a: int, rest_d: int
) -> None:
    mentioners, everyone = Groups(p, a, d), Groups(p + rest_p, a + rest_a, d + rest_d)
    effect = impact(mentioners, everyone)
    if mentioners.n == 0 or mentioners.n == everyone.n:
        assert effect.value is effect.low is effect.high is effect.p is None
        return
    nps_t, nps_all = points(mentioners), points(everyone)
    without = points(Groups(rest_p, rest_a, rest_d))
    closed_form = mentioners.n * (nps_t - nps_all) / (everyone.n - mentioners.n)
    value, low, high, p_value = known(effect)
    assert value == pytest.approx(closed_form, abs=1e-12, rel=1e-12)
    assert value == pytest.approx(nps_all - without, abs=1e-12, rel=1e-12)
    assert low <= value <= high
    assert (p_value < 0.05) == (low > 0 or high < 0)


def test_impact_error_is_the_influence_functions() -> None:
    # One respondent's influence is (v − mean) − (1 − m) (v − mean of the rest) / share of the rest.
    mentioners, rest = Groups(100, 200, 700), Groups(900, 600, 500)
    values = np.repeat([1, 0, -1, 1, 0, -1], [*mentioners, *rest]).astype(float)
    mentions = np.repeat([True, False], [mentioners.n, rest.n])
    mean, mean_rest = values.mean(), values[~mentions].mean()
    influence = (values - mean) - ~mentions * (values - mean_rest) / (~mentions).mean()
    expected = 1.959964 * np.sqrt((influence**2).mean() / len(values)) * 100
    _, low, high, _ = known(impact(mentioners, Groups(1000, 800, 1200)))
    assert (high - low) / 2 == pytest.approx(expected, rel=0.002)


def test_impact_refuses_mentioners_outside_everyone() -> None:
    with pytest.raises(ValueError, match="part of everyone"):
        impact(Groups(2, 0, 0), Groups(1, 5, 5))


def test_benjamini_hochberg_by_pencil() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.5 of 4: 0.04, 0.04, 0.04, 0.5.
    assert adjust_p([0.02, None, 0.5, 0.01, 0.03]) == pytest.approx([0.04, None, 0.5, 0.04, 0.04])
    assert adjust_p([]) == []
    assert adjust_p([None]) == [None]


def test_scores_are_counted_from_zero_to_ten() -> None:
    assert score_distribution(feedback()) == [1, 0, 0, 1, 1, 1, 1, 1, 1, 2, 1]
    with pytest.raises(ValueError, match="score must be 0 to 10; got 11"):
        score_distribution(feedback([11]))


def test_theme_table_of_ten_respondents_by_pencil() -> None:
    returns, packing = theme_table(feedback(), units(), themes(), {RETURNS: {"share": 0.25}})
    assert (returns["name"], returns["n_feedback"], returns["n_units"]) == ("返品", 5, 8)
    assert returns["share"] == 5 / 10  # r9 has no opinion unit: ten of eleven are analysed
    # r3 takes back what it says (0), r7 stays negative (−1), r10 is neutral.
    assert (returns["positive"], returns["neutral"], returns["negative"]) == (0, 2, 3)
    assert returns["by_group"] == {
        "promoter": {"n_feedback": 0, "positive": 0, "neutral": 0, "negative": 0},
        "passive": {"n_feedback": 1, "positive": 0, "neutral": 1, "negative": 0},
        "detractor": {"n_feedback": 3, "positive": 0, "neutral": 0, "negative": 3},
        "unscored": {"n_feedback": 1, "positive": 0, "neutral": 1, "negative": 0},
    }
    assert (returns["nps"], returns["nps_n"]) == (-75, 4)
    assert returns["impact"] == pytest.approx(-36.6667, abs=1e-4)
    assert returns["previous_share"] == 0.25
    # r6, r7, r8 are negative about 返品, all detractors: without them (3 − 2) / 7.
    assert (returns["negative_mentions"]["nps"], returns["negative_mentions"]["nps_n"]) == (-100, 3)
    assert returns["negative_mentions"]["impact"] == pytest.approx(-20 - 100 / 7)
    assert returns["positive_mentions"]["impact"] is None
    assert (packing["n_feedback"], packing["nps"], packing["previous_share"]) == (4, 25, None)
    assert packing["impact"] == pytest.approx(-20 - 100 * (1 - 4) / 6)  # r2 promoter; r6 to r9 detractors


def test_a_week_begins_on_monday_in_the_configs_time_zone() -> None:
    # r1 is received on Saturday 15:30 UTC, r2 on Sunday 2026-10-04 15:30 UTC: Monday 00:30 in Tokyo.
    rows = units([("r1", RETURNS, "negative"), ("r2", RETURNS, "negative")])
    utc, *_ = theme_table(feedback([1, 1, 1]), rows, themes(), timezone="UTC")
    tokyo, *_ = theme_table(feedback([1, 1, 1]), rows, themes(), timezone="Asia/Tokyo")
    assert utc["weekly"] == [{"week": "2026-09-28", "n_feedback": 2}]
    assert tokyo["weekly"] == [
        {"week": "2026-09-28", "n_feedback": 1},
        {"week": "2026-10-05", "n_feedback": 1},
    ]


def test_a_week_without_mentions_shows_as_zero() -> None:
    packing = theme_table(feedback([5] * 20), units([("r19", PACKING, "neutral")]), themes())[0]
    assert [week["n_feedback"] for week in packing["weekly"]] == [0, 0, 0, 1]


def test_who_mentions_a_child_mentions_its_parent_once() -> None:
    family = themes(("T0009", "購入後", None), (RETURNS, "返品", "T0009"), (PACKING, "梱包", "T0009"))
    rows = {row["theme_id"]: row for row in theme_table(feedback(), units(), family)}
    assert rows["T0009"]["n_feedback"] == 8  # r3 mentions both children
    assert rows["T0009"]["n_units"] == 12
    assert rows[RETURNS]["parent_name"] == "購入後"


def test_a_parent_without_a_row_of_its_own_is_named_by_the_units() -> None:
    child = themes((RETURNS, "返品", "P0001"))
    rows = units([("r3", RETURNS, "negative")]).with_columns(parent_theme=pl.lit("購入後"))
    assert theme_table(feedback(), rows, child)[0]["parent_name"] == "購入後"


def test_without_scores_nps_and_impact_are_null() -> None:
    row = theme_table(feedback([None] * 11), units(), themes())[0]
    assert row["nps"] is row["impact"] is row["impact_low"] is row["p_adjusted"] is None
    assert row["nps_n"] == 0
    assert row["by_group"]["unscored"]["n_feedback"] == 5


def test_a_theme_everyone_mentions_has_no_impact() -> None:
    row = theme_table(
        feedback([9, 2]), units([("r0", RETURNS, "neutral"), ("r1", RETURNS, "neutral")]), themes()
    )[0]
    assert (row["share"], row["nps"], row["impact"]) == (1.0, 0, None)


def test_one_respondent_and_none() -> None:
    one = theme_table(feedback([3]), units([("r0", RETURNS, "negative")]), themes())
    assert [row["share"] for row in one] == [1.0, 0.0]
    assert one[1]["nps"] is one[1]["impact"] is None
    none = theme_table(feedback([]), units([]), themes())
    assert [(row["n_feedback"], row["share"], row["weekly"]) for row in none] == [(0, None, [])] * 2
    assert theme_table(feedback([]), units([]), themes().clear()) == []


def test_a_date_that_is_missing_counts_but_has_no_week() -> None:
    undated = feedback([3, 4]).with_columns(received_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
    row = theme_table(undated, units([("r0", RETURNS, "negative")]), themes())[0]
    assert (row["n_feedback"], row["weekly"]) == (1, [])


def test_p_values_are_adjusted_over_the_themes() -> None:
    rows = theme_table(feedback(), units(), themes())
    raw = [impact(MENTIONERS, EVERYONE).p, impact(Groups(2, 1, 1), EVERYONE).p]
    assert [row["p_adjusted"] for row in rows] == pytest.approx(adjust_p(raw))


def test_units_must_belong_to_the_feedback_and_the_themes() -> None:
    with pytest.raises(ValueError, match="survey r10 has none"):
        theme_table(feedback(SCORES[:10]), units(), themes())
    with pytest.raises(ValueError, match="does not hold: T0002"):
        theme_table(feedback(), units(), themes((RETURNS, "返品", None)))


def test_weeks_are_mondays() -> None:
    row = theme_table(feedback(), units(), themes(), timezone="Asia/Tokyo")[0]
    assert all(date.fromisoformat(week["week"]).weekday() == 0 for week in row["weekly"])
