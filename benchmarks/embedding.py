"""Speed and agreement of the bundled encoder: python benchmarks/embedding.py FOLDER [--sentences N] [--rounds N].

FOLDER holds jsts_valid.tsv (JGLUE JSTS v1.3 validation; Kurihara et al. 2022): sentence pairs with a similarity from 0
to 5, whose Spearman rank correlation with the cosine is reported; and hotel/sentences.txt, a sentence a line. In each
round a part of the sentences goes through our encoder, through it with polarity and intent, and through the ``encode``
of sentence-transformers with its defaults and the same model in float32, in turned order from round to round; every
sentence is encoded once by each. Ratios are the medians over the rounds, in wall time and in processor time; the
latter is the fairer one where other work shares the machine.
"""

import argparse
import csv
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer

from models.bundled import bundled_model_folder
from models.embedding import Encoder
from models.sentiment import SentimentClassifier

RESULT = Path(__file__).parent / "results" / "embedding.json"
WAYS = ("ours", "ours_with_sentiment", "sentence_transformers")


def main() -> None:
    """Measure, print the result and write it beside this script."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, help="a sample instead of all")
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained()
    classifier = SentimentClassifier.from_pretrained(encoder)
    reference = SentenceTransformer(str(bundled_model_folder()), device="cpu")
    ways: dict[str, Callable[[list[str]], np.ndarray]] = {
        "ours": encoder.encode,
        "ours_with_sentiment": lambda texts: classifier.encode_with_logits(texts)[0],
        "sentence_transformers": lambda texts: reference.encode(texts, prompt=encoder.prompt),
    }
    sentences = (arguments.folder / "hotel" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    chosen = np.random.default_rng(0).permutation(len(sentences))[: arguments.sentences]
    parts = [[sentences[row] for row in part] for part in np.array_split(chosen, arguments.rounds)]
    result = {
        "hotel": compared(ways, parts),
        "jsts": {name: jsts(ways[name], arguments.folder) for name in ("ours", "sentence_transformers")},
        "conditions": conditions(encoder),
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=2))


def compared(ways: dict[str, Callable[[list[str]], np.ndarray]], parts: list[list[str]]) -> dict[str, Any]:
    """Return texts per second of every way, ratios, and cosines to the last way's vectors."""
    for encode in ways.values():
        encode(parts[0][:64])  # first calls allocate
    wall, processor = ({name: [] for name in ways} for _ in range(2))
    cosines = []
    for turn, part in enumerate(parts):
        vectors = {}
        for name in np.roll(WAYS, turn).tolist():
            started = time.perf_counter(), time.process_time()
            vectors[name] = ways[name](part)
            wall[name].append((time.perf_counter() - started[0]) / len(part))
            processor[name].append((time.process_time() - started[1]) / len(part))
        cosines.append((vectors["ours"] * vectors["sentence_transformers"]).sum(axis=1))
        speeds = ", ".join(f"{name} {1 / wall[name][-1]:.0f}" for name in WAYS)
        print(f"round {turn + 1} of {len(parts)}, texts/s: {speeds}", flush=True)
    found = np.concatenate(cosines)
    return {
        "n_sentences": sum(map(len, parts)),
        "rounds": len(parts),
        "texts_per_second": {name: round(float(1 / np.median(wall[name]))) for name in ways},
        "texts_per_processor_second": {name: round(float(1 / np.median(processor[name]))) for name in ways},
        "times_as_fast_as_sentence_transformers": {
            "wall": ratio(wall["sentence_transformers"], wall["ours"]),
            "processor": ratio(processor["sentence_transformers"], processor["ours"]),
        },
        "cost_with_sentiment": {
            "wall": ratio(wall["ours_with_sentiment"], wall["ours"]),
            "processor": ratio(processor["ours_with_sentiment"], processor["ours"]),
        },
        "cosine_to_sentence_transformers": {
            "worst": round(float(found.min()), 5),
            "mean": round(float(found.mean()), 5),
        },
    }


def ratio(numerators: list[float], denominators: list[float]) -> dict[str, float]:
    """Return the median of the rounds' ratios, and the least and the largest."""
    ratios = np.array(numerators) / np.array(denominators)
    named = {"median": np.median(ratios), "least": ratios.min(), "largest": ratios.max()}
    return {name: round(float(value), 2) for name, value in named.items()}


def jsts(encode: Callable[[list[str]], np.ndarray], folder: Path) -> dict[str, Any]:
    """Return Spearman's correlation of cosine and judged similarity."""
    with (folder / "jsts_valid.tsv").open(encoding="utf-8", newline="") as lines:
        pairs = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    first, second = (encode([pair[key] for pair in pairs]) for key in ("sentence1", "sentence2"))
    correlation = spearmanr((first * second).sum(axis=1), [float(pair["similarity"]) for pair in pairs]).statistic
    return {"spearman": round(float(correlation), 4), "n_pairs": len(pairs)}


def conditions(encoder: Encoder) -> dict[str, Any]:
    """Return what the figures depend on."""
    capabilities = torch.cpu.get_capabilities()
    quick = ("avx2", "avx512_f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8")
    return {
        "encoder": encoder.model_id,
        "processor": capabilities.get("cpu_name", platform.machine()),
        "instructions": [name for name in quick if capabilities.get(name)],
        "threads": torch.get_num_threads(),
        "load_average_at_the_end": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
