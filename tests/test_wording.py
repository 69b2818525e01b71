"""What words say about themes: shared pieces, and pieces learned to go together."""

import numpy as np
import pytest

from models.wording import Wording, inverse_frequencies, pieces
from models.wording_training import WordedSet, train, worded_sets

PIECES = [
    ("箱が", ["箱", "箱が"]),
    ("ＡＢ c", ["ab", "bc", "abc"]),  # width and case do not matter, nor does a space
    ("返品、返品", ["返", "品", "返品", "品返", "返品返", "品返品"]),  # each once
    ("。", []),
]


@pytest.mark.parametrize(("text", "expected"), PIECES)
def test_a_text_is_read_in_pieces(text, expected):
    assert pieces(text) == expected


def small(**vectors):
    """Return a wording that knows a few pieces, each with a vector."""
    weights = inverse_frequencies([9] * len(vectors), 100)
    rows = np.array(list(vectors.values()), np.float32)
    return Wording("small", {piece: k for k, piece in enumerate(vectors)}, weights, rows)


BOX = small(箱=[1, 0], 梱包=[1, 0], 店員=[0, 1], 接客=[0, 1])


def test_words_that_share_no_character_come_near_by_what_was_learned():
    opinion, packing, staff = BOX.transform(["箱がつぶれた", "梱包", "接客"])
    assert opinion @ packing > 0.99 > 0.01 > abs(opinion @ staff)


def test_a_text_without_a_known_piece_has_no_direction():
    assert not BOX.transform(["あ", ""]).any()


def test_a_text_reads_alike_alone_and_among_others():
    texts = ["箱がつぶれた", "店員が笑顔", "梱包の箱と店員"]
    assert np.array_equal(BOX.transform(texts)[2], BOX.transform(texts[2:])[0])
    themes = [["梱包"], ["店員の接客"]]
    assert np.array_equal(BOX.overlap(texts, themes)[2], BOX.overlap(texts[2:], themes)[0])


def test_pieces_that_many_themes_have_tell_little():
    themes = [["商品の品質"], ["商品の写真"]]
    common, own = BOX.overlap(["商品が届いた", "写真"], themes)
    assert common[0] == pytest.approx(common[1])
    assert own[1] > own[0] == 0


def test_hiragana_alone_is_no_shared_word():
    assert not BOX.overlap(["ありがとう"], [["ありがとう"]]).any()


def test_a_word_never_seen_counts_as_a_rare_one():
    known, unseen = (BOX.overlap([word], [[word]])[0, 0] for word in ("接客", "アフターコーディング"))
    assert unseen > known > 0


def test_training_brings_opinions_to_their_themes_words():
    rng = np.random.default_rng(0)
    said = {"梱包": ["箱", "緩衝材", "つぶれ"], "接客": ["店員", "笑顔", "態度"], "価格": ["値段", "割引", "高額"]}
    labels = np.arange(90) % 3
    words = list(said.values())
    opinions = [f"{rng.choice(words[k])}が{rng.choice(words[k])}" for k in labels]
    texts = [text for theme in said for text in (theme, f"{theme}のこと", f"{theme}。{theme}のこと")]
    wording = train([WordedSet("a", tuple(said), opinions, labels, texts)], dim=8, epochs=30, least=2)
    themes = wording.transform(list(said))
    assert ((wording.transform(["箱", "笑顔", "割引"]) @ themes.T).argmax(axis=1) == [0, 1, 2]).all()


def test_weights_come_back_as_they_were_saved(tmp_path):
    BOX.save(tmp_path)
    again = Wording.from_pretrained(tmp_path)
    assert again.places == BOX.places
    assert np.array_equal(again.vectors, BOX.vectors)
    assert np.allclose(again.weights, BOX.weights, atol=2e-3)  # half precision


def test_a_folder_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(ValueError, match=r"no wording at .*python -m models\.wording_training"):
        Wording.from_pretrained(tmp_path)


def test_the_shipped_wording_knows_what_belongs_together():
    wording = Wording.from_pretrained()
    near = wording.transform(["段ボールがべこべこ", "レジの人が無愛想"]) @ wording.transform(["梱包", "接客"]).T
    assert near.argmax(axis=1).tolist() == [0, 1]


def test_every_opinion_of_a_worded_set_has_a_theme_of_it():
    for part in worded_sets():
        assert len(part.opinions) == len(part.labels)
        assert part.labels.max() < len(part.themes)
        assert len(part.texts) == 3 * len(part.themes)
