"""What our corpus knows about themes: a small map from sentence vectors to theme vectors.

Which difference makes another theme is something people know and a plain encoder does not: its vectors
separate praise from complaint and question from statement as readily as delivery from price. Our corpus
has some 400 themes in 31 domains, each with a line of description. The map is trained to bring opinions of
one theme together and those of the domain's other themes apart (supervised contrastive learning, Khosla et
al. 2020, arXiv:2004.11362), and to bring an opinion to its theme's own name and description (cross-entropy
over the domain's names, as in prototypical networks, Snell et al. 2017, arXiv:1703.05175). So a theme can be
found where nobody has named it, and matched where all that is known is its name. Both losses look at one
domain at a time, so that what is learned holds in a domain never seen. Opinions are centred per domain: the
direction all units of a deployment share says nothing about their themes. Texts are centred on the corpus'
names. Several maps from different random starts stand side by side: their mean cosine is steadier than one.

Beside the learned vector stand, with smaller weight, the plain vector and the square roots of the
probabilities that a logistic regression gives the corpus' themes.

Train again with ``python -m models.theme_prior --corpus DIR`` (some minutes).
"""

import argparse
import hashlib
import importlib.resources
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.corpus import load_corpus, load_theme_sets

if TYPE_CHECKING:
    import torch

WEIGHTS = importlib.resources.files("models") / "weights" / "theme_prior"
N_MAPS = 5
# Pseudo-units at the corpus' mean: a handful of units has no mean of its own to speak of.
_MEAN_WEIGHT = 30
# Shares of the plain vector and of the probabilities beside the learned vector (folds of the corpus).
_PLAIN, _CHANCES = 0.5, 0.7
_SCALE = np.float32(20)  # spreads plain vectors, which lie close together, for the regression
_CHUNK = 2048
# Places of the layers in the network that is trained.
_TENSORS = {"w1": "1.weight", "b1": "1.bias", "w2": "4.weight", "b2": "4.bias"}
_ARRAYS = ("center", "text_center", "w1", "b1", "w2", "b2", "weights", "bias", "themes")

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class LabelledSet(NamedTuple):
    """Opinions among whose themes people would choose, with what describes each theme.

    Attributes
    ----------
    names : tuple of str
        The themes.
    embeddings : ndarray, (n, dim)
        Unit vectors of the opinions.
    labels : ndarray of int, (n,)
        The place of each opinion's theme in names.
    texts : ndarray, (n_themes, n_views, dim)
        Unit vectors of each theme's name, description, and both in one.
    """

    names: tuple[str, ...]
    embeddings: Floats
    labels: NDArray[np.int64]
    texts: Floats


