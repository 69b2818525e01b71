"""Named themes among vectors: words find their units, and units refine the words."""

import numpy as np
import pytest

from models.codebook import CodebookTheme, settle
from models.themes import ThemeModel

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
