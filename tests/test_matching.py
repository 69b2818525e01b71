"""Which theme is which, and what became of it."""

import numpy as np

from pipeline.themes.matching import kept_share, match_themes, shared_members, transitions
from pipeline.themes.registry import Transition


def test_shared_units_outweigh_the_look():
    cosine = np.array([[0.9, 0.2], [0.2, 0.9]])
    shared = np.array([[0.1, 0.9], [0.9, 0.1]])
    assert match_themes(cosine, np.zeros((2, 2))) == {0: 0, 1: 1}
    assert match_themes(cosine, np.zeros((2, 2)), shared) == {0: 1, 1: 0}


def test_a_theme_without_shared_units_is_matched_by_its_look():
    shared = np.array([[np.nan, 0.0], [np.nan, 0.9]])
    assert match_themes(np.array([[0.95, 0.1], [0.1, 0.9]]), np.zeros((2, 2)), shared) == {0: 0, 1: 1}


def test_shared_members_are_counted_over_units_of_both_nights():
    before = ["A"] * 6 + ["B"] * 2 + [None] * 4
    labels = [0] * 5 + [1] + [1] * 2 + [0] * 4
    jaccard = shared_members(labels, 2, before, ["A", "B"])
    assert jaccard[0, 0] == 5 / 6 and jaccard[1, 0] == 1 / 8
    assert np.isnan(jaccard[:, 1]).all()  # two units are too few to tell


def test_kept_share_counts_units_that_had_a_theme():
    assert kept_share(["A", "A", None, "B"], ["A", "B", "A", None]) == 1 / 3
    assert kept_share([None], ["A"]) is None


STATUS = {"A": "continuing", "B": "continuing", "C": "dormant", "N": "new", "R": "returned"}


def told(before, now, status=STATUS, settled=()):
    return {t.theme_id: (t.kind, t.others) for t in transitions(before, now, status, settled)}


def test_themes_survive_appear_return_and_rest():
    before, now = ["A"] * 8 + ["B"] * 8 + ["C"], ["A"] * 8 + ["B"] * 8 + [None]
    assert told(before, now) == {"A": ("survived", ()), "B": ("survived", ()), "C": ("dormant", ()), "N": ("new", ()), "R": ("returned", ())}


def test_a_theme_whose_units_leave_together_for_a_new_one_is_split():
    before, now = ["A"] * 20, ["A"] * 12 + ["N"] * 8
    assert told(before, now)["A"] == ("split", ("N",))
    assert told(before, ["A"] * 17 + ["N"] * 3)["A"] == ("survived", ())


def test_a_theme_whose_units_join_another_is_merged():
    before = ["B"] * 9 + ["C"] * 10
    assert told(before, ["B"] * 9 + ["B"] * 7 + [None] * 3)["C"] == ("merged", ("B",))


def test_what_people_decided_is_told_as_theirs():
    (merged,) = transitions(["A"] * 5, ["B"] * 5, {"A": "retired"}, [Transition("merged", "A", ("B",), decision=3)])
    assert (merged.kind, merged.others, merged.kept, merged.decision) == ("merged", ("B",), 0.0, 3)
