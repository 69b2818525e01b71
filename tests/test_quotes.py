"""Quotes of a theme: whole thoughts that judge, by different people, unlike one another."""

import polars as pl
import pytest

from pipeline.quotes import choose_quotes


def units(*texts, people=None, scores=None, similarity=None):
    n = len(texts)
    scores = scores or [-0.95] * n
    return pl.DataFrame({
        "source": ["s"] * n,
        "feedback_id": people or [f"r{i}" for i in range(n)],
        "unit_index": list(range(n)),
        "unit_text": list(texts),
        "similarity": similarity or [0.8 - k / 100 for k in range(n)],
        "sentiment": ["negative" if score < 0 else "positive" for score in scores],
        "sentiment_score": scores,
    })


def quoted(*texts, n=3, words=(), **more):
    return [row["unit_text"] for row in choose_quotes(units(*texts, **more), n, words=words)]


PLAIN = "配達がいつも遅れて困っています"


@pytest.mark.parametrize(
    "weak",
    [
        "緑の、再利用ボックスっていうやつ",  # names a thing, says nothing of it
        "それが届いてから少し困っています",
        "その箱は置く場所がなくて困ります",
        "あと配達の人の感じがよくないです",
        "値上げ前は2万6千円くらいだったのに",  # stops halfway
        "配達が遅いうえに連絡もないので",
        "遅い",
        "配達の時間は何時ごろになることが多いのか、" * 4,
    ],
)
def test_a_whole_thought_comes_before_a_fragment(weak):
    assert quoted(weak, PLAIN, n=1) == [PLAIN]


def test_what_is_surely_judged_comes_before_what_may_be():
    assert quoted("箱の中に保冷剤が四つ入っていました", PLAIN, n=1, scores=[-0.4, -0.9]) == [PLAIN]
    assert quoted("箱の中に保冷剤が四つ入っていました", PLAIN, n=1) != [PLAIN]


def test_a_word_of_the_theme_in_any_form_is_preferred():
    other = "受け取りに二時間もかかりました"
    assert quoted(other, PLAIN, n=1, words=["遅れる", "配達"]) == [PLAIN]
    assert quoted(other, PLAIN, n=1) == [other]


def test_among_equals_the_most_alike_to_the_theme_comes_first():
    assert quoted(PLAIN, "時間どおりに届いたことがありません", n=1, similarity=[0.4, 0.6]) == ["時間どおりに届いたことがありません"]


def test_quotes_are_different_texts_of_different_respondents():
    texts = [PLAIN, PLAIN + "！", "時間どおりに届いたことがありません", "置き配の場所が選べず不便です"]
    assert quoted(*texts, people=["a", "b", "a", "c"]) == [texts[0], texts[3]]


def test_alike_quotes_are_better_than_none():
    assert len(quoted(PLAIN + "一", PLAIN + "二")) == 2


def test_the_order_of_units_changes_nothing_and_nothing_gives_nothing():
    rows = units("遅い", PLAIN, "時間どおりに届いたことがない", "置き配の場所が選べません", "だめ")
    assert choose_quotes(rows[[4, 2, 0, 3, 1]]) == choose_quotes(rows)
    assert choose_quotes(rows.clear()) == []


def test_units_without_sentiment_are_quoted_too():
    assert len(choose_quotes(units(PLAIN, "だめ").drop("sentiment", "sentiment_score"))) == 2


@pytest.mark.parametrize(
    ("unsure", "more"),
    [
        ("本日届いた箱について意見を述べます", {}),  # opens a talk
        ("前の箱のほうが捨てれば終わりで楽でした", {}),  # praises another thing
        ("値段のほうもずいぶん新鮮ですね(笑)", {}),
        ("決まりなら変えられないのは仕方ない", {}),
        ("箱の中に保冷剤が四つ入っていました", {"scores": [-0.4]}),
    ],
)
def test_what_may_be_misread_is_no_evidence(unsure, more):
    assert choose_quotes(units(unsure, **more), sure=True) == []
    assert len(choose_quotes(units(unsure, **more))) == 1


def test_a_question_or_a_wish_is_no_evidence_of_blame():
    asked = units(PLAIN, "もう少し早く届けてほしいと思います").with_columns(intent=pl.Series(["complaint", "request"]))
    assert [row["unit_text"] for row in choose_quotes(asked, sure=True)] == [PLAIN]


def test_preferred_people_speak_first():
    rows = units(PLAIN, "時間どおりに届いたことがありません").with_columns(nps_score=pl.Series([None, 3]))
    first = pl.col("nps_score").is_not_null().cast(pl.Int64)
    assert [row["nps_score"] for row in choose_quotes(rows, prefer=first)] == [3, None]
