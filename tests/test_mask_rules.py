"""Rules for names in conversations, by themselves: what each finds without the learned tagger."""

import pytest

from pipeline.mask import mask_conversation, tagger


@pytest.fixture(autouse=True)
def rules_alone():
    with tagger.fitted(tagger.NOTHING):
        yield


FOUND = [
    ("OP：お電話ありがとうございます。架空ネットサポートの児玉でございます。\nCU：届きません。", "サポートの[氏名]でございます"),
    ("OP：深津が承ります。", "[氏名]が承ります"),
    ("OP：錦織様でいらっしゃいますね。\nCU：はい、錦織です。", "CU：はい、[氏名]です"),
    ("OP：お名前の漢字をお願いします。\nCU：錦鯉の錦に、織物の織です。", "CU：[氏名]です"),
    ("OP：お名前をお願いします。\nCU：鬼頭です。鬼に頭と書きます。", "[氏名]と書きます"),
    ("CU：応対したのは八木っていう人です。", "[氏名]っていう人です"),
    ("OP：サカキバラ様ですね。\nCU：さかきばらです。", "CU：[氏名]です"),
]


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[expected for _, expected in FOUND])
def test_a_rule_finds_a_name_without_the_tagger(text, expected):
    assert expected in mask_conversation(text)


NOBODYS = ["OP：お待たせいたしました、担当者がご案内いたします。", "OP：受付でございます。", "CU：お母さんと行きました。"]


@pytest.mark.parametrize("text", NOBODYS)
def test_a_rule_leaves_words_that_are_nobodys(text):
    assert mask_conversation(text) == text
