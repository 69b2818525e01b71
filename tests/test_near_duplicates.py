"""Copied texts are found, in whatever order they come, and nothing else is."""

import random

import polars as pl
import pytest

from pipeline.near_duplicates import near_duplicates

CAMPAIGN = "この値上げには断固として反対します。利用者の声を聞いて、料金を元に戻してください。"


def feedback(rows):
    columns = ["feedback_id", "customer", "text"]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Utf8), orient="row").with_columns(
        source=pl.lit("survey")
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (CAMPAIGN, True),
        (CAMPAIGN.replace("。", "！！ "), True),
        ("はじめまして。" + CAMPAIGN, True),
        (CAMPAIGN + "よろしくお願いします。", True),
        ("この値上げには賛成です。使いやすくなるなら、料金が上がるのは仕方がないと思っています。", False),
        ("料金を元に戻してください。", False),
    ],
)
def test_a_text_is_a_copy_where_nearly_all_of_it_is_the_same(other, expected):
    rows = feedback([("1", "a", CAMPAIGN), ("2", "b", other)])
    assert near_duplicates(rows).to_list() == ([1, 1] if expected else [None, None])


def test_what_one_person_writes_twice_is_no_campaign():
    assert near_duplicates(feedback([("1", "a", CAMPAIGN), ("2", "a", CAMPAIGN)])).to_list() == [None, None]


def test_responses_without_a_customer_are_by_different_people():
    assert near_duplicates(feedback([("1", None, CAMPAIGN), ("2", None, CAMPAIGN)])).to_list() == [1, 1]


def test_short_words_that_many_say_are_no_campaign():
    assert near_duplicates(feedback([("1", "a", "とても満足です"), ("2", "b", "とても満足です")])).to_list() == [None] * 2


def test_nothing_is_no_campaign():
    assert near_duplicates(feedback([])).to_list() == []
    assert near_duplicates(feedback([("1", "a", "")])).to_list() == [None]


def test_the_largest_group_is_the_first_whatever_the_order_of_the_rows():
    other = "サポートの電話に出てくれた方の説明がとても親切で、助かりました。ありがとうございました。"
    rows = [(str(i), f"c{i}", CAMPAIGN + "。" * i) for i in range(9)]
    rows += [(f"x{i}", f"d{i}", other) for i in range(3)] + [("y", "e", "配送が遅くて、届いたときには夕食の時間を過ぎていました。")]
    random.Random(0).shuffle(rows)
    groups = dict(zip([row[0] for row in rows], near_duplicates(feedback(rows)), strict=True))
    assert {groups[str(i)] for i in range(9)} == {1}
    assert {groups[f"x{i}"] for i in range(3)} == {2}
    assert groups["y"] is None


def test_a_crowd_of_thousands_is_one_group():
    texts = [f"{CAMPAIGN}{i % 50}番" for i in range(5000)]
    assert near_duplicates(feedback([(str(i), None, text) for i, text in enumerate(texts)])).to_list() == [1] * 5000
