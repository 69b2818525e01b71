"""Measure the themes against labelled aspects: V-measure and adjusted Rand index.

    python -m benchmarks.themes DATA [--quick] [--vectors FOLDER] [--seeds 5]

DATA holds hotel/sentences.txt, hotel/labelled_dev.tsv and survey/shop.gold.jsonl. All sentences are
grouped, the labelled ones are scored, unassigned ones (−1) counting as one group of their own. Sentences of
several aspects (multi) or without agreement (?) have no label; ``aspects`` leaves out other, occasion and
overall as well. With --quick 6,000 sentences and the labelled ones are grouped. --vectors keeps the vectors.
The result goes to benchmarks/results/themes.json.
"""

import argparse
import csv
import json
import os
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, v_measure_score

from models.embedding import Encoder
from models.theme_prior import ThemePrior
from models.themes import ThemeModel

RESULT = Path(__file__).parent / "results" / "themes.json"
UNLABELLED = {"?", "multi"}
NO_ASPECT = {"other", "occasion", "overall"}
QUICK = 6_000


def main() -> None:
    """Run both sets and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained()
    figures = {"hotel": hotel(arguments, encoder), "shop": shop(arguments, encoder)}
    result = {"conditions": conditions(encoder, arguments.quick), **figures}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    json.dump(result, sys.stdout, ensure_ascii=False, indent=2)


def hotel(arguments: argparse.Namespace, encoder: Encoder) -> list[dict]:
    """Group the hotel sentences at medium granularity, once per seed."""
    folder = arguments.data / "hotel"
    sentences = (folder / "sentences.txt").read_text(encoding="utf-8").splitlines()
    with (folder / "labelled_dev.tsv").open(encoding="utf-8", newline="") as lines:
        labelled = {row["text"]: row["aspect"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
    embeddings = vectors(sentences, "hotel", arguments.vectors, encoder)
    if arguments.quick:
        chosen = np.random.default_rng(0).permutation(len(sentences))[:QUICK]
        rows = sorted(set(chosen.tolist()) | {i for i, text in enumerate(sentences) if text in labelled})
        sentences, embeddings = [sentences[row] for row in rows], embeddings[rows]
    gold = {i: labelled[text] for i, text in enumerate(sentences) if labelled.get(text, "?") not in UNLABELLED}
    return [score(embeddings, gold, "medium", seed) for seed in range(arguments.seeds)]


def shop(arguments: argparse.Namespace, encoder: Encoder) -> list[dict]:
    """Group the shop's gold units at each granularity (so few units are grouped without any draw)."""
    lines = (arguments.data / "survey" / "shop.gold.jsonl").read_text(encoding="utf-8").splitlines()
    units = [unit for line in lines for unit in json.loads(line)["units"]]
    embeddings = vectors([unit["text"] for unit in units], "shop", arguments.vectors, encoder)
    gold = {i: unit["theme"] for i, unit in enumerate(units)}
    return [score(embeddings, gold, granularity, 0) for granularity in ("coarse", "medium", "fine")]


def score(embeddings: np.ndarray, gold: dict[int, str], granularity: str, seed: int) -> dict:
    """Return the figures of one run."""
    start = time.perf_counter()
    labels = ThemeModel(granularity, seed).fit_predict(embeddings)
    seconds = time.perf_counter() - start
    aspects = [row for row, theme in gold.items() if theme not in NO_ASPECT]
    return {
        "granularity": granularity,
        "seed": seed,
        "n": len(labels),
        "n_themes": int(labels.max()) + 1,
        "assigned": round(float((labels >= 0).mean()), 4),
        "seconds": round(seconds, 2),
        "all_labels": agreement(list(gold), gold, labels),
        "aspects": agreement(aspects, gold, labels),
    }


def agreement(rows: list[int], gold: dict[int, str], labels: np.ndarray) -> dict:
    """Return V-measure and ARI over some labelled rows."""
    truth, found = [gold[row] for row in rows], labels[rows]
    return {
        "n": len(rows),
        "n_gold": len(set(truth)),
        "v": round(float(v_measure_score(truth, found)), 4),
        "ari": round(float(adjusted_rand_score(truth, found)), 4),
    }


def vectors(texts: list[str], name: str, folder: Path | None, encoder: Encoder) -> np.ndarray:
    """Return the texts' vectors, kept in a folder if one is named."""
    path = folder / f"{name}.npy" if folder else None
    if path and path.exists() and len(kept := np.load(path)) == len(texts):
        return kept
    embeddings = encoder.encode(texts)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, embeddings)
    return embeddings


def conditions(encoder: Encoder, quick: bool) -> dict:
    """Return what the figures depend on."""
    return {
        "encoder": encoder.model_id,
        "prior": ThemePrior.from_pretrained().model_id,
        "quick": quick,
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "scikit-learn")},
        "cpus": os.cpu_count(),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
