"""Words against scores, on people whose words and scores agree but for two."""

import random
from typing import Any

import polars as pl
import pytest

from pipeline.loyalty.mismatch import words_against_scores

SCORES = [10, 9, 9, 8, 7, 6, 5, 3, 0, 10]
WORDS = ["positive", "positive", "positive", "positive", "neutral", "neutral", "negative", "negative", "positive", "negative"]


def found(words: list[str] = WORDS, scores: list[int | None] = SCORES, **more: list[Any]) -> list[dict[str, Any]]:
    ids = [f"r{at}" for at in range(len(words))]
    feedback = pl.DataFrame({"source": ["s"] * len(ids), "feedback_id": ids, "score": scores})
    units = pl.DataFrame({"source": ["s"] * len(ids), "feedback_id": ids, "sentiment": words, **more})
    order = random.Random(4).sample(range(len(ids)), len(ids))
    told = words_against_scores(feedback, units)
    assert words_against_scores(feedback[order], units[order]) == told
    return told["mismatches"]


def test_ten_respondents_by_pencil() -> None:
    # Words have mean 0.2 and Σ(w − w̄)² = 8 − 0.4 = 7.6; Σ(w − w̄) s = 36 − 18 − 0.2 · 67 = 4.6; slope 0.60526.
    # Expected at +1: 6.7 + 0.8 · 0.60526 = 7.1842, at −1: 5.9737, at 0: 6.5789.
    first, second = found()
    assert (first["kind"], first["feedback_id"], first["score"]) == ("detractor_praises", "r8", 0)
    assert first["expected_score"] == pytest.approx(7.1842, abs=1e-4)
    assert (second["kind"], second["feedback_id"]) == ("promoter_complains", "r9")
    assert second["expected_score"] == pytest.approx(5.9737, abs=1e-4)
    assert first["gap"] > second["gap"]
    assert (first["words"], second["words"]) == (1.0, -1.0)


def test_praise_and_complaint_in_equal_number_are_no_mismatch() -> None:
    feedback = pl.DataFrame({"source": ["s"] * 4, "feedback_id": list("abcd"), "score": [10, 0, 9, 1]})
    units = pl.DataFrame({
        "source": ["s"] * 8, "feedback_id": list("aabbccdd"), "sentiment": ["positive", "negative"] * 4,
    })
    assert words_against_scores(feedback, units)["mismatches"] == []


def test_a_promoters_wish_is_no_complaint() -> None:
    intents = ["praise"] * 9 + ["request"]
    assert [row["feedback_id"] for row in found(intent=intents)] == ["r8"]
    intents[9] = "complaint"
    assert [row["feedback_id"] for row in found(intent=intents)] == ["r8", "r9"]


def test_surer_words_rank_higher() -> None:
    words = ["positive", "positive", "negative", "negative", "negative", "negative"]
    rows = found(words, [10, 9, 2, 1, 10, 10], sentiment_score=[0.95, 0.97, -0.95, -0.99, -0.91, -0.98])
    assert [(row["feedback_id"], row["certainty"]) for row in rows] == [("r5", 0.98), ("r4", 0.91)]


def test_who_is_not_surely_read_is_counted_and_not_listed() -> None:
    feedback = pl.DataFrame({"source": ["s"] * 4, "feedback_id": list("abcd"), "score": [10, 10, 2, 9]})
    units = pl.DataFrame({
        "source": ["s"] * 5, "feedback_id": ["a", "b", "b", "c", "d"], "unit_index": [0, 0, 1, 0, 0],
        "sentiment": ["negative", "negative", "negative", "negative", "positive"],
        "sentiment_score": [-0.7, -0.6, -0.95, -0.9, 0.9],
    })
    told = words_against_scores(feedback, units)
    assert [(row["feedback_id"], row["unit_index"], row["certainty"]) for row in told["mismatches"]] == [("b", 1, 0.95)]
    assert told["mismatches_left_out"] == 1


def test_a_sure_word_of_the_other_kind_speaks_against_a_mismatch() -> None:
    feedback = pl.DataFrame({"source": ["s"] * 3, "feedback_id": list("abc"), "score": [10, 2, 9]})
    units = pl.DataFrame({
        "source": ["s"] * 5, "feedback_id": ["a", "a", "a", "b", "c"], "unit_index": [0, 1, 2, 0, 0],
        "sentiment": ["negative", "negative", "positive", "negative", "positive"],
        "sentiment_score": [-0.95, -0.5, 0.95, -0.9, 0.9],
    })
    told = words_against_scores(feedback, units)
    assert (told["mismatches"], told["mismatches_left_out"]) == ([], 1)


def test_passives_and_the_unscored_are_left_out() -> None:
    assert found(["negative", "negative", "positive", "positive"], [8, None, 7, 9]) == []


def test_two_respondents_show_no_pattern() -> None:
    assert found(["negative", "positive"], [10, 0]) == []


def test_words_that_are_all_alike_expect_the_mean() -> None:
    rows = found(["negative"] * 4, [10, 2, 3, 1])
    assert [(row["feedback_id"], row["expected_score"]) for row in rows] == [("r0", 4.0)]
