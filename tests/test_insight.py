"""The insights of a night, on a made-up shop where 返品 drives scores down and 梱包 up."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from respondents import PACKING, RETURNS, themes

from pipeline.insight import LoyaltySettings, build_insights
from pipeline.loyalty import theme_table
from pipeline.summary import dump_summary

WINDOW = (date(2026, 9, 21), date(2026, 11, 15))
DELIVERY = "T0003"
NAMES = themes((RETURNS, "返品", None), (PACKING, "梱包", None), (DELIVERY, "配送", None))


def night() -> tuple[pl.DataFrame, pl.DataFrame]:
    """240 respondents over eight weeks; アプリ answers worse, and more of them in the last four weeks."""
    rng, people, rows = random.Random(7), [], []
    for at in range(240):
        day = WINDOW[0] + timedelta(days=at * 56 // 240)
        channel = "アプリ" if rng.random() < (0.3 if at < 120 else 0.6) else "Web"
        score = rng.choice([7, 8, 8, 9]) - (2 if channel == "アプリ" else 0)
        said = [theme for theme, share in ((RETURNS, 0.15), (PACKING, 0.2), (DELIVERY, 0.5)) if rng.random() < share]
        score = max(0, min(10, score - 5 * (RETURNS in said) + 2 * (PACKING in said)))
        moment = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        people.append((f"r{at:03}", f"c{at:03}", score, moment, channel, 5 if score >= 8 else 3, f"意見{at}"))
        for theme in said or [None]:
            feeling = {RETURNS: "negative", PACKING: "positive"}.get(str(theme), rng.choice(["negative", "positive"]))
            rows.append((f"r{at:03}", theme, feeling))
    columns = ["feedback_id", "customer", "score", "received_at", "channel", "csat", "text"]
    schema = dict(zip(columns, [pl.Utf8, pl.Utf8, pl.Int64, pl.Datetime("us", "UTC"), pl.Utf8, pl.Int64, pl.Utf8], strict=True))
    feedback = pl.DataFrame(people, schema=schema, orient="row").with_columns(source=pl.lit("survey"))
    units = pl.DataFrame(rows, schema={"feedback_id": pl.Utf8, "theme_id": pl.Utf8, "sentiment": pl.Utf8}, orient="row")
    return feedback, units.with_columns(source=pl.lit("survey"))


CUSTOMERS = pl.DataFrame({
    "customer": [f"c{at:03}" for at in range(240)], "orders": [1 + at % 6 for at in range(240)],
    "revenue": [1000.5 * (1 + at % 6) for at in range(240)], "first_purchase": [date(2025, 1, 1)] * 240,
    "last_purchase": [date(2026, 3 + at % 8, 1) for at in range(240)], "tier": ["regular"] * 240,
})


def insights(feedback: pl.DataFrame, units: pl.DataFrame, **more: Any) -> dict[str, Any]:
    rows = theme_table(feedback, units, NAMES)
    arguments: dict[str, Any] = {
        "window": WINDOW, "timezone": "Asia/Tokyo", "settings": LoyaltySettings(watch=("意見239",)),
        "segments": ("channel", "プラン"), "customers": CUSTOMERS,
    }
    return build_insights(feedback, units, NAMES, rows, **(arguments | more))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return insights(*night())


def test_drivers_and_priorities_tell_what_to_mend_and_what_to_keep(found: dict[str, Any]) -> None:
    first, second = found["drivers"]["rows"][:2]
    assert (first["name"], first["side"]) == ("返品", "negative")
    assert (second["name"], second["side"]) == ("梱包", "positive")
    assert first["effect"] == pytest.approx(-5, abs=1) and first["p_adjusted"] < 0.001
    assert [(row["rank"], row["name"], row["action"]) for row in found["priorities"]] == [
        (1, "返品", "deep"), (2, "梱包", "keep"), (3, "配送", "frequent"),
    ]


def test_a_segment_that_scores_lower_is_told_with_its_interval(found: dict[str, Any]) -> None:
    (channel,) = found["segments"]  # プラン is no column of this feedback
    app = next(row for row in channel["values"] if row["value"] == "アプリ")
    assert app["difference_high"] < 0 and app["p_adjusted"] < 0.05 and not app["uncertain"]
    assert app["difference_low"] < app["difference"] < app["difference_high"]


def test_a_change_of_who_answers_is_mix(found: dict[str, Any]) -> None:
    periods = found["periods"]
    assert (periods["now"]["from"], periods["before"]["from"]) == ("2026-10-19", "2026-09-21")
    assert periods["now"]["n"] == periods["before"]["n"] == 120
    (channel,) = periods["mix_and_rate"]
    assert channel["mix"] < 0 and channel["mix_high"] < 0
    assert channel["mix"] + channel["rate"] == pytest.approx(periods["difference"]["value"])


def test_each_segments_nps_is_compared_with_its_own_before(found: dict[str, Any]) -> None:
    rows = {row["value"]: row for row in found["periods"]["segments"]}
    assert set(rows) == {"アプリ", "Web"} and {row["column"] for row in rows.values()} == {"channel"}
    assert sum(row["n_now"] for row in rows.values()) == found["periods"]["now"]["n"]
    assert sum(row["n_before"] for row in rows.values()) == found["periods"]["before"]["n"]
    for row in rows.values():
        assert row["difference"] == pytest.approx(row["nps_now"] - row["nps_before"])
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["p_adjusted"] is not None


def test_measures_are_there_where_their_columns_are(found: dict[str, Any]) -> None:
    feedback, units = night()
    csat = found["measures"]["csat"]
    assert (csat["n"], csat["k"], csat["least"]) == (240, int((feedback["csat"] >= 4).sum()), 4)
    assert found["measures"]["ces"] is found["measures"]["dwb"] is None
    bare = insights(feedback.drop("csat", "customer"), units, customers=None)
    assert bare["measures"] == {"csat": None, "ces": None, "dwb": None, "behaviour": None}
    assert bare["loyalty_map"] is None


def test_behaviour_joins_by_customer(found: dict[str, Any]) -> None:
    behaviour = found["measures"]["behaviour"]
    assert behaviour["repeat_rate"]["k"] == 200
    assert sum(group["n"] for group in behaviour["by_group"].values()) == 240
    assert sum(row["n"] for row in found["loyalty_map"]["quadrants"]) == 240
    assert found["loyalty_map"]["captive_themes"][0]["name"] in ("返品", "配送")


def test_quiet_weeks_alert_only_what_is_watched(found: dict[str, Any]) -> None:
    assert [(alert["kind"], alert["name"]) for alert in found["alerts"]] == [("watch", "意見239")]
    assert found["alerts"][0]["feedback"] == [{"source": "survey", "feedback_id": "r239"}]


def test_trends_hold_every_week_and_day(found: dict[str, Any]) -> None:
    trends = found["trends"]
    assert len(trends["weeks"]) == 8 and trends["weeks"][-1] == "2026-11-09"
    assert len(trends["nps"]) == 8 and all(week["low"] <= week["score"] <= week["high"] for week in trends["nps"] if week["n"])
    assert all(0 <= week["p_adjusted"] <= 1 and week["difference"] is not None for week in trends["nps"] if week["n"])
    for theme in trends["themes"]:
        assert len(theme["daily"]) == 56 and sum(theme["daily"]) == sum(theme["n_feedback"])
        assert theme["high"][:4] == [None] * 4 and None not in theme["high"][4:]


def test_the_order_of_rows_changes_no_byte(found: dict[str, Any]) -> None:
    feedback, units = night()
    shuffler = random.Random(1)
    mixed = insights(
        feedback[shuffler.sample(range(feedback.height), feedback.height)],
        units[shuffler.sample(range(units.height), units.height)],
        customers=CUSTOMERS[shuffler.sample(range(240), 240)],
    )
    assert dump_summary(mixed) == dump_summary(found)


def test_nothing_and_one_respondent_are_told_not_crashed_on() -> None:
    feedback, units = night()
    nothing = insights(feedback.clear(), units.clear())
    assert nothing["drivers"]["rows"] == nothing["priorities"] == nothing["alerts"] == nothing["mismatches"] == []
    assert nothing["periods"]["difference"]["value"] is None
    one = insights(feedback.head(1), units.filter(pl.col("feedback_id") == "r000"))
    assert one["drivers"]["rows"] == []
    assert dump_summary(one)
