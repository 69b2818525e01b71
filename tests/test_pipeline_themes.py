"""Themes from night to night: permanent ids and names, and what is really new."""

import csv
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from models.themes import ThemeModel
from pipeline.themes import continuity
from pipeline.themes.bursts import bursting_topics
from pipeline.themes.curation import NO_CURATION, Curation, Split
from pipeline.themes.matching import match_themes
from pipeline.themes.naming import MAX_LENGTH
from pipeline.themes.night import ENDED, FAR, THEME_SCHEMA, find_themes
from pipeline.themes.registry import Registry

MONDAY = date(2026, 11, 16)
NEXT = date(2026, 11, 23)
OLD_DAY = datetime(2026, 10, 20, tzinfo=UTC)
NEW_DAY = datetime(2026, 11, 20, tzinfo=UTC)
DIM = 24
WORDS = [
    [("配達が遅い", ["配達", "遅い"], ["配達→遅い"]), ("配達の時間を選びたい", ["配達", "時間"], [])],
    [("アプリが重い", ["アプリ", "重い"], ["アプリ→重い"]), ("アプリの画面が固まる", ["アプリ", "画面"], [])],
    [("送料が高い", ["送料", "高い"], ["送料→高い"]), ("料金が分かりにくい", ["料金"], [])],
    [("電話がつながらない", ["電話", "繋がる"], ["電話→繋がる+ない"]), ("返信が遅い", ["返信"], ["返信→遅い"])],
    [("再利用ボックスが臭い", ["再利用", "ボックス"], []), ("再利用ボックスの返却", ["再利用", "ボックス"], [])],
]
CENTERS = np.linalg.qr(np.random.default_rng(5).normal(size=(DIM, len(WORDS))))[0].T


def night(sizes, *, seed=0, first=0, received=OLD_DAY):
    """Return units about topic 0, 1, … and their vectors."""
    rng = np.random.default_rng(seed)
    rows, vectors = [], []
    for topic, size in enumerate(sizes):
        for k in range(size):
            text, tokens, pairs = WORDS[topic][k % 2]
            rows.append((f"R{first + len(rows):04d}", text, tokens, pairs, received))
            vectors.append(CENTERS[topic] + 0.7 * rng.normal(size=DIM) / np.sqrt(DIM))
    schema = {"feedback_id": pl.Utf8, "unit_text": pl.Utf8, "tokens": pl.List(pl.Utf8), "pairs": pl.List(pl.Utf8)}
    schema["received_at"] = pl.Datetime("us", "UTC")
    units = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit("survey").alias("source"), pl.lit(0, pl.Int64).alias("unit_index")
    )
    matrix = np.asarray(vectors, np.float32).reshape(-1, DIM)
    return units, matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def together(one, other):
    return pl.concat([one[0], other[0]]), np.concatenate([one[1], other[1]])


def run(data, registry=None, day=MONDAY, **options):
    units, vectors = data
    options = {"granularity": "medium", "random_state": 0, "model_id": "fake", "prior": None} | options
    return find_themes(units, vectors, registry=registry or Registry([], 1), business_date=day, **options)


def registry_after(*nights, curation=NO_CURATION):
    """Return what the store would return: the last state of every theme."""
    last = {theme.theme_id: theme for themed in nights for theme in themed.stored}
    themes = sorted(last.values(), key=lambda theme: theme.theme_id)
    number = 1 + max((int(theme.theme_id[1:]) for theme in themes), default=0)
    return Registry(themes, number, MONDAY, nights[-1].members, curation)


def status(themed):
    return dict(themed.themes.select("theme_id", "status").iter_rows())


def leaves(themed):
    return set(themed.units["theme_id"].drop_nulls())


FIRST = night([50, 40, 30, 20])


