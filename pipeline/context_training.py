"""Learn how a unit's neighbours move its polarity: ``python -m pipeline.context_training --weights FOLDER``.

FOLDER holds polarity weights that learned from the corpus' lines alone (``python -m models.training --lines-only``): a
model that has seen the comments reads them too well to need their context. The comments are cut into units as a night
cuts them; a unit's label is that of the clauses it covers. Each trade is first predicted by weights that the others
taught, for the card; the shipped ones learned from all.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from models.comments import Comment, load_comments
from models.sentiment import POLARITIES, SentimentClassifier
from pipeline.cleanse import mask_patterns, normalise_text
from pipeline.context import N_FEATURES, WEIGHTS, Context, as_tables, features, places, readings
from pipeline.encode import Encoded
from pipeline.parse import shared_parser
from pipeline.segment import annotate
from pipeline.turns import cut_at_turns

Floats = NDArray[np.floating]
LEAST = 3  # characters of a clause in a unit, for it to count
PENALTY = 0.002  # of the squared weights, in nats per unit


class Examples(NamedTuple):
    """Units of comments.

    Attributes
    ----------
    logits : ndarray of float32, (n, 3)
        Calibrated polarity, each unit read alone.
    features : ndarray of float64, (n, N_FEATURES)
        What stands beside it.
    labels : ndarray of int, (n,)
        Places in POLARITIES; −1 for a unit that holds both praise and complaint.
    trades : ndarray of str, (n,)
    comments : ndarray of int, (n,)
        Numbers of their comments.
    """

    logits: Floats
    features: Floats
    labels: NDArray[np.integer]
    trades: NDArray[np.str_]
    comments: NDArray[np.integer]


def examples(comments: Sequence[Comment], classifier: SentimentClassifier) -> Examples:
    """Return the units of comments as a night makes them; comments that masking changes are left out."""
    written = {normalise_text(comment.text): comment for comment in comments}
    whole = [text for text, comment in written.items() if clause_spans(comment)[-1][1] == len(text)]
    texts = [text for text in whole if mask_patterns(text) == text]
    annotated = [a for a, text in zip(annotate(texts, shared_parser()), texts, strict=True) if a.text == text]
    annotated = cut_at_turns(annotated, classifier.predict_proba)
    units, feedback = as_tables(annotated)
    numbers = units["feedback_id"].cast(pl.Int64).to_numpy()
    mine = [written[annotated[number].text] for number in numbers]
    labels = [
        label_of(start, end, clause_spans(comment))
        for start, end, comment in zip(units["start"], units["end"], mine, strict=True)
    ]
    embeddings, logits = classifier.encode_with_logits(units["unit_text"].to_list())
    encoded = Encoded(embeddings, classifier.calibrated(logits))
    beside = features(readings(encoded), places(units, feedback), np.arange(units.height))
    polarity = encoded.logits[:, : len(POLARITIES)]
    return Examples(polarity, beside, np.array(labels), np.array([comment.trade for comment in mine]), numbers)


def clause_spans(comment: Comment) -> list[tuple[int, int, str]]:
    """Return (start, end, polarity) of the clauses in the normalised text."""
    spans, start = [], 0
    for clause, piece in zip(comment.clauses, comment.pieces, strict=True):
        end = start + len(normalise_text(piece.strip())) + piece.endswith("\n")
        spans.append((start, end, clause.polarity))
        start = end
    return spans


def label_of(start: int, end: int, spans: Sequence[tuple[int, int, str]]) -> int:
    """Return the polarity of what a unit from start to end covers, −1 where that is both praise and complaint."""
    covered = dict.fromkeys(POLARITIES, 0)
    for first, last, polarity in spans:
        covered[polarity] += max(0, min(last, end) - max(first, start))
    if min(covered["negative"], covered["positive"]) >= LEAST:
        return -1
    valued = max(("negative", "positive"), key=lambda polarity: covered[polarity])
    return POLARITIES.index(valued if covered[valued] >= LEAST else "neutral")


def fit(known: Examples, penalty: float = PENALTY) -> Context:
    """Return the weights under which the labels of units with neighbours are likeliest."""
    used = (known.labels >= 0) & known.features.any(axis=1)
    logits, beside, labels = known.logits[used].astype(np.float64), known.features[used], known.labels[used]
    target = np.eye(len(POLARITIES))[labels]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weight = flat.reshape(N_FEATURES, len(POLARITIES))
        moved = logits + beside @ weight
        value = -(target * log_softmax(moved, axis=1)).sum() / len(labels) + penalty * (weight**2).sum()
        slope = beside.T @ (softmax(moved, axis=1) - target) / len(labels) + 2 * penalty * weight
        return float(value), slope.ravel()

    found = minimize(loss, np.zeros(N_FEATURES * len(POLARITIES)), jac=True, method="L-BFGS-B")
    return Context(found.x.reshape(N_FEATURES, len(POLARITIES)))


def figures(known: Examples, logits: Floats) -> dict[str, Any]:
    """Return how many units with neighbours are read right, and in how many mixed comments both polarities are."""
    read, used = logits.argmax(axis=1), (known.labels >= 0) & known.features.any(axis=1)
    valued = used & (known.labels != POLARITIES.index("neutral"))
    both = mixed = 0
    for number in np.unique(known.comments[used]):
        mine = used & (known.comments == number)
        if {0, 2} <= set(known.labels[mine].tolist()):
            mixed += 1
            both += {0, 2} <= set(read[mine].tolist())
    return {
        "units": int(used.sum()),
        "right": round(float((read == known.labels)[used].mean()), 4),
        "right where valued": round(float((read == known.labels)[valued].mean()), 4),
        "mixed comments": mixed,
        "both polarities found": round(both / max(mixed, 1), 4),
    }


def main() -> None:
    """Predict each trade from the others, fit on all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="polarity weights that have not seen the comments")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    classifier = SentimentClassifier.from_pretrained(weights=arguments.weights)
    known = examples(load_comments(), classifier)
    left_out = known.logits.astype(np.float64)
    for trade in np.unique(known.trades):
        inside = known.trades == trade
        context = fit(Examples(*(column[~inside] for column in known)))
        left_out[inside] += known.features[inside] @ context.weight
    card = {
        "classifier": classifier.model_id,
        "alone": figures(known, known.logits),
        "in context, trade left out": figures(known, left_out),
    }
    fit(known).to_json(arguments.out, card)
    print(arguments.out, card)


if __name__ == "__main__":
    main()
