"""One grouping by a peer, in a process of its own: run by ``benchmarks.themes`` in a throw-away environment.

    python theme_peers.py METHOD VECTORS.npy TOKENS.json SEED OUT.npz

METHOD is ``evoc`` or ``bertopic:K`` with K the number of a setting. TOKENS holds one text a row, its words
parted by spaces. OUT gets the labels, the seconds and the peak memory.
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
    start = time.perf_counter()
    if name == "evoc":
        found = {"labels": _evoc(embeddings, int(seed))}
    else:
        found = _bertopic(embeddings, texts, int(setting), int(seed))
    seconds = time.perf_counter() - start
    peak = peak_mb()
    np.savez(out, seconds=seconds, peak_memory_mb=peak, **found)


def peak_mb() -> int:
    """Return this process' peak memory; getrusage would count the parent's that started it, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _evoc(embeddings: np.ndarray, seed: int) -> np.ndarray:
    from evoc import EVoC

    return EVoC(random_state=seed).fit_predict(embeddings.astype(np.float32))


def _bertopic(embeddings: np.ndarray, texts: list[str], setting: int, seed: int) -> dict[str, np.ndarray]:
    """Return the labels as they come, and after reduce_outliers with the strategy made for embeddings."""
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    n = len(texts)
    settings = (
        {},
        {"min_topic_size": max(10, n // 100)},
        {"nr_topics": "auto"},
        {"min_topic_size": max(10, n // 300), "nr_topics": 15},
    )
    topics = BERTopic(
        umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed),
        vectorizer_model=CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False),
        **settings[setting],
    )
    labels, _ = topics.fit_transform(texts, embeddings)
    if -1 not in labels or max(labels) < 0:
        return {"labels": np.array(labels), "reduced": np.array(labels)}
    reduced = topics.reduce_outliers(texts, labels, strategy="embeddings", embeddings=embeddings)
    return {"labels": np.array(labels), "reduced": np.array(reduced)}


if __name__ == "__main__":
    main()
