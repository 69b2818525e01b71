"""Polarity and intent of opinion units, from the same pass as their vectors.

The lower layers of the encoder are shared and left as they are; its upper layers exist twice: as
they came, for the vectors that themes are made of, and tuned on our corpus, for polarity and intent
(the split of Howard & Ruder 2018, doi:10.18653/v1/P18-1031, and Lee et al. 2019, arXiv:1911.03090).
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

from models.bundled import Progress
from models.embedding import Encoder

if TYPE_CHECKING:
    import torch

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

    def probabilities(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return calibrated probabilities: polarity (n, 3) and intent (n, 5); rows sum to 1.

        Temperature scaling (Guo et al. 2017, arXiv:1706.04599), fitted on folds of the corpus.
        """
        polarity, intent = np.split(logits, [len(POLARITIES)], axis=1)
        return _softmax(polarity / self._temperature[0]), _softmax(intent / self._temperature[1])

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
    """The encoder's upper layers as tuned for polarity and intent, with their head: a branch of one pass."""

    def __init__(self, layer: int, module: "torch.nn.Module") -> None:
        self.layer = layer
        self.module = module

    def __call__(
        self, hidden: "torch.Tensor", mask: "torch.Tensor", layer_inputs: dict[str, Any], pooled: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return logits (n, 8)."""
        return self.module(hidden, mask, layer_inputs, pooled)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> "TunedLayers":
        """Return the branch whose weights lie in a folder, on the encoder's device and in its precision."""
        from safetensors.torch import load_file

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        module = build_module(encoder, config["layer"])
        module.load_state_dict(load_file(folder / "model.safetensors"))
        weight = next(encoder.model.parameters())
        return cls(config["layer"], module.to(weight.device, weight.dtype).eval())


def build_module(encoder: Encoder, layer: int) -> "torch.nn.Module":
    """Return the trainable module: a copy of the encoder's layers from ``layer`` up, and a linear head.

    The head sees the mean of the tuned token vectors, the tuned first token and the plain sentence vector.
    """
    import torch

    class UpperLayers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            transformer: Any = encoder.model[0]
            self.layers = copy.deepcopy(transformer.model.encoder.layer[layer:]).float()
            self.head = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(3 * encoder.dim, N_LOGITS))

        def forward(self, hidden, mask, layer_inputs, pooled):
            for upper in self.layers:
                output = upper(hidden, **layer_inputs)
                hidden = output[0] if isinstance(output, tuple) else output
            weights = mask[:, :, None].to(hidden.dtype)
            mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
            plain = pooled.to(hidden.dtype) * math.sqrt(pooled.shape[1])
            return self.head(torch.cat([mean, hidden[:, 0], plain], dim=1))

    return UpperLayers()


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
