"""An analyst's question: which responses it is about, what is said when there are none, what stays as it was."""

from datetime import date

import polars as pl
import pytest

from flows.errors import Fault, without_words
from pipeline.question import Question, QuestionError, as_answer, responses_asked
from pipeline.themes.night import THEME_SCHEMA, ThemedNight
from pipeline.themes.registry import Registry, StoredTheme

START, END = date(2026, 11, 1), date(2026, 11, 22)
FEEDBACK = pl.DataFrame(
    {
        "source": ["survey", "survey", "survey", "calls"],
        "feedback_id": ["1", "2", "3", "4"],
        "text": ["ＡＰＰが落ちる", "appは便利", "配送が遅い", None],
        "score": [2, 9, 7, None],
        "plan": ["A", "B", "A", None],
        "channel": ["web", "web", "shop", "web"],
    }
)


def asked(**parts):
    return responses_asked(FEEDBACK, Question(START, END, **parts))["feedback_id"].to_list()


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({}, ["1", "2", "3", "4"]),
        ({"sources": ("calls",)}, ["4"]),
        ({"segments": (("plan", "A"), ("plan", "B"))}, ["1", "2", "3"]),
        ({"segments": (("plan", "A"), ("channel", "web"))}, ["1"]),
        ({"groups": ("detractor", "passive")}, ["1", "3"]),
        ({"words": ("App",)}, ["1", "2"]),
        ({"words": ("app", "遅い"), "groups": ("passive",)}, ["3"]),
    ],
)
def test_a_question_selects_what_it_says(parts, found):
    assert asked(**parts) == found


def test_an_empty_answer_says_which_condition_emptied_it():
    with pytest.raises(QuestionError, match="期間内 4件 → 区分 plan 1件 → NPSグループ 0件"):
        asked(segments=(("plan", "B"),), groups=("detractor",))


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(QuestionError, match="入れ替えてください"):
        Question(END, START)


def test_themes_only_the_question_found_have_ids_of_their_own():
    known = StoredTheme("T0001", "配送", None, "continuing", "2026-11-01", "2026-11-21")
    rows = [("T0001", "配送", None, "continuing"), ("T0002", "アプリ", "T0003", "new"), ("T0003", "画面", None, "new"), ("T0009", "古い", None, "dormant")]
    themes = pl.DataFrame([dict(zip(("theme_id", "name", "parent_id", "status"), row, strict=True)) for row in rows], schema=THEME_SCHEMA)
    units = pl.DataFrame({"theme_id": ["T0001", "T0002", None]})
    answer = as_answer(ThemedNight(units, themes, []), Registry([known], 2))
    assert answer.themes.select("theme_id", "parent_id").rows() == [("T0001", None), ("X01", "X02"), ("X02", None)]
    assert answer.units["theme_id"].to_list() == ["T0001", "X01", None]


def test_an_unforeseen_error_is_told_without_its_words():
    with pytest.raises(Fault) as told, without_words():
        responses_asked(pl.DataFrame({"text": ["佐々木です"]}), Question(START, END, sources=("survey",)))
    assert "ColumnNotFoundError at pipeline/question.py:" in str(told.value)
    assert "佐々木" not in str(told.value)
    assert told.value.__suppress_context__

