"""Themes: groups of sentence vectors that speak of one thing, on two levels.

Vectors are mapped into theme space (:mod:`models.theme_prior`), grouped by average linkage (Sokal &
Michener 1958) of points or, where there are many, of k-means micro-clusters, cut where the mean cosine
between two groups falls under a bound, and refined by spherical k-means (Dhillon & Modha 2001,
doi:10.1023/A:1007612920971). How many themes there are follows from the data.

A theme remembers itself as a centroid and a few anchors: means of small groups of its members. One rule
places every vector, fitted or new, alone or in a batch. A model can also start from the themes of an
earlier model, which then keep their members, and add only themes that the earlier anchors do not explain.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from threadpoolctl import threadpool_limits

from models.theme_prior import ThemePrior

SAMPLE = 12_000  # discovery looks at this many vectors at most
POINTS = 2_000  # up to so many vectors are linked one by one, more as micro-clusters
MICRO = 600
MIN_NEW = 8  # members a theme needs to appear beside known ones
MAX_UNASSIGNED = 0.03

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class Level(NamedTuple):
    """What one granularity means: cosine distances at which groups stay apart, and least share of a theme."""

    theme: float
    parent: float
    support: float


GRANULARITY = {
    "coarse": Level(theme=0.50, parent=0.70, support=0.025),
    "medium": Level(theme=0.42, parent=0.62, support=0.015),
    "fine": Level(theme=0.34, parent=0.55, support=0.008),
}
MIN_SUPPORT = 5
_FLOOR = 0.25  # a vector less like its theme than this belongs nowhere
_NOVELTY = 0.12  # how much better a new theme must explain its members than the known ones do


@dataclass(frozen=True)
class Assignment:
    """Row i is vector i.

    Attributes
    ----------
    labels : ndarray of int, (n,)
        The theme; −1 = not assigned (the nearest theme is too far).
    similarity : ndarray of float32, (n,)
        Cosine in theme space to the centroid of the nearest theme, assigned or not; nan without any theme.
    second : ndarray of int, (n,)
        The next best theme; −1 where there is only one.
    """

    labels: Labels
    similarity: Floats
    second: Labels


@dataclass(frozen=True)
class KnownThemes:
    """Themes of an earlier model: their anchors in embedding space, and the theme (0, 1, …) of each anchor."""

    anchors: Floats
    labels: Labels


class ThemeModel:
    """Discovers themes in sentence vectors and places vectors in them.

    Parameters
    ----------
    granularity : str
        ``"coarse"``, ``"medium"`` or ``"fine"``.
    random_state : int
        Seeds the choice of the sample and of the micro-clusters; up to 2,000 vectors nothing is drawn.
    prior : ThemePrior or None, optional
        The map into theme space. Default: the bundled one for vectors of its length; None: centred vectors.

    Attributes
    ----------
    centroids_ : ndarray of float32, (n_themes, dim)
        Unit vectors in embedding space; the largest theme first.
    parent_labels_ : ndarray of int, (n_themes,)
        The group of related themes each belongs to; −1 = it stands alone.
    anchors_, anchor_labels_ : ndarray, (n_anchors, dim) and (n_anchors,)
        What a later model needs to know of these themes.
    labels_ : ndarray of int, (n,)
        The theme of each fitted vector, −1 = not assigned.

    Examples
    --------
    >>> ThemeModel().fit_predict(np.eye(3, 384, dtype=np.float32)).tolist()
    [0, 0, 0]
    """

    centroids_: Floats
    parent_labels_: Labels
    anchors_: Floats
    anchor_labels_: Labels
    labels_: Labels
    mean_: Floats

    def __init__(
        self, granularity: str = "medium", random_state: int = 0, *, prior: ThemePrior | None | str = "bundled"
    ) -> None:
        self.granularity = granularity
        self.random_state = random_state
        self.prior = prior

    def fit(self, embeddings: NDArray[np.floating], *, known: KnownThemes | None = None) -> Self:
        """Learn themes from unit vectors (n, dim); the order of the rows does not matter.

        With ``known`` those themes keep the first labels, in their order, whatever their size (a theme may
        even lose all its members); new ones follow by size.

        Raises
        ------
        ValueError
            If the granularity is unknown or the embeddings are not a finite matrix.
        """
        level = self._level()
        vectors = _checked(embeddings)
        self._prior = self._chosen_prior(vectors.shape[1])
        order = canonical_order(vectors)
        ordered = vectors[order]
        with threadpool_limits(1):  # sums in a fixed order, whatever the number of cores
            self.mean_ = self._prior.mean(ordered) if self._prior else _plain_mean(ordered)
            points = self._map(ordered)
            rows = sample(len(points), SAMPLE, self.random_state)
            found = discover(points[rows], level, self.random_state)
            if known is not None and len(known.labels):
                self._continue_from(known, ordered, points)
            else:
                self._learn(ordered[rows], points[rows], _by_size(found), 1 + found.max(initial=-1))
            self.parent_labels_ = relate(self._centroid_points, level.parent)
            self._floor = -1.0
            nearest = self._place(points)
            self._floor = _floor(nearest.similarity)
            labels = np.where(nearest.similarity >= self._floor, nearest.labels, -1)
        self.labels_ = np.empty(len(labels), np.int64)
        self.labels_[order] = labels
        return self

    def fit_predict(self, embeddings: NDArray[np.floating]) -> Labels:
        """Return the theme of each vector, −1 = not assigned; the same as ``fit`` and then ``assign``."""
        return self.fit(embeddings).labels_

    def assign(self, embeddings: NDArray[np.floating]) -> Assignment:
        """Return the theme of each vector, its similarity, and the next best theme."""
        with threadpool_limits(1):
            return self._place(self._map(_checked(embeddings)))

    def _level(self) -> Level:
        if self.granularity not in GRANULARITY:
            raise ValueError(f"granularity must be one of {', '.join(GRANULARITY)}; got {self.granularity!r}")
        return GRANULARITY[self.granularity]

    def _chosen_prior(self, dim: int) -> ThemePrior | None:
        if isinstance(self.prior, str):
            prior = ThemePrior.from_pretrained()
            return prior if prior.dim == dim else None
        return self.prior

    def _map(self, vectors: Floats) -> Floats:
        if self._prior:
            return self._prior.transform(vectors, self.mean_)
        return unit(vectors - self.mean_)

    def _learn(self, vectors: Floats, points: Floats, labels: Labels, n_themes: int) -> None:
        """Keep centroid and anchors of each label 0 … n_themes − 1."""
        centroids, anchors, anchor_labels = [], [], []
        for label in range(n_themes):
            mine = np.flatnonzero(labels == label)
            centroids.append(unit(vectors[mine].mean(axis=0, keepdims=True))[0])
            groups = facets(points[mine])
            for group in range(1 + int(groups.max())):
                anchors.append(unit(vectors[mine[groups == group]].mean(axis=0, keepdims=True))[0])
                anchor_labels.append(label)
        dim = vectors.shape[1]
        self._remember(
            np.asarray(centroids, np.float32).reshape(-1, dim),
            np.asarray(anchors, np.float32).reshape(-1, dim),
            np.asarray(anchor_labels, np.int64),
        )

    def _remember(self, centroids: Floats, anchors: Floats, anchor_labels: Labels) -> None:
        self.centroids_, self.anchors_, self.anchor_labels_ = centroids, anchors, anchor_labels
        self._centroid_points = self._map(centroids)
        self._anchor_points = self._map(anchors)

    def _continue_from(self, known: KnownThemes, vectors: Floats, points: Floats) -> None:
        n_known = 1 + int(known.labels.max())
        anchors = known.anchors.astype(np.float32)
        means = [unit(anchors[known.labels == k].mean(axis=0, keepdims=True))[0] for k in range(n_known)]
        self._remember(np.asarray(means, np.float32), anchors, known.labels)
        labels = self._place(points, floor=-1.0).labels
        new = _by_size(novel(points, self._anchor_points, self._level(), self.random_state))
        labels = np.where(new >= 0, n_known + new, labels)
        kept = (self.centroids_, self.anchors_, self.anchor_labels_)
        self._learn_beside(kept, vectors, points, labels, n_known)

    def _place(self, points: Floats, floor: float | None = None) -> Assignment:
        floor = self._floor if floor is None else floor
        n_themes = len(self.centroids_)
        if not n_themes:
            nothing = np.full(len(points), -1, np.int64)
            return Assignment(nothing, np.full(len(points), np.nan, np.float32), nothing.copy())
        to_centroid = points @ self._centroid_points.T
        to_anchor = np.full_like(to_centroid, -1.0)
        similarity = points @ self._anchor_points.T
        for label in range(n_themes):
            to_anchor[:, label] = similarity[:, self.anchor_labels_ == label].max(axis=1)
        score = to_centroid + to_anchor
        ranked = np.argsort(-score, axis=1, kind="stable")
        nearest = to_centroid[np.arange(len(points)), ranked[:, 0]]
        second = ranked[:, 1] if n_themes > 1 else np.full(len(points), -1)
        labels = np.where(nearest >= floor, ranked[:, 0], -1)
        return Assignment(labels.astype(np.int64), nearest.astype(np.float32), second.astype(np.int64))
