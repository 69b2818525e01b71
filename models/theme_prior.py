"""What our corpus knows about themes: a small map from sentence vectors to theme vectors.

Which difference makes another theme is something people know and a plain encoder does not: its vectors
separate praise from complaint and question from statement as readily as delivery from price. Our corpus
has some 360 themes in 30 domains; the map is trained to bring opinions of one theme together and those of
the domain's other themes apart (supervised contrastive learning, Khosla et al. 2020, arXiv:2004.11362),
always within one domain, so that what it learns holds in a domain it has never seen. Vectors are centred
per domain before the map: the direction all units of a deployment share says nothing about their themes.

Beside the learned vector stand, with smaller weight, the plain vector and the square roots of the
probabilities that a logistic regression gives the corpus' themes: together they did better on domains left
out than any of them alone (V 0.498 at 15 groups; 0.490 learned, 0.445 regression, 0.30 plain).

Train again with ``python -m models.theme_prior --corpus DIR`` (a minute after encoding).
"""

import argparse
import hashlib
import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.corpus import Opinion, load_corpus

if TYPE_CHECKING:
    import torch

WEIGHTS = importlib.resources.files("models") / "weights" / "theme_prior"
_OVERALL, _MAX_THEMES = "総合・再利用意向", 20
# Pseudo-units at the corpus' mean: a handful of units has no mean of its own to speak of.
_MEAN_WEIGHT = 30
# Shares of the plain vector and of the probabilities beside the learned vector (folds of the corpus).
_PLAIN, _CHANCES = 0.5, 0.7
_SCALE = np.float32(20)  # spreads plain vectors, which lie close together, for the regression
_CHUNK = 8192
# Places of the layers in the network that is trained.
_TENSORS = {"w1": "1.weight", "b1": "1.bias", "w2": "4.weight", "b2": "4.bias"}
_ARRAYS = ("center", "w1", "b1", "w2", "b2", "weights", "bias", "themes")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ThemePrior:
    """The learned map; made by :meth:`from_pretrained` or :func:`train`.

    Attributes
    ----------
    model_id : str
        Names the weights.
    encoder_id : str
        The encoder whose vectors it reads (without its precision).
    center : ndarray, (dim,)
        The corpus' mean vector.
    w1, b1, w2, b2 : ndarray
        Two layers with GELU between them.
    weights, bias : ndarray, (dim, n_corpus_themes) and (n_corpus_themes,)
        Logistic regression from plain vectors to the corpus' themes.
    themes : ndarray, (n_corpus_themes, theme_dim)
        Unit mean vector of each theme of the corpus in theme space.
    names : tuple of str
        Their names, such as 「配送・送料」; a name occurs once per domain that has it.
    """

    model_id: str
    encoder_id: str
    center: Floats
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
            If the folder holds no prior.
        """
        from safetensors.numpy import load

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            arrays = load((folder / "model.safetensors").read_bytes())
        except OSError as error:
            raise ValueError(
                f"no theme prior at {folder}: expected config.json and model.safetensors; "
                "train one with python -m models.theme_prior"
            ) from error
        weights = {name: arrays[name].astype(np.float32) for name in _ARRAYS}
        return cls(model_id=config["model_id"], encoder_id=config["encoder"], names=tuple(config["names"]), **weights)

    @property
    def dim(self) -> int:
        """Length of the vectors it reads."""
        return int(self.w1.shape[0])

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
        """Return theme vectors, unit length, float32 (n, k), of embeddings around their mean."""
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
        return len(self.b2) + self.dim + len(self.bias)

    def _views(self, embeddings: NDArray[np.floating], mean: Floats) -> Floats:
        """Return the learned vector, the plain one and the likeness to the corpus' themes side by side."""
        plain = unit(embeddings - mean)
        logits = _SCALE * (embeddings - self.center) @ self.weights + self.bias
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        views = [self._map(embeddings, mean), _PLAIN * plain, _CHANCES * np.sqrt(chances)]
        return (np.hstack(views) / np.sqrt(1 + _PLAIN**2 + _CHANCES**2)).astype(np.float32)

    def _map(self, embeddings: NDArray[np.floating], mean: Floats) -> Floats:
        from scipy.special import erf

        hidden = _centred(embeddings, mean) @ self.w1 + self.b1
        hidden = hidden * 0.5 * (1 + erf(hidden / np.sqrt(np.float32(2))))
        return unit(hidden @ self.w2 + self.b2).astype(np.float32)


