"""Comments into opinion units."""

import pytest

from pipeline.segment import annotate

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


@pytest.mark.parametrize("text", ["😊", "ｶﾜｲｲ", "Delivery was late", "a" * 60_000, "ほんまに遅いわぁ", "\n\n", "wwww"])
def test_odd_texts_never_fail(parser, text):
    assert len(annotate([text], parser)) == 1
