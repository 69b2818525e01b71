"""Groups of sentence vectors at every scale: the branches of one tree.

Average linkage (Sokal & Michener 1958) on cosines around the mean, of points or, where there are many, of
k-means micro-clusters. What happens to a small topic can be asked of every branch (tree-based scan statistics:
Kulldorff, Fang & Walsh 2003, doi:10.1111/1541-0420.00039).
"""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.theme_prior import unit
from models.themes import POINTS, SAMPLE, content_sample, kmeans, linkage_tree

MICRO = 1_000
"""Micro-clusters of more than `models.themes.POINTS` different vectors."""


def nested_groups(embeddings: NDArray[np.floating], *, least: int, most: int) -> list[NDArray[np.int64]]:
    """Return the rows of every branch of the tree that holds between least and most rows.

    Parameters
    ----------
    embeddings : ndarray, (n, dim)
        Unit vectors; their order does not matter.
    least, most : int
        Sizes of a branch.
    """
    vectors = np.asarray(embeddings, np.float32)
    if len(vectors) < max(2, least):
        return []
    with threadpool_limits(1):
        points, leaf = _leaves(vectors)
        small = np.arange(len(points)) if len(points) <= POINTS else kmeans(points, MICRO, 0)
        tree = linkage_tree(points, small) if small.max() else np.zeros((0, 4))
    members = _by_group(small[leaf], 1 + int(small.max()))
    found = [rows for rows in members if least <= len(rows) <= most]
    for left, right in tree[:, :2].astype(int):
        rows = np.concatenate([members[left], members[right]])
        members.append(rows)
        if least <= len(rows) <= most:
            found.append(np.sort(rows))
    return found


def _leaves(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return different points and the point of each vector: the tree must not depend on the order of equal ones.

    Of more than `SAMPLE` vectors a sample makes the micro-clusters, and every vector goes to the nearest.
    """
    chosen = vectors[content_sample(vectors, SAMPLE, 0)]
    mean = chosen.astype(np.float64).mean(axis=0)
    if len(vectors) <= SAMPLE:
        distinct, leaf = np.unique(vectors, axis=0, return_inverse=True)
        return unit(distinct - mean).astype(np.float32), leaf.reshape(-1).astype(np.int64)
    points = unit(chosen - mean).astype(np.float32)
    groups = kmeans(points, MICRO, 0)
    means = [points[rows].mean(axis=0) for rows in _by_group(groups, 1 + int(groups.max()))]
    centers = unit(np.stack(means)).astype(np.float32)
    starts = range(0, len(vectors), len(centers))
    nearest = [(unit(vectors[k : k + len(centers)] - mean) @ centers.T).argmax(axis=1) for k in starts]
    return centers, np.concatenate(nearest).astype(np.int64)


def _by_group(groups: NDArray[np.int64], n_groups: int) -> list[NDArray[np.int64]]:
    """Return the rows of each group 0, 1, …, in order."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups, minlength=n_groups))[:-1])
