"""What a night tells about its themes: in summary.json, and in one line each in the report."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from pipeline.report.headline import alert_text
from pipeline.report.transitions import transition_lines
from pipeline.report.wording import words_of
from pipeline.themes.curation import Curation
from pipeline.themes.emerging import emerging_topics
from pipeline.themes.news import with_theme_news
from pipeline.themes.night import ENDED, THEME_SCHEMA, ThemedNight
from pipeline.themes.registry import Registry, Transition

NIGHT = date(2026, 11, 22)

JA = words_of("ja")


def themed(transitions=(), *, kept=0.99, refused=False, status="new"):
    days = [(theme, ago) for ago in range(80) for theme in ("T0001", "T0001")] + [("T0002", ago % 5) for ago in range(12)]
    units = pl.DataFrame({
        "source": ["s"] * len(days), "feedback_id": [f"R{k}" for k in range(len(days))], "theme_id": [t for t, _ in days],
        "unassigned_reason": pl.Series([None] * len(days), dtype=pl.Utf8), "unit_text": ["ふつう"] * len(days),
        "tokens": pl.Series([[]] * len(days), dtype=pl.List(pl.Utf8)), "pairs": pl.Series([[]] * len(days), dtype=pl.List(pl.Utf8)),
        "sentiment": ["neutral"] * len(days),
    })
    stamps = [datetime(2026, 11, 22, 3, tzinfo=UTC) - timedelta(days=ago) for _, ago in days]
    feedback = units.select("source", "feedback_id").with_columns(
        score=pl.lit(5, pl.Int64), received_at=pl.Series(stamps, dtype=pl.Datetime("us", "UTC"))
    )
    row = {"parent_id": None, "first_seen": "2026-11-01", "pinned": False, "hidden": False, "keywords": [], "pairs": [], "quotes": []}
    rows = [{"theme_id": "T0001", "name": "配達", "status": "continuing"} | row, {"theme_id": "T0002", "name": "再利用ボックス", "status": status} | row]
    themes = pl.DataFrame(rows, schema=THEME_SCHEMA)
    return ThemedNight(units, themes, [], list(transitions), kept_share=kept, refused=refused), feedback


def say(night, rows, text, tokens, pairs):
    """Let some units say the same new thing."""
    told = pl.int_range(pl.len()).is_in(rows)
    units = night.units.with_columns(
        unit_text=pl.when(told).then(pl.lit(text)).otherwise("unit_text"),
        tokens=pl.when(told).then(pl.lit(tokens)).otherwise("tokens"),
        pairs=pl.when(told).then(pl.lit(pairs)).otherwise("pairs"),
        sentiment=pl.when(told).then(pl.lit("negative")).otherwise("sentiment"),
    )
    return replace(night, units=units)


def news(transitions=(), *, previous=True, alerts=(), said=(), **options):
    night, feedback = themed(transitions, **options)
    for saying in said:
        night = say(night, *saying)
    summary = {
        "business_date": NIGHT.isoformat(),
        "previous": {"business_date": "2026-11-15"} if previous else None,
        "themes": [{"theme_id": "T0001"}, {"theme_id": "T0002"}],
        "alerts": list(alerts),
        "stability": {"new": 1},
    }
    registry = Registry([], 3, curation=Curation())
    embeddings = np.eye(384, dtype=np.float32)[[0] * night.units.height]
    return with_theme_news(summary, night, registry, feedback, embeddings, timezone="Asia/Tokyo")


ALERT = {"kind": "new_theme", "theme_id": "T0002", "name": "再利用ボックス", "first_day": "2026-11-01", "n_feedback": 12, "feedback": []}


def test_transitions_carry_names_and_the_share_kept():
    (told,) = news([Transition("split", "T0001", ("T0002",), 0.61234, 4)])["transitions"]
    others = [{"theme_id": "T0002", "name": "再利用ボックス"}]
    assert told == {"kind": "split", "theme_id": "T0001", "name": "配達", "others": others, "kept": 0.6123, "decision": 4}


def test_a_new_theme_that_grows_is_an_alert_and_one_that_does_not_is_none():
    told = news(alerts=[ALERT, ALERT | {"theme_id": "T0009"}])
    assert [alert["theme_id"] for alert in told["alerts"]] == ["T0002"]
    (row,) = told["emerging"]
    assert (row["theme_id"], row["kind"], row["n_feedback"]) == ("T0002", "new", 12)
    assert row["p"] < 0.001


SPIKE = {"kind": "volume_spike", "theme_id": "T0001", "name": "配達", "n_feedback": 30, "feedback": []}
# Rows 2k and 2k + 1 are of theme T0001, k days ago: nine respondents of the last five days say one new thing.
CRASH = ([0, 1, 2, 3, 4, 5, 6, 8, 9], "アプリが落ちる", ["アプリ", "落ちる"], ["アプリ→落ちる"])


def kinds(told):
    return [(alert["kind"], alert["theme_id"]) for alert in told["alerts"]]


def test_one_event_raises_one_alert():
    anger = SPIKE | {"kind": "negative_spike", "theme_id": "T0002"}
    told = news(alerts=[ALERT, SPIKE, SPIKE | {"theme_id": "T0002"}, anger])
    assert kinds(told) == [("new_theme", "T0002"), ("volume_spike", "T0001"), ("negative_spike", "T0002")]


def test_a_known_theme_that_grows_is_told_by_its_spike_where_there_is_one():
    spike = SPIKE | {"theme_id": "T0002"}
    assert kinds(news(status="continuing")) == [("growing_theme", "T0002")]
    assert kinds(news(status="continuing", alerts=[spike])) == [("volume_spike", "T0002")]


def test_a_topic_that_grows_inside_a_theme_is_an_alert_of_its_own():
    told = news(status="dormant", said=[CRASH])
    (row,) = told["emerging"]
    assert (row["theme_id"], row["name"], row["kind"]) == (None, "アプリが落ちる", "growing")
    assert row["inside"] == {"theme_id": "T0001", "name": "配達"}
    assert (row["first_day"], row["last_day"], row["n_feedback"]) == ("2026-11-18", "2026-11-22", 9)
    assert row["share_before"] == 0 and row["p"] < 0.001
    assert {r["feedback_id"] for r in row["feedback"]} == {f"R{k}" for k in CRASH[0]}
    (alert,) = told["alerts"]
    assert (alert["kind"], alert["theme_id"], alert["inside"]) == ("growing_theme", None, row["inside"])
    assert alert_text(alert, JA).startswith("「配達」の中で「アプリが落ちる」という声が11月18日から増えています（それ以降は")
    assert alert_text(alert, words_of("en")).startswith("Inside “配達”: “アプリが落ちる” has been growing since ")


def test_a_topic_that_a_themes_alert_tells_of_is_named_there():
    behind = [{"source": "s", "feedback_id": f"R{k}"} for k in range(12)]
    anger = SPIKE | {"kind": "negative_spike", "first_day": "2026-11-18", "feedback": behind}
    (alert,) = news(status="dormant", said=[CRASH], alerts=[anger])["alerts"]
    assert alert["kind"] == "negative_spike"
    assert alert["topics"] == [{"name": "アプリが落ちる", "first_day": "2026-11-18", "n_feedback": 9}]
    assert alert_text(alert | {"expected": None}, JA).endswith("。とくに「アプリが落ちる」（11月18日から9人）")


def test_topics_of_one_theme_that_begin_together_are_one_event():
    crash, login = (([*range(k, 14, 2)], *words) for k, words in enumerate((CRASH[1:], ("ログインできない", ["ログイン"], []))))
    (row,) = news(status="dormant", said=[crash, login])["emerging"]
    assert (row["first_day"], row["n_feedback"]) == ("2026-11-16", 14)
    assert {"アプリ", "ログイン"} <= set(row["keywords"])


def test_what_people_hid_or_ended_is_not_told():
    night, feedback = themed(status="dormant")
    night = say(night, *CRASH)
    hidden = night.themes.with_columns(hidden=pl.lit(True))
    ended = night.units.with_columns(theme_id=pl.lit(None, pl.Utf8), unassigned_reason=pl.lit(ENDED))
    embeddings = np.eye(384, dtype=np.float32)[[0] * night.units.height]
    for units, themes in ((night.units, hidden), (ended, night.themes)):
        assert emerging_topics(feedback, units, embeddings, themes, business_date=NIGHT, timezone="UTC") == []


def test_a_part_of_a_split_is_no_news():
    told = news([Transition("split", "T0001", ("T0002",), 0.6, 4)], alerts=[ALERT])
    assert (told["emerging"], told["alerts"]) == ([], [])


def test_on_the_first_night_nothing_emerges():
    assert news(previous=False)["emerging"] == []


def test_a_shift_of_themes_is_an_alert_with_its_figures():
    told = news(kept=0.71, refused=True)
    assert told["alerts"] == [{"kind": "theme_shift", "units_kept": 0.71, "threshold": 0.8, "refused": True}]
    assert told["stability"] == {"new": 1, "units_kept": 0.71}
    text = alert_text(told["alerts"][0], JA)
    assert "71.0%" in text and "これまでのテーマ" in text
    assert news(kept=0.8)["alerts"] == []


def test_a_growing_theme_is_told_with_both_shares():
    alert = {"kind": "growing_theme", "name": "配達", "first_day": "2026-11-18", "n_feedback": 14, "share": 0.25, "share_before": 0.1}
    assert alert_text(alert, JA) == "「配達」の声が11月18日から増えています（それ以降は14人で、意見を書いた人の25.0%。それまでは10.0%）"


def change(kind, *others, decision=None):
    return {"kind": kind, "name": "配達", "others": [{"name": other} for other in others], "decision": decision}


LINES = [
    (change("new"), "「配達」が新しく現れました"),
    (change("split", "置き配", "再配達"), "「配達」から「置き配」「再配達」が分かれました"),
    (change("merged", "配送", decision=3), "「配達」は「配送」にまとまりました（担当者の判断）"),
    (change("returned"), "「配達」が再び現れました"),
    (change("retired"), "「配達」は長く休止していたため終了しました"),
    (change("retired", decision=2), "「配達」を終了しました（担当者の判断）"),
]


def test_the_report_tells_each_change_in_one_line():
    changes = [told for told, _ in LINES]
    assert transition_lines({"previous": None, "transitions": changes}, JA) == []
    lines = transition_lines({"previous": {"business_date": "2026-11-15"}, "transitions": [change("survived"), *changes]}, JA)
    assert lines == [line for _, line in LINES]
