"""Polarity read in its comment: what a unit's neighbours may move, and what they may not."""

import numpy as np
import polars as pl
import pytest

from models.comments import Clause, Comment
from pipeline.context import JOINTS, N_FEATURES, Context, as_tables, features, in_context, places, readings
from pipeline.context_training import Examples, clause_spans, fit, label_of
from pipeline.encode import Encoded
from pipeline.segment import Annotation, OpinionUnit

KINDS = {
    "丁寧でしたが、一週間かかった": "contrast",
    "丁寧でした。でも一週間かかった": "contrast, new sentence",
    "丁寧だし、一週間かかった": "addition",
    "丁寧なので一週間かかった": "cause",
    "丁寧。一週間かかった": "new sentence",
    "丁寧、一週間かかった": "comma",
    "丁寧一週間かかった": "nothing",
}


def annotated(text, *parts):
    """Annotate the parts as units of a text."""
    spans = [(text.index(part), text.index(part) + len(part)) for part in parts]
    return Annotation(text, tuple(OpinionUnit(text[start:end], start, end) for start, end in spans))


def encoded(*polarity):
    """Encode units of these polarity logits."""
    logits = np.hstack([np.array(polarity, np.float32), np.zeros((len(polarity), 5), np.float32)])
    return Encoded(np.ones((len(polarity), 2), np.float32), logits)


PRAISE, DOUBT = (-3.0, 0.0, 3.0), (0.0, 0.1, 0.0)


@pytest.fixture
def contrast_turns():
    """Let whatever stands behind a contrast be the opposite of what stands before it."""
    weight = np.zeros((N_FEATURES, 3))
    weight[4 * JOINTS.index("contrast") + 1] = (-2, 0, 2)  # behind a complaint
    weight[4 * JOINTS.index("contrast") + 2] = (2, 0, -2)  # behind praise
    return Context(weight)


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_units_are_joined_by_what_stands_between_them(text, kind):
    units, feedback = as_tables([annotated(text, text[: text.index("丁寧") + 2], "一週間かかった")])
    assert JOINTS[places(units, feedback).joint[1]] == kind


def test_a_doubtful_unit_behind_praise_and_a_contrast_becomes_a_complaint(contrast_turns):
    text = "丁寧でしたが、一週間かかった"
    units, feedback = as_tables([annotated(text, "丁寧でした", "一週間かかった")])
    read = in_context(encoded(PRAISE, DOUBT), units, feedback, contrast_turns)
    assert read.polarity.argmax(axis=1).tolist() == [2, 0]


def test_a_unit_alone_in_its_comment_stays_as_it_was_read(contrast_turns):
    weight = Context(np.ones((N_FEATURES, 3)) * (1, 2, 3))
    units, feedback = as_tables([annotated("丁寧でしたが", "丁寧でした"), annotated("遅い", "遅い")])
    alone = encoded(PRAISE, DOUBT)
    assert np.array_equal(in_context(alone, units, feedback, weight).logits, alone.logits)


def test_a_comment_is_read_the_same_whatever_stands_around_it(contrast_turns):
    generator = np.random.default_rng(3)
    context = Context(generator.normal(size=(N_FEATURES, 3)))
    texts = ["丁寧。安い、早い"] * 40
    annotations = [annotated(text, *("丁寧", "安い", "早い")[: 1 + number % 3]) for number, text in enumerate(texts)]
    units, feedback = as_tables(annotations)
    logits = generator.normal(size=(units.height, 8)).astype(np.float32)
    together = in_context(Encoded(np.ones((units.height, 2), np.float32), logits), units, feedback, context)
    mine = (units["feedback_id"] == "17").to_numpy()
    some, text = units.filter(pl.Series(mine)), feedback.filter(pl.col("feedback_id") == "17")
    apart = in_context(Encoded(np.ones((some.height, 2), np.float32), logits[mine]), some, text, context)
    assert np.array_equal(together.logits[mine], apart.logits)


def test_nothing_is_read_in_a_night_without_opinions(contrast_turns):
    units, feedback = as_tables([])
    nothing = Encoded(np.zeros((0, 2), np.float32), np.zeros((0, 8), np.float32))
    assert in_context(nothing, units, feedback, contrast_turns).logits.shape == (0, 8)


def test_training_finds_that_a_contrast_turns_polarity():
    texts = ["丁寧でしたが、一週間かかった", "遅かったが、一週間かかった"] * 30
    annotations = [annotated(text, text[: text.index("が")], "一週間かかった") for text in texts]
    units, feedback = as_tables(annotations)
    alone = encoded(*[PRAISE, DOUBT, PRAISE[::-1], DOUBT] * 30)
    beside = features(readings(alone), places(units, feedback), np.arange(units.height))
    labels = np.array([2, 0, 0, 2] * 30)
    known = Examples(alone.logits[:, :3], beside, labels, np.array(["a"] * 120), np.repeat(np.arange(60), 2))
    read = in_context(alone, units, feedback, fit(known))
    assert read.polarity.argmax(axis=1).tolist() == labels.tolist()


def test_a_unit_that_holds_praise_and_complaint_teaches_nothing():
    comment = Comment("x", (Clause("親切だけど", "positive", "praise", False), Clause("遅すぎます", "negative", "complaint", False)))
    spans = clause_spans(comment)
    assert [label_of(0, 5, spans), label_of(5, 10, spans), label_of(0, 10, spans)] == [2, 0, -1]


def test_weights_of_other_joints_are_refused(tmp_path):
    path = tmp_path / "context.json"
    Context(np.zeros((N_FEATURES, 3))).to_json(path, {})
    path.write_text(path.read_text(encoding="utf-8").replace("comma", "dash"), encoding="utf-8")
    with pytest.raises(ValueError, match="context_training"):
        Context.from_json(path)
