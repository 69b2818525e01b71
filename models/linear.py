"""Linear layers for inference, in the precisions a processor may be quick at.

float32 is the reference. bfloat16 keeps the weights in oneDNN's own layout. int8 multiplies 8-bit rows with 7-bit
weights and adds in 32 bits, so a product does not depend on the batch or on the number of threads. Each row has its
own scale, each output its own (dynamic quantisation, vector-wise as in Dettmers et al. 2022, arXiv:2208.07339).
Weights have 7 bits because processors without VNNI add two products in 16 bits: 2 · 255 · 63 still fits.
"""

from typing import Literal, get_args

import torch
from torch.nn import functional

Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)  # the most exact first

GELU_MINIMUM = -0.17  # of x Φ(x); reached at x = −0.75
_LARGEST_WEIGHT = 63
_LARGEST_INPUT = 127


class Linear:
    """x ↦ x Wᵀ + b in float32 or bfloat16.

    Parameters
    ----------
    weight : Tensor, (n_out, n_in)
    bias : Tensor, (n_out,)
    dtype : torch.dtype
        Of weights, inputs and outputs.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype) -> None:
        self._weight, self._bias = weight.detach().to(dtype), bias.detach().to(dtype)
        on_cpu = dtype == torch.bfloat16 and weight.device.type == "cpu"
        self._packed = on_cpu and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        if self._packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight.contiguous())

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n_rows, n_out)."""
        if self._packed:
            return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return functional.linear(x, self._weight, self._bias)


class Int8Linear:
    """x ↦ x Wᵀ + b with the rows of x rounded to 8 bits and the rows of W to 7 bits.

    Parameters
    ----------
    weight : Tensor of float32, (n_out, n_in)
    bias : Tensor of float32, (n_out,)
    minimum : float, optional
        A number no input is below; the 8 bits then span from it to the row's maximum, not −m to m.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, minimum: float | None = None) -> None:
        weight, bias = weight.detach().float(), bias.detach().float()
        self._scale = (weight.abs().amax(dim=1) / _LARGEST_WEIGHT).clamp(min=1e-12)
        rounded = (weight / self._scale[:, None]).round().to(torch.int8)
        sums = rounded.sum(dim=1).float() * self._scale
        self._minimum = minimum
        self._offset: torch.Tensor | None = None
        if minimum is None:  # inputs are stored as 1 to 255, 128 meaning 0
            self._offset, self._bias = -128.0 * sums, bias
        else:  # inputs are stored as 0 to 254, 0 meaning the minimum
            self._bias = bias + minimum * sums
        self._zero_points = torch.zeros(len(rounded), dtype=torch.int32)
        self._weight = torch.ops.onednn.qlinear_prepack(rounded, None)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n_rows, n_out), float32."""
        stored, step = self._rounded(x)
        product = torch.ops.onednn.qlinear_pointwise(
            stored, 1.0, 0, self._weight, self._scale, self._zero_points, self._offset,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return product.mul_(step).add_(self._bias)

    def _rounded(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows as bytes, uint8 (n_rows, n_in), and what a step is worth in each, (n_rows, 1)."""
        highest = x.amax(dim=1, keepdim=True)
        if self._minimum is None:
            step = torch.maximum(highest, -x.amin(dim=1, keepdim=True)).clamp_(min=1e-12) / _LARGEST_INPUT
            rounded = (x * step.reciprocal()).round_()
        else:
            step = (highest - self._minimum) / (2 * _LARGEST_INPUT)
            rounded = (x - (step * 128 + self._minimum)).mul_(step.reciprocal()).round_()
        # Through int8 and its sign bit: PyTorch converts to int8 with vector instructions, to uint8 without.
        return rounded.to(torch.int8).view(torch.uint8).bitwise_xor_(128), step


def linear(
    weight: torch.Tensor, bias: torch.Tensor, precision: Precision, *, minimum: float | None = None
) -> Linear | Int8Linear:
    """Return a linear layer in a precision; `minimum` as in :class:`Int8Linear`."""
    if precision == "int8":
        return Int8Linear(weight, bias, minimum)
    return Linear(weight, bias, getattr(torch, precision))
