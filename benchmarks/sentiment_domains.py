"""Polarity and intent in domains the model has not seen, beside a probe on the frozen encoder, and the learning curve.

    python -m benchmarks.sentiment_domains [--logits FILE]

Every domain of the corpus is predicted by a model trained on the other folds (models.training.domain_folds: five
domains are left out at a time; files that mix domains are left out in folds of their own, and everything about
hotels together). FILE is what `python -m models.training --logits FILE` kept; without it the folds are trained
here (half an hour on two cores). The probe is a logistic regression on the plain vectors, over the same folds.
The learning curve trains on a part of what lies outside one fold and is tested on that fold.
"""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from models.comments import labelled_opinions
from models.corpus import Opinion
from models.embedding import Encoder
from models.sentiment import POLARITIES
from models.training import (
    HiddenStates,
    calibration,
    domain_folds,
    label_numbers,
    out_of_domain_logits,
    predict_logits,
    train_module,
)

RESULT = Path(__file__).parent / "results" / "sentiment_domains.json"
SHARES = (0.125, 0.25, 0.5, 1.0)
CURVE_FOLD = 5  # hotels and reviews, and five domains: the fold least like the rest


def main(kept: Path | None) -> dict[str, Any]:
    """Measure, write the result beside this script and return it."""
    encoder, opinions = Encoder.from_pretrained(), labelled_opinions()
    states = HiddenStates(encoder, [opinion.text for opinion in opinions])
    logits = np.load(kept) if kept else out_of_domain_logits(encoder, opinions, states)
    tuned, probed = logits[:, : len(POLARITIES)].argmax(axis=1), probe(states.pooled.numpy(), opinions)
    by_domain = {
        domain: figures(opinions, [row for row, o in enumerate(opinions) if o.domain == domain], tuned, probed)
        for domain in sorted({opinion.domain for opinion in opinions})
    }
    worst = min(by_domain, key=lambda domain: by_domain[domain]["macro_f1"])
    result = {
        "macro_f1_mean": round(float(np.mean([row["macro_f1"] for row in by_domain.values()])), 4),
        "macro_f1_worst": [worst, by_domain[worst]["macro_f1"]],
        "probe_macro_f1_mean": round(float(np.mean([row["probe_macro_f1"] for row in by_domain.values()])), 4),
        "probe_macro_f1_worst": min(row["probe_macro_f1"] for row in by_domain.values()),
        "intent_accuracy": round(accuracy_score(label_numbers(opinions)[1], logits[:, 3:].argmax(axis=1)), 4),
        "calibration_error": calibration(logits, opinions)["calibration_error"],
        "domains": by_domain,
        "learning_curve": learning_curve(encoder, opinions, states),
        "conditions": {
            "corpus": f"{len(opinions)} distinct texts, {len(by_domain)} files",
            "encoder": encoder.model_id,
            "seed": 0,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, two cores",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def probe(embeddings: np.ndarray, opinions: list[Opinion]) -> np.ndarray:
    """Return the polarity of each opinion by logistic regression on plain vectors, out of domain, int (n,)."""
    folds, polarity = domain_folds(opinions), label_numbers(opinions)[0]
    centred = 20 * (embeddings - embeddings.mean(axis=0))
    read = np.zeros(len(opinions), np.int64)
    for fold in np.unique(folds):
        outside = folds != fold
        read[~outside] = LogisticRegression(max_iter=2000).fit(centred[outside], polarity[outside]).predict(
            centred[~outside]
        )
    return read


def figures(opinions: list[Opinion], rows: list[int], tuned: np.ndarray, probed: np.ndarray) -> dict[str, Any]:
    """Return the figures of one domain."""
    gold = label_numbers(opinions)[0][rows]
    return {
        "n": len(rows),
        "accuracy": round(accuracy_score(gold, tuned[rows]), 4),
        "macro_f1": round(f1_score(gold, tuned[rows], average="macro"), 4),
        "probe_macro_f1": round(f1_score(gold, probed[rows], average="macro"), 4),
    }


def learning_curve(encoder: Encoder, opinions: list[Opinion], states: HiddenStates) -> list[dict[str, Any]]:
    """Return accuracy and macro-F1 on one fold by the number of opinions learned from outside it."""
    inside = np.flatnonzero(domain_folds(opinions) == CURVE_FOLD).tolist()
    outside = np.random.default_rng(0).permutation(np.flatnonzero(domain_folds(opinions) != CURVE_FOLD))
    gold = label_numbers(opinions)[0][inside]
    curve = []
    for share in SHARES:
        rows = outside[: round(share * len(outside))].tolist()
        module = train_module(encoder, opinions, states, rows)
        read = predict_logits(module, states, inside)[:, : len(POLARITIES)].argmax(axis=1)
        accuracy, macro = accuracy_score(gold, read), f1_score(gold, read, average="macro")
        curve.append({"n": len(rows), "accuracy": round(accuracy, 4), "macro_f1": round(macro, 4)})
    return curve


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logits", type=Path)
    print(json.dumps(main(parser.parse_args().logits), ensure_ascii=False, indent=2))
