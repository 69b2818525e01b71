"""Units whose polarity turns."""

import dataclasses

import numpy as np
import pytest

from models.sentiment import SentimentClassifier
from pipeline.erasure import texts_of
from pipeline.segment import annotate
from pipeline.turns import cut_at_turns

GOOD, BAD = "二日で届いた", "箱がつぶれていた"


def reader(**signs):
    """Return a model that reads each text as told, anything else as neutral."""
    rows = {1: [0.1, 0.1, 0.8], -1: [0.8, 0.1, 0.1], 0: [0.1, 0.8, 0.1]}
    return lambda texts: np.array([rows[signs.get(text, 0)] for text in texts])


def cut(parser, text, polarity):
    (annotation,) = cut_at_turns(annotate([text], parser), polarity)
    for unit in annotation.units:
        assert annotation.text[unit.start : unit.end] == unit.text
        assert not unit.clauses
    return [unit.text for unit in annotation.units]


def test_praise_and_complaint_become_units_of_their_own(parser):
    assert cut(parser, f"{GOOD}が{BAD}", reader(**{GOOD: 1, BAD: -1})) == [GOOD, BAD]


@pytest.mark.parametrize("first", [0, -1])
def test_background_and_a_second_complaint_stay_with_the_complaint(parser, first):
    text = f"{GOOD}が、{BAD}"
    assert cut(parser, text, reader(**{GOOD: first, BAD: -1})) == [text]


def test_what_is_neutral_between_goes_with_what_follows(parser):
    polarity = reader(**{GOOD: 1, "開けてみた": 0, BAD: -1})
    assert cut(parser, f"{GOOD}けど開けてみたけど{BAD}", polarity) == [GOOD, f"開けてみたけど{BAD}"]


def test_words_and_pairs_are_those_of_the_part(parser):
    text = f"{GOOD}が{BAD}"
    (annotation,) = cut_at_turns(annotate([text], parser), reader(**{GOOD: 1, BAD: -1}))
    assert annotation.units[1].pairs == ("箱→つぶれる",)
    assert "つぶれる" not in annotation.units[0].tokens


def test_nothing_is_read_where_no_unit_could_turn(parser):
    def polarity(texts):
        raise AssertionError(texts)

    assert cut_at_turns([], polarity) == []
    assert cut(parser, "返信が遅い", polarity) == ["返信が遅い"]


def test_an_erasure_reaches_every_text_that_was_read(parser):
    texts = [f"{GOOD}けど開けてみたけど{BAD}", "返信が遅い"]
    for annotation in annotate(texts, parser):
        erased = texts_of(dataclasses.asdict(annotation))
        assert {clause.text for unit in annotation.units for clause in unit.clauses} <= erased
        for signs in ({GOOD: 1, BAD: -1}, {"開けてみた": 1, BAD: -1}, {GOOD: 1, "開けてみた": -1, BAD: 1}):
            (made,) = cut_at_turns([annotation], reader(**signs))
            assert {unit.text for unit in made.units} <= erased


def test_the_shipped_model_cuts_a_contrast_of_facts(parser):
    classifier = SentimentClassifier.from_pretrained()
    text = "雨漏りがしたけどすぐに職人さんをよこしてくれた"
    assert cut(parser, text, classifier.predict_proba) == ["雨漏りがした", "すぐに職人さんをよこしてくれた"]