def test_every_unit_has_a_theme_or_a_reason():
    units = run(FIRST).units
    assert units.columns[-5:] == ["theme_id", "theme", "parent_theme", "similarity", "unassigned_reason"]
    assert (units["theme_id"].is_null() == units["unassigned_reason"].is_not_null()).all()
    assert set(units["unassigned_reason"].drop_nulls()) <= {FAR}
    assert units["theme_id"].null_count() <= 0.03 * units.height + 1


def test_the_first_night_numbers_its_themes_by_size():
    themed = run(FIRST)
    assert dict(themed.themes.schema) == THEME_SCHEMA
    assert set(status(themed).values()) == {"new"}
    assert sorted(leaves(themed)) == ["T0001", "T0002", "T0003", "T0004"]
    counts = themed.units["theme_id"].drop_nulls().value_counts().sort("theme_id")["count"].to_list()
    assert counts == sorted(counts, reverse=True)
    assert set(themed.themes["first_seen"]) == {"2026-11-16"}


def test_names_are_short_distinct_and_from_the_units():
    names = run(FIRST).themes.filter(pl.col("theme_id") == "T0001")["name"].to_list()
    assert "配達" in names[0]
    every = run(FIRST).themes["name"].to_list()
    assert len(set(every)) == len(every)
    assert all(2 <= len(name) <= MAX_LENGTH for name in every)


def test_parents_are_rows_and_children_point_to_them():
    themes = run(FIRST).themes
    parents = set(themes["parent_id"].drop_nulls())
    assert parents <= set(themes["theme_id"])
    assert set(themes.filter(pl.col("theme_id").is_in(list(parents)))["parent_id"]) <= {None}
    assert not parents & leaves(run(FIRST))


def test_the_order_of_units_changes_nothing():
    units, vectors = FIRST
    order = np.random.default_rng(9).permutation(units.height)
    themed, shuffled = run(FIRST), run((units[order.tolist()], vectors[order]))
    assert shuffled.themes.equals(themed.themes)
    assert shuffled.units.sort("feedback_id").equals(themed.units.sort("feedback_id"))
    assert shuffled.stored == themed.stored


def test_themes_continue_under_their_ids_and_names():
    first = run(FIRST)
    data = together(FIRST, night([8, 7, 6, 5], seed=1, first=500))
    second = run(data, registry_after(first), NEXT)
    assert set(status(second).values()) == {"continuing"}
    assert leaves(second) == leaves(first)
    before = dict(first.themes.select("theme_id", "name").iter_rows())
    assert dict(second.themes.select("theme_id", "name").iter_rows()) == before
    assert set(second.themes["first_seen"]) == {"2026-11-16"}
    kept = second.units["theme_id"][: first.units.height].eq_missing(first.units["theme_id"])
    assert kept.mean() >= 0.97


def test_running_a_night_again_gives_the_same():
    registry = registry_after(run(FIRST))
    data = together(FIRST, night([8, 7, 6, 5, 15], seed=1, first=500, received=NEW_DAY))
    one, other = run(data, registry, NEXT), run(data, registry, NEXT)
    assert one.units.equals(other.units) and one.themes.equals(other.themes) and one.stored == other.stored


def test_a_topic_that_comes_up_is_a_new_theme_with_the_next_number():
    first = run(FIRST)
    registry = registry_after(first)
    data = together(FIRST, night([2, 2, 2, 2, 14], seed=1, first=500, received=NEW_DAY))
    second = run(data, registry, NEXT)
    (new,) = set(leaves(second)) - leaves(first)
    assert new == f"T{registry.next_number:04d}"
    row = second.themes.filter(pl.col("theme_id") == new).row(0, named=True)
    assert (row["name"], row["status"], row["first_seen"]) == ("再利用ボックス", "new", "2026-11-23")
    found = second.units.filter(pl.col("theme_id") == new)["unit_text"]
    assert found.str.contains("再利用ボックス").mean() > 0.9
    assert len(found) >= 13