def train(
    embeddings: Floats,
    domains: Sequence[str],
    themes: Sequence[str],
    *,
    encoder_id: str = "",
    hidden: int = 512,
    theme_dim: int = 64,
    epochs: int = 20,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-2,
    temperature: float = 0.1,
    dropout: float = 0.3,
    seed: int = 0,
) -> ThemePrior:
    """Return the prior learned from labelled opinions; row i of every argument is opinion i.

    One step looks at one whole domain: each opinion is drawn to those of its theme and pushed from the
    domain's others. The settings were chosen on folds that leave whole domains out.
    """
    import torch
    from sklearn.linear_model import LogisticRegression

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    domain, theme = np.asarray(domains), np.asarray(themes)
    batches = []
    for name in np.unique(domain):
        rows = np.flatnonzero(domain == name)
        inputs = _centred(embeddings[rows], embeddings[rows].mean(axis=0))
        labels = np.unique(theme[rows], return_inverse=True)[1]
        batches.append((torch.from_numpy(inputs), torch.from_numpy(labels)))

    network = torch.nn.Sequential(
        torch.nn.Dropout(dropout),
        torch.nn.Linear(embeddings.shape[1], hidden),
        torch.nn.GELU(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(hidden, theme_dim),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * len(batches))
    for _ in range(epochs):
        for batch in rng.permutation(len(batches)):
            inputs, labels = batches[batch]
            loss = _contrastive_loss(network(inputs), labels, temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    state = network.state_dict()
    center = _stored(embeddings.mean(axis=0))
    weights = {name: _stored(state[key].numpy().T) for name, key in _TENSORS.items()}
    classes, targets = np.unique(np.char.add(np.char.add(domain, "/"), theme), return_inverse=True)
    regression = LogisticRegression(C=0.3, max_iter=1000).fit(_SCALE * (embeddings - center), targets)
    weights |= {"weights": _stored(regression.coef_.T), "bias": _stored(regression.intercept_)}
    digest = hashlib.sha256(b"".join(array.tobytes() for array in (center, *weights.values())))
    model_id = "theme-prior-" + digest.hexdigest()[:12]
    nameless = ThemePrior(
        model_id=model_id,
        encoder_id=encoder_id,
        center=center,
        themes=np.zeros((0, theme_dim), np.float32),
        names=(),
        **weights,
    )
    means = np.zeros((len(classes), theme_dim), np.float32)
    for name in np.unique(domain):
        inside = domain == name
        vectors = nameless._map(embeddings[inside], embeddings[inside].mean(axis=0))
        for target in np.unique(targets[inside]):
            means[target] = unit(vectors[targets[inside] == target].mean(axis=0)[None])[0]
    return replace(nameless, themes=means, names=tuple(str(name).split("/", 1)[1] for name in classes))


def domain_opinions(folder: Path | None = None) -> list[Opinion]:
    """Return the opinions of the corpus' domains.

    A file is a domain if it has the theme every domain has and at most 20 themes: files that mix domains
    or collect phenomena of language do not say which opinions belong apart.

    Raises
    ------
    ValueError
        If the folder holds no labelled domain.
    """
    opinions = load_corpus(folder)
    themes: dict[str, set[str]] = {}
    for opinion in opinions:
        themes.setdefault(opinion.domain, set()).add(opinion.theme)
    domains = {domain for domain, held in themes.items() if _OVERALL in held and len(held) <= _MAX_THEMES}
    if not domains:
        raise ValueError(f"no labelled corpus in {folder}: expected DOMAIN.tsv with text, theme, polarity, intent")
    return [opinion for opinion in opinions if opinion.domain in domains]


def _contrastive_loss(outputs: "torch.Tensor", labels: "torch.Tensor", temperature: float) -> "torch.Tensor":
    import torch

    vectors = torch.nn.functional.normalize(outputs, dim=1)
    similarity = vectors @ vectors.T / temperature
    similarity.fill_diagonal_(-1e4)
    together = labels[:, None] == labels[None]
    together.fill_diagonal_(False)
    log_share = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    loss = -(log_share * together).sum(dim=1) / together.sum(dim=1).clamp(min=1)
    return loss[together.any(dim=1)].mean()


def _stored(values: Any) -> Floats:
    """Return the values as they come back from float16 storage."""
    return np.ascontiguousarray(values, np.float16).astype(np.float32)


def _centred(embeddings: NDArray[np.floating], mean: NDArray[np.floating]) -> Floats:
    """Return directions from the mean, each component of size about 1."""
    scale = np.float32(np.sqrt(embeddings.shape[1]))
    return (unit(np.asarray(embeddings, np.float32) - mean) * scale).astype(np.float32)


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the rows at length 1 (a zero row stays)."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _main() -> None:
    from models.embedding import Encoder

    parser = argparse.ArgumentParser(description="Train the theme prior from the labelled corpus.")
    parser.add_argument("--corpus", type=Path, help="folder of DOMAIN.tsv (default: the corpus of this package)")
    parser.add_argument("--out", type=Path, default=Path(str(WEIGHTS)), help="folder for the weights")
    arguments = parser.parse_args()
    opinions = domain_opinions(arguments.corpus)
    domains, themes = [opinion.domain for opinion in opinions], [opinion.theme for opinion in opinions]
    encoder = Encoder.from_pretrained()
    texts = [opinion.text for opinion in opinions]
    embeddings = encoder.encode(texts, progress=lambda done, total: print(f"\r{done}/{total}", end="", flush=True))
    encoder_id = encoder.model_id.rsplit("|", 1)[0]
    prior = train(embeddings, domains, themes, encoder_id=encoder_id)
    prior.save(arguments.out)
    print(f"\n{prior.model_id}: {len(prior.names)} themes of {len(set(domains))} domains in {arguments.out}")


if __name__ == "__main__":
    _main()
