"""A linear-chain conditional random field over named features (Lafferty, McCallum and Pereira 2001).

Weights are a plain JSON table, so that tagging needs no library and reads no code. `fit_chain` learns them with
CRFsuite (Okazaki 2007), which only training needs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Features = Sequence[str]


@dataclass(frozen=True)
class Chain:
    """Fitted weights.

    Attributes
    ----------
    labels : tuple of str
    emissions : dict of str to ndarray, float32 (n_labels,)
        The weights of each feature.
    transitions : ndarray, float32 (n_labels, n_labels)
        From row to column.
    """

    labels: tuple[str, ...]
    emissions: dict[str, np.ndarray]
    transitions: np.ndarray

    @classmethod
    def from_json(cls, path: Path) -> "Chain":
        """Return the chain whose weights a file holds."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        n = len(stored["labels"])
        emissions = {}
        for name, pairs in stored["emissions"].items():
            row = np.zeros(n, dtype=np.float32)
            row[pairs[::2]] = pairs[1::2]
            emissions[name] = row / stored["scale"]
        transitions = np.array(stored["transitions"], dtype=np.float32) / stored["scale"]
        return cls(tuple(stored["labels"]), emissions, transitions)

    def to_json(self, path: Path, scale: int = 100) -> None:
        """Write the weights in whole hundredths, those that round to none left out."""
        rounded = {name: np.rint(row * scale).astype(int) for name, row in sorted(self.emissions.items())}
        pairs = {
            name: [int(value) for at in np.flatnonzero(row) for value in (at, row[at])]
            for name, row in rounded.items()
            if row.any()
        }
        stored = {
            "labels": self.labels,
            "scale": scale,
            "transitions": np.rint(self.transitions * scale).astype(int).tolist(),
            "emissions": pairs,
        }
        path.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")

    def marginals(self, sequence: Sequence[Features]) -> np.ndarray:
        """Return each position's probabilities of the labels, float64 (n, n_labels); by forward and backward passes."""
        n, size = len(sequence), len(self.labels)
        scores = np.zeros((n, size))
        known = self.emissions
        for row, features in zip(scores, sequence, strict=True):
            found = [known[name] for name in features if name in known]
            if found:
                row += np.sum(found, axis=0)
        emission = np.exp(scores - scores.max(axis=1, keepdims=True))
        step = np.exp(self.transitions.astype(float))
        forward, backward = np.empty((n, size)), np.ones((n, size))
        state = np.ones(size)
        for i in range(n):
            state = emission[i] * (state @ step if i else state)
            state /= state.sum()
            forward[i] = state
        for i in range(n - 1, 0, -1):
            backward[i - 1] = step @ (emission[i] * backward[i])
            backward[i - 1] /= backward[i - 1].sum()
        product = forward * backward
        return product / product.sum(axis=1, keepdims=True)


def fit_chain(
    sequences: Sequence[Sequence[Features]],
    labels: Sequence[Sequence[str]],
    *,
    l1: float = 0.1,
    l2: float = 0.05,
    min_count: int = 3,
    max_iterations: int = 60,
) -> Chain:
    """Return the chain that labelled sequences teach; the same input gives the same weights.

    Parameters
    ----------
    sequences, labels
        For each sequence the features and the label of every position.
    l1, l2 : float
        Regularisation; l1 leaves most features without weight.
    min_count : int
        Features that occur less often are left out.
    """
    import tempfile

    import pycrfsuite

    numbers: dict[str, str] = {}  # CRFsuite's dump cannot hold every character
    trainer = pycrfsuite.Trainer(verbose=False)
    for features, named in zip(sequences, labels, strict=True):
        numbered = [[numbers.setdefault(name, str(len(numbers))) for name in position] for position in features]
        trainer.append(numbered, list(named))
    trainer.set_params({"c1": l1, "c2": l2, "feature.minfreq": min_count, "max_iterations": max_iterations})
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "chain.crfsuite")
        trainer.train(model)
        tagger = pycrfsuite.Tagger()
        tagger.open(model)
        info = tagger.info()
        tagger.close()
    names = tuple(sorted(info.labels))
    written = {number: name for name, number in numbers.items()}
    place = {name: i for i, name in enumerate(names)}
    emissions: dict[str, np.ndarray] = {}
    for (feature, label), weight in info.state_features.items():
        emissions.setdefault(written[feature], np.zeros(len(names), dtype=np.float32))[place[label]] = weight
    transitions = np.zeros((len(names), len(names)), dtype=np.float32)
    for (left, right), weight in info.transitions.items():
        transitions[place[left], place[right]] = weight
    return Chain(names, emissions, transitions)