def test_the_new_theme_is_known_the_night_after():
    first = run(FIRST)
    data = together(FIRST, night([2, 2, 2, 2, 14], seed=1, first=500, received=NEW_DAY))
    second = run(data, registry_after(first), NEXT)
    more = together(data, night([0, 0, 0, 0, 6], seed=2, first=900, received=NEW_DAY))
    third = run(more, registry_after(first, second), date(2026, 11, 24))
    assert leaves(third) == leaves(second)
    assert "new" not in status(third).values()


def test_a_theme_without_units_goes_dormant_and_returns_under_its_id():
    first = run(FIRST)
    kept = (FIRST[0][:120], FIRST[1][:120])
    second = run(kept, registry_after(first), NEXT)
    gone = next(theme_id for theme_id, state in status(second).items() if state == "dormant")
    assert second.themes.filter(pl.col("theme_id") == gone)["keywords"][0].to_list()
    third = run(FIRST, registry_after(first, second), date(2026, 11, 30))
    assert status(third)[gone] == "returned"
    assert gone in leaves(third)


def test_a_dormant_theme_is_told_once():
    first = run(FIRST)
    kept = (FIRST[0][:120], FIRST[1][:120])
    second = run(kept, registry_after(first), NEXT)
    third = run(kept, registry_after(first, second), date(2026, 11, 30))
    assert "dormant" in status(second).values()
    assert "dormant" not in status(third).values()


def test_another_granularity_keeps_the_ids_of_what_is_the_same():
    first = run(FIRST)
    second = run(FIRST, registry_after(first), NEXT, granularity="coarse")
    assert leaves(second) == leaves(first)
    assert set(status(second)[theme] for theme in leaves(second)) == {"continuing"}


def test_another_encoder_keeps_the_ids_by_keywords():
    first = run(FIRST)
    units, vectors = FIRST
    turned = (units, np.ascontiguousarray(vectors[:, ::-1]))
    second = run(turned, registry_after(first), NEXT, model_id="other")
    same = second.units["theme_id"].eq_missing(first.units["theme_id"])
    assert same.mean() >= 0.9


def test_a_plain_centroid_is_enough_to_continue_a_theme():
    first = run(FIRST)
    bare = [replace(theme, look=np.asarray(theme.look)[:1]) for theme in first.stored]
    second = run(FIRST, Registry(bare, 90), NEXT)
    assert leaves(second) == leaves(first)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_night_of_hardly_any_units_has_its_tables(n):
    units, vectors = night([n])
    themed = run((units, vectors))
    assert themed.units.height == n
    assert themed.units["theme_id"].null_count() == 0
    assert dict(themed.themes.schema) == THEME_SCHEMA


def test_on_a_night_without_units_all_are_dormant():
    first = run(FIRST)
    second = run(night([]), registry_after(first), NEXT)
    assert set(status(second).values()) == {"dormant"}
    assert {theme.theme_id for theme in second.stored} == {theme.theme_id for theme in first.stored}


def test_vectors_and_units_must_fit():
    with pytest.raises(ValueError, match="one row per unit; got 3 for 4 units"):
        run((night([4])[0], np.eye(3, DIM, dtype=np.float32)))


def test_stored_looks_are_unit_vectors():
    for theme in run(FIRST).stored:
        looks = np.asarray(theme.look)
        assert looks.dtype == np.float32
        assert np.allclose(np.linalg.norm(looks, axis=1), 1, atol=1e-5)


def test_matching_is_one_to_one_and_needs_likeness():
    cosine = np.array([[0.95, 0.9], [0.94, 0.2], [0.1, 0.1]])
    assert match_themes(cosine, np.zeros((3, 2))) == {0: 1, 1: 0}
    assert match_themes(np.array([[0.3]]), np.array([[0.2]])) == {}
    assert match_themes(np.array([[np.nan]]), np.array([[0.4]])) == {0: 0}
    assert match_themes(np.zeros((0, 3)), np.zeros((0, 3))) == {}


