"""What emerges is new or grows beyond chance; what is quiet stays quiet."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.stats import fisher_exact

from pipeline.themes.emerging import emerging_themes, growth_p, holm

NIGHT = date(2026, 11, 22)


def day(ago):
    return datetime(NIGHT.year, NIGHT.month, NIGHT.day, 3, tzinfo=UTC) - timedelta(days=ago)


def night(mentions, *, score=5):
    """Return feedback and units from (theme, days ago, channel)."""
    n = len(mentions)
    ids = [f"R{k}" for k in range(n)]
    feedback = pl.DataFrame(
        {
            "source": ["survey"] * n,
            "feedback_id": ids,
            "score": [score] * n,
            "received_at": [day(ago) for _, ago, _ in mentions],
            "channel": [channel for *_, channel in mentions],
        },
        schema_overrides={"received_at": pl.Datetime("us", "UTC")},
    )
    units = pl.DataFrame({"source": ["survey"] * n, "feedback_id": ids, "theme_id": [theme for theme, *_ in mentions]})
    return feedback, units


def themes(**status):
    rows = [{"theme_id": t, "name": f"名{t}", "status": s, "hidden": False} for t, s in status.items()]
    return pl.DataFrame(rows)


def found(data, table, **options):
    return emerging_themes(*data, table, business_date=NIGHT, timezone="Asia/Tokyo", segments=["channel"], **options)


STEADY = [("A", ago, "店") for ago in range(80)] * 2
TABLE = themes(A="continuing", B="continuing")


def test_a_theme_that_grows_is_told_with_its_days_and_groups():
    rise = [("B", 40, "店")] * 2 + [("B", ago % 5, "アプリ") for ago in range(14)]
    (row,) = found(night(STEADY + rise), TABLE)
    assert (row["theme_id"], row["kind"], row["n_feedback"], row["n_units"]) == ("B", "growing", 14, 14)
    assert (row["first_day"], row["last_day"]) == ("2026-11-18", "2026-11-22")
    assert row["p"] < 0.001 and row["share"] > 2 * row["share_before"]
    assert row["groups"][:2] == [
        {"column": "nps_group", "value": "detractor", "n": 14, "of": 24},
        {"column": "channel", "value": "アプリ", "n": 14, "of": 14},
    ]


def test_more_answers_in_a_week_are_no_growth():
    busy = [(theme, ago % 7, "店") for ago in range(60) for theme in "AB"]
    usual = [(theme, 10 + ago, "店") for ago in range(60) for theme in "AB"]
    assert found(night(busy + usual), TABLE) == []


def test_five_mentions_are_too_few_to_tell():
    assert found(night(STEADY + [("B", 1, "店")] * 5), TABLE) == []


def test_without_weeks_before_nothing_grows():
    assert found(night([("A", ago % 12, "店") for ago in range(60)] + [("B", 1, "店")] * 20), TABLE) == []


def test_a_new_theme_emerges_and_a_part_of_a_split_does_not():
    table, data = themes(A="continuing", N="new"), night(STEADY + [("N", 9, "店")] + [("N", 3, "店")] * 12)
    (row,) = found(data, table)
    assert (row["kind"], row["n_feedback"], row["first_day"]) == ("new", 12, "2026-11-19")  # one voice is no growth
    assert found(data, table, not_news=frozenset({"N"})) == []


def test_a_new_theme_that_people_have_spoken_of_for_weeks_does_not_emerge():
    table, data = themes(A="continuing", N="new"), night(STEADY + [("N", 4 * k, "店") for k in range(20)])
    assert found(data, table) == []


def test_hidden_and_dormant_themes_are_not_told():
    rise = night(STEADY + [("B", 1, "店")] * 20)
    assert found(rise, TABLE.with_columns(hidden=pl.lit(True))) == []
    assert found(rise, themes(A="continuing", B="dormant")) == []


def test_the_test_is_fishers_exact_one():
    table = [[9, 41], [6, 144]]
    assert growth_p(50, 200, 9, 15) == pytest.approx(fisher_exact(table, "greater")[1])


def test_holm_keeps_order_and_never_exceeds_one():
    assert holm({"a": 0.5, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_quiet_data_stays_quiet_for_a_hundred_nights():
    rng = np.random.default_rng(7)
    names = [f"T{k}" for k in range(12)]
    table = themes(**dict.fromkeys(names, "continuing"))
    alarms = 0
    for _ in range(100):
        mentions = [(str(rng.choice(names)), int(rng.integers(0, 90)), "店") for _ in range(300)]
        alarms += bool(found(night(mentions), table))
    assert alarms == 0
