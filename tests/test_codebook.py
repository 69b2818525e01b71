"""Named themes among vectors: words find their units, and units refine the words."""

import numpy as np
import pytest

from models.codebook import CodebookTheme, Reading, settle
from models.themes import ThemeModel
from models.wording import Wording, inverse_frequencies

DIM = 16
AXES = np.eye(DIM, dtype=np.float32)
THEMES = [CodebookTheme("配送", "届くまでの日数"), CodebookTheme("価格"), CodebookTheme("接客", examples=("店員の接客がよい",))]


def encode(texts):
    """Return a vector per text, a little beside the direction its topic's units have."""
    words = {"配送": 0, "届く": 0, "価格": 1, "接客": 2, "駐車": 3}
    rows = [AXES[15] + 0.6 * AXES[10] + sum(AXES[k] for word, k in words.items() if word in text) for text in texts]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float32)


def units(sizes, *, seed=0, noise=0.15):
    rng = np.random.default_rng(seed)
    topic = np.repeat(np.arange(len(sizes)), sizes)
    rows = AXES[15] * 1.5 + AXES[topic] + noise * rng.normal(size=(len(topic), DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), topic


def test_words_find_their_units():
    vectors, topic = units([40, 25, 10])
    model = ThemeModel(prior=None).fit(vectors, known=settle(THEMES, encode, vectors, prior=None))
    assert np.mean(model.assign(vectors).labels == topic) == 1


def test_the_order_of_units_changes_nothing():
    vectors, _ = units([40, 25, 10])
    order = np.random.default_rng(3).permutation(len(vectors))
    looks = [settle(THEMES, encode, rows, prior=None) for rows in (vectors, vectors[order])]
    for one, other in zip(*looks, strict=True):
        assert np.array_equal(one.centroid, other.centroid) and np.array_equal(one.anchors, other.anchors)


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("themes", [THEMES[:1], THEMES])
def test_a_codebook_settles_without_units_too(n, themes):
    looks = settle(themes, encode, units([3])[0][:n], prior=None)
    assert len(looks) == len(themes)
    assert all(np.isfinite(look.centroid).all() and len(look.anchors) >= 1 for look in looks)


def test_units_give_a_theme_anchors_and_hardly_move_it():
    vectors, _ = units([40, 25, 10])
    alone, among = (settle(THEMES, encode, rows, prior=None) for rows in (vectors[:0], vectors))
    assert all(len(theme.anchors) > len(before.anchors) for before, theme in zip(alone, among, strict=True))
    foreign = units([0, 0, 0, 40])[0]
    beside = settle(THEMES, encode, np.concatenate([vectors, foreign]), prior=None)
    assert [len(theme.anchors) for theme in beside] == [len(theme.anchors) for theme in among]


def test_identical_units_share_a_theme():
    vectors = np.tile(units([1])[0], (20, 1))
    model = ThemeModel(prior=None).fit(vectors, known=settle(THEMES, encode, vectors, prior=None))
    assert len(set(model.labels_.tolist())) == 1


def reading(themes=THEMES):
    """Return a reading that knows 緩衝材 for a word of 配送, and of no other."""
    known = {"配送": [1, 0], "緩衝材": [1, 0], "価格": [0, 1], "接客": [0, -1]}
    places = {word: k for k, word in enumerate(known)}
    vectors = np.array(list(known.values()), np.float32)
    return Reading(themes, Wording("w", places, inverse_frequencies([9] * 4, 100), vectors))


def fitted(vectors):
    return ThemeModel(prior=None).fit(vectors, known=settle(THEMES, encode, vectors, prior=None))


def between(n=12):
    """Return vectors that lie between 配送 and 価格, a hair nearer to 価格."""
    rows = AXES[15] * 1.5 + AXES[0] + 1.02 * AXES[1] + 0.01 * np.random.default_rng(0).normal(size=(n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("text", "theme"), [("配送のこと", 0), ("緩衝材がない", 0), ("価格のこと", 1), ("さあ", 1)])
def test_words_decide_where_vectors_hardly_do(text, theme):
    model, vectors = fitted(units([40, 25, 10])[0]), between()
    labels = model.assign(vectors).labels
    told = reading().tell_apart(model, labels, [text] * len(vectors), vectors, {0: 0, 1: 1, 2: 2})
    assert set(labels.tolist()) == {1}
    assert set(told.tolist()) == {theme}


def test_words_move_no_unit_of_another_theme():
    vectors = np.concatenate([units([40, 25, 10])[0], between()])
    model = fitted(vectors)
    told = reading().tell_apart(model, model.labels_, ["配送"] * len(vectors), vectors, {0: 0, 1: 1})
    assert np.array_equal(told[model.labels_ == 2], model.labels_[model.labels_ == 2])


def far(price=0.11, n=4):
    """Return vectors that are a little more like 価格 than the others, and mostly like nothing that is known."""
    rows = AXES[15] * 1.5 + 0.1 * AXES[0] + price * AXES[1] + 0.1 * AXES[2] + AXES[9] + np.zeros((n, 1), np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("text", "theme"), [("配送の緩衝材", 0), ("価格のこと", 1), ("さあ", -1)])
def test_a_unit_far_from_every_theme_is_taken_in_where_its_words_are_sure(text, theme):
    model, nowhere = fitted(units([40, 25, 10])[0]), np.full(4, -1)
    every = {0: 0, 1: 1, 2: 2}
    assert set(reading().tell_apart(model, nowhere, [text] * 4, far(), every).tolist()) == {theme}


def test_words_take_in_no_unit_that_is_nearest_to_a_theme_outside_the_codebook():
    model, nowhere = fitted(units([40, 25, 10])[0]), np.full(4, -1)
    told = reading().tell_apart(model, nowhere, ["配送の緩衝材"] * 4, far(price=0.3), {0: 0, 2: 2})
    assert set(told.tolist()) == {-1}


def test_a_unit_alone_is_told_as_among_others():
    vectors = np.concatenate([units([40, 25, 10])[0], between()])
    model, texts = fitted(vectors), ["緩衝材", "価格", "接客"] * 29
    every = {0: 0, 1: 1, 2: 2}
    together = reading().tell_apart(model, model.labels_, texts[: len(vectors)], vectors, every)
    alone = [
        int(reading().tell_apart(model, model.labels_[k : k + 1], texts[k : k + 1], vectors[k : k + 1], every)[0])
        for k in range(len(vectors))
    ]
    assert together.tolist() == alone