@dataclass(frozen=True)
class ThemePrior:
    """The learned maps; made by :meth:`from_pretrained` or :func:`train`.

    Attributes
    ----------
    model_id : str
        Names the weights.
    encoder_id : str
        The encoder whose vectors it reads (without its precision).
    center, text_center : ndarray, (dim,)
        The mean vector of the corpus' opinions, and of its themes' names and descriptions.
    w1, b1, w2, b2 : ndarray, (n_maps, …)
        Two layers with GELU between them, once per map.
    weights, bias : ndarray, (dim, n_corpus_themes) and (n_corpus_themes,)
        Logistic regression from plain vectors to the corpus' themes.
    themes : ndarray, (n_corpus_themes, n_maps * map_dim)
        Unit mean vector of each theme of the corpus in learned space.
    names : tuple of str
        Their names, such as 「配送・送料」; a name occurs once per set of themes that has it.
    """

    model_id: str
    encoder_id: str
    center: Floats
    text_center: Floats
    w1: Floats
    b1: Floats
    w2: Floats
    b2: Floats
    weights: Floats
    bias: Floats
    themes: Floats
    names: tuple[str, ...]

    @classmethod
    def from_pretrained(cls, folder: Path | Traversable = WEIGHTS) -> "ThemePrior":
        """Return the prior that ships with kikitori, or the one in a folder.

        Raises
        ------
        ValueError
            If the folder holds no prior, or one of an earlier layout.
        """
        from safetensors.numpy import load

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            arrays = load((folder / "model.safetensors").read_bytes())
            weights = {name: arrays[name].astype(np.float32) for name in _ARRAYS}
        except (OSError, KeyError) as error:
            raise ValueError(
                f"no theme prior at {folder}: expected config.json and model.safetensors with {', '.join(_ARRAYS)}; "
                "train one with python -m models.theme_prior"
            ) from error
        return cls(model_id=config["model_id"], encoder_id=config["encoder"], names=tuple(config["names"]), **weights)

    @property
    def dim(self) -> int:
        """Length of the vectors it reads."""
        return len(self.center)

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors (float16) into a folder."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        # safetensors writes an array's memory as it lies: transposed arrays must be copied first.
        arrays = {name: np.ascontiguousarray(getattr(self, name), np.float16) for name in _ARRAYS}
        (folder / "model.safetensors").write_bytes(save(arrays))
        config = {"model_id": self.model_id, "encoder": self.encoder_id, "names": list(self.names)}
        text = json.dumps(config, ensure_ascii=False, indent=1)
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")

    def mean(self, embeddings: NDArray[np.floating]) -> Floats:
        """Return the mean of the embeddings, drawn to the corpus' mean where they are few."""
        total = embeddings.astype(np.float64).sum(axis=0) + _MEAN_WEIGHT * self.center.astype(np.float64)
        return (total / (len(embeddings) + _MEAN_WEIGHT)).astype(np.float32)

    def transform(self, embeddings: NDArray[np.floating], mean: Floats) -> Floats:
        """Return theme vectors, unit length, float32 (n, k), of embeddings around their mean.

        Computed in float64 and rounded: a row comes out the same whatever stands beside it.
        """
        parts = [self._views(embeddings[i : i + _CHUNK], mean) for i in range(0, len(embeddings), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, self._width), np.float32)

    def nearest_names(self, vector: NDArray[np.floating], n: int = 3) -> list[tuple[str, float]]:
        """Return the n corpus theme names nearest to a theme vector, with their cosine, nearest first."""
        best: dict[str, float] = {}
        mapped = unit(vector[None, : self.themes.shape[1]])[0]
        for name, cosine in zip(self.names, (self.themes @ mapped).tolist(), strict=True):
            best[name] = max(cosine, best.get(name, -1.0))
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:n]

    @property
    def _width(self) -> int:
        return self.b2.size + self.dim + len(self.bias)

    def _views(self, embeddings: NDArray[np.floating], mean: Floats) -> Floats:
        """Return the learned vector, the plain one and the likeness to the corpus' themes side by side."""
        rows = np.asarray(embeddings, np.float64)
        logits = _SCALE * (rows - self.center) @ self.weights + self.bias
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        views = [self._map(rows, mean), _PLAIN * unit(rows - mean), _CHANCES * np.sqrt(chances)]
        return (np.hstack(views) / np.sqrt(1 + _PLAIN**2 + _CHANCES**2)).astype(np.float32)

    def _map(self, embeddings: Doubles, mean: NDArray[np.floating]) -> Doubles:
        from scipy.special import erf

        inputs = _centred(embeddings, mean)
        mapped = []
        for w1, b1, w2, b2 in zip(self.w1, self.b1, self.w2, self.b2, strict=True):
            hidden = inputs @ w1.astype(np.float64) + b1
            hidden *= 0.5 * (1 + erf(hidden / np.sqrt(2)))
            mapped.append(unit(hidden @ w2.astype(np.float64) + b2))
        return np.hstack(mapped) / np.sqrt(len(mapped))


def prior_for(model_id: str) -> ThemePrior | None:
    """Return the prior that ships with kikitori for the encoder it was learned from, None for another."""
    prior = ThemePrior.from_pretrained()
    return prior if model_id.startswith(prior.encoder_id) else None


def train(
    sets: Sequence[LabelledSet],
    *,
    encoder_id: str = "",
    n_maps: int = N_MAPS,
    hidden: int = 512,
    map_dim: int = 64,
    epochs: int = 20,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-2,
    temperature: float = 0.1,
    dropout: float = 0.3,
    seed: int = 0,
) -> ThemePrior:
    """Return the prior learned from labelled sets of opinions.

    One step looks at one whole set: each opinion is drawn to those of its theme and to its theme's texts,
    and pushed from the set's others. The settings were chosen on folds that leave whole domains out.
    """
    from sklearn.linear_model import LogisticRegression

    embeddings = np.concatenate([part.embeddings for part in sets])
    center = _stored(embeddings.mean(axis=0))
    text_center = _stored(np.concatenate([part.texts.reshape(-1, part.texts.shape[-1]) for part in sets]).mean(axis=0))
    batches = [_batch(part, text_center) for part in sets]
    states = [
        _train_map(batches, hidden, map_dim, epochs, learning_rate, weight_decay, temperature, dropout, seed + k)
        for k in range(n_maps)
    ]
    weights = {name: _stored(np.stack([s[key].T for s in states])) for name, key in _TENSORS.items()}
    targets = np.concatenate([_classes(sets)[k] + part.labels for k, part in enumerate(sets)])
    regression = LogisticRegression(C=0.3, max_iter=1000).fit(_SCALE * (embeddings - center), targets)
    weights |= {"weights": _stored(regression.coef_.T), "bias": _stored(regression.intercept_)}
    digest = hashlib.sha256(b"".join(array.tobytes() for array in (center, text_center, *weights.values())))
    nameless = ThemePrior(
        model_id="theme-prior-" + digest.hexdigest()[:12],
        encoder_id=encoder_id,
        center=center,
        text_center=text_center,
        themes=np.zeros((0, n_maps * map_dim), np.float32),
        names=(),
        **weights,
    )
    means = [_theme_means(nameless, part) for part in sets]
    return replace(nameless, themes=np.concatenate(means), names=tuple(name for part in sets for name in part.names))


