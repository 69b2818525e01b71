"""One grouping by our themes, in a process of its own: run by ``benchmarks.themes``.

python -m benchmarks.theme_runs GRANULARITY VECTORS.npy SEED OUT.npz
python -m benchmarks.theme_runs synthetic N SEED OUT.npz
"""

import sys
import time
from pathlib import Path

import numpy as np

from models.themes import ThemeModel

TOPICS, DIM = 30, 384
BLOCK = 50_000


def main() -> None:
    """Group, and write what came out."""
    granularity, source, seed, out = sys.argv[1:]
    synthetic = granularity == "synthetic"
    embeddings = made_up(int(source)) if synthetic else np.load(source)
    before = peak_mb()
    start = time.perf_counter()
    model = ThemeModel("medium" if synthetic else granularity, int(seed)).fit(embeddings)
    seconds = time.perf_counter() - start
    peak = peak_mb()
    np.savez(out, labels=model.labels_, seconds=seconds, peak_memory_mb=peak, before_mb=before)


def peak_mb() -> int:
    """Return this process' peak memory; getrusage would count the parent's that started it, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def made_up(n: int) -> np.ndarray:
    """Return n unit vectors around uneven topics, beside a direction that all share, as sentences have."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(TOPICS, DIM)).astype(np.float32) / np.sqrt(DIM)
    weights = 1 / np.arange(1, TOPICS + 1)
    rows = np.empty((n, DIM), np.float32)
    for start in range(0, n, BLOCK):
        stop = min(n, start + BLOCK)
        topic = rng.choice(TOPICS, stop - start, p=weights / weights.sum())
        noise = rng.standard_normal((stop - start, DIM), np.float32) / np.sqrt(DIM)
        block = 0.5 * centers[topic] + 0.4 * noise
        block[:, 0] += 1.5
        rows[start:stop] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return rows


if __name__ == "__main__":
    main()
