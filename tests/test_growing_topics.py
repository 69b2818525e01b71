"""A new problem inside an old theme is one topic, with its day, its voices and a name."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from models.nested_groups import nested_groups
from pipeline.themes.candidates import find_candidates
from pipeline.themes.growing_topics import growing_topics
from pipeline.themes.topic_names import name_topic

NIGHT = date(2026, 11, 15)
SAYINGS = [
    ("更新したらアプリが落ちる", ["更新", "アプリ", "落ちる"], ["アプリ→落ちる"]),
    ("アプリがすぐ落ちるようになった", ["アプリ", "落ちる"], ["アプリ→落ちる"]),
    ("更新してから開けない", ["更新", "開ける"], []),
    ("開くと固まってしまう", ["開く", "固まる"], []),
]


def window(crashes=(), n=240, days=80, seed=0):
    """Return units, vectors and days: n who speak of delivery, and of the app from (days ago) on; all alike in theme."""
    rng = np.random.default_rng(seed)
    rows = [(int(rng.integers(0, days)), "届くのが早い", ["届く", "早い"], [], 0) for _ in range(n)]
    rows += [(ago, *SAYINGS[k % 4], 1) for k, ago in enumerate(crashes)]
    look = np.eye(2, 16)[[row[-1] for row in rows]] + 0.2 * rng.normal(size=(len(rows), 16))
    units = pl.DataFrame({
        "source": ["s"] * len(rows), "feedback_id": [f"R{k:04d}" for k in range(len(rows))],
        "unit_text": [row[1] for row in rows], "tokens": [row[2] for row in rows],
        "pairs": pl.Series([row[3] for row in rows], dtype=pl.List(pl.Utf8)),
        "sentiment": ["negative" if row[-1] else "positive" for row in rows],
    })
    told = units.select("source", "feedback_id").with_columns(
        day=pl.Series([NIGHT - timedelta(days=row[0]) for row in rows])
    )
    return units, (look / np.linalg.norm(look, axis=1, keepdims=True)).astype(np.float32), told


CRASHES = [40, *[9, 8, 8, 7, 5, 4, 4, 3, 2, 2, 1, 0]]


def test_what_grows_is_one_topic_with_its_first_day_and_its_voices():
    units, vectors, days = window(CRASHES)
    (topic,) = growing_topics(units, vectors, days, NIGHT)
    assert topic.first_day == date(2026, 11, 6)
    assert set(topic.rows) == set(range(241, 253))
    assert topic.p < 0.001


def test_later_answers_change_nothing_of_a_night():
    units, vectors, days = window([*CRASHES, -1, -1, -2])
    (topic,) = growing_topics(units, vectors, days, NIGHT)
    assert set(topic.rows) == set(range(241, 253))


def test_quiet_windows_have_no_topic():
    assert not any(growing_topics(*window(seed=seed), NIGHT) for seed in range(10))
    assert not growing_topics(*window([ago for ago in range(0, 80, 6)]), NIGHT)


def test_nothing_and_undated_units_have_no_topic():
    units, vectors, days = window(CRASHES)
    assert growing_topics(units, vectors, days.clear(), NIGHT) == []
    assert growing_topics(units.clear(), vectors[:0], days.clear(), NIGHT) == []


def test_the_order_of_rows_does_not_matter():
    units, vectors, days = window(CRASHES)
    order = np.random.default_rng(1).permutation(units.height)
    shuffled = units[order.tolist()], vectors[order], days
    (topic,), (other,) = growing_topics(units, vectors, days, NIGHT), growing_topics(*shuffled, NIGHT)
    assert set(units["feedback_id"][topic.rows.tolist()]) == set(shuffled[0]["feedback_id"][other.rows.tolist()])
    assert (topic.first_day, topic.p) == (other.first_day, other.p)


def test_a_candidate_needs_six_respondents_and_stands_for_negative_ones_too():
    units, vectors, _ = window(CRASHES)
    people = np.arange(units.height)
    found = {(c.kind, c.label, c.negative): len(c.rows) for c in find_candidates(units, vectors, people)}
    assert found["pair", "アプリ→落ちる", False] == 7
    assert ("word", "固まる", False) not in found  # three respondents
    assert ("word", "届く", True) not in found  # nobody minds
    assert not any(c.label == "アプリ" for c in find_candidates(units, vectors, np.zeros(units.height, int)))


def test_every_branch_holds_what_its_parts_hold():
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    branches = [set(rows) for rows in nested_groups(vectors, least=2, most=60)]
    assert len(branches) == 59
    assert all(a <= b or b <= a or not a & b for a in branches for b in branches)
    assert all(2 <= len(rows) <= 15 for rows in nested_groups(vectors, least=2, most=15))


def test_many_vectors_are_grouped_by_micro_clusters(monkeypatch):
    monkeypatch.setattr("models.nested_groups.POINTS", 20)
    monkeypatch.setattr("models.nested_groups.MICRO", 15)
    monkeypatch.setattr("models.nested_groups.SAMPLE", 60)
    rng = np.random.default_rng(0)
    vectors = (np.eye(4, 16)[np.arange(200) % 4] + 0.1 * rng.normal(size=(200, 16))).astype(np.float32)
    for n in (50, 200):
        branches = [frozenset(rows) for rows in nested_groups(vectors[:n], least=2, most=n)]
        assert {frozenset(range(look, n, 4)) for look in range(4)} <= set(branches)


def test_equal_sentences_are_never_parted():
    vectors = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    assert {len(rows) for rows in nested_groups(vectors, least=2, most=40)} <= {10, 20, 30, 40}
    assert [len(rows) for rows in nested_groups(vectors[:10], least=2, most=40)] == [10]
    assert nested_groups(vectors[:0], least=2, most=40) == []


def test_a_topic_is_called_by_the_pair_its_units_share_else_by_nouns():
    units, _, _ = window(CRASHES)
    rows = np.arange(241, 253)
    assert name_topic(units, rows).name == "アプリが落ちる"
    name = name_topic(units, rows, taken=["アプリが落ちる"])
    assert name.name == "アプリ・更新"
    assert {"アプリ", "更新", "落ちる"} <= set(name.keywords)
