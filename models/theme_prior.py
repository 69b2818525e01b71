"""What our corpus knows about themes: a small map from sentence vectors to theme vectors.

Which difference makes another theme is something people know and a plain encoder does not: its vectors
separate praise from complaint and question from statement as readily as delivery from price. Our corpus
has some 360 themes in 30 domains; the map is trained to bring opinions of one theme together and those of
the domain's other themes apart (supervised contrastive learning, Khosla et al. 2020, arXiv:2004.11362),
always within one domain, so that what it learns holds in a domain it has never seen. Vectors are centred
per domain before the map: the direction all units of a deployment share says nothing about their themes.

Train again with ``python -m models.theme_prior --corpus DIR`` (a minute after encoding).
"""

import argparse
import hashlib
import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS = importlib.resources.files("models") / "weights" / "theme_prior"
CORPUS = importlib.resources.files("models") / "corpus"
# Pseudo-units at the corpus' mean: a handful of units has no mean of its own to speak of.
_MEAN_WEIGHT = 30
_CHUNK = 8192
_ARRAYS = ("center", "w1", "b1", "w2", "b2", "themes")

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
        weights = [arrays[name].astype(np.float32) for name in _ARRAYS]
        return cls(config["model_id"], config["encoder"], *weights, tuple(config["names"]))

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
        """Return theme vectors, unit length, float32 (n, theme_dim), of embeddings around their mean."""
        parts = [self._map(embeddings[i : i + _CHUNK], mean) for i in range(0, len(embeddings), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.b2)), np.float32)

    def nearest_names(self, vector: NDArray[np.floating], n: int = 3) -> list[tuple[str, float]]:
        """Return the n corpus theme names nearest to a theme vector, with their cosine, nearest first."""
        best: dict[str, float] = {}
        for name, cosine in zip(self.names, (self.themes @ vector).tolist(), strict=True):
            best[name] = max(cosine, best.get(name, -1.0))
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:n]

    def _map(self, embeddings: NDArray[np.floating], mean: Floats) -> Floats:
        from scipy.special import erf

        hidden = _centred(embeddings, mean) @ self.w1 + self.b1
        hidden = hidden * 0.5 * (1 + erf(hidden / np.sqrt(np.float32(2))))
        return _unit(hidden @ self.w2 + self.b2).astype(np.float32)


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

    first, second = network[1], network[4]
    weights = [
        np.ascontiguousarray(tensor.detach().numpy(), np.float16).astype(np.float32)
        for tensor in (first.weight.T, first.bias, second.weight.T, second.bias)
    ]
    center = embeddings.mean(axis=0).astype(np.float16).astype(np.float32)
    model_id = "theme-prior-" + hashlib.sha256(b"".join(w.tobytes() for w in (center, *weights))).hexdigest()[:12]
    untitled = ThemePrior(model_id, encoder_id, center, *weights, np.zeros((0, theme_dim), np.float32), ())
    names, means = [], []
    for name in np.unique(domain):
        inside = domain == name
        vectors = untitled.transform(embeddings[inside], embeddings[inside].mean(axis=0))
        for title in np.unique(theme[inside]):
            names.append(str(title))
            means.append(_unit(vectors[theme[inside] == title].mean(axis=0)[None])[0])
    return ThemePrior(model_id, encoder_id, center, *weights, np.stack(means), tuple(names))


def read_corpus(folder: Path | Traversable = CORPUS) -> tuple[list[str], list[str], list[str]]:
    """Return texts, domains and themes of a labelled corpus: one ``DOMAIN.tsv`` a domain, hard.tsv left out.

    Raises
    ------
    ValueError
        If the folder holds no such file.
    """
    texts, domains, themes = [], [], []
    files = [file for file in folder.iterdir() if file.name.endswith(".tsv")] if folder.is_dir() else []
    for file in sorted(files, key=lambda file: file.name):
        if file.name == "hard.tsv":  # its themes are phenomena of language
            continue
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            text, theme, *_ = line.split("\t")
            texts.append(text)
            domains.append(file.name.removesuffix(".tsv"))
            themes.append(theme)
    if not texts:
        raise ValueError(f"no labelled corpus in {folder}: expected DOMAIN.tsv with text, theme, polarity, intent")
    return texts, domains, themes


def _contrastive_loss(outputs, labels, temperature):  # type: ignore[no-untyped-def]
    import torch

    vectors = torch.nn.functional.normalize(outputs, dim=1)
    similarity = vectors @ vectors.T / temperature
    similarity.fill_diagonal_(-1e4)
    together = labels[:, None] == labels[None]
    together.fill_diagonal_(False)
    log_share = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    loss = -(log_share * together).sum(dim=1) / together.sum(dim=1).clamp(min=1)
    return loss[together.any(dim=1)].mean()


def _centred(embeddings: NDArray[np.floating], mean: NDArray[np.floating]) -> Floats:
    """Return directions from the mean, each component of size about 1."""
    scale = np.float32(np.sqrt(embeddings.shape[1]))
    return (_unit(np.asarray(embeddings, np.float32) - mean) * scale).astype(np.float32)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _main() -> None:
    from models.embedding import Encoder

    parser = argparse.ArgumentParser(description="Train the theme prior from the labelled corpus.")
    parser.add_argument("--corpus", type=Path, help="folder of DOMAIN.tsv (default: the corpus of this package)")
    parser.add_argument("--out", type=Path, default=Path(str(WEIGHTS)), help="folder for the weights")
    arguments = parser.parse_args()
    texts, domains, themes = read_corpus(arguments.corpus or CORPUS)
    encoder = Encoder.from_pretrained()
    embeddings = encoder.encode(texts, progress=lambda done, total: print(f"\r{done}/{total}", end="", flush=True))
    encoder_id = encoder.model_id.rsplit("|", 1)[0]
    prior = train(embeddings, domains, themes, encoder_id=encoder_id)
    prior.save(arguments.out)
    print(f"\n{prior.model_id}: {len(prior.names)} themes of {len(set(domains))} domains in {arguments.out}")


if __name__ == "__main__":
    _main()
