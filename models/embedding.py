"""Sentence embeddings, from the bundled encoder or any sentence-transformers model.

The work is batched by token count: texts are sorted by length and grouped so that a batch holds at
most ``TOKENS_PER_BATCH`` tokens with its padding, and equal texts are encoded once.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from models.bundled import SHA256, Progress, bundled_model_folder

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

TOKENS_PER_BATCH = 2048
BUNDLED = "bundled"
_BUNDLED_PROMPT = "query: "


class Branch(Protocol):
    """A second reading of the same pass, fed with the hidden states below one of its layers."""

    layer: int  # 0-based: the branch takes what goes into this layer of the encoder

    def __call__(
        self, hidden: "torch.Tensor", mask: "torch.Tensor", layer_inputs: dict[str, Any], pooled: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return (n_texts, k) from hidden (n_texts, n_tokens, dim), mask and pooled (n_texts, dim)."""


class Encoder:
    """A sentence encoder; made by :meth:`from_pretrained`.

    Attributes
    ----------
    model_id : str
        Names weights, prompt and precision: vectors of equal ``model_id`` can be compared and cached together.
    dim : int
        Length of a vector.
    """

    def __init__(self, model: "SentenceTransformer", name: str, prompt: str, precision: str) -> None:
        self.model = model
        self.prompt = prompt
        self.model_id = "|".join([name, prompt.strip(), precision])
        self.dim = int(model.get_embedding_dimension() or 0)

    @classmethod
    def from_pretrained(
        cls,
        name: str = BUNDLED,
        *,
        prompt: str | None = None,
        device: str = "auto",
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
        progress : callable, optional
            Called with (done, total) while the bundled model is unpacked for the first time.

        Raises
        ------
        ValueError
            If a folder is named that holds no model, or the model cannot be loaded.
        """
        import torch

        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        folder = bundled_model_folder(progress=progress) if name == BUNDLED else _checked_name(name)
        model = _load(str(folder), device)
        half = device == "cpu" and _has_bfloat16_instructions()
        if half:
            model = model.to(torch.bfloat16)
        if prompt is None:
            prompt = _BUNDLED_PROMPT if name == BUNDLED else model.prompts.get(model.default_prompt_name or "") or ""
        identity = f"multilingual-e5-small-q4-{SHA256[:12]}" if name == BUNDLED else str(name)
        return cls(model, identity, prompt, "bfloat16" if half else "float32")

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
        """
        import torch

        unique = sorted(set(texts))
        if not unique:
            return np.zeros((0, self.dim), np.float32), np.zeros((0, 0), np.float32)
        rows = {text: row for row, text in enumerate(unique)}
        vectors = np.zeros((len(unique), self.dim), np.float32)
        outputs: np.ndarray | None = None
        done = 0
        with torch.inference_mode(), Tap(self.model, None if branch is None else branch.layer) as tap:
            for chosen, features in self.batches(unique):
                pooled = self.model(features)["sentence_embedding"].float()
                vectors[chosen] = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
                if branch is not None:
                    made = branch(tap.hidden, features["attention_mask"], tap.layer_inputs, pooled)
                    if outputs is None:
                        outputs = np.zeros((len(unique), made.shape[1]), np.float32)
                    outputs[chosen] = made.float().cpu().numpy()
                done += len(chosen)
                if progress:
                    progress(done, len(unique))
        order = np.fromiter((rows[text] for text in texts), np.int64, len(texts))
        return vectors[order], np.zeros((len(texts), 0), np.float32) if outputs is None else outputs[order]

    def batches(self, texts: list[str]) -> Iterator[tuple[np.ndarray, dict[str, "torch.Tensor"]]]:
        """Yield (row numbers, tokenised features on the model's device) of batches of similar length."""
        tokenizer = self.model.tokenizer
        ids = tokenizer(
            [self.prompt + text for text in texts],
            truncation=True,
            max_length=self.model.max_seq_length,
            return_attention_mask=False,
        )["input_ids"]
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        for chosen in batches_by_length(lengths, TOKENS_PER_BATCH):
            features = tokenizer.pad({"input_ids": [ids[row] for row in chosen]}, return_tensors="pt")
            yield chosen, {key: value.to(self.model.device) for key, value in features.items()}


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


def _has_bfloat16_instructions() -> bool:
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
