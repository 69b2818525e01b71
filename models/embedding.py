"""Sentence embeddings, from the bundled encoder or any sentence-transformers model.

The work is batched by token count: texts are sorted by length, grouped so that a batch holds at most
``TOKENS_PER_BATCH`` tokens, and equal texts are encoded once. BERT encoders run in :mod:`models.bert`, one batch
a thread, in the precision that :mod:`models.precision` has measured to be quick here.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from models.bundled import SHA256, Progress, bundled_model_folder

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from models.bert import Bert, Packed
    from models.linear import Precision

TOKENS_PER_BATCH = 1024  # a matrix of its widest layer, 6 MB, stays in the processor's cache
TOKENS_PER_BATCH_GPU = 32_768
BUNDLED = "bundled"
_BUNDLED_PROMPT = "query: "

T = TypeVar("T")
R = TypeVar("R")


class Branch(Protocol):
    """A second reading of the same pass, fed with the hidden states below one of its layers."""

    layer: int  # 0-based: the branch takes what goes into this layer of the encoder

    def __call__(self, hidden: "torch.Tensor", packed: "Packed", pooled: "torch.Tensor") -> "torch.Tensor":
        """Return (n_texts, k) from hidden (n_tokens, dim), whose tokens they are, and unit vectors (n_texts, dim)."""


class Encoder:
    """A sentence encoder; made by :meth:`from_pretrained`.

    Attributes
    ----------
    model_id : str
        Names weights, prompt and precision: vectors of equal ``model_id`` can be compared and cached together.
    dim : int
        Length of a vector.
    precision : {"float32", "bfloat16", "int8"}
    bert : Bert or None
        The fast forward pass, where the model is a BERT with mean pooling.
    """

    def __init__(self, model: "SentenceTransformer", name: str, prompt: str, precision: "Precision") -> None:
        self.model = model
        self.prompt = prompt
        self.precision = precision
        self.model_id = "|".join([name, prompt.strip(), precision])
        self.dim = int(model.get_embedding_dimension() or 0)
        self.bert = _fast_pass(model, precision)

    @classmethod
    def from_pretrained(
        cls,
        name: str = BUNDLED,
        *,
        prompt: str | None = None,
        device: str = "auto",
        precision: str = "auto",
        progress: Progress | None = None,
    ) -> "Encoder":
        """Return the encoder of that name.

        Parameters
        ----------
        name : str
            ``"bundled"``, a folder, or a hub id such as ``cl-nagoya/ruri-v3-30m``.
        prompt : str, optional
            Put before every text. Default: ``"query: "`` for the bundled model, else the model's
            own default prompt.
        device : str
            ``"auto"`` takes a GPU where there is one.
        precision : str
            ``"float32"``, ``"bfloat16"``, ``"int8"`` (BERT encoders on the CPU), or ``"auto"``: what is quickest
            here for the bundled model, see :func:`models.precision.chosen_precision`; for others bfloat16
            where the device has it. On a GPU bfloat16 where it has it.
        progress : callable, optional
            Called with (done, total) while the bundled model is unpacked for the first time.

        Raises
        ------
        ValueError
            If a folder is named that holds no model, the model cannot be loaded, or not in that precision.
        """
        device = _device(device)
        folder = bundled_model_folder(progress=progress) if name == BUNDLED else _checked_name(name)
        model = _load(str(folder), device)
        chosen = _precision(precision, model, device, bundled=name == BUNDLED)
        if prompt is None:
            prompt = _BUNDLED_PROMPT if name == BUNDLED else model.prompts.get(model.default_prompt_name or "") or ""
        identity = f"multilingual-e5-small-q4-{SHA256[:12]}" if name == BUNDLED else str(name)
        return cls(model, identity, prompt, chosen)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        """Return unit vectors, float32 of shape (n_texts, dim), in the order of the texts.

        Examples
        --------
        >>> Encoder.from_pretrained().encode(["返信が遅い"]).shape  # doctest: +SKIP
        (1, 384)
        """
        return self.encode_with(texts, None, progress=progress)[0]

    def encode_with(
        self, texts: Sequence[str], branch: Branch | None, *, progress: Progress | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the unit vectors and what a branch makes of the same pass.

        Returns
        -------
        tuple of ndarray
            Vectors, float32 (n_texts, dim); the branch's outputs, float32 (n_texts, k), k = 0 without one.

        Raises
        ------
        ValueError
            If there is a branch, and the encoder has no fast pass it could be part of.
        """
        if branch is not None and self.bert is None:
            raise ValueError(f"{self.model_id}: only a BERT encoder with mean pooling takes a branch")
        unique = sorted(set(texts))
        if not unique:
            return np.zeros((0, self.dim), np.float32), np.zeros((0, 0), np.float32)
        rows = {text: row for row, text in enumerate(unique)}
        vectors, outputs, done = np.zeros((len(unique), self.dim), np.float32), np.zeros((len(unique), 0)), 0
        for chosen, pooled, made in self._passes(unique, branch):
            if not done:
                outputs = np.zeros((len(unique), made.shape[1]), np.float32)
            vectors[chosen], outputs[chosen] = pooled, made
            done += len(chosen)
            if progress:
                progress(done, len(unique))
        order = np.fromiter((rows[text] for text in texts), np.int64, len(texts))
        return vectors[order], outputs[order]

    def batches(self, texts: list[str]) -> Iterator[tuple[np.ndarray, dict[str, "torch.Tensor"]]]:
        """Yield (row numbers, padded features on the model's device) of batches of similar length."""
        ids, lengths = self._token_ids(texts)
        for chosen in batches_by_length(lengths, self._tokens_per_batch):
            features = self.model.tokenizer.pad({"input_ids": [ids[row] for row in chosen]}, return_tensors="pt")
            yield chosen, {key: value.to(self.model.device) for key, value in features.items()}

    @property
    def _tokens_per_batch(self) -> int:
        return TOKENS_PER_BATCH if self.model.device.type == "cpu" else TOKENS_PER_BATCH_GPU

    def _token_ids(self, texts: list[str]) -> tuple[list[list[int]], np.ndarray]:
        ids = self.model.tokenizer(
            [self.prompt + text for text in texts],
            truncation=True,
            max_length=self.model.max_seq_length,
            return_attention_mask=False,
        )["input_ids"]
        return ids, np.fromiter(map(len, ids), np.int64, len(ids))

    def _passes(self, texts: list[str], branch: Branch | None) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield (row numbers, unit vectors, the branch's outputs) of one batch after the other."""
        bert = self.bert
        if bert is None:
            yield from self._passes_of_module(texts)
            return
        ids, lengths = self._token_ids(texts)

        def one(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return (chosen, *_pass(bert, [ids[row] for row in chosen], branch))

        batches = batches_by_length(lengths, self._tokens_per_batch)
        yield from _in_threads(one, batches) if bert.device.type == "cpu" else map(one, batches)

    def _passes_of_module(self, texts: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        import torch

        with torch.inference_mode():
            for chosen, features in self.batches(texts):
                pooled = self.model(features)["sentence_embedding"].float()
                vectors = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
                yield chosen, vectors, np.zeros((len(chosen), 0), np.float32)


def _pass(bert: "Bert", ids: list[list[int]], branch: Branch | None) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors and the branch's outputs of the texts of one batch."""
    import torch

    from models.bert import Packed

    with torch.inference_mode():
        packed = Packed.of(ids, bert.device)
        hidden = below = bert.embed(packed)
        for number, layer in enumerate(bert.layers):
            if branch is not None and number == branch.layer:
                below = hidden
            hidden = layer(hidden, packed)
        pooled = torch.nn.functional.normalize(packed.means(hidden), dim=1)
        made = pooled[:, :0] if branch is None else branch(below, packed, pooled).float()
        return pooled.cpu().numpy(), made.cpu().numpy()


def _in_threads(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield function(item) in the order of the items, as many at a time as PyTorch has threads, each with one.

    A batch then waits for no other at the end of every operation, and its figures do not depend on how many
    threads there are.
    """
    import torch

    n_threads = torch.get_num_threads()
    running: deque[Future[R]] = deque()
    with ThreadPoolExecutor(n_threads, "encoder", initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            for item in items:
                running.append(pool.submit(function, item))
                if len(running) > 2 * n_threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
            torch.set_num_threads(n_threads)


def batches_by_length(lengths: np.ndarray, tokens_per_batch: int) -> Iterator[np.ndarray]:
    """Yield row numbers in batches whose padded size stays within a number of tokens, longest first.

    A row longer than the bound makes a batch of its own. Equal lengths keep their order.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size


class Tap:
    """Keeps what flows into one layer of the encoder, for the time of a ``with`` block."""

    hidden: "torch.Tensor"
    layer_inputs: dict[str, Any]

    def __init__(self, model: "SentenceTransformer", layer: int | None) -> None:
        transformer: Any = model[0]
        self._module: Any = None if layer is None else transformer.model.encoder.layer[layer]
        self._remove: Callable[[], None] = lambda: None

    def __enter__(self) -> "Tap":
        if self._module is not None:
            handle = self._module.register_forward_pre_hook(self._keep, with_kwargs=True)
            self._remove = handle.remove
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _keep(self, module: object, args: tuple, kwargs: dict[str, Any]) -> None:
        self.layer_inputs = {**dict(zip(("attention_mask",), args[1:], strict=False)), **kwargs}
        self.hidden = args[0] if args else self.layer_inputs.pop("hidden_states")


def _load(name: str, device: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name, device=device)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"no sentence-transformers model can be loaded from {name!r}: {error}") from error


def _checked_name(name: str) -> str:
    folder = Path(name).expanduser()
    looks_local = name.startswith((".", "/", "~")) or folder.exists()
    if looks_local and not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ValueError(f"no model at {name}: expected modules.json or config.json; set embedding.model")
    return str(folder) if looks_local else name


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _precision(wanted: str, model: "SentenceTransformer", device: str, *, bundled: bool) -> "Precision":
    """Return the precision to compute in; see :meth:`Encoder.from_pretrained`."""
    import torch

    from models.linear import PRECISIONS
    from models.precision import chosen_precision

    on_cpu = device == "cpu"
    if wanted == "auto" and on_cpu and bundled:
        transformer: Any = model[0]
        return chosen_precision(transformer.model.encoder.layer[0])
    if wanted == "auto":
        capabilities = torch.cpu.get_capabilities()
        native = capabilities.get("amx_bf16") or capabilities.get("avx512_bf16")
        half = native if on_cpu else torch.cuda.is_available() and torch.cuda.is_bf16_supported(False)
        return "bfloat16" if half else "float32"
    for precision in PRECISIONS:
        if precision == wanted and (precision != "int8" or (on_cpu and _is_bert(model))):
            return precision
    raise ValueError(f"embedding.precision must be auto, {', '.join(PRECISIONS)} (int8: BERT on cpu); got {wanted!r}")


def _fast_pass(model: "SentenceTransformer", precision: "Precision") -> "Bert | None":
    """Return the fast pass of a BERT encoder; another model is turned to its precision."""
    import torch

    from models.bert import Bert

    if not _is_bert(model):
        model.to(getattr(torch, precision))
        return None
    transformer: Any = model[0]
    return Bert(transformer.model, precision)


def _is_bert(model: "SentenceTransformer") -> bool:
    """Return whether the model is a BERT whose mean token is the vector, with or without a norm of 1."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    from models.bert import is_supported

    modules: list[Any] = list(model)
    if [type(module) for module in modules[:2]] != [Transformer, Pooling]:
        return False
    pooling = modules[1]
    plain = pooling.pooling_mode in ("mean", ("mean",), ["mean"]) and pooling.include_prompt
    rest = all(isinstance(module, Normalize) for module in modules[2:])
    return bool(plain and rest and is_supported(modules[0].model))
