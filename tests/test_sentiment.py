"""Polarity and intent, on the bundled encoder and on another one that the test makes."""

import numpy as np
import pytest

from models.corpus import Opinion
from models.embedding import Encoder, batches_by_length
from models.linear_head import cached_linear_head
from models.sentiment import INTENTS, POLARITIES, SentimentClassifier

OPINIONS = [
    Opinion(f"{what}が{how}", "テーマ", polarity, intent, "test")
    for what in ("味", "店", "色", "音", "席", "道", "箱", "茶")
    for how, polarity, intent in (
        ("最高", "positive", "praise"),
        ("最悪", "negative", "complaint"),
        ("普通", "neutral", "fact"),
    )
]


@pytest.fixture(scope="module")
def bundled():
    return SentimentClassifier.from_pretrained()


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A sentence-transformers folder of a tiny BERT that knows single characters."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("small")
    characters = sorted({character for opinion in OPINIONS for character in opinion.text})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "plain")
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(characters) + 5, **size)).save_pretrained(folder / "plain")
    model = SentenceTransformer(modules=[Transformer(str(folder / "plain")), Pooling(32, "mean")], device="cpu")
    model.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


@pytest.mark.parametrize(
    ("text", "polarity", "intent"),
    [
        ("スタッフの対応がとても丁寧でした", "positive", "praise"),
        ("二時間も待たされて最悪でした", "negative", "complaint"),
        ("送料を安くしてほしいです", "negative", "request"),
        ("木曜に妻と二人で行きました", "neutral", "fact"),
        ("支払い方法は何がありますか", "neutral", "question"),
    ],
)
def test_plain_opinions_are_read_right(bundled, text, polarity, intent):
    assert bundled.predict([text]) == [polarity]
    assert bundled.predict_intent([text]) == [intent]


def test_probabilities_sum_to_one_and_follow_the_order_of_the_texts(bundled):
    texts = ["遅い", "最高", "遅い", "", "😊"]
    proba = bundled.predict_proba(texts)
    assert proba.shape == (5, len(POLARITIES))
    assert np.allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert (proba[0] == proba[2]).all()


def test_no_texts_give_empty_arrays(bundled):
    embeddings, logits = bundled.encode_with_logits([])
    assert embeddings.shape == (0, 384)
    assert logits.shape == (0, len(POLARITIES) + len(INTENTS))


def test_the_vectors_are_those_of_the_plain_encoder(bundled):
    texts = ["返信が遅い", "梱包が丁寧"]
    assert np.allclose(bundled.encode_with_logits(texts)[0], bundled.encoder.encode(texts), atol=1e-6)


def test_another_encoder_gets_a_head_that_is_trained_once(small_model, tmp_path):
    encoder = Encoder.from_pretrained(str(small_model))
    calls = []
    heads = [
        cached_linear_head(
            encoder, opinions=OPINIONS, cache=tmp_path, progress=lambda done, total: calls.append(done)
        )
        for _ in range(2)
    ]
    assert heads[0].model_id == heads[1].model_id
    assert calls == [len(OPINIONS)]
    logits = heads[0](encoder.encode([opinion.text for opinion in OPINIONS]))
    read = [POLARITIES[k] for k in logits[:, :3].argmax(axis=1)]
    assert np.mean([a == o.polarity for a, o in zip(read, OPINIONS, strict=True)]) > 0.9


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected modules.json or config.json; set embedding.model"):
        Encoder.from_pretrained(str(tmp_path))


def test_batches_hold_every_row_once_and_stay_within_their_bound():
    lengths = np.array([5, 900, 3, 3, 40, 12])
    batches = list(batches_by_length(lengths, 64))
    assert sorted(np.concatenate(batches).tolist()) == list(range(6))
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= 64 for rows in batches)
