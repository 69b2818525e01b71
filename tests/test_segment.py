"""Comments into opinion units."""

import csv
from pathlib import Path

import pytest

from models.sentiment import POLARITIES, SentimentClassifier
from pipeline.cleanse import normalise_text
from pipeline.segment import annotate

WRITTEN = Path(__file__).parent / "data" / "units_dev.tsv"

CASES = [
    ("料理は最高、でも待たされたし、次はもうないかな", ["料理は最高", "待たされた", "次はもうないかな"]),
    ("サポートの返信が遅い", ["サポートの返信が遅い"]),
    ("かわいい", ["かわいい"]),
    ("特になし", []),
    ("なし", []),
    ("。", []),
    ("", []),
    ("いつもお世話になってます", []),
    ("いつもお世話になってます。配送が遅い", ["配送が遅い"]),
]


@pytest.mark.parametrize(("comment", "units"), CASES)
def test_units_of_a_comment(parser, comment, units):
    (annotation,) = annotate([comment], parser)
    assert [unit.text for unit in annotation.units] == units


def test_offsets_point_into_the_masked_text(parser):
    (annotation,) = annotate(["佐々木と申しますが、返信が遅いです。でも商品は良い!"], parser)
    assert "佐々木" not in annotation.text
    assert annotation.units
    for unit in annotation.units:
        assert annotation.text[unit.start : unit.end] == unit.text


def test_a_negation_stays_with_its_pair(parser):
    (annotation,) = annotate(["使い方がわからない"], parser)
    assert annotation.units[0].pairs == ("使い方→分かる+ない",)


def test_comments_are_cut_where_a_reader_cuts_them(parser):
    with WRITTEN.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = annotate([row["text"].replace("\\n", "\n") for row in rows], parser)
    expected = [[unit for unit in row["units"].split(" | ") if unit] for row in rows]
    wrong = [
        row["text"]
        for row, wanted, annotation in zip(rows, expected, found, strict=True)
        if len(annotation.units) != len(wanted)
        or any(want not in unit.text for want, unit in zip(wanted, annotation.units, strict=True))
    ]
    assert len(rows) == 125
    assert len(wrong) <= 3, wrong


@pytest.mark.parametrize(
    ("text", "n_units", "polarity"),
    [
        ("", 0, None),
        ("。", 0, None),
        ("\n\n", 0, None),
        ("😊", 0, None),  # a face alone says of what no more than 特になし
        ("😡😡😡", 0, None),
        ("遅い😡", 1, "negative"),
        ("Delivery was late and the box was broken", 1, "negative"),
        ("ﾃﾞｻﾞｲﾝがｶﾜｲｲ", 1, "positive"),  # half-width kana
        ("ほんまに遅いわぁ", 1, "negative"),  # Kansai
        ("まんずうめがったなや", 1, "positive"),  # Tōhoku
        ("wwww", None, None),  # a laugh says nothing for sure
        ("a" * 60_000, None, None),
        ("返信が遅いです。" * 8_400, None, "negative"),  # 200 KB in UTF-8: half a minute on a loaded machine
    ],
)
def test_any_text_gets_an_answer_or_is_no_opinion(parser, classifier, text, n_units, polarity):
    (annotation,) = annotate([normalise_text(text)], parser)
    read = classifier.predict([unit.text for unit in annotation.units])
    assert n_units in (None, len(read))
    assert set(read) <= set(POLARITIES)
    if polarity:
        assert set(read) == {polarity}


@pytest.fixture(scope="module")
def classifier():
    return SentimentClassifier.from_pretrained()


NAMED = ["担当の東野が丁寧でした", "福岡のジョンソンさん", "松下の洗濯機が重い", "味は良い値段は高い", "金沢と申しますが遅い"]


def test_a_parse_of_every_text_would_change_nothing(parser, monkeypatch):
    with WRITTEN.open(encoding="utf-8", newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)] + NAMED
    found = annotate(texts, parser)
    monkeypatch.setattr(parser, "words", parser.pipe)
    assert annotate(texts, parser) == found
