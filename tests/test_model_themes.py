"""Themes in vectors: the same groups in any order, alone or in a batch, today and tomorrow."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.corpus import load_corpus, load_theme_sets
from models.theme_prior import LabelledSet, ThemePrior, prior_for, train, unit
from models.themes import (
    GRANULARITY,
    KnownTheme,
    ThemeModel,
    by_size,
    canonical_order,
    content_sample,
    kmeans,
    least_support,
    link,
    relate,
)

DIM = 24


def topics(sizes, *, seed=0, noise=0.35, dim=DIM):
    """Return unit vectors around one random direction per topic, and their topics."""
    rng = np.random.default_rng(seed)
    centers = np.linalg.qr(rng.normal(size=(dim, len(sizes))))[0].T
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = centers[truth] + noise * rng.normal(size=(len(truth), dim)) / np.sqrt(dim) * 2
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def plain(**options):
    return ThemeModel(prior=None, **options)


def known_themes(model):
    return [
        KnownTheme(centroid, model.anchors_[model.anchor_labels_ == label])
        for label, centroid in enumerate(model.centroids_)
    ]


def test_clear_topics_are_found_largest_first():
    vectors, truth = topics([60, 40, 30, 20])
    labels = plain().fit_predict(vectors)
    assert labels.max() == 3
    assigned = labels >= 0
    assert np.mean(labels[assigned] == truth[assigned]) > 0.97
    assert assigned.mean() >= 0.97


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("prior", ["bundled", None])
def test_a_few_vectors_are_enough(n, prior):
    vectors = np.eye(max(n, 1), 384, dtype=np.float32)[:n]
    model = ThemeModel(prior=prior).fit(vectors)
    assert model.labels_.shape == (n,)
    assert model.centroids_.shape[1] == 384
    assert len(model.parent_labels_) == len(model.centroids_)
    assert model.assign(vectors).labels.tolist() == model.labels_.tolist()


def test_identical_vectors_are_one_theme():
    vectors = np.tile(topics([1])[0], (40, 1))
    model = plain().fit(vectors)
    assert model.labels_.tolist() == [0] * 40
    assert model.parent_labels_.tolist() == [-1]


def test_no_themes_assign_nothing():
    assignment = plain().fit(np.zeros((0, 4), np.float32)).assign(np.eye(4, dtype=np.float32))
    assert assignment.labels.tolist() == [-1] * 4
    assert np.isnan(assignment.similarity).all()
    assert assignment.unassigned_reason == ["no_themes"] * 4


def test_whoever_has_no_theme_has_a_reason():
    vectors, _ = topics([60, 50, 40])
    model = plain().fit(vectors)
    far = -model.centroids_.mean(axis=0, keepdims=True)
    assignment = model.assign(np.concatenate([vectors[:5], unit(far)]).astype(np.float32))
    assert assignment.unassigned_reason == [None] * 5 + ["too_far"]
    assert assignment.second[5] >= 0


def test_one_enormous_topic_does_not_swallow_the_small_ones():
    vectors, truth = topics([2000, 60, 50])
    labels = plain().fit_predict(vectors)
    for topic in (1, 2):
        main = np.bincount(labels[(truth == topic) & (labels >= 0)]).argmax()
        assert np.mean(labels[truth == topic] == main) > 0.9
        assert np.mean(labels[truth == 0] == main) < 0.02


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 120))
def test_the_order_of_rows_does_not_matter(seed, n):
    vectors, _ = topics([max(1, n // 3)] * 3 + [n % 5 + 1], seed=seed)
    order = np.random.default_rng(seed).permutation(len(vectors))
    model, shuffled = plain().fit(vectors), plain().fit(vectors[order])
    assert (shuffled.labels_ == model.labels_[order]).all()
    assert np.array_equal(shuffled.centroids_, model.centroids_)


@pytest.mark.parametrize("prior", ["bundled", None])
def test_one_by_one_and_in_any_batch_give_the_very_same(prior):
    vectors, _ = topics([150, 90, 60], noise=0.9, dim=384)
    model = ThemeModel(prior=prior).fit(vectors)
    batch = model.assign(vectors)
    assert (batch.labels == model.labels_).all()
    for size in (1, 7, 64):
        parts = [model.assign(vectors[start : start + size]) for start in range(0, len(vectors), size)]
        for name in ("labels", "similarity", "second"):
            assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(batch, name))


def test_a_sample_depends_on_content_alone():
    vectors, _ = topics([300, 200])
    order = np.random.default_rng(2).permutation(500)
    chosen = vectors[content_sample(vectors, 100, 0)]
    assert np.array_equal(chosen, vectors[order][content_sample(vectors[order], 100, 0)])
    assert not np.array_equal(chosen, vectors[content_sample(vectors, 100, 1)])


def test_many_vectors_are_grouped_from_a_sample(monkeypatch):
    monkeypatch.setattr("models.themes.SAMPLE", 600)
    monkeypatch.setattr("models.themes.POINTS", 300)
    monkeypatch.setattr("models.themes.MICRO", 60)
    vectors, truth = topics([500, 400, 300])
    model = plain().fit(vectors)
    assert model.labels_.shape == (1200,)
    assigned = model.labels_ >= 0
    assert np.mean(model.labels_[assigned] == truth[assigned]) > 0.95
    order = np.random.default_rng(1).permutation(1200)
    assert (plain().fit_predict(vectors[order]) == model.labels_[order]).all()


def test_at_most_a_few_per_cent_stay_unassigned():
    noise = np.random.default_rng(0).normal(size=(300, DIM)).astype(np.float32)
    labels = plain().fit_predict(noise / np.linalg.norm(noise, axis=1, keepdims=True))
    assert np.mean(labels < 0) <= 0.031


def test_finer_granularity_gives_more_themes():
    vectors, _ = topics([30] * 10, noise=0.9)
    counts = [len(plain(granularity=g).fit(vectors).centroids_) for g in ("coarse", "medium", "fine")]
    assert counts == sorted(counts)


def test_related_themes_share_a_parent():
    rng = np.random.default_rng(3)
    base = np.eye(DIM)[:4]
    centers = np.array([base[0] + 0.45 * base[1], base[0] - 0.45 * base[1], base[2]])
    rows = np.repeat(centers, 40, axis=0) + 0.08 * rng.normal(size=(120, DIM))
    level = GRANULARITY["medium"].spread(0.38)
    assert relate(unit(centers).astype(np.float32), level.parent).tolist() == [0, 0, -1]
    assert len(plain().fit(unit(rows).astype(np.float32)).centroids_) >= 2


def test_known_themes_keep_their_labels_and_members():
    vectors, _ = topics([60, 50, 40])
    model = plain().fit(vectors)
    more, _ = topics([70, 60, 50])
    later = plain().fit(more, known=known_themes(model))
    assert np.array_equal(later.centroids_[:3], model.centroids_)
    assert (later.labels_ == model.assign(more).labels)[later.labels_ >= 0].mean() > 0.97


def test_a_new_topic_beside_known_themes_gets_a_label_of_its_own():
    vectors, truth = topics([60, 50, 40, 15])
    model = plain().fit(vectors[truth < 3])
    later = plain().fit(vectors, known=known_themes(model))
    assert len(later.centroids_) == 4
    assert np.mean(later.labels_[truth == 3] == 3) > 0.9
    assert np.mean(later.labels_[truth < 3] == 3) < 0.05


def test_nothing_new_gives_no_new_theme():
    vectors, _ = topics([60, 50, 40], noise=0.6)
    model = plain().fit(vectors)
    assert len(plain().fit(vectors, known=known_themes(model)).centroids_) == len(model.centroids_)


def test_a_hint_becomes_a_theme():
    vectors, truth = topics([60, 50, 10])
    model = plain().fit(vectors[truth < 2])
    later = plain().fit(vectors, known=known_themes(model), hints=[np.flatnonzero(truth == 2)])
    assert np.mean(later.labels_[truth == 2] == len(model.centroids_)) > 0.9


def test_an_unknown_granularity_is_refused():
    with pytest.raises(ValueError, match="granularity must be one of coarse, medium, fine; got 'tiny'"):
        ThemeModel("tiny").fit(np.eye(3, dtype=np.float32))


@pytest.mark.parametrize("bad", [np.full((2, 3), np.nan), np.zeros(3)])
def test_a_matrix_is_required(bad):
    with pytest.raises(ValueError, match="embeddings must be a finite matrix"):
        plain().fit(bad)


def test_groups_are_numbered_by_size_then_first_row():
    assert by_size(np.array([5, 5, 2, -1, 7, 7])).tolist() == [0, 0, 2, -1, 1, 1]


def test_the_least_support_grows_slower_than_the_data():
    level = GRANULARITY["medium"]
    assert [least_support(n, level) for n in (1, 8, 40)] == [1, 2, 5]
    assert least_support(300, level) == 6
    assert least_support(3000, level) < 10 * least_support(300, level)


def test_link_cuts_by_mean_cosine():
    points = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert len(set(link(points, np.arange(3), 0.5).tolist())) == 2
    assert len(set(link(points, np.arange(3), 1.5).tolist())) == 1


def test_kmeans_gives_consecutive_groups():
    groups = kmeans(topics([30, 30])[0], 8, 0)
    assert sorted(set(groups.tolist())) == list(range(1 + groups.max()))
    assert canonical_order(np.zeros((0, 3), np.float32)).tolist() == []


def labelled(*, seed=0, dim=16):
    """Return two sets of two themes each, whose texts point where their opinions do."""
    vectors, truth = topics([12, 12, 12, 12], dim=dim, seed=seed)
    texts = np.stack([vectors[truth == topic][:3] for topic in range(4)])
    return [
        LabelledSet(("配送", "価格"), vectors[truth < 2], truth[truth < 2], texts[:2]),
        LabelledSet(("接客", "設備"), vectors[truth > 1], truth[truth > 1] - 2, texts[2:]),
    ]


def test_the_prior_survives_saving(tmp_path):
    sets = labelled()
    prior = train(sets, epochs=2, hidden=8, map_dim=4, n_maps=2)
    prior.save(tmp_path)
    loaded = ThemePrior.from_pretrained(tmp_path)
    assert loaded.names == prior.names == ("配送", "価格", "接客", "設備")
    assert loaded.model_id == prior.model_id
    vectors = sets[0].embeddings
    mean = prior.mean(vectors)
    assert np.allclose(loaded.transform(vectors, mean), prior.transform(vectors, mean), atol=1e-3)
    assert np.allclose(np.linalg.norm(loaded.transform(vectors, mean), axis=1), 1, atol=1e-3)


def test_training_again_gives_the_same_weights():
    runs = [train(labelled(), epochs=1, hidden=8, map_dim=4, n_maps=2) for _ in range(2)]
    assert runs[0].model_id == runs[1].model_id


def test_a_missing_prior_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"expected config.json and model.safetensors"):
        ThemePrior.from_pretrained(tmp_path)


def test_a_prior_of_an_earlier_layout_is_refused(tmp_path):
    train(labelled(), epochs=1, hidden=8, map_dim=4, n_maps=1).save(tmp_path)
    from safetensors.numpy import save

    (tmp_path / "model.safetensors").write_bytes(save({"center": np.zeros(3, np.float16)}))
    with pytest.raises(ValueError, match=r"train one with python -m models\.theme_prior"):
        ThemePrior.from_pretrained(tmp_path)


def test_the_shipped_prior_knows_the_corpus_and_is_small():
    prior = ThemePrior.from_pretrained()
    assert {name for part in load_theme_sets() for name in part.definitions} == set(prior.names)
    assert prior.dim == 384
    assert prior_for(prior.encoder_id + "|float32") is not None
    assert prior_for("another|query:|float32") is None
    name, cosine = prior.nearest_names(prior.themes[0], 1)[0]
    assert name == prior.names[0] and cosine == pytest.approx(1, abs=1e-2)


def test_fitting_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain().fit(topics([30, 1, 1])[0])


def test_a_set_of_themes_may_have_several_files():
    lodging = {part.name: part for part in load_theme_sets()}["lodging"]
    assert lodging.files == ("lodging", "lodging_reviews") and "files" not in lodging.definitions
    assert {opinion.domain for opinion in load_corpus() if lodging.holds(opinion)} == set(lodging.files)


def test_scores_are_what_places_a_vector():
    vectors, _ = topics([60, 40, 30])
    model = plain().fit(vectors)
    scores = model.scores(vectors)
    assert scores.shape == (len(vectors), len(model.centroids_))
    placed = model.labels_ >= 0
    assert np.array_equal(scores.argmax(axis=1)[placed], model.labels_[placed])
    assert plain().fit(vectors[:0]).scores(vectors).shape == (len(vectors), 0)
