"""Which predicate a noun belongs to: particles, forms and order decide."""

import pytest

from pipeline.segment import annotate

CASES = [
    ("返信が遅い", ["返信→遅い"]),
    ("使い方がわからない", ["使い方→分かる+ない"]),
    ("対応悪い", ["対応→悪い"]),  # no particle
    ("味は高い値段に合わない", ["味→合う+ない", "値段→合う+ない", "値段→高い"]),  # は passes over 高い, which modifies 値段
    ("店員が勧めた金額と違う", ["店員→勧める", "金額→違う"]),  # が does not
    ("写真と違う", ["写真→違う"]),
    ("店は広くて見やすい", ["店→広い"]),
    ("荷物だけ業者に頼んだ", ["荷物→頼む", "業者→頼む"]),
    ("チャットの返信が早く届く", ["返信→届く"]),  # の leads to a noun, 早く says how
    ("着物でも楽に移動できた", ["着物→移動"]),  # 楽に says how, できる only helps
    ("会員登録しないと買えない", []),  # a longer noun is no noun and its predicate
    ("部屋がもっと広いといい", ["部屋→広い"]),  # もっと is no predicate
    ("部屋が暗くなった", ["部屋→暗い"]),
    ("悪い対応でした", ["対応→悪い"]),
]


@pytest.mark.parametrize(("clause", "pairs"), CASES)
def test_pairs_of_a_clause(parser, clause, pairs):
    (annotation,) = annotate([clause], parser)
    found = [pair for unit in annotation.units for pair in unit.pairs]
    assert sorted(found) == sorted(pairs)
