"""Polarity and intent of opinion units, from the same pass as their vectors.

The lowest layers of the encoder are shared and left as they are. Above them stands a second, shorter
tower: the layers that follow, tuned on our corpus for polarity and intent. It starts low, because the
encoder's own upper layers turn words into a topic and lose how they were meant: tuned from layer 5 of 12
on, four layers did as well as tuning all twelve, and better than tuning the upper four.
A user's own encoder has no tuned layers: a linear head is trained for it from the same corpus.
"""

import copy
import importlib.resources
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from models.bundled import Progress
from models.embedding import Encoder

if TYPE_CHECKING:
    import torch

    from models.bert import Packed

POLARITIES = ("negative", "neutral", "positive")
INTENTS = ("praise", "complaint", "request", "question", "fact")
N_LOGITS = len(POLARITIES) + len(INTENTS)
WEIGHTS = importlib.resources.files("models") / "weights" / "sentiment"


class SentimentClassifier:
    """Polarity and intent of short texts; made by :meth:`from_pretrained`.

    Attributes
    ----------
    encoder : Encoder
        Gives the vectors, and the hidden states that the classifier starts from.
    model_id : str
        Names the weights: equal ids give equal logits.
    """

    def __init__(self, encoder: Encoder, head: Any, model_id: str, temperature: tuple[float, float]) -> None:
        self.encoder = encoder
        self.model_id = model_id
        self._head = head
        self._temperature = temperature

    @classmethod
    def from_pretrained(
        cls, encoder: Encoder | None = None, *, progress: Progress | None = None
    ) -> "SentimentClassifier":
        """Return the classifier that belongs to an encoder (default: the bundled one).

        For an encoder without shipped weights a linear head is trained from the corpus on first use
        and kept in the user's cache folder.
        """
        encoder = encoder or Encoder.from_pretrained()
        config = json.loads((WEIGHTS / "config.json").read_text(encoding="utf-8"))
        if encoder.model_id.split("|")[:2] == config["encoder"].split("|")[:2]:
            with importlib.resources.as_file(WEIGHTS) as folder:
                return cls(encoder, TunedLayers.load(folder, encoder), config["model_id"], tuple(config["temperature"]))
        from models.linear_head import cached_linear_head

        head = cached_linear_head(encoder, progress=progress)
        return cls(encoder, head, head.model_id, (1.0, 1.0))

    def encode_with_logits(
        self, texts: Sequence[str], *, progress: Progress | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors (n, dim) and logits (n, 8), float32, from one pass: 3 of polarity, 5 of intent."""
        if isinstance(self._head, TunedLayers):
            embeddings, logits = self.encoder.encode_with(texts, self._head, progress=progress)
            return embeddings, logits if len(texts) else np.zeros((0, N_LOGITS), np.float32)
        embeddings = self.encoder.encode(texts, progress=progress)
        return embeddings, self._head(embeddings)

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated logits, float32 (n, 8), whose softmax over 3 and over 5 columns are probabilities.

        Temperature scaling (Guo et al. 2017, arXiv:1706.04599), fitted on domains the model had not seen.
        """
        return (logits / np.repeat(self._temperature, [len(POLARITIES), len(INTENTS)])).astype(np.float32)

    def probabilities(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return calibrated probabilities: polarity (n, 3) and intent (n, 5); rows sum to 1."""
        polarity, intent = np.split(self.calibrated(logits), [len(POLARITIES)], axis=1)
        return softmax(polarity, axis=1), softmax(intent, axis=1)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return probabilities of negative, neutral and positive, float32 (n, 3)."""
        return self.probabilities(self.encode_with_logits(texts)[1])[0]

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return ``"positive"``, ``"neutral"`` or ``"negative"`` for each text."""
        return [POLARITIES[k] for k in self.predict_proba(texts).argmax(axis=1)]

    def predict_intent(self, texts: Sequence[str]) -> list[str]:
        """Return one of :data:`INTENTS` for each text."""
        return [INTENTS[k] for k in self.probabilities(self.encode_with_logits(texts)[1])[1].argmax(axis=1)]


class TunedLayers:
    """Some of the encoder's layers as tuned for polarity and intent, with their head: a branch of one pass."""

    def __init__(self, layer: int, module: "torch.nn.Module", encoder: Encoder) -> None:
        from models.bert import stack

        tower: Any = module
        self.layer = layer
        self._layers = stack(tower.layers, encoder.precision)
        self._head = tower.head.eval()

    def __call__(self, hidden: "torch.Tensor", packed: "Packed", pooled: "torch.Tensor") -> "torch.Tensor":
        """Return logits (n, 8)."""
        import torch

        for layer in self._layers:
            hidden = layer(hidden, packed)
        plain = pooled * math.sqrt(pooled.shape[1])
        return self._head(torch.cat([packed.means(hidden), packed.firsts(hidden), plain], dim=1))

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> "TunedLayers":
        """Return the branch whose weights lie in a folder, on the encoder's device and in its precision."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(config["layer"], load_module(folder, encoder).to(encoder.model.device), encoder)


def load_module(folder: Path, encoder: Encoder) -> "torch.nn.Module":
    """Return the trainable module whose weights lie in a folder, in float32."""
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    module = build_module(encoder, config["layer"], config["n_layers"])
    module.load_state_dict(load_file(folder / "model.safetensors"))
    return module


def build_module(encoder: Encoder, layer: int, n_layers: int) -> "torch.nn.Module":
    """Return the trainable module: a copy of ``n_layers`` of the encoder's layers from ``layer`` on, and a linear head.

    The head sees the mean of the tuned token vectors, the tuned first token and the plain sentence vector.
    """
    import torch

    class TunedTower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            transformer: Any = encoder.model[0]
            self.layers = copy.deepcopy(transformer.model.encoder.layer[layer : layer + n_layers]).float()
            self.head = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(3 * encoder.dim, N_LOGITS))

        def forward(self, hidden, mask, layer_inputs, pooled):
            for tuned in self.layers:
                output = tuned(hidden, **layer_inputs)
                hidden = output[0] if isinstance(output, tuple) else output
            weights = mask[:, :, None].to(hidden.dtype)
            mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
            plain = pooled.to(hidden.dtype) * math.sqrt(pooled.shape[1])
            return self.head(torch.cat([mean, hidden[:, 0], plain], dim=1))

    return TunedTower()
