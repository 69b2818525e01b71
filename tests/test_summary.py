import json
import random
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.summary import build_summary, dump_summary

FEEDBACK = pl.DataFrame(
    {
        "source": ["calls", "survey", "survey", "survey"],
        "feedback_id": ["c1", "s1", "s2", "s3"],
        "score": [None, 10, 3, 8],
        "received_at": [datetime(2026, 11, day, 20, tzinfo=UTC) for day in (6, 2, 5, 9)],
    }
)
UNITS = pl.DataFrame(
    {
        "source": ["calls", "calls", "survey", "survey"],
        "feedback_id": ["c1", "c1", "s1", "s2"],
        "unit_index": [0, 1, 0, 0],
        "theme_id": ["T0002", None, "T0001", "T0002"],
        "sentiment": ["negative", "neutral", "positive", "negative"],
    }
)
THEMES = pl.DataFrame(
    {
        "theme_id": ["T0001", "T0002", "T0003"],
        "name": ["品揃え", "アプリの更新", "ポイント"],
        "parent_id": pl.Series([None] * 3, dtype=pl.Utf8),
        "status": ["continuing", "new", "retired"],
        "first_seen": ["2026-10-31", "2026-11-10", "2026-10-31"],
        "keywords": [["品揃え"], ["アプリ", "更新"], ["ポイント"]],
        "pairs": [[], ["アプリ→落ちる"], []],
    }
)
PREVIOUS = {
    "business_date": "2026-11-03",
    "nps": {"score": -12.5, "n": 8},
    "themes": [
        {"theme_id": "T0001", "status": "continuing", "share": 0.5},
        {"theme_id": "T0003", "status": "new", "share": 0.25},
        {"theme_id": "T0004", "status": "retired", "share": 0.0},
    ],
}


def source(name: str, read: int, analysed: int, **more: int) -> dict[str, Any]:
    zeros = dict.fromkeys(("no_opinion", "duplicate", "quarantined", "outside_window", "carried_over"), 0)
    return {"name": name, "read": read, "analysed": analysed, **zeros, **more}


SOURCES = [source("survey", 5, 2, no_opinion=1, duplicate=1, quarantined=1), source("calls", 1, 1)]


def summary(**changed: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "title": "通販サイト",
        "business_date": date(2026, 11, 10),
        "window": (date(2026, 8, 13), date(2026, 11, 10)),
        "versions": {"kikitori": "0.1.0"},
        "sentiment_adaptation": {"used": False, "reason": "too few scores", "n_promoters": 1, "n_detractors": 1},
        "sources": SOURCES,
        "feedback": FEEDBACK,
        "units": UNITS,
        "themes": THEMES,
        "previous": PREVIOUS,
        "timezone": "Asia/Tokyo",
    }
    return build_summary(**{**arguments, **changed})


def test_summary_counts_respondents_units_and_scores() -> None:
    night = summary()
    assert night["schema_version"] == 1
    assert night["window"] == {"from": "2026-08-13", "to": "2026-11-10"}
    assert (night["n_feedback"], night["n_analysed"], night["n_units"], night["n_unassigned"]) == (4, 3, 4, 1)
    assert night["nps"]["distribution"] == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]
    assert (night["nps"]["score"], night["nps"]["n"], night["nps"]["mean"]) == (0.0, 3, 7.0)
    assert night["previous"] == {"business_date": "2026-11-03", "nps": -12.5, "n": 8}
    assert [theme["theme_id"] for theme in night["themes"]] == ["T0002", "T0001", "T0003"]
    assert night["themes"][1]["previous_share"] == 0.5


def test_a_new_theme_raises_an_alert_with_its_first_day() -> None:
    # The theme's first feedback came on 5 November 20:00 UTC: 6 November in Tokyo.
    assert summary()["alerts"] == [
        {
            "kind": "new_theme",
            "theme_id": "T0002",
            "name": "アプリの更新",
            "first_day": "2026-11-06",
            "n_feedback": 2,
            "feedback": [
                {"source": "calls", "feedback_id": "c1"},
                {"source": "survey", "feedback_id": "s2"},
            ],
        }
    ]


def test_without_dates_a_theme_is_new_since_the_night_that_saw_it() -> None:
    undated = FEEDBACK.with_columns(received_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
    assert summary(feedback=undated)["alerts"][0]["first_day"] == "2026-11-10"


def test_the_first_night_raises_no_alert_as_everything_is_new() -> None:
    night = summary(previous=None)
    assert (night["alerts"], night["previous"]) == ([], None)
    assert night["stability"] == {"continuing": 1, "new": 1, "returned": 0, "dormant": 0, "retired": 0, "kept_share": None}


def test_stability_counts_what_became_of_last_nights_themes() -> None:
    assert summary()["stability"] == {
        "continuing": 1,
        "new": 1,
        "returned": 0,
        "dormant": 0,
        "retired": 1,
        "kept_share": 0.5,
    }


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_bytes(shuffler: random.Random) -> None:
    def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
        return frame[shuffler.sample(range(frame.height), frame.height)]

    mixed = summary(feedback=shuffled(FEEDBACK), units=shuffled(UNITS), themes=shuffled(THEMES))
    assert dump_summary(mixed) == dump_summary(summary())


def test_dump_is_canonical() -> None:
    text = dump_summary({"b": [1 / 3, -1e-9, 2], "a": {"名": None}})
    assert (
        text.decode() == '{\n  "a": {\n    "名": null\n  },\n  "b": [\n    0.3333,\n    0.0,\n    2\n  ]\n}\n'
    )
    assert dump_summary(json.loads(text)) == text
    assert dump_summary({"y": 1, "x": 2}) == dump_summary({"x": 2, "y": 1})


def test_a_figure_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dump_summary({"nps": float("nan")})


def test_an_empty_night_has_a_summary() -> None:
    night = summary(
        feedback=FEEDBACK.clear(),
        units=UNITS.clear(),
        themes=THEMES.clear(),
        sources=[source("survey", 0, 0)],
    )
    assert (night["n_feedback"], night["nps"]["score"], night["nps"]["mean"], night["themes"]) == (
        0,
        None,
        None,
        [],
    )
    assert json.loads(dump_summary(night)) == night


def test_rows_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"survey: read must equal .* got 9 = 2 \+ 0 \+ 0 \+ 0"):
        summary(sources=[source("survey", 9, 2)])
    with pytest.raises(ValueError, match="got 3 and 4"):
        summary(sources=[source("survey", 3, 3)])
