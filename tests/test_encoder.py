"""The encoder's fast pass, and the precision it runs in."""

import json

import numpy as np
import pytest
import torch

from models.bert import Packed
from models.embedding import Encoder
from models.linear import GELU_MINIMUM, Int8Linear, Linear
from models.precision import chosen_precision, measured, quickest
from models.sentiment import SentimentClassifier

TEXTS = [
    "返信が遅い",
    "梱包が丁寧でした",
    "",
    "😊",
    "ﷺ",
    "カウンターの方に料金プランを一つずつ説明していただき、家族全員が納得して契約できたので、とても助かりました",
    "遅い",
    "二時間も待たされたのに、最後まで説明がありませんでした",
]


@pytest.fixture(scope="module", params=["float32", "int8"])
def encoder(request):
    return Encoder.from_pretrained(precision=request.param)


def test_vectors_are_those_of_sentence_transformers(encoder):
    long = "画面が固まる。" * 400  # is cut at the model's 512 tokens
    texts = [*TEXTS, long]
    expected = encoder.model.encode(["query: " + text for text in texts], normalize_embeddings=True)
    cosines = (encoder.encode(texts) * expected).sum(axis=1)
    assert cosines.min() >= (0.999999 if encoder.precision == "float32" else 0.995)


def test_a_vector_does_not_depend_on_the_texts_beside_it_or_on_threads(encoder):
    vectors = encoder.encode(TEXTS)
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one_thread = encoder.encode(TEXTS[::-1])[::-1]
    finally:
        torch.set_num_threads(threads)
    assert np.allclose(vectors, alone, rtol=0, atol=1e-6)
    assert np.allclose(vectors, one_thread, rtol=0, atol=1e-6)


def test_the_number_of_threads_is_as_before(encoder):
    before = torch.get_num_threads()
    encoder.encode(TEXTS)
    assert torch.get_num_threads() == before


def test_an_error_in_a_branch_is_raised_and_threads_are_as_before(encoder):
    class Broken:
        layer = 4

        def __call__(self, hidden, packed, pooled):
            raise RuntimeError("broken branch")

    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="broken branch"):
        encoder.encode_with(TEXTS, Broken())
    assert torch.get_num_threads() == before


def test_a_branch_gets_what_flows_into_its_layer(encoder):
    class Lengths:
        layer = 0

        def __call__(self, hidden, packed, pooled):
            assert torch.equal(hidden, encoder.bert.embed(packed))
            return torch.tensor([[length] for n_texts, length in packed.groups for _ in range(n_texts)])

    lengths = encoder.encode_with(TEXTS, Lengths())[1][:, 0]
    assert lengths.tolist() == [len(encoder.model.tokenizer("query: " + text)["input_ids"]) for text in TEXTS]


def test_equal_texts_are_encoded_once(encoder):
    calls = []
    encoder.encode(["遅い"] * 50 + ["速い"], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(2, 2)]


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_vectors_polarity_and_intent_hardly_depend_on_the_precision(precision):
    exact, rounded = (
        SentimentClassifier.from_pretrained(Encoder.from_pretrained(precision=name)).encode_with_logits(TEXTS)
        for name in ("float32", precision)
    )
    assert (exact[0] * rounded[0]).sum(axis=1).min() >= 0.995
    assert np.abs(exact[1] - rounded[1]).max() < 1


def test_the_tuned_layers_are_those_that_were_trained():
    """The fast pass against the trainable module of transformers' own layers."""
    from safetensors.torch import load_file

    from models.embedding import Tap
    from models.sentiment import WEIGHTS, TunedLayers, build_module

    encoder = Encoder.from_pretrained(precision="float32")
    branch = TunedLayers.load(WEIGHTS, encoder)
    config = json.loads((WEIGHTS / "config.json").read_text(encoding="utf-8"))
    module = build_module(encoder, config["layer"], config["n_layers"]).eval()
    module.load_state_dict(load_file(WEIGHTS / "model.safetensors"))
    texts = TEXTS[:2]
    with torch.inference_mode(), Tap(encoder.model, config["layer"]) as tap:
        ((chosen, features),) = encoder.batches(texts)
        pooled = encoder.model(features)["sentence_embedding"]
        expected = module(tap.hidden, features["attention_mask"], tap.layer_inputs, pooled).numpy()
    assert np.allclose(encoder.encode_with(texts, branch)[1][chosen], expected, atol=1e-3)


def test_int8_with_the_largest_numbers_does_not_overflow():
    """Without VNNI a processor adds two products in 16 bits."""
    layer = Int8Linear(torch.ones(32, 384), torch.zeros(32))
    assert torch.allclose(layer(torch.ones(4, 384)), torch.full((4, 32), 384.0), rtol=1e-3)
    assert torch.allclose(layer(-torch.ones(4, 384)), torch.full((4, 32), -384.0), rtol=1e-3)


