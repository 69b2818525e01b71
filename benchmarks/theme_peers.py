"""One grouping by a peer, in a process of its own: run by ``benchmarks.themes`` in a throw-away environment.

    python theme_peers.py METHOD VECTORS.npy TOKENS.json SEED OUT.npz

METHOD is ``evoc`` or ``bertopic:K`` with K the number of a setting. TOKENS holds one text a row, its words
parted by spaces. OUT gets the labels, the seconds and the peak memory. What UMAP makes of the vectors is the
same in every setting: it is kept beside them, and its seconds count in each.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Group, and write what came out."""
    method, vectors, tokens, seed, out = sys.argv[1:]
    embeddings = np.load(vectors)
    with open(tokens, encoding="utf-8") as lines:
        texts = json.load(lines)
    name, _, setting = method.partition(":")
    kept = Path(vectors).with_suffix(f".umap-{seed}.npz")
    if name == "bertopic" and not kept.exists():
        _reduce(embeddings, int(seed), kept)
    start = time.perf_counter()
    if name == "evoc":
        found = {"labels": _evoc(embeddings, int(seed))}
        before = {"seconds": 0.0, "peak_memory_mb": 0}
    else:
        before = np.load(kept)
        found = _bertopic(embeddings, texts, int(setting), before["reduced"])
    seconds = time.perf_counter() - start + float(before["seconds"])
    peak = max(peak_mb(), int(before["peak_memory_mb"]))
    np.savez(out, seconds=seconds, peak_memory_mb=peak, **found)


def peak_mb() -> int:
    """Return this process' peak memory; getrusage would count the parent's that started it, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _evoc(embeddings: np.ndarray, seed: int) -> np.ndarray:
    from evoc import EVoC

    return EVoC(random_state=seed).fit_predict(embeddings.astype(np.float32))


def _reduce(embeddings: np.ndarray, seed: int, kept: Path) -> None:
    """Write what UMAP makes of the vectors, with BERTopic's own settings."""
    from umap import UMAP

    start = time.perf_counter()
    umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    reduced = umap.fit_transform(embeddings)
    np.savez(kept, reduced=reduced, seconds=time.perf_counter() - start, peak_memory_mb=peak_mb())


class _Kept:
    """A reduction that is known already."""

    def __init__(self, reduced: np.ndarray) -> None:
        self.reduced = reduced

    def fit(self, X: np.ndarray, y: object = None) -> "_Kept":
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.reduced


def _bertopic(embeddings: np.ndarray, texts: list[str], setting: int, reduced: np.ndarray) -> dict[str, np.ndarray]:
    """Return the labels as they come, and after reduce_outliers with the strategy made for embeddings."""
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer

    n = len(texts)
    settings = (
        {},
        {"min_topic_size": max(10, n // 100)},
        {"nr_topics": "auto"},
        {"min_topic_size": max(10, n // 300), "nr_topics": 15},
        {"min_topic_size": max(10, n // 300)},
        {"min_topic_size": max(10, n // 600), "nr_topics": 20},
    )
    topics = BERTopic(
        umap_model=_Kept(reduced),
        vectorizer_model=CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False),
        **settings[setting],
    )
    labels, _ = topics.fit_transform(texts, embeddings)
    if -1 not in labels or max(labels) < 0:
        return {"labels": np.array(labels), "reduced": np.array(labels)}
    reassigned = topics.reduce_outliers(texts, labels, strategy="embeddings", embeddings=embeddings)
    return {"labels": np.array(labels), "reduced": np.array(reassigned)}


if __name__ == "__main__":
    main()
