"""The learned tagger: its arithmetic, what it never masks, and the source of what it learned from."""

import itertools

import numpy as np
import pytest

from models.chain import Chain, fit_chain
from models.dialogue import _STYLES, Conversation, Turn, as_row, load_dialogues, parse_dialogues
from pipeline.mask import WordList, mask_conversation
from pipeline.mask.evidence import evidence, words_of
from pipeline.mask.learn import versions
from pipeline.mask.spans import MARK
from pipeline.mask.tagger import fitted, spans_of, tagged

LABELS = ("O", "name", "phone")


def chain(**emissions: list[float]) -> Chain:
    rows = {name: np.array(row, dtype=np.float32) for name, row in emissions.items()}
    return Chain(LABELS, rows, np.array([[0.5, -0.2, 0.1], [0.0, 0.8, -1.0], [0.3, -0.7, 0.4]], dtype=np.float32))


def test_marginals_are_those_of_all_paths_counted_one_by_one():
    model = chain(a=[0.2, 1.0, -0.5], b=[0.0, -0.3, 0.9])
    sequence = [["a"], ["a", "b"], [], ["b", "unknown"]]
    scores = [sum((model.emissions[f] for f in step if f in model.emissions), np.zeros(3)) for step in sequence]
    weighed = np.zeros((4, 3))
    for path in itertools.product(range(3), repeat=4):
        score = sum(scores[i][label] for i, label in enumerate(path))
        score += sum(model.transitions[a, b] for a, b in itertools.pairwise(path))
        for i, label in enumerate(path):
            weighed[i, label] += np.exp(score)
    expected = weighed / weighed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.marginals(sequence), expected, rtol=1e-5)


def test_a_thousand_words_do_not_overflow():
    marginals = chain(a=[0.0, 40.0, -40.0]).marginals([["a"]] * 1000)
    assert np.isfinite(marginals).all() and marginals[:, 1].min() > 0.99


def test_weights_are_the_same_to_a_hundredth_after_their_file(tmp_path):
    model = chain(a=[0.2, 1.0, -0.5], b=[0.001, 0.0, 0.002])
    model.to_json(tmp_path / "w.json")
    read = Chain.from_json(tmp_path / "w.json")
    assert read.labels == LABELS and set(read.emissions) == {"a"}
    np.testing.assert_allclose(read.emissions["a"], [0.2, 1.0, -0.5], atol=0.005)
    np.testing.assert_allclose(read.transitions, model.transitions, atol=0.005)


def test_learning_twice_gives_the_same_weights_and_learns():
    sequences = [[["w=田中"], ["w=です"]], [["w=雨"], ["w=です"]]] * 5
    labels = [["name", "O"], ["O", "O"]] * 5
    first, second = (fit_chain(sequences, labels, min_count=1) for _ in range(2))
    assert first.emissions.keys() == second.emissions.keys()
    for name, row in first.emissions.items():
        np.testing.assert_array_equal(row, second.emissions[name])
    assert first.marginals(sequences[0])[0, first.labels.index("name")] > 0.5


def likely(text: str, **probabilities: float):
    """Return the words of a text, and marginals with the given probability of a name."""
    words = words_of(text)
    p = np.array([probabilities.get(word.text, 0.0) for word in words])
    return words, np.stack([1 - p, p, np.zeros(len(p))], axis=1)


@pytest.mark.parametrize(
    ("text", "probabilities", "masked"),
    [
        ("榊大輔です", {"榊": 0.9, "大輔": 0.4}, ["榊大輔"]),
        ("榊大輔です", {"榊": 0.4, "大輔": 0.4}, []),
        ("榊です", {"榊": 0.9, "です": 0.6}, ["榊"]),
        ("横浜市の榊", {"横浜市": 0.9, "榊": 0.9}, ["榊"]),
        ("榊様", {"榊": 0.9, "様": 0.9}, ["榊"]),
    ],
    ids=["a likely word goes with a sure one", "none is sure", "a particle stays", "a city stays", "a title stays"],
)
def test_runs_of_likely_words_are_personal(text, probabilities, masked):
    words, marginals = likely(text, **probabilities)
    found = spans_of(words, marginals, LABELS, sure=0.8, also=0.3)
    assert [text[span.start : span.end] for span in found] == masked


