"""The forward pass of a BERT encoder over packed tokens, for inference.

The tokens of all texts of a batch stand in one matrix without padding; attention alone looks at texts, equal
lengths together, and needs no mask. Queries, keys and values are one product.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from models.linear import GELU_MINIMUM, Precision, linear


@dataclass(frozen=True)
class Packed:
    """Texts as one run of tokens.

    Attributes
    ----------
    ids, positions : Tensor of int64, (n_tokens,)
    groups : tuple of (n_texts, length)
        Runs of texts of equal length, in order.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    groups: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]], device: torch.device | str = "cpu") -> "Packed":
        """Return texts, given as token ids, packed in their order; equal lengths should be neighbours."""
        groups: list[tuple[int, int]] = []
        for text in texts:
            n_texts = groups.pop()[0] if groups and groups[-1][1] == len(text) else 0
            groups.append((n_texts + 1, len(text)))
        ids = torch.tensor([token for text in texts for token in text], dtype=torch.int64)
        positions = torch.cat([torch.arange(length).repeat(n_texts) for n_texts, length in groups])
        return cls(ids.to(device), positions.to(device), tuple(groups))

    def split(self, hidden: torch.Tensor) -> list[torch.Tensor]:
        """Return the groups of a token matrix (n_tokens, dim), each (n_texts, length, dim)."""
        parts = hidden.split([n_texts * length for n_texts, length in self.groups])
        return [part.view(*group, -1) for part, group in zip(parts, self.groups, strict=True)]

    def means(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the mean token of each text, float32 (n_texts, dim)."""
        return torch.cat([part.float().mean(dim=1) for part in self.split(hidden)])

    def firsts(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the first token of each text, float32 (n_texts, dim)."""
        return torch.cat([part[:, 0].float() for part in self.split(hidden)])


class Layer:
    """A layer of BERT (Devlin et al. 2019, arXiv:1810.04805) in some precision, from transformers' module."""

    def __init__(self, module: Any, precision: Precision) -> None:
        attention, self._n_heads = module.attention.self, module.attention.self.num_attention_heads
        parts = (attention.query, attention.key, attention.value)
        self._qkv = linear(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]), precision)
        self._attended = _linear_of(module.attention.output.dense, precision)
        self._first_norm = _Norm(module.attention.output.LayerNorm, precision)
        self._up = _linear_of(module.intermediate.dense, precision)
        self._down = _linear_of(module.output.dense, precision, minimum=GELU_MINIMUM)
        self._second_norm = _Norm(module.output.LayerNorm, precision)

    def __call__(self, hidden: torch.Tensor, packed: Packed) -> torch.Tensor:
        """Return what comes out of the layer, (n_tokens, dim), from what goes in."""
        hidden = self._first_norm(self._attended(self._attention(hidden, packed)).add_(hidden))
        widened = torch.ops.aten.gelu_(self._up(hidden))
        return self._second_norm(self._down(widened).add_(hidden))

    def _attention(self, hidden: torch.Tensor, packed: Packed) -> torch.Tensor:
        parts = []
        for part in packed.split(self._qkv(hidden)):
            n_texts, length, _ = part.shape
            query, key, value = part.view(n_texts, length, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(query, key, value)
            parts.append(seen.transpose(1, 2).reshape(n_texts * length, -1))
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class Bert:
    """A BERT encoder for inference.

    Parameters
    ----------
    module : transformers.BertModel
        With GELU and absolute positions, as :func:`is_supported` checks.
    precision : Precision
        Of everything above the embeddings.
    """

    def __init__(self, module: Any, precision: Precision) -> None:
        self.precision = precision
        self._embeddings = module.embeddings
        self.device = module.embeddings.word_embeddings.weight.device
        self.layers = stack(module.encoder.layer, precision)

    def embed(self, packed: Packed) -> torch.Tensor:
        """Return what goes into the first layer, (n_tokens, dim)."""
        parts = self._embeddings
        types = parts.token_type_embeddings.weight[0]
        hidden = parts.word_embeddings(packed.ids) + parts.position_embeddings(packed.positions) + types
        return parts.LayerNorm(hidden).to(_dtype(self.precision))


def stack(modules: Iterable[Any], precision: Precision) -> list[Layer]:
    """Return the layers of transformers' modules in a precision."""
    return [Layer(module, precision) for module in modules]


def is_supported(module: Any) -> bool:
    """Return whether :class:`Bert` computes what this transformers model does."""
    from transformers import BertModel

    if not isinstance(module, BertModel):
        return False
    absolute = getattr(module.config, "position_embedding_type", "absolute") == "absolute"
    return absolute and module.config.hidden_act == "gelu" and not module.config.is_decoder


class _Norm:
    def __init__(self, module: Any, precision: Precision) -> None:
        dtype = _dtype(precision)
        self._weight, self._bias = module.weight.detach().to(dtype), module.bias.detach().to(dtype)
        self._epsilon = module.eps

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(hidden, self._weight.shape, self._weight, self._bias, self._epsilon)


def _linear_of(module: Any, precision: Precision, *, minimum: float | None = None):
    return linear(module.weight, module.bias, precision, minimum=minimum)


def _dtype(precision: Precision) -> torch.dtype:
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