def test_a_word_that_was_always_there_does_not_burst():
    old, new = night([40, 40]), night([12, 12], first=500, received=NEW_DAY)
    assert bursting_topics(together(old, new)[0], NEXT) == []


def test_a_word_of_one_respondent_does_not_burst():
    units = together(night([40, 40]), night([0, 0, 0, 0, 12], first=500, received=NEW_DAY))[0]
    one = units.with_columns(pl.when(pl.col("received_at") == NEW_DAY).then(pl.lit("R9")).otherwise("feedback_id").alias("feedback_id"))
    assert bursting_topics(units, NEXT)[0].terms == {"再利用ボックス", "再利用", "ボックス"}
    assert bursting_topics(one, NEXT) == []


def test_without_dates_nothing_bursts():
    assert bursting_topics(night([10])[0].drop("received_at"), NEXT) == []


def test_the_demos_new_complaint_is_found_and_the_rest_stays():
    """The shipped demo through the real encoder: the reusable box of the last week is a new theme."""
    from models.embedding import Encoder

    units = pl.concat([_rough_units("survey", "comment"), _rough_units("support", "transcript")])
    encoder = Encoder.from_pretrained()
    vectors = encoder.encode(units["unit_text"].to_list())
    old = (units["received_at"] < datetime(2026, 11, 16, tzinfo=UTC)).to_numpy()
    options = {"model_id": encoder.model_id, "prior": "bundled"}
    first = run((units.filter(old), vectors[old]), day=date(2026, 11, 15), **options)
    second = run((units, vectors), registry_after(first), date(2026, 11, 22), **options)

    assert 10 <= len(leaves(first)) <= 25
    assert first.units["theme_id"].null_count() <= 0.03 * first.units.height + 1
    kept = second.units.filter(old)["theme_id"].eq_missing(first.units["theme_id"])
    assert kept.mean() >= 0.97
    new = second.themes.filter((pl.col("status") == "new") & pl.col("theme_id").is_in(list(leaves(second))))
    box = [row for row in new.iter_rows(named=True) if "ボックス" in row["name"]]
    assert len(box) == 1 and new.height <= 2
    members = second.units.filter(pl.col("theme_id") == box[0]["theme_id"])
    assert members.height >= 15
    assert (members["received_at"] >= datetime(2026, 11, 16, tzinfo=UTC)).mean() >= 0.8


def _is_date(stamp):
    """Return whether a row's date can be read: the demo holds a few that cannot, on purpose."""
    try:
        return bool(datetime.fromisoformat(stamp[:10]))
    except ValueError:
        return False


