"""Groups of sentence vectors at every scale: the branches of one tree.

Average linkage (Sokal & Michener 1958) on cosines around the mean, of points or, where there are many, of
k-means micro-clusters. What happens to a small topic can be asked of every branch (tree-based scan statistics:
Kulldorff, Fang & Walsh 2003, doi:10.1111/1541-0420.00039).
"""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.theme_prior import unit
from models.themes import POINTS, kmeans, linkage_tree

MICRO = 1_000
"""Micro-clusters of more than `models.themes.POINTS` vectors."""


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
    # Equal vectors are one leaf: the tree must not depend on the order in which they came.
    distinct, leaf, copies = np.unique(vectors, axis=0, return_inverse=True, return_counts=True)
    with threadpool_limits(1):
        points = unit(distinct - copies @ distinct.astype(np.float64) / len(vectors)).astype(np.float32)
        small = np.arange(len(points)) if len(points) <= POINTS else kmeans(points, MICRO, 0)
        tree = linkage_tree(points, small) if small.max() else np.zeros((0, 4))
    group = small[leaf.reshape(-1)]
    members = [np.flatnonzero(group == k) for k in range(1 + int(small.max()))]
    found = [rows for rows in members if least <= len(rows) <= most]
    for left, right in tree[:, :2].astype(int):
        rows = np.concatenate([members[left], members[right]])
        members.append(rows)
        if least <= len(rows) <= most:
            found.append(np.sort(rows))
    return found