def test_marks_are_words_that_are_never_tagged():
    text = "担当の[氏名]です。電話は[電話]です"
    assert [word.text for word in words_of(text) if word.tag == "伏字"] == ["[氏名]", "[電話]"]
    marks = [match.span() for match in MARK.finditer(text)]
    assert not any(span.start < end and start < span.end for span in tagged(text) for start, end in marks)


def test_evidence_holds_no_more_than_one_list_for_each_word():
    for text in ("", "。", "\n\n", "榊", "[氏名]\n[電話]", "A" * 300):
        words = words_of(text)
        assert len(evidence(text, words)) == len(words)
        assert "".join(word.text for word in words) == text


def test_what_the_tagger_alone_finds_is_masked_unless_it_is_a_kept_word():
    transitions = np.array([[5.0, -5.0], [5.0, -5.0]], dtype=np.float32)
    one_word = Chain(("O", "name"), {"0n=霞町": np.array([-9.0, 20.0], dtype=np.float32)}, transitions)
    with fitted(one_word):
        assert mask_conversation("霞町の件") == "[氏名]の件"
        assert mask_conversation("霞町の件", WordList(keep=("霞町",))) == "霞町の件"


def test_masking_conversations_of_every_style_twice_changes_nothing():
    for row in load_dialogues()[::25]:
        masked = mask_conversation(row["text"])
        assert mask_conversation(masked) == masked, row["id"]


# --- the source ------------------------------------------------------------------------------------------------------

SOURCE = "### A-1 | {style} | 銀行\nA\tお名前を\\nお願いします。\nC\t{{{{name|架空坂}}}}です。\nA\t{{{{name|架空坂}}}}様ですね。\nC\tはい。\n"


@pytest.mark.parametrize("style", list(_STYLES))
def test_every_style_holds_the_turns_and_the_personal_strings_where_it_says(style):
    (conversation,) = parse_dialogues(SOURCE.format(style=style))
    row = as_row(conversation)
    assert [p["text"] for p in row["pii"]] == ["架空坂", "架空坂"]
    assert all(row["text"].startswith(p["text"], p["start"]) for p in row["pii"])
    assert all(turn in row["text"] for turn in (*row["customer"], *row["agent"]))


def test_a_mail_that_the_desk_answered_is_a_ticket_and_a_customers_last_mail_quotes_the_thread():
    turns = (Turn(False, "届きません", ()), Turn(True, "架空坂様\n確認します", ((0, 3, "name"),)))
    assert as_row(Conversation("A-1", "mail", "通販", turns))["style"] == "ticket"
    quoted = as_row(Conversation("A-1", "mail", "通販", (*turns, Turn(False, "まだです", ()))))
    assert quoted["text"].startswith("まだです\n") and "> 架空坂様\n> 確認します" in quoted["text"]
    assert quoted["text"].startswith("架空坂", quoted["pii"][0]["start"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### A-1 | plain | 銀行\nX\tはい", r"x line 2: expected '### ID"),
        ("### A-1 | plain | 銀行\nC\t{{nome|榊}}", "x line 2: unknown type 'nome'; known: account, "),
        ("### A-1 | plain | 銀行\nC\t{{name|榊", "x line 2: a mark is not closed"),
        ("### A-1 | plain | 銀行\n### A-2 | plain | 銀行", "x line 2: A-1 has no turns"),
        ("### A-1 | song | 銀行\nC\tはい", "x line 1: unknown style 'song'; known: colon, "),
    ],
)
def test_a_fault_in_the_source_is_named_with_its_line(source, message):
    with pytest.raises(ValueError, match=message):
        list(parse_dialogues(source, "x"))


def test_an_id_that_stands_twice_is_refused(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("### A-1 | plain | 銀行\nC\tはい\n", encoding="utf-8")
    with pytest.raises(ValueError, match="A-1 stands twice"):
        load_dialogues(tmp_path)


def test_a_conversation_is_learned_with_patterns_and_with_half_of_its_strings_masked():
    text = "CU：架空坂です。…080-0000-1234です。"
    row = {"id": "A", "text": text, "pii": [{"text": t, "type": k, "start": text.index(t)} for t, k in (("架空坂", "name"), ("080-0000-1234", "phone"))]}
    by_pattern, _ = versions(row)
    assert by_pattern.text == "CU:架空坂です。...[電話]です。"
    assert [c for c, kind in zip(by_pattern.text, by_pattern.types, strict=True) if kind] == list("架空坂")
