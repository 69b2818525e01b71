"""Decisions of people: checked when made, honoured from their night on, undone by later ones."""

from datetime import UTC, date, datetime

import pytest

from pipeline.themes.curation import CurationError, Decision, check, in_force

NIGHTS = [date(2026, 11, day) for day in (20, 21, 22, 23)]
NAMES = {"T0001": "配達", "T0002": "アプリ", "T0003": "アプリの画面", "T0010": "配送全般"}


def decision(count, kind, theme="T0001", holds_from=NIGHTS[1], /, **detail):
    made_at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    return Decision(count, kind, theme, detail, "analyst", made_at, holds_from)


def test_a_decision_holds_from_its_night_on():
    renamed = [decision(1, "rename", name="配達の遅れ")]
    assert in_force(renamed, NIGHTS[0]).names == {}
    assert in_force(renamed, NIGHTS[1]).names == in_force(renamed, NIGHTS[3]).names == {"T0001": "配達の遅れ"}


def test_the_newest_name_holds_and_undoing_it_brings_back_the_one_before():
    made = [decision(1, "rename", name="配達"), decision(2, "rename", name="配送"), decision(3, "undo", None, NIGHTS[2], number=2)]
    assert in_force(made, NIGHTS[1]).names == {"T0001": "配送"}
    assert in_force(made, NIGHTS[2]).names == {"T0001": "配達"}


def test_an_undone_undo_undoes_nothing():
    made = [decision(1, "hide"), decision(2, "undo", None, number=1), decision(3, "undo", None, number=2)]
    assert in_force(made[:2], NIGHTS[1]).hidden == frozenset()
    assert in_force(made, NIGHTS[1]).hidden == {"T0001"}


def test_merges_lead_to_the_last_theme_of_a_chain():
    made = [decision(1, "merge", "T0001", into="T0002"), decision(2, "merge", "T0002", into="T0003")]
    curation = in_force(made, NIGHTS[1])
    assert curation.stands_for("T0001") == curation.stands_for("T0002") == "T0003"
    assert curation.stands_for("T0003") == "T0003"


def test_marks_are_taken_back_by_their_opposites():
    made = [decision(1, "pin"), decision(2, "hide"), decision(3, "unpin", "T0001", NIGHTS[2]), decision(4, "unhide", "T0001", NIGHTS[2])]
    assert (in_force(made, NIGHTS[1]).pinned, in_force(made, NIGHTS[1]).hidden) == ({"T0001"}, {"T0001"})
    assert (in_force(made, NIGHTS[2]).pinned, in_force(made, NIGHTS[2]).hidden) == (frozenset(), frozenset())


def test_a_phrase_follows_the_theme_its_theme_was_merged_into():
    made = [decision(1, "move", "T0001", phrase="置き配"), decision(2, "merge", "T0001", into="T0002")]
    assert in_force(made, NIGHTS[1]).moves == (("置き配", "T0002"),)


def test_a_split_is_carried_out_once_and_undone_by_joining_its_parts():
    made = [decision(1, "split", "T0001", parts=2)]
    assert [split.theme_id for split in in_force(made, NIGHTS[1]).splits] == ["T0001"]
    assert in_force(made, NIGHTS[2], carried_out={1: ("T0011",)}).splits == ()
    made.append(decision(2, "undo", None, NIGHTS[3], number=1))
    assert in_force(made, NIGHTS[3], carried_out={1: ("T0011",)}).stands_for("T0011") == "T0001"


def test_a_refit_is_asked_for_one_night():
    made = [decision(1, "refit", None)]
    assert in_force(made, NIGHTS[1], last_night=NIGHTS[0]).refit
    assert not in_force(made, NIGHTS[2], last_night=NIGHTS[1]).refit


def test_the_order_of_the_list_does_not_matter():
    made = [decision(1, "rename", name="一"), decision(2, "rename", name="二"), decision(3, "hide", "T0002")]
    assert in_force(made[::-1], NIGHTS[1]) == in_force(made, NIGHTS[1])


REFUSED = [
    (decision(9, "rename", "T0004", name="新"), "no theme T0004 in the registry; did you mean T00"),
    (decision(9, "rename", "アプリ", name="新"), "did you mean T0002?"),
    (decision(9, "rename", "ZZ", name="新"), "kikitori themes list shows them all"),
    (decision(9, "rename", name="あ" * 21), "a name has 1 to 20 characters; got 21"),
    (decision(9, "rename", name="アプリ"), "T0002 is called アプリ already"),
    (decision(9, "merge", into="T0001"), "cannot be merged into itself"),
    (decision(9, "merge", into="T0010"), "only themes of one level"),
    (decision(9, "split", parts=9), "split into 2 to 5 parts; got 9"),
    (decision(9, "split", "T0010", parts=2), "T0010 is a parent; split one of the themes under it"),
    (decision(9, "move", phrase="箱"), "a phrase has at least 2 characters"),
    (decision(9, "undo", None, number=7), "no decision 7 (1 to 2)"),
    (decision(9, "undo", None, number=1), "decision 1 is undone already"),
    (decision(9, "burn"), "a decision is one of rename, merge"),
]


@pytest.mark.parametrize(("wanted", "message"), REFUSED)
def test_what_cannot_be_carried_out_is_refused_with_the_remedy(wanted, message):
    earlier = [decision(1, "hide"), decision(2, "undo", None, number=1)]
    with pytest.raises(CurationError) as refused:
        check(wanted, NAMES, earlier, parents={"T0010"})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_and_phrases_are_tidied():
    assert check(decision(1, "rename", name=" 配達の　遅れ "), NAMES, []).detail == {"name": "配達の 遅れ"}
    assert check(decision(1, "move", phrase="ﾀﾞﾝﾎﾞｰﾙ"), NAMES, []).detail == {"phrase": "ダンボール"}
