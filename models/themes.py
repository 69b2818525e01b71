"""Themes: groups of sentence vectors that speak of one thing, on two levels.

Vectors are mapped into theme space (:mod:`models.theme_prior`), grouped by average linkage (Sokal &
Michener 1958) of points or, where there are many, of k-means micro-clusters, cut where the mean cosine
between two groups falls under a bound, and refined by spherical k-means (Dhillon & Modha 2001,
doi:10.1023/A:1007612920971). How many themes there are follows from the data.

A theme remembers itself as a centroid and a few anchors: means of small groups of its members. One rule
places every vector, fitted or new, alone or in a batch. A model can also start from the themes of an
earlier model, which then keep their members, and add only themes that the earlier anchors do not explain.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from models.theme_prior import ThemePrior, unit

SAMPLE = 12_000  # discovery looks at this many vectors at most
POINTS = 3_000  # up to so many vectors are linked one by one, more as micro-clusters
MICRO = 400
RUNS = 5
_PRINCIPAL = 96
MIN_NEW = 8  # members a theme needs to appear beside known ones
MAX_UNASSIGNED = 0.03
_CHUNK = 2048
_KEPT_BYTES = 1 << 29  # of the fitted vectors in theme space

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class Level(NamedTuple):
    """What one granularity means: cosine distances from which groups stay apart, and the least share of a theme.

    The share (support) holds for 300 vectors and falls slowly where there are more (:func:`least_support`).
    """

    theme: float
    parent: float
    support: float
    floor: float = 0.45  # a vector less like its theme than this belongs nowhere
    explained: float = 0.70  # a vector nearer than this to a known anchor is nothing new
    novelty: float = 0.12  # how much better a new theme must explain its members than the known ones do

    def spread(self, factor: float) -> "Level":
        """Return the level for vectors whose cosines are smaller by a factor."""
        theme, parent = (1 - factor * (1 - distance) for distance in (self.theme, self.parent))
        rest = (factor * cosine for cosine in (self.floor, self.explained, self.novelty))
        return Level(theme, parent, self.support, *rest)


GRANULARITY = {
    "coarse": Level(theme=0.59, parent=0.75, support=0.03),
    "medium": Level(theme=0.53, parent=0.69, support=0.02),
    "fine": Level(theme=0.45, parent=0.61, support=0.012),
}
MIN_SUPPORT = 5
PLAIN_SPREAD = 0.38  # cosines of centred vectors beside those of theme vectors


TOO_FAR, NO_THEMES = "too_far", "no_themes"  # why a vector has no theme


@dataclass(frozen=True)
class Assignment:
    """Row i is vector i.

    Attributes
    ----------
    labels : ndarray of int, (n,)
        The theme; −1 = not assigned.
    similarity : ndarray of float32, (n,)
        Cosine in theme space to the centroid of the nearest theme, assigned or not; nan without any theme.
    second : ndarray of int, (n,)
        The next best theme; −1 where there is only one.
    """

    labels: Labels
    similarity: Floats
    second: Labels

    @property
    def unassigned_reason(self) -> list[str | None]:
        """Why each vector has no theme: ``"too_far"`` from the nearest one, or ``"no_themes"``; else None."""
        reason = np.where(np.isnan(self.similarity), NO_THEMES, TOO_FAR).tolist()
        return [None if label >= 0 else why for label, why in zip(self.labels.tolist(), reason, strict=True)]


class KnownTheme(NamedTuple):
    """What a theme is remembered by: its centroid (dim,) and anchors (n, dim), unit vectors."""

    centroid: Floats
    anchors: Floats

    def with_examples(self, vectors: NDArray[np.floating]) -> "KnownTheme":
        """Return the theme with further anchors, from vectors that are known to belong to it."""
        groups = facets(np.asarray(vectors, np.float32))
        more = [vectors[groups == group].mean(axis=0) for group in range(1 + int(groups.max(initial=-1)))]
        return KnownTheme(self.centroid, np.concatenate([self.anchors, unit(np.stack(more))]).astype(np.float32))


class ThemeModel:
    """Discovers themes in sentence vectors and places vectors in them.

    Parameters
    ----------
    granularity : str
        ``"coarse"``, ``"medium"`` or ``"fine"``.
    random_state : int
        Seeds the choice of the sample and of the micro-clusters; up to 3,000 vectors nothing is drawn.
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
    assignment_ : Assignment
        What `assign` would return for the fitted vectors.

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
    assignment_: Assignment
    mean_: Floats
    _fitted: Floats | None = None
    _mapped: dict[int, Floats]

    def __init__(
        self, granularity: str = "medium", random_state: int = 0, *, prior: ThemePrior | str | None = "bundled"
    ) -> None:
        self.granularity = granularity
        self.random_state = random_state
        self.prior = prior

    def fit(
        self,
        embeddings: NDArray[np.floating],
        *,
        known: Sequence[KnownTheme] = (),
        hints: Sequence[NDArray[np.integer]] = (),
    ) -> Self:
        """Learn themes from unit vectors (n, dim); the order of the rows does not matter.

        Parameters
        ----------
        embeddings : ndarray, (n, dim)
            Unit vectors.
        known : sequence of KnownTheme, optional
            Themes of an earlier model: they stay as they are and keep the first labels, in their order
            (one may be left without members).
        hints : sequence of ndarray, optional
            Row numbers of groups that are known, from elsewhere, to be a new theme beside the known ones;
            their labels come next. Themes found beside the known ones follow, by size.

        Raises
        ------
        ValueError
            If the granularity is unknown or the embeddings are not a finite matrix.
        """
        level = self._level()
        vectors = _checked(embeddings)
        self._prior = self._chosen_prior(vectors.shape[1])
        if self._prior is None:
            level = level.spread(PLAIN_SPREAD)
        with threadpool_limits(1):  # sums in a fixed order, whatever the number of cores
            chosen = vectors[content_sample(vectors, SAMPLE, self.random_state)]
            mean = self._prior.mean(chosen) if self._prior else chosen.sum(axis=0) / (len(chosen) + 30)
            if vectors is not self._fitted or not np.array_equal(mean, self.mean_):
                self._fitted, self._mapped = vectors, {}
            self.mean_ = mean
            found = (known, hints, vectors, level)
            placed = self._continue_from(*found) if known else self._begin(chosen, vectors, level)
            self.parent_labels_ = relate(self._centroid_points, level.parent)
        self._floor = _floor(placed.similarity, level)
        self.assignment_ = self._above_floor(placed)
        self.labels_ = self.assignment_.labels
        return self

    def fit_predict(self, embeddings: NDArray[np.floating]) -> Labels:
        """Return the theme of each vector, −1 = not assigned; the same as ``fit`` and then ``assign``."""
        return self.fit(embeddings).labels_

    def assign(self, embeddings: NDArray[np.floating]) -> Assignment:
        """Return the theme of each vector, its similarity, and the next best theme."""
        with threadpool_limits(1):
            return self._above_floor(self._place(_checked(embeddings)))

    def nearest_names(self, label: int, n: int = 3) -> list[tuple[str, float]]:
        """Return the corpus theme names nearest to a theme with their cosine; none without a prior."""
        return self._prior.nearest_names(self._centroid_points[label], n) if self._prior else []

    def scores(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what decides a vector's place, (n, n_themes): cosine to centroid plus the largest to an anchor."""
        vectors = _checked(embeddings)
        found = np.zeros((len(vectors), len(self.centroids_)))
        with threadpool_limits(1):
            for start in range(0, len(vectors) if found.size else 0, _CHUNK):
                to_centroid, to_anchor = self._cosines(self._map(vectors[start : start + _CHUNK]))
                found[start : start + _CHUNK] = to_centroid + to_anchor
        return found

    def plain_cosines(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the cosine of each centred vector to each theme's centred centroid, (n, n_themes): no prior's view."""
        centers = unit(self.centroids_.astype(np.float64) - self.mean_)
        return np.asarray(unit(_checked(embeddings).astype(np.float64) - self.mean_) @ centers.T, np.float64)

    def cosine_to(self, vectors: NDArray[np.floating]) -> Floats:
        """Return the cosine in theme space of each theme to each vector, (n_themes, n)."""
        return self._centroid_points @ self._map(_checked(vectors)).T

    def transform(self, embeddings: NDArray[np.floating]) -> Floats:
        """Return unit vectors (n, dim) in theme space, where their cosines tell themes apart."""
        with threadpool_limits(1):
            return self._map(_checked(embeddings))

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

    def _block(self, vectors: Floats, start: int) -> Floats:
        """Return some of the vectors in theme space; those being fitted, placed several times, are mapped once."""
        if vectors is not self._fitted:
            return self._map(vectors[start : start + _CHUNK])
        points = self._mapped.get(start)
        if points is None:
            points = self._map(vectors[start : start + _CHUNK])
            if start // _CHUNK * points.nbytes < _KEPT_BYTES:
                self._mapped[start] = points
        return points

    def _begin(self, chosen: Floats, vectors: Floats, level: Level) -> "_Placed":
        points = self._map(chosen)
        themes = _look(chosen, points, discover(points, level, self.random_state))
        self._remember(themes, vectors.shape[1])
        # Placing by centroid and anchor moves a few members: number the themes by what they hold in the end.
        placed = self._place(vectors)
        counts = np.bincount(placed.labels, minlength=len(themes))
        order = [k for k in np.argsort(-counts, kind="stable") if counts[k]]
        self._remember([themes[k] for k in order], vectors.shape[1])
        return placed.renumbered(order) if len(order) == len(themes) else self._place(vectors)

    def _continue_from(
        self, known: Sequence[KnownTheme], hints: Sequence[NDArray[np.integer]], vectors: Floats, level: Level
    ) -> "_Placed":
        self._remember(known, vectors.shape[1])
        placed = self._place(vectors)
        hinted = np.zeros(len(vectors), bool)
        new = []
        for rows in hints:
            hinted[rows] = True
            mine = vectors[rows][canonical_order(vectors[rows])]
            new += _look(mine, self._map(mine), np.zeros(len(mine), np.int64))
        rows = np.flatnonzero((placed.explained < level.explained) & ~hinted)
        rows = rows[content_sample(vectors[rows], SAMPLE, self.random_state)]
        points = self._map(vectors[rows])
        new += _look(vectors[rows], points, novel(points, placed.explained[rows], level, self.random_state))
        if not new:
            return placed
        self._remember([*known, *new], vectors.shape[1])
        return self._place(vectors)

    def _remember(self, themes: Sequence[KnownTheme], dim: int) -> None:
        centroids = [theme.centroid for theme in themes]
        anchors = [theme.anchors for theme in themes]
        self.centroids_ = np.asarray(centroids, np.float32).reshape(-1, dim)
        self.anchors_ = np.concatenate([np.zeros((0, dim), np.float32), *anchors]).astype(np.float32)
        self.anchor_labels_ = np.repeat(np.arange(len(themes)), [len(a) for a in anchors]).astype(np.int64)
        self._centroid_points = self._map(self.centroids_)
        self._anchor_points = self._map(self.anchors_)

    def _place(self, vectors: Floats) -> "_Placed":
        """Return the best place of each vector, however far it is: the one rule for all of them."""
        if not len(self.centroids_):
            return _Placed.nowhere(len(vectors))
        starts = range(0, len(vectors), _CHUNK)
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # each block is one thread's, from first to last
            blocks = list(threads.map(lambda start: self._rank(self._block(vectors, start)), starts))
        return _Placed(*map(np.concatenate, zip(*blocks, strict=True))) if blocks else _Placed.nowhere(0)

    def _cosines(self, points: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each point's cosine to every theme's centroid, and to the nearest of its anchors."""
        # In float64: what stands beside a row in its block may move its cosines by 1e-16, not by 1e-7.
        exact = points.astype(np.float64)
        to_anchor = exact @ self._anchor_points.T.astype(np.float64)
        starts = np.flatnonzero(np.diff(self.anchor_labels_, prepend=-1))
        return exact @ self._centroid_points.T.astype(np.float64), np.maximum.reduceat(to_anchor, starts, axis=1)

    def _rank(self, points: Floats) -> "_Placed":
        to_centroid, to_anchor = self._cosines(points)
        ranked = np.argsort(-(to_centroid + to_anchor), axis=1, kind="stable")[:, :2].astype(np.int64)
        second = ranked[:, 1] if ranked.shape[1] > 1 else np.full(len(points), -1, np.int64)
        nearest = np.take_along_axis(to_centroid, ranked[:, :1], axis=1)[:, 0]
        return _Placed(ranked[:, 0], nearest.astype(np.float32), second, to_anchor.max(axis=1).astype(np.float32))

    def _above_floor(self, placed: "_Placed") -> Assignment:
        labels = np.where(placed.similarity >= self._floor, placed.labels, -1)
        return Assignment(labels, placed.similarity, placed.second)


class _Placed(NamedTuple):
    """Each vector's best theme, its cosine to it, the second best theme, and its cosine to the nearest anchor."""

    labels: Labels
    similarity: Floats
    second: Labels
    explained: Floats

    def renumbered(self, order: Sequence[int]) -> "_Placed":
        """Return the places after theme order[k] has become theme k."""
        rank = np.append(np.argsort(order), -1)  # −1 stays
        return self._replace(labels=rank[self.labels], second=rank[self.second])

    @classmethod
    def nowhere(cls, n: int) -> "_Placed":
        none, unknown = np.full(n, -1, np.int64), np.full(n, np.nan, np.float32)
        return cls(none, unknown, none.copy(), unknown.copy())


def _look(vectors: Floats, points: Floats, labels: Labels) -> list[KnownTheme]:
    """Return what the members of each label 0, 1, … look like."""
    learned = []
    for label in range(1 + int(labels.max(initial=-1))):
        mine = np.flatnonzero(labels == label)
        if len(mine):
            groups = facets(points[mine])
            anchors = [vectors[mine[groups == group]].mean(axis=0) for group in range(1 + int(groups.max()))]
            learned.append(KnownTheme(unit(vectors[mine].mean(axis=0)[None])[0], unit(np.stack(anchors))))
    return learned


def discover(points: Floats, level: Level, random_state: int = 0) -> Labels:
    """Return a group for each unit vector, by size (0 = the largest).

    Where micro-clusters are drawn, the grouping is the one of five that agrees best with the others: the
    luck of one draw must not decide the themes of a year.
    """
    if len(points) == 0:
        return np.zeros(0, np.int64)
    if len(points) <= POINTS:
        return _discover_once(points, np.arange(len(points)), level)
    reduced = _principal(points, _PRINCIPAL)
    seeds = range(random_state * RUNS, (random_state + 1) * RUNS)
    found = [_discover_once(points, kmeans(reduced, MICRO, seed), level) for seed in seeds]
    agreement = [sum(adjusted_rand_score(one, other) for other in found) for one in found]
    return found[int(np.argmax(agreement))]


def _discover_once(points: Floats, small: Labels, level: Level) -> Labels:
    """Return the groups linked from small ones; those below the least support join their neighbours."""
    groups = link(points, small, level.theme)
    groups = np.where(np.bincount(groups)[groups] >= least_support(len(points), level), groups, -1)
    if (groups < 0).all():
        return np.zeros(len(points), np.int64)
    return by_size(refine(points, groups))


def least_support(n: int, level: Level) -> int:
    """Return how many of n vectors make a theme."""
    share = level.support * min(1.0, 300 / max(n, 1)) ** 0.2
    return max(min(MIN_SUPPORT, n // 4), int(np.ceil(share * n)), 1)


def link(points: Floats, small: Labels, distance: float) -> Labels:
    """Return groups of small groups by average linkage, apart by a mean cosine distance and more."""
    if small.max(initial=0) == 0:
        return np.zeros(len(points), np.int64)
    return fcluster(linkage_tree(points, small), distance, "distance").astype(np.int64)[small] - 1


def linkage_tree(points: Floats, small: Labels) -> NDArray[np.float64]:
    """Return the tree of two small groups or more by average linkage, as scipy writes it: a row per junction."""
    # Means are not scaled to unit length: the product of two means is the mean cosine of their members.
    means = _means(points, small)
    between = 1 - means @ means.T
    np.fill_diagonal(between, 0)
    return linkage(squareform(np.clip(between, 0, 2), checks=False), "average")


def refine(points: Floats, groups: Labels, iterations: int = 10) -> Labels:
    """Return the groups after every vector, grouped (≥ 0) or not, has moved to the nearest mean."""
    for _ in range(iterations):
        names = np.unique(groups[groups >= 0])
        means = np.stack([points[groups == name].mean(axis=0) for name in names])
        moved = names[(points @ unit(means).T).argmax(axis=1)]
        if (moved == groups).all():
            break
        groups = moved
    return groups


def novel(points: Floats, explained: Floats, level: Level, random_state: int = 0) -> Labels:
    """Return the new theme of each vector, −1 for those in none.

    A group is new when its members are markedly nearer to each other than to any known anchor.

    Parameters
    ----------
    points : ndarray, (n, dim)
        Vectors that known anchors explain badly.
    explained : ndarray, (n,)
        The cosine of each to its nearest known anchor.
    """
    new = np.full(len(points), -1, np.int64)
    if len(points) < MIN_NEW:
        return new
    small = np.arange(len(points)) if len(points) <= POINTS else kmeans(points, MICRO, random_state)
    groups = by_size(link(points, small, level.theme))
    for group in range(1 + int(groups.max())):
        mine = np.flatnonzero(groups == group)
        if len(mine) < MIN_NEW:
            break
        total = points[mine].sum(axis=0)
        others = unit(total - points[mine])
        together = float((points[mine] * others).sum(axis=1).mean())
        if together - float(explained[mine].mean()) > level.novelty:
            new[mine] = group
    return np.where(new >= 0, by_size(new), -1)


def relate(points: Floats, distance: float) -> Labels:
    """Return a group of related themes for each theme's vector, −1 for a theme that stands alone."""
    groups = link(points, np.arange(len(points)), distance)
    alone = np.bincount(groups, minlength=1)[groups] < 2 if len(groups) else np.zeros(0, bool)
    return by_size(np.where(alone, -1, groups))


def facets(points: Floats) -> Labels:
    """Return small groups 0, 1, … of one theme's members, about 8 members each and 12 groups at most."""
    return kmeans(points, min(12, -(-len(points) // 8)), 0)


def kmeans(points: Floats, k: int, random_state: int, iterations: int = 8) -> Labels:
    """Return at most k groups 0, 1, … by spherical k-means from k of the vectors drawn at random."""
    centers = points[sample(len(points), k, random_state)]
    groups = np.zeros(len(points), np.int64)
    for _ in range(iterations if k > 1 else 0):
        groups = (points @ centers.T).argmax(axis=1)
        groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
        centers = unit(_means(points, groups))
    return groups


def by_size(groups: Labels) -> Labels:
    """Return the groups renamed 0, 1, … from the largest; equal ones by their first row; −1 stays."""
    names, first, counts = np.unique(groups[groups >= 0], return_index=True, return_counts=True)
    rank = np.full(1 + int(names.max(initial=0)), -1, np.int64)
    rank[names[np.lexsort((first, -counts))]] = np.arange(len(names))
    return np.where(groups >= 0, rank[groups], -1)


def canonical_order(vectors: Floats) -> NDArray[np.int64]:
    """Return an order of the rows that depends on their content alone."""
    rows = np.ascontiguousarray(vectors, ">f4").view(np.dtype((np.void, vectors.shape[1] * 4))).ravel()
    return np.argsort(rows, kind="stable") if len(rows) else np.zeros(0, np.int64)


def content_sample(vectors: Floats, size: int, random_state: int) -> NDArray[np.int64]:
    """Return at most size row numbers, drawn and ordered by the rows' content, whatever order they come in.

    Each row is hashed (multiply-add over its bits, Carter & Wegman 1979) and the smallest hashes are taken.
    """
    if len(vectors) > size:
        factors = np.random.default_rng(random_state).integers(0, 2**64, vectors.shape[1], np.uint64) | np.uint64(1)
        keys = np.empty(len(vectors), np.uint64)
        for start in range(0, len(vectors), _CHUNK):
            bits = np.ascontiguousarray(vectors[start : start + _CHUNK]).view(np.uint32).astype(np.uint64)
            mixed = (bits * factors).sum(axis=1, dtype=np.uint64)
            keys[start : start + _CHUNK] = (mixed ^ (mixed >> np.uint64(32))) * factors[0]
        rows = np.sort(np.argsort(keys, kind="stable")[:size])
    else:
        rows = np.arange(len(vectors))
    return rows[canonical_order(vectors[rows])]


def sample(n: int, size: int, random_state: int) -> NDArray[np.int64]:
    """Return at most size of n row numbers, sorted."""
    if n <= size:
        return np.arange(n)
    return np.sort(np.random.default_rng(random_state).choice(n, size, replace=False))


def _principal(points: Floats, n: int) -> Floats:
    """Return the points on their n main axes: near enough for small groups, and faster."""
    _, axes = np.linalg.eigh(np.cov(points, rowvar=False))
    return unit(points @ axes[:, -n:].astype(np.float32)).astype(np.float32)


def _means(points: Floats, groups: Labels) -> NDArray[np.float64]:
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sums = np.add.reduceat(points[order].astype(np.float64), starts, axis=0)
    return sums / np.bincount(groups)[:, None]


def _floor(similarity: Floats, level: Level) -> float:
    """Return the similarity below which a vector belongs nowhere; never more than a few per cent do."""
    if len(similarity) == 0:
        return level.floor
    return min(level.floor, float(np.quantile(similarity, MAX_UNASSIGNED)))


def _checked(embeddings: NDArray[np.floating]) -> Floats:
    vectors = np.asarray(embeddings, np.float32)
    blocks = range(0, len(vectors) if vectors.ndim else 0, _CHUNK)
    if vectors.ndim != 2 or not all(np.isfinite(vectors[start : start + _CHUNK]).all() for start in blocks):
        raise ValueError(f"embeddings must be a finite matrix (n, dim); got shape {vectors.shape}")
    return vectors
