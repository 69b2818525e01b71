"""Which theme an opinion's words speak of: pieces of its text beside those of the themes' names and descriptions.

Sentence vectors tell what an opinion is like and blur the words that name its theme. Two readings of the text's
pieces (characters by twos and threes, and single Chinese characters) stand beside them:

- overlap: the weight of the pieces an opinion shares with a theme's words, by inverse document frequency (Spärck
  Jones 1972, doi:10.1108/eb026526); pieces that few themes of the codebook have weigh most;
- wording: a vector for each piece, learned so that an opinion lies near its theme's words and not near those of
  the domain's other themes (bags of n-grams as in StarSpace, Wu et al. 2018, arXiv:1709.03856): 段ボール comes to
  lie near 梱包, which shares no character with it.

Both read any text alone: what stands beside it changes nothing.
"""

import importlib.resources
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS = importlib.resources.files("models") / "weights" / "wording"

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_NO_PIECE = re.compile(r"[\s\W_]+")
_KANA = re.compile(r"[ぁ-ん]+")
_SIGN = re.compile(r"[一-鿿]")


@dataclass(frozen=True)
class Wording:
    """The learned pieces; made by :meth:`from_pretrained` or :mod:`models.wording_training`.

    Attributes
    ----------
    model_id : str
        Names the weights.
    places : dict
        The row of each piece.
    weights : ndarray of float32, (n_pieces + 1,)
        Inverse document frequency of each piece; the last one is for pieces not seen in training.
    vectors : ndarray of float32, (n_pieces, dim)
        The learned vectors.
    """

    model_id: str
    places: dict[str, int]
    weights: Floats
    vectors: Floats

    @classmethod
    def from_pretrained(cls, folder: Path | Traversable = WEIGHTS) -> "Wording":
        """Return the wording that ships with kikitori, or the one in a folder.

        Raises
        ------
        ValueError
            If the folder holds none.
        """
        from safetensors.numpy import load

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            arrays = load((folder / "model.safetensors").read_bytes())
            weights, vectors = arrays["weights"].astype(np.float32), arrays["vectors"].astype(np.float32)
            places = {piece: row for row, piece in enumerate(config["pieces"])}
        except (OSError, KeyError) as error:
            raise ValueError(
                f"no wording at {folder}: expected config.json and model.safetensors with weights, vectors; "
                "train one with python -m models.wording_training"
            ) from error
        return cls(config["model_id"], places, weights, vectors)

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors (float16) into a folder."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"weights": self.weights.astype(np.float16), "vectors": self.vectors.astype(np.float16)}
        (folder / "model.safetensors").write_bytes(save(arrays))
        config = {"model_id": self.model_id, "pieces": list(self.places)}
        (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n", encoding="utf-8")

    def transform(self, texts: Sequence[str]) -> Doubles:
        """Return the learned vectors of texts, (n, dim), unit length; zero where no piece is known."""
        sums = np.zeros((len(texts), self.vectors.shape[1]))
        for row, text in enumerate(texts):
            known = [self.places[piece] for piece in pieces(text) if piece in self.places]
            if known:
                sums[row] = self.weights[known].astype(np.float64) @ self.vectors[known].astype(np.float64)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)

    def overlap(self, texts: Sequence[str], themes: Sequence[Sequence[str]]) -> Doubles:
        """Return log(1 + weight of the pieces shared) of each text and each theme's texts, (n, n_themes).

        Pieces of hiragana alone do not count, and a piece's weight is shared among the themes that have it.
        """
        held = [dict.fromkeys(p for text in theme for p in pieces(text) if not _KANA.fullmatch(p)) for theme in themes]
        spread = Counter(piece for theme in held for piece in theme)
        told: dict[str, list[int]] = {}
        for k, theme in enumerate(held):
            for piece in theme:
                told.setdefault(piece, []).append(k)
        found = np.zeros((len(texts), len(themes)))
        for row, text in enumerate(texts):
            for piece in pieces(text):
                if piece in told:
                    found[row, told[piece]] += self._weight(piece) / spread[piece]
        return np.log1p(found)

    def _weight(self, piece: str) -> float:
        return float(self.weights[self.places.get(piece, -1)])


def pieces(text: str) -> list[str]:
    """Return the different pieces of a text in the order they come: single 漢字, and characters by twos and threes.

    Examples
    --------
    >>> pieces("箱が")
    ['箱', '箱が']
    """
    plain = _NO_PIECE.sub("", unicodedata.normalize("NFKC", text).lower())
    signs = _SIGN.findall(plain)
    return list(dict.fromkeys([*signs, *(plain[i : i + n] for n in (2, 3) for i in range(len(plain) - n + 1))]))


def inverse_frequencies(counts: Sequence[int], n: int) -> Floats:
    """Return log(n / (count + 1)), 0.3 at least, for each piece, and last the weight of a piece never seen."""
    return np.array([max(0.3, math.log(n / (count + 1))) for count in (*counts, 0)], np.float32)
