"""Names of themes: short, distinct, in the customers' words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.themes.naming import MAX_LENGTH, heard, name_themes
from pipeline.themes.phrases import pair_phrase
from pipeline.themes.vocabulary import is_noun, unit_terms
from pipeline.themes.word_counts import WordCounts

DELIVERY = [
    ("配達が遅い", ["配達", "遅い"], ["配達→遅い"]),
    ("配達が遅すぎます", ["配達", "遅い"], ["配達→遅い"]),
    ("配達の時間が選べない", ["配達", "時間", "選ぶ"], ["時間→選ぶ+ない"]),
    ("配達員さんが時間どおりに来る", ["配達員", "時間"], []),
]
APP = [
    ("アプリにログインできない", ["アプリ", "ログイン"], ["アプリ→ログイン"]),
    ("アプリが重い", ["アプリ", "重い"], ["アプリ→重い"]),
    ("ログインの画面が固まる", ["ログイン", "画面", "固まる"], ["画面→固まる"]),
    ("アプリの画面が見やすい", ["アプリ", "画面", "見易い"], ["画面→見易い"]),
]


def named(groups, **options):
    rows = [(*unit, label) for label, group in enumerate(groups) for unit in group]
    texts, tokens, pairs, labels = zip(*rows, strict=True)
    return name_themes(WordCounts(texts, tokens, pairs, labels, len(groups)), **options)


PHRASES = [
    ("返信→遅い", "返信が遅い"),
    ("送料→高い", "送料が高い"),
    ("電話→繋がる+ない", "電話がつながらない"),
    ("料金→分かる+ない", "料金が分からない"),
    ("画面→見る+ない", None),  # 見る alone says nothing
    ("袋→入る+ない", "袋が入らない"),  # godan though it ends in -iru
    ("荷物→受ける+ない", "荷物が受けない"),
    ("味→薄い+ない", "味が薄くない"),
    ("説明→無い", "説明がない"),
    ("配送→確認", None),  # 確認 is a generic word
    ("解約→手続き", "解約の手続き"),
    ("事→無い", None),
    ("返信", None),
]


@pytest.mark.parametrize(("pair", "phrase"), PHRASES)
def test_a_pair_is_written_as_people_write_it(pair, phrase):
    assert pair_phrase(pair) == phrase


def test_the_particle_is_the_one_the_units_use():
    assert pair_phrase("箱→畳む", ["箱を畳むのが大変", "箱を畳む"]) == "箱を畳む"
    assert pair_phrase("箱→畳む", ["畳む箱"]) is None


def test_names_come_from_the_units_words():
    delivery, app = named([DELIVERY, APP])
    assert "配達" in delivery.name
    assert "アプリ" in app.name or "ログイン" in app.name
    assert delivery.keywords[0] == "配達"
    assert delivery.pairs == ("配達→遅い",)


def test_a_corpus_name_is_cut_to_what_the_units_speak_of():
    names = named([DELIVERY, APP], nearest=[[("配達・送料", 0.95)], [("ウェブ・アプリ", 0.95)]])
    assert names[0].name.startswith("配達")
    assert "送料" not in names[0].name and "ウェブ" not in names[1].name


def test_a_corpus_name_of_another_trade_is_not_taken():
    (name,) = named([APP], nearest=[[("医師の診察・説明", 0.97)]])
    assert "医師" not in name.name


def test_themes_of_the_whole_are_named_without_words():
    (name,) = named([[("助かっています", ["助かる"], []), ("満足です", ["満足"], [])]], nearest=[[("総合・再利用意向", 0.97)]])
    assert name.name == "総合評価"
    assert "満足" in name.keywords


def test_a_compound_is_named_whole():
    box = [(f"再利用ボックスが{word}", ["再利用", "ボックス", word], []) for word in ("大きい", "臭い", "重い", "邪魔")]
    names = named([box, DELIVERY])
    assert names[0].name == "再利用ボックス"
    assert "ボックス" not in names[0].keywords


def test_equal_themes_get_distinct_names():
    names = [name.name for name in named([DELIVERY, DELIVERY, DELIVERY, DELIVERY])]
    assert len(set(names)) == 4


def test_a_kept_name_stays_and_is_taken_by_no_other():
    names = [name.name for name in named([DELIVERY, DELIVERY], kept={1: "配達・時間"})]
    assert names[1] == "配達・時間"
    assert names[0] != "配達・時間"


def test_masks_never_name_a_theme():
    masked = [("[氏名]さんの[電話]", ["氏名", "電話"], ["氏名→電話"]), ("[住所]です", ["住所"], [])]
    (name,) = named([masked])
    assert "[" not in name.name and "氏名" not in name.name
    assert all("[" not in word and word != "氏名" for word in name.keywords)


def test_the_order_of_units_does_not_matter():
    assert named([DELIVERY, APP]) == named([DELIVERY[::-1], APP[::-1]])


def test_without_a_unit_a_theme_still_has_a_name():
    assert [name.name for name in name_themes(WordCounts([], [], [], [], 2))] == ["その他の話題1", "その他の話題2"]


TERMS = [
    ("再利用ボックスが臭い", ["再利用", "ボックス", "臭い"], {"再利用", "ボックス", "臭い", "再利用ボックス"}),
    ("とても美味しかった", ["美味しい"], set()),  # neither 美味 nor a form that does not stand there
    ("一人暮らしです", ["一人", "暮らす"], {"暮らす"}),  # 一人暮 is no word
    ("2人用を頼んだ", ["人用", "頼む"], {"頼む"}),
]


@pytest.mark.parametrize(("text", "tokens", "terms"), TERMS)
def test_terms_are_words_as_they_stand_in_the_text(text, tokens, terms):
    assert set(unit_terms(text, tokens)) - {"頼む"} == terms - {"頼む"}


@pytest.mark.parametrize("word", ["こと", "利用", "良い", "遅い", "満足", "氏名"])
def test_generic_and_judging_words_are_no_names(word):
    assert not is_noun(word)


def test_heard_asks_for_some_of_the_words():
    assert heard("配達・送料", ["送料が高い"])
    assert not heard("配達・送料", ["味が薄い"])


words = st.text(st.sampled_from("配達遅返信味こと利用ア・ン[氏名]"), min_size=1, max_size=8)


@given(st.lists(st.tuples(words, st.lists(words, max_size=4), st.integers(-1, 2)), max_size=12))
def test_names_are_short_distinct_and_free_of_marks(rows):
    texts, tokens, labels = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    names = [name.name for name in name_themes(WordCounts(texts, tokens, [[] for _ in rows], labels, 3))]
    assert len(set(names)) == 3
    assert all(2 <= len(name) <= MAX_LENGTH and "[氏名]" not in name for name in names)