@pytest.mark.parametrize("minimum", [None, GELU_MINIMUM])
def test_int8_is_near_the_exact_product_row_by_row(minimum):
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(64, 384, generator=generator), torch.randn(64, generator=generator)
    rows = torch.randn(5, 384, generator=generator) * torch.tensor([[0.0], [1e-3], [1.0], [10.0], [1e3]])
    rows = rows if minimum is None else torch.nn.functional.gelu(rows)
    exact, rounded = Linear(weight, bias, torch.float32)(rows), Int8Linear(weight, bias, minimum)
    product = rounded(rows)
    span = (rows - (minimum or 0.0)).abs().amax(dim=1, keepdim=True).clamp(min=1e-6)
    assert ((product - exact).abs() <= 0.02 * span * 384**0.5 + 1e-4).all()
    assert torch.equal(product[2:3], rounded(rows[2:3]))


def test_packed_texts_keep_their_order_and_their_means():
    packed = Packed.of([[7, 8, 9], [1, 2], [3, 4], [5]])
    assert packed.groups == ((1, 3), (2, 2), (1, 1))
    assert packed.positions.tolist() == [0, 1, 2, 0, 1, 0, 1, 0]
    assert packed.means(packed.ids[:, None].float())[:, 0].tolist() == [8.0, 1.5, 3.5, 5.0]
    assert packed.firsts(packed.ids[:, None].float())[:, 0].tolist() == [7.0, 1.0, 3.0, 5.0]


def test_a_precision_is_measured_once_and_kept(tmp_path):
    calls = []

    def measure(module):
        calls.append(module)
        return {"float32": 50.0, "int8": 20.0} if len(calls) == 1 else {"float32": 1.0}

    assert [chosen_precision(None, cache=tmp_path, measure=measure) for _ in range(3)] == ["int8"] * 3
    assert len(calls) == 1
    assert [path.name.startswith("precision-") for path in tmp_path.iterdir()] == [True]


def test_of_two_processes_that_measure_the_first_decides(tmp_path):
    def slow(module):
        assert chosen_precision(None, cache=tmp_path, measure=lambda module: {"float32": 9.0, "int8": 1.0}) == "int8"
        return {"float32": 1.0}

    assert chosen_precision(None, cache=tmp_path, measure=slow) == "int8"


def test_another_processor_has_its_own_record(tmp_path, monkeypatch):
    chosen_precision(None, cache=tmp_path, measure=lambda module: {"float32": 1.0})
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "cpu_name": "another"})
    assert chosen_precision(None, cache=tmp_path, measure=lambda module: {"float32": 9.0, "int8": 1.0}) == "int8"


def test_a_damaged_record_says_what_to_do(tmp_path):
    chosen_precision(None, cache=tmp_path, measure=lambda module: {"float32": 1.0})
    (record,) = tmp_path.iterdir()
    record.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="delete the file to measure again"):
        chosen_precision(None, cache=tmp_path)
    record.write_text('{"precision": "float8"}', encoding="utf-8")
    with pytest.raises(ValueError, match="got 'float8'"):
        chosen_precision(None, cache=tmp_path)


def test_less_exact_must_be_markedly_quicker():
    assert quickest({"float32": 50.0, "bfloat16": 45.0, "int8": 41.0}) == "float32"
    assert quickest({"float32": 50.0, "bfloat16": 20.0, "int8": 19.0}) == "bfloat16"
    assert quickest({"float32": 50.0, "bfloat16": 90.0, "int8": 20.0}) == "int8"
    assert quickest({"float32": 50.0}) == "float32"


def test_measuring_covers_what_works_here_and_leaves_the_threads_alone(encoder):
    before = torch.get_num_threads()
    figures = measured(encoder.model[0].model.encoder.layer[0])
    assert figures["float32"] > 0 and set(figures) <= {"float32", "bfloat16", "int8"}
    assert torch.get_num_threads() == before


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="got 'float8'"):
        Encoder.from_pretrained(precision="float8")


@pytest.mark.parametrize(("has_bfloat16", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_is_taken_where_there_is_one(monkeypatch, has_bfloat16, precision):
    """No GPU is needed here: the model is loaded to the CPU in its place."""
    from models import embedding

    asked = []
    load = embedding._load
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_bfloat16)
    monkeypatch.setattr(embedding, "_load", lambda name, device: asked.append(device) or load(name, "cpu"))
    assert Encoder.from_pretrained().precision == precision
    assert asked == ["cuda"]
    with pytest.raises(ValueError, match="int8: BERT on cpu"):
        Encoder.from_pretrained(precision="int8")