def _rough_units(source, column):
    """Cut the demo's texts at sentence ends and take runs of characters for words: no parser needed."""
    rows = []
    for path in sorted((Path(__file__).parent.parent / "configs" / "demo").glob(f"{source}-*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for record in csv.DictReader(lines):
                text = record.get(column) or ""
                if source == "support":
                    text = "\n".join(re.findall(r"^(?:お客様|客|CU)[：:](.*)$", text, re.MULTILINE))
                key, stamp, *_ = record.values()
                for sentence in re.split(r"[。！？!?\n]", text):
                    sentence = unicodedata.normalize("NFKC", sentence).strip()
                    if len(sentence) >= 4 and _is_date(stamp):
                        words = re.findall(r"再利用|[一-鿿々]+|[ァ-ヴー]+", sentence)
                        day = datetime.fromisoformat(stamp[:10]).replace(tzinfo=UTC)
                        rows.append((source, key, len(rows), sentence, words, [], day))
    schema = {"source": pl.Utf8, "feedback_id": pl.Utf8, "unit_index": pl.Int64, "unit_text": pl.Utf8, "tokens": pl.List(pl.Utf8)}
    schema |= {"pairs": pl.List(pl.Utf8), "received_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def curated(**changes):
    return Curation(**changes)


def second_night(first, curation, **options):
    data = together(FIRST, night([8, 7, 6, 5], seed=1, first=500))
    return run(data, registry_after(first, curation=curation), NEXT, **options)


def changes_of(themed):
    return {change.theme_id: (change.kind, change.others, change.decision) for change in themed.transitions}


def test_every_theme_of_a_night_has_its_transition():
    first = run(FIRST)
    assert {kind for kind, *_ in changes_of(first).values()} == {"new"}
    second = second_night(first, NO_CURATION)
    assert set(changes_of(second)) == leaves(second)
    assert {kind for kind, *_ in changes_of(second).values()} == {"survived"}
    assert second.kept_share > 0.97 and not second.refused


def test_a_name_given_by_a_person_is_never_changed_and_never_taken():
    second = second_night(run(FIRST), curated(names={"T0001": "お届け"}))
    names = dict(second.themes.select("theme_id", "name").iter_rows())
    assert names["T0001"] == "お届け" and list(names.values()).count("お届け") == 1
    assert set(second.units.filter(pl.col("theme_id") == "T0001")["theme"]) == {"お届け"}
    assert next(theme.name for theme in second.stored if theme.theme_id == "T0001") != "お届け"


def test_a_merged_theme_counts_as_the_other_and_comes_back_when_undone():
    first = run(FIRST)
    merged = second_night(first, curated(merged={"T0002": "T0001"}, fresh={("merge", "T0002"): 3}))
    assert leaves(merged) == {"T0001", "T0003", "T0004"}
    assert status(merged)["T0002"] == "retired"
    assert changes_of(merged)["T0002"] == ("merged", ("T0001",), 3)
    n = merged.units.filter(pl.col("theme_id") == "T0001").height
    assert n >= 0.97 * first.units["theme_id"].is_in(["T0001", "T0002"]).sum()
    data = together(FIRST, night([8, 7, 6, 5], seed=1, first=500))
    undone = run(data, registry_after(first, merged), date(2026, 11, 24))
    assert leaves(undone) == leaves(first)
    assert (undone.units["theme_id"] == "T0002").sum() >= 0.97 * (first.units["theme_id"] == "T0002").sum()


def test_a_split_leaves_the_largest_part_under_the_old_id():
    first = run(FIRST)
    second = second_night(first, curated(splits=(Split("T0001", 2, 7),)))
    (part,) = leaves(second) - leaves(first)
    assert changes_of(second)["T0001"] == ("split", (part,), 7)
    sizes = second.units["theme_id"].value_counts()
    size = dict(sizes.iter_rows())
    assert size["T0001"] >= size[part] >= 5
    assert size["T0001"] + size[part] >= 0.9 * 58


def test_a_pinned_theme_stays_alive_without_units():
    first = run(FIRST)
    gone = (FIRST[0][:120], FIRST[1][:120])
    second = run(gone, registry_after(first, curation=curated(pinned=frozenset({"T0004"}))), NEXT)
    row = second.themes.filter(pl.col("theme_id") == "T0004").row(0, named=True)
    assert (row["status"], row["pinned"]) == ("continuing", True)


def test_a_hidden_theme_is_marked_and_keeps_its_units():
    second = second_night(run(FIRST), curated(hidden=frozenset({"T0002"})))
    assert second.themes.filter(pl.col("hidden"))["theme_id"].to_list() == ["T0002"]
    assert "T0002" in leaves(second)


def test_units_that_hold_a_moved_phrase_belong_to_its_theme():
    second = second_night(run(FIRST), curated(moves=(("送料が高い", "T0001"),)))
    moved = second.units.filter(pl.col("unit_text").str.contains("送料が高い"))
    assert set(moved["theme_id"]) == {"T0001"} and moved.height > 10
    assert (moved["similarity"] < 0.6).mean() > 0.9  # their cosine is to the theme they were moved to


def test_a_retired_themes_units_belong_to_none_and_found_no_new_theme():
    first = run(FIRST)
    second = second_night(first, curated(retired=frozenset({"T0002"}), fresh={("retire", "T0002"): 4}))
    assert status(second)["T0002"] == "retired"
    assert changes_of(second)["T0002"] == ("retired", (), 4)
    assert leaves(second) == leaves(first) - {"T0002"}
    assert (second.units["unassigned_reason"] == ENDED).sum() >= 40
    third = run(FIRST, registry_after(first, second, curation=curated(retired=frozenset({"T0002"}))), date(2026, 11, 24))
    assert "T0002" not in status(third) and "new" not in status(third).values()


def test_a_theme_dormant_for_long_retires_and_does_not_come_back():
    first = run(FIRST)
    gone = (FIRST[0][:120], FIRST[1][:120])
    second = run(gone, registry_after(first), NEXT)
    third = run(gone, registry_after(first, second), date(2027, 12, 31))
    assert status(third)["T0004"] == "retired" and changes_of(third)["T0004"][0] == "retired"
    fourth = run(FIRST, registry_after(first, second, third), date(2028, 1, 1))
    assert "T0004" not in leaves(fourth)


def test_a_refit_that_is_asked_for_keeps_ids_of_nearly_all_units():
    first = run(FIRST)
    second = second_night(first, curated(refit=True))
    assert leaves(second) == leaves(first)
    assert second.kept_share >= 0.95 and not second.refused


def test_another_encoder_keeps_ids_by_the_units_both_nights_hold():
    first = run(FIRST)
    units, vectors = together(FIRST, night([8, 7, 6, 5], seed=1, first=500))
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(DIM, DIM)))[0].astype(np.float32)
    second = run((units, vectors @ turned), registry_after(first), NEXT, model_id="other")
    assert leaves(second) == leaves(first)
    assert second.kept_share >= 0.95


def test_themes_that_would_change_too_much_are_refused(monkeypatch):
    first = run(FIRST)
    real = continuity.follow
    calls = []

    def scattered(*arguments):
        found = real(*arguments)
        calls.append(found)
        return replace(found, kept=0.5) if len(calls) <= 2 else found  # themes learned anew, then corrected

    monkeypatch.setattr(continuity, "follow", scattered)
    second = second_night(first, curated(refit=True))
    assert second.refused and second.kept_share == 0.5
    kept = second.units["theme_id"][: first.units.height].eq_missing(first.units["theme_id"])
    assert kept.mean() >= 0.97


def test_one_unit_alone_is_placed_as_in_the_batch():
    vectors = FIRST[1]
    model = ThemeModel(prior=None).fit(vectors)
    batch = model.assign(vectors)
    alone = [model.assign(vectors[row : row + 1]) for row in range(0, 140, 10)]
    assert [int(a.labels[0]) for a in alone] == batch.labels[::10].tolist()
    assert np.allclose([a.similarity[0] for a in alone], batch.similarity[::10], atol=1e-6)


def test_one_worker_or_two_place_units_alike():
    units, vectors = FIRST
    answers = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            themed = run((units, vectors))
        answers.append((themed.units["theme_id"].to_list(), themed.members.to_bytes(), [t.look.tobytes() for t in themed.stored]))
    assert answers[0] == answers[1]


def test_a_theme_merged_into_one_that_is_gone_stands_for_itself():
    first = run(FIRST)
    registry = registry_after(first, curation=curated(merged={"T0002": "T0099"}))
    second = run(FIRST, registry, NEXT)
    assert leaves(second) == leaves(first)


def test_no_other_theme_is_called_what_a_person_called_one():
    first = run(FIRST)
    name = dict(first.themes.select("theme_id", "name").iter_rows())["T0001"]
    names = dict(second_night(first, curated(names={"T0002": name})).themes.select("theme_id", "name").iter_rows())
    assert names["T0002"] == name and names["T0001"] != name
