"""Find copied texts: responses by several people that say the same, word for word or nearly.

Texts are compared by the Jaccard similarity of their sets of five-character shingles, letters and digits only.
Pairs worth comparing are found by MinHash signatures in bands (Broder 1997, doi:10.1109/SEQUEN.1997.666900;
banding as in Leskovec, Rajaraman & Ullman 2014, chapter 3, doi:10.1017/CBO9781139924801): pairs of similarity
0.7 meet with probability 0.9998. Every pair that meets is compared exactly, so nothing is flagged by chance.
The hash functions are fixed and each text meets at most three others per band: linear in the number of texts.
"""

import hashlib
import unicodedata

import numpy as np
import polars as pl

from pipeline.loyalty import KEY

ALIKE = 0.7
"""Jaccard similarity from which two texts count as copies."""

SHORTEST = 20
"""Letters and digits from which a text is compared: what is shorter, many people write by themselves."""

_SHINGLE = 5
_BANDS, _ROWS = 20, 3
_NEIGHBOURS = 3
_BATCH = 2000  # texts hashed at a time: some tens of megabytes
_DIGEST = hashlib.shake_256(b"near duplicates").digest(2 * 8 * _BANDS * _ROWS)  # the same numbers everywhere, for ever
_SEEDS = np.frombuffer(_DIGEST, "<u8").reshape(2, -1).astype(np.uint64) | np.uint64(1)


def near_duplicates(feedback: pl.DataFrame) -> pl.Series:
    """Return for each response the number of its group of copies, from 1, or null.

    Parameters
    ----------
    feedback : pl.DataFrame
        source, feedback_id, customer and text. Responses without a customer are by different people.

    Returns
    -------
    pl.Series
        Int64, named near_duplicate, row by row. A group has at least two people; the largest is number 1.
        Equal for equal feedback, in whatever order its rows come.
    """
    compared = [_comparable(text) for text in feedback["text"]]
    texts = sorted({text for text in compared if len(text) >= SHORTEST})
    group_of = dict(zip(texts, _groups(texts), strict=True))
    person = pl.coalesce("customer", pl.concat_str(pl.lit("\0"), *KEY, separator="\0"))
    members = feedback.select(*KEY, person.alias("person")).with_columns(
        pl.Series("root", [group_of.get(text) for text in compared], pl.Int64)
    )
    sizes = (
        members.drop_nulls("root")
        .group_by("root")
        .agg(pl.len().alias("n"), pl.col("person").n_unique().alias("people"))
        .filter(pl.col("people") > 1)
        .sort(["n", "root"], descending=[True, False])
        .with_row_index("near_duplicate", offset=1)
    )
    numbered = members.join(sizes, on="root", how="left", maintain_order="left")
    return numbered["near_duplicate"].cast(pl.Int64)


def _comparable(text: str) -> str:
    """Return the letters and digits of a text in one spelling."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _groups(texts: list[str]) -> list[int]:
    """Return the smallest index of the texts each text is alike to, directly or through others."""
    if not texts:
        return []
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in _candidates(_signatures(texts)):
        first, second = sorted((root(i), root(j)))
        if first != second and _jaccard(texts[i], texts[j]) >= ALIKE:
            parent[second] = first
    return [root(i) for i in range(len(texts))]


def _candidates(signatures: np.ndarray) -> set[tuple[int, int]]:
    """Return the pairs of rows that agree in a band; in a crowded band each meets its next three."""
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        rows = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS])
        bucket = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
        order = np.argsort(bucket, kind="stable")
        for step in range(1, _NEIGHBOURS + 1):
            same = bucket[order[:-step]] == bucket[order[step:]]
            pairs.update(zip(order[:-step][same].tolist(), order[step:][same].tolist(), strict=True))
    return pairs


def _signatures(texts: list[str]) -> np.ndarray:
    """Return the MinHash signatures, (n_texts, 60) uint64."""
    return np.vstack([_batch_signatures(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)])


def _batch_signatures(texts: list[str]) -> np.ndarray:
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    hashes = np.zeros(len(codes) - _SHINGLE + 1, np.uint64)
    for offset in range(_SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + codes[offset : offset + len(hashes)]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    inside = np.concatenate([np.arange(s, s + n - _SHINGLE + 1) for s, n in zip(starts, lengths, strict=True)])
    hashes = hashes[inside]
    first = np.concatenate([[0], np.cumsum(lengths - _SHINGLE + 1)[:-1]])
    signature = np.empty((len(texts), _SEEDS.shape[1]), np.uint64)
    for k, (factor, summand) in enumerate(_SEEDS.T):
        mixed = (hashes ^ (hashes >> np.uint64(31))) * factor + summand
        signature[:, k] = np.minimum.reduceat(mixed ^ (mixed >> np.uint64(29)), first)
    return signature


def _jaccard(one: str, other: str) -> float:
    a, b = ({text[i : i + _SHINGLE] for i in range(len(text) - _SHINGLE + 1)} for text in (one, other))
    return len(a & b) / len(a | b)
