"""Which precision this machine computes an encoder in: measured once, then read.

Vectors of two precisions differ by more than rounding and are not cached together, so the choice must not change
from night to night: it is kept in the user's cache folder, under what the processor can do.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from models.bert import Layer, Packed
from models.bundled import cache_folder
from models.linear import PRECISIONS, Precision

GAIN = 1.25  # how much quicker a less exact precision must be
_N_TEXTS, _LENGTH = 32, 16
_MINIMUM_COSINE = 0.99  # of a layer's output to that of float32: a broken or saturating kernel is far below


def chosen_precision(
    module: Any, *, cache: Path | None = None, measure: Callable[[Any], dict[Precision, float]] | None = None
) -> Precision:
    """Return the precision recorded for this processor, measuring first where there is no record.

    Parameters
    ----------
    module : transformers' BertLayer
        What is measured; weights in float32 on the CPU.
    cache : Path, optional
        Where the record lies; default ``KIKITORI_CACHE`` or the user's cache folder.
    measure : callable, optional
        Default :func:`measured`.

    Raises
    ------
    ValueError
        If the record cannot be read.
    """
    cache = cache or cache_folder()
    processor = _processor()
    path = cache / f"precision-{hashlib.sha256(processor.encode()).hexdigest()[:12]}.json"
    if not path.is_file():
        figures = (measure or measured)(module)
        record = {"precision": quickest(figures), "microseconds_per_token": figures, "processor": json.loads(processor)}
        _write_once(record, path)
    try:
        precision = json.loads(path.read_text(encoding="utf-8"))["precision"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no record of a precision; delete the file to measure again") from error
    if precision not in PRECISIONS:
        raise ValueError(f"{path}: precision must be one of {', '.join(PRECISIONS)}; got {precision!r}")
    return precision


def quickest(figures: dict[Precision, float]) -> Precision:
    """Return the quickest precision, a less exact one only where it is GAIN times quicker.

    Examples
    --------
    >>> quickest({"float32": 50.0, "int8": 26.0})
    'int8'
    >>> quickest({"float32": 50.0, "bfloat16": 45.0})
    'float32'
    """
    best = PRECISIONS[0]
    for precision in PRECISIONS[1:]:
        if precision in figures and figures[precision] * GAIN <= figures[best]:
            best = precision
    return best


def measured(module: Any) -> dict[Precision, float]:
    """Return microseconds of one thread per token and layer, for every precision that works here."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(_N_TEXTS * _LENGTH, module.attention.self.query.in_features, generator=generator)
    packed = Packed.of([[0] * _LENGTH] * _N_TEXTS)
    n_threads, figures = torch.get_num_threads(), {}
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            exact = Layer(module, "float32")(hidden, packed)
            for precision in PRECISIONS:
                try:
                    seconds, found = _timed(Layer(module, precision), hidden, packed, precision)
                except (RuntimeError, AttributeError, NotImplementedError):
                    continue  # this build or processor lacks the kernels
                if torch.cosine_similarity(found.float(), exact, dim=1).min() >= _MINIMUM_COSINE:
                    figures[precision] = round(1e6 * seconds / len(hidden), 2)
    finally:
        torch.set_num_threads(n_threads)
    return figures


def _timed(layer: Layer, hidden: torch.Tensor, packed: Packed, precision: Precision) -> tuple[float, torch.Tensor]:
    """Return the thread's seconds for a pass, the least of several, and its result."""
    inputs = hidden.bfloat16() if precision == "bfloat16" else hidden
    found, times = layer(inputs, packed), []
    for _ in range(7):
        started = time.thread_time()
        layer(inputs, packed)
        times.append(time.thread_time() - started)
    return min(times), found


def _write_once(record: dict[str, Any], path: Path) -> None:
    """Write the record unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".precision-", encoding="utf-8") as partial:
        partial.write(json.dumps(record, indent=2) + "\n")
        partial.flush()
        with contextlib.suppress(FileExistsError):
            os.link(partial.name, path)


def _processor() -> str:
    """Return what the processor is and can do, whatever the number of its cores, as JSON."""
    found = {key: value for key, value in torch.cpu.get_capabilities().items() if isinstance(value, (bool, str))}
    return json.dumps(found, sort_keys=True)
