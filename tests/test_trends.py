"""Weeks, bands and alerts: quiet data stays quiet, a surge does not."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.loyalty.alerts import find_spikes, spike_alerts, watch_alerts
from pipeline.loyalty.trends import Trends, band, theme_trends

END = date(2026, 11, 15)
WINDOW = (END - timedelta(days=69), END)


def people(per_day: int, days: int = 70) -> pl.DataFrame:
    """Respondents r000, r001, …, so many a day up to the last day."""
    rows = [(f"r{at:04}", END - timedelta(days=days - 1 - at // per_day)) for at in range(per_day * days)]
    return pl.DataFrame(rows, schema=["feedback_id", "day"], orient="row").with_columns(source=pl.lit("survey"))


def said(theme_id: str, rows: list[int], polarity: int = -1) -> pl.DataFrame:
    ids = pl.Series("feedback_id", [f"r{at:04}" for at in rows], pl.Utf8)
    return pl.DataFrame([ids]).with_columns(
        source=pl.lit("survey"), theme_id=pl.lit(theme_id), polarity=pl.lit(polarity, pl.Int64)
    )


def trends(mentions: pl.DataFrame, received: pl.DataFrame | None = None) -> Trends:
    return theme_trends(people(10) if received is None else received, mentions, ["T1"], WINDOW)


def test_weeks_end_on_the_business_date_and_days_cover_the_window() -> None:
    found = trends(said("T1", [0, 1, 699]))
    assert found.weeks == [END - timedelta(days=7 * weeks - 1) for weeks in range(10, 0, -1)]
    assert found.n_analysed == [70] * 10
    assert found.series[0].n_feedback == [2, *[0] * 8, 1]
    assert (found.series[0].daily[0], found.series[0].daily[-1], sum(found.series[0].daily)) == (2, 1, 3)
    assert found.first_day == WINDOW[0]


def test_weeks_before_the_first_feedback_and_a_week_cut_short_are_none() -> None:
    found = trends(said("T1", [0]), people(10, days=25))
    assert found.n_analysed == [70, 70, 70]
    assert found.series[0].n_feedback == [0, 0, 0]  # r0000 came in the four days before


def test_a_band_by_pencil() -> None:
    # p = 10.5 / 201; scatter below chance: 1; deviation √(50 p (1 − p) (1 + 50/200)) = 1.7591.
    found = band([2, 3, 2, 3], [50, 50, 50, 50], 50)
    assert found is not None
    assert found.expected == pytest.approx(2.61194, abs=1e-5)
    assert found.high == pytest.approx(6.1302, abs=1e-4)
    assert (found.low, found.freedom) == (0.0, 3)


def test_a_band_widens_where_weeks_scatter() -> None:
    calm, wild = band([5] * 8, [50] * 8, 50), band([0, 10] * 4, [50] * 8, 50)
    assert calm is not None and wild is not None
    assert calm.expected == wild.expected
    assert wild.deviation > 2 * calm.deviation


def test_three_weeks_promise_nothing() -> None:
    assert band([1, 1, 1], [50, 50, 50], 50) is None
    assert band([1, 1, 0, 1], [50, 50, 0, 50], 50) is None  # a week without anybody is no evidence


def test_a_surge_is_found_with_its_first_day_and_the_voices_behind_it() -> None:
    # One a week for eight weeks, then one and four on the last two days of week nine and ten a day from there on.
    # One in ten is no more than may happen on any day; with four the growth begins.
    usual = [70 * week for week in range(8)]
    surge = [*range(617, 630, 3), *range(630, 660)]
    mentions = said("T1", usual + surge)
    (spike,) = find_spikes(trends(mentions))
    assert (spike.kind, spike.k, spike.n, spike.since) == ("volume_spike", 30, 70, END - timedelta(days=13))
    (alert,) = spike_alerts(trends(mentions), people(10), mentions, {"T1": "アプリの更新"})
    assert (alert["name"], alert["first_day"]) == ("アプリの更新", "2026-11-08")
    assert len(alert["feedback"]) == len(surge) - 1
    assert alert["feedback"][0]["feedback_id"] == "r0650"  # newest day first
    assert alert["n_feedback"] == 30


def test_growing_anger_is_found_where_volume_stays() -> None:
    every = said("T1", list(range(0, 700, 3)), polarity=1)
    angry = every.with_columns(polarity=pl.when(pl.col("feedback_id") >= "r0630").then(-1).otherwise(1))
    (spike,) = find_spikes(trends(angry))
    assert (spike.kind, spike.n) == ("negative_spike", 24)
    assert find_spikes(trends(every)) == []


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [650, 660, 670, 680],  # four are too few, though nobody spoke of it before
        list(range(0, 700, 10)),  # seven a week, every week
        [*range(0, 630, 10), *range(630, 700, 6)],  # seven a week, then twelve of seventy: chance can do that
    ],
)
def test_quiet_data_stays_quiet(rows: list[int]) -> None:
    assert find_spikes(trends(said("T1", rows))) == []


def test_more_of_everything_is_no_spike() -> None:
    few, many = people(3, days=70), people(30, days=7).with_columns(feedback_id="x" + pl.col("feedback_id"))
    received = pl.concat([few.filter(pl.col("day") <= END - timedelta(days=7)), many])
    mentions = received.gather_every(5).select("source", "feedback_id", theme_id=pl.lit("T1"), polarity=pl.lit(-1))
    assert find_spikes(trends(mentions, received)) == []


def test_without_dates_there_are_no_weeks() -> None:
    found = trends(said("T1", [1, 2]), people(10).clear())
    assert (found.weeks, found.n_analysed) == ([], [])
    assert find_spikes(found) == []


def watched(watch: list[str], texts: list[str]) -> list[dict[str, Any]]:
    """Feedback r0, r1, …, one a day, the last on the business date."""
    feedback = pl.DataFrame({
        "source": ["survey"] * len(texts), "feedback_id": [f"r{at}" for at in range(len(texts))], "text": texts,
        "day": [END - timedelta(days=len(texts) - 1 - at) for at in range(len(texts))],
    })
    mentions = pl.DataFrame(
        {"source": ["survey"], "feedback_id": [f"r{len(texts) - 1}"], "theme_id": ["T7"], "polarity": [-1]}
    )
    return watch_alerts(watch, feedback, mentions, {"T7": "解約"}, window=WINDOW)


def test_a_watched_phrase_raises_an_alert_in_any_width() -> None:
    (alert,) = watched(["LINE"], ["対応が遅い", "ＬＩＮＥで返事がない", "lineの通知", "安い"])
    assert (alert["kind"], alert["name"], alert["n_feedback"], alert["first_day"]) == ("watch", "LINE", 2, "2026-11-13")
    assert [row["feedback_id"] for row in alert["feedback"]] == ["r2", "r1"]


def test_a_watched_theme_raises_an_alert_by_name_or_id() -> None:
    for entry in ("解約", "T7"):
        (alert,) = watched([entry], ["高い", "やめたい"])
        assert (alert["theme_id"], alert["n_feedback"]) == ("T7", 1)


def test_what_was_said_more_than_a_week_ago_raises_no_alert() -> None:
    assert watched(["LINE"], ["LINE", *["安い"] * 7]) == []