def labelled_sets(encode: Callable[[list[str]], Floats], folder: Path | None = None) -> list[LabelledSet]:
    """Return the corpus' sets of themes with their opinions, as vectors of an encoder.

    Raises
    ------
    ValueError
        If the folder defines no themes, or a defined theme has no opinion.
    """
    opinions, sets = load_corpus(folder), load_theme_sets(folder)
    vectors = encode([opinion.text for opinion in opinions])
    found = []
    for part in sets:
        rows = [row for row, opinion in enumerate(opinions) if part.holds(opinion)]
        names = tuple(part.definitions)
        missing = set(names) - {opinions[row].theme for row in rows}
        if missing:
            raise ValueError(f"themes.toml [{part.name}]: no opinion of {', '.join(sorted(missing))} in the corpus")
        texts = [text for name in names for text in theme_texts(name, part.definitions[name])]
        labels = np.array([names.index(opinions[row].theme) for row in rows])
        found.append(LabelledSet(names, vectors[rows], labels, encode(texts).reshape(len(names), -1, vectors.shape[1])))
    return found


def theme_texts(name: str, description: str) -> list[str]:
    """Return the texts that stand for a theme: name, description, and both in one."""
    return [name, description, f"{name}。{description}"] if description else [name]


def _batch(part: LabelledSet, text_center: Floats) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    import torch

    inputs = _centred(part.embeddings, part.embeddings.mean(axis=0)).astype(np.float32)
    texts = _centred(part.texts, text_center).astype(np.float32)
    return torch.from_numpy(inputs), torch.from_numpy(part.labels), torch.from_numpy(texts)


def _train_map(
    batches: "list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]",
    hidden: int,
    map_dim: int,
    epochs: int,
    learning_rate: float,
    weight_decay: float,
    temperature: float,
    dropout: float,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """Return the weights of one map."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = torch.nn.Sequential(
        torch.nn.Dropout(dropout),
        torch.nn.Linear(batches[0][0].shape[1], hidden),
        torch.nn.GELU(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(hidden, map_dim),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * len(batches))
    for _ in range(epochs):
        for place in rng.permutation(len(batches)):
            inputs, labels, texts = batches[place]
            opinions = torch.nn.functional.normalize(network(inputs), dim=1)
            views = torch.nn.functional.normalize(network(texts), dim=2)
            loss = contrastive_loss(opinions, labels, temperature) + _naming_loss(opinions, labels, views, temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return {key: value.numpy() for key, value in network.state_dict().items()}


def contrastive_loss(vectors: "torch.Tensor", labels: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """Return the supervised contrastive loss of unit vectors (n, dim) with their labels (n,)."""
    import torch

    similarity = vectors @ vectors.T / temperature
    similarity.fill_diagonal_(-1e4)
    together = labels[:, None] == labels[None]
    together.fill_diagonal_(False)
    log_share = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    loss = -(log_share * together).sum(dim=1) / together.sum(dim=1).clamp(min=1)
    return loss[together.any(dim=1)].mean()


def _naming_loss(
    vectors: "torch.Tensor", labels: "torch.Tensor", views: "torch.Tensor", temperature: float
) -> "torch.Tensor":
    """Return the cross-entropy of each opinion's theme among the texts of all, mean over the kinds of text."""
    import torch

    kinds = [vectors @ views[:, kind].T / temperature for kind in range(views.shape[1])]
    return torch.stack([torch.nn.functional.cross_entropy(logits, labels) for logits in kinds]).mean()


def _classes(sets: Sequence[LabelledSet]) -> NDArray[np.int64]:
    """Return the number of the first theme of each set."""
    return np.cumsum([0, *(len(part.names) for part in sets[:-1])])


def _theme_means(prior: ThemePrior, part: LabelledSet) -> Floats:
    vectors = prior._map(np.asarray(part.embeddings, np.float64), part.embeddings.mean(axis=0))
    sums = np.zeros((len(part.names), vectors.shape[1]))
    np.add.at(sums, part.labels, vectors)
    return unit(sums).astype(np.float32)


def _stored(values: Any) -> Floats:
    """Return the values as they come back from float16 storage."""
    return np.ascontiguousarray(values, np.float16).astype(np.float32)


def _centred(embeddings: NDArray[np.floating], mean: NDArray[np.floating]) -> Doubles:
    """Return directions from the mean, each component of size about 1."""
    return unit(np.asarray(embeddings, np.float64) - mean) * np.sqrt(embeddings.shape[-1])


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the rows at length 1 (a zero row stays)."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def _main() -> None:
    from models.embedding import Encoder

    parser = argparse.ArgumentParser(description="Train the theme prior from the labelled corpus.")
    parser.add_argument("--corpus", type=Path, help="folder of DOMAIN.tsv and themes.toml (default: this package's)")
    parser.add_argument("--out", type=Path, default=Path(str(WEIGHTS)), help="folder for the weights")
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained()
    sets = labelled_sets(encoder.encode, arguments.corpus)
    prior = train(sets, encoder_id=encoder.model_id.rsplit("|", 1)[0])
    prior.save(arguments.out)
    print(f"{prior.model_id}: {len(prior.names)} themes in {len(sets)} sets in {arguments.out}")


if __name__ == "__main__":
    _main()
