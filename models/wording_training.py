"""Train the wording on the corpus: ``python -m models.wording_training`` (a minute).

The opinions of each set of themes are drawn to their theme's name, description and both in one (cross-entropy
over the set's themes) and to each other (supervised contrastive learning, Khosla et al. 2020,
arXiv:2004.11362), one set at a time, as in :mod:`models.theme_prior`. Pieces are left out at random, so that
none is relied on alone.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.corpus import load_corpus, load_theme_sets
from models.theme_prior import contrastive_loss, theme_texts
from models.wording import WEIGHTS, Wording, inverse_frequencies, pieces

if TYPE_CHECKING:
    import torch

Rows = list[list[int]]


class WordedSet(NamedTuple):
    """Opinions among whose themes people would choose.

    Attributes
    ----------
    name : str
        The set of themes.
    themes : tuple of str
        The themes.
    opinions : list of str
        The opinions' texts.
    labels : ndarray of int, (n,)
        The place of each opinion's theme in themes.
    texts : list of str
        Name, description, and both in one of each theme, one theme after the other.
    """

    name: str
    themes: tuple[str, ...]
    opinions: list[str]
    labels: NDArray[np.int64]
    texts: list[str]


def worded_sets(folder: Path | None = None) -> list[WordedSet]:
    """Return the corpus' sets of themes with their opinions, as texts."""
    opinions = load_corpus(folder)
    found = []
    for part in load_theme_sets(folder):
        mine = [opinion for opinion in opinions if part.holds(opinion)]
        themes = tuple(part.definitions)
        labels = np.array([themes.index(opinion.theme) for opinion in mine])
        texts = [text for theme in themes for text in theme_texts(theme, part.definitions[theme])]
        found.append(WordedSet(part.name, themes, [opinion.text for opinion in mine], labels, texts))
    return found


def train(
    sets: Sequence[WordedSet],
    *,
    dim: int = 96,
    epochs: int = 5,
    batch: int = 600,
    learning_rate: float = 5e-3,
    temperature: float = 0.1,
    dropout: float = 0.3,
    contrast: float = 0.5,
    least: int = 3,
    seed: int = 0,
) -> Wording:
    """Return the wording learned from sets of opinions, with a vector for each piece of at least `least` texts.

    The settings were chosen on folds that leave whole domains out.
    """
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    read = [([pieces(text) for text in part.opinions], [pieces(text) for text in part.texts]) for part in sets]
    counts = Counter(piece for texts in read for rows in texts for row in rows for piece in row)
    names = sorted(piece for piece, count in counts.items() if count >= least)
    places = {piece: place for place, piece in enumerate(names)}
    weights = inverse_frequencies([counts[name] for name in names], sum(len(part.opinions) for part in sets))
    known = [[[[places[p] for p in row if p in places] for row in rows] for rows in texts] for texts in read]
    bag = torch.nn.EmbeddingBag(len(names), dim, mode="sum", sparse=True)
    torch.nn.init.normal_(bag.weight, std=dim**-0.5)
    optimizer = torch.optim.SparseAdam(bag.parameters(), lr=learning_rate)

    def vectors(rows: Rows, left_out: float) -> "torch.Tensor":
        kept = [[p for p, chance in zip(row, rng.random(len(row)), strict=True) if chance > left_out] for row in rows]
        places = torch.tensor([place for row in kept for place in row], dtype=torch.long)
        starts = torch.tensor(np.cumsum([0, *map(len, kept)])[:-1])
        weight = torch.from_numpy(weights)[places]
        return functional.normalize(bag(places, starts, per_sample_weights=weight), dim=1)

    for _ in range(epochs):
        for number in rng.permutation(len(sets)):
            rows = rng.permutation(len(sets[number].labels))[:batch]
            labels = torch.from_numpy(sets[number].labels[rows])
            opinions = vectors([known[number][0][row] for row in rows], dropout)
            views = vectors(known[number][1], dropout / 2).reshape(len(sets[number].themes), -1, dim)
            logits = [opinions @ views[:, kind].T / temperature for kind in range(views.shape[1])]
            loss = torch.stack([functional.cross_entropy(each, labels) for each in logits]).mean()
            loss = loss + contrast * contrastive_loss(opinions, labels, temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    learned = bag.weight.detach().numpy().astype(np.float16).astype(np.float32)
    weights = weights.astype(np.float16).astype(np.float32)
    digest = hashlib.sha256(learned.tobytes() + weights.tobytes() + "\n".join(names).encode())
    return Wording("wording-" + digest.hexdigest()[:12], places, weights, learned)


def _main() -> None:
    import torch

    parser = argparse.ArgumentParser(description="Train the wording from the labelled corpus.")
    parser.add_argument("--corpus", type=Path, help="folder of DOMAIN.tsv and themes.toml (default: this package's)")
    parser.add_argument("--out", type=Path, default=Path(str(WEIGHTS)), help="folder for the weights")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # sums in a fixed order
    sets = worded_sets(arguments.corpus)
    wording = train(sets)
    wording.save(arguments.out)
    print(f"{wording.model_id}: {len(wording.places)} pieces from {len(sets)} sets in {arguments.out}")


if __name__ == "__main__":
    _main()
