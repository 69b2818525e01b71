"""Polarity and intent on a user's own encoder: logistic regression on its plain vectors.

Trained once per encoder from the shipped corpus, and kept as arrays in the user's cache folder.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from models.bundled import Progress, cache_folder
from models.corpus import Opinion, load_corpus
from models.embedding import Encoder
from models.sentiment import INTENTS, POLARITIES


class LinearHead:
    """Logits of polarity and intent as a linear map of sentence vectors."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        self.weight = weight
        self.bias = bias
        self.model_id = f"linear-{hashlib.sha256(weight.tobytes() + bias.tobytes()).hexdigest()[:12]}"

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Return logits (n, 8), float32: 3 of polarity, 5 of intent."""
        return (embeddings @ self.weight + self.bias).astype(np.float32)


def cached_linear_head(
    encoder: Encoder,
    *,
    opinions: list[Opinion] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LinearHead:
    """Return the head of an encoder, trained on first use.

    Parameters
    ----------
    opinions : list of Opinion, optional
        Default: the shipped corpus.
    cache : Path, optional
        Default: the user's cache folder.
    progress : callable, optional
        Called with (texts encoded, texts in all).
    """
    opinions = load_corpus() if opinions is None else opinions
    labelled = "\n".join(f"{opinion.text}\t{opinion.polarity}\t{opinion.intent}" for opinion in opinions)
    name = hashlib.sha256(f"{encoder.model_id}\n{labelled}".encode()).hexdigest()[:16]
    path = (cache or cache_folder()) / f"linear-head-{name}.safetensors"
    if not path.is_file():
        _write(train_linear_head(encoder.encode([o.text for o in opinions], progress=progress), opinions), path)
    arrays = load_file(path)
    return LinearHead(arrays["weight"], arrays["bias"])


def train_linear_head(embeddings: np.ndarray, opinions: list[Opinion]) -> LinearHead:
    """Return the head learned from vectors (n, dim) and their labels; a class nobody has gets no chance."""
    columns = [
        _fit(embeddings, [opinion.polarity for opinion in opinions], POLARITIES),
        _fit(embeddings, [opinion.intent for opinion in opinions], INTENTS),
    ]
    weight = np.hstack([weight for weight, _ in columns]).astype(np.float32)
    return LinearHead(weight, np.hstack([bias for _, bias in columns]).astype(np.float32))


def _fit(embeddings: np.ndarray, labels: list[str], classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    model = LogisticRegression(C=10, max_iter=2000).fit(embeddings, labels)
    weight, bias = np.zeros((embeddings.shape[1], len(classes))), np.full(len(classes), -30.0)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients, intercepts = np.vstack([0 * coefficients, coefficients]), np.hstack([0 * intercepts, intercepts])
    for row, name in enumerate(model.classes_):
        weight[:, classes.index(name)], bias[classes.index(name)] = coefficients[row], intercepts[row]
    return weight, bias


def _write(head: LinearHead, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    save_file({"weight": np.ascontiguousarray(head.weight), "bias": head.bias}, partial)
    os.replace(partial, path)
