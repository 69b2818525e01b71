"""What a night costs, counted rather than timed: a later night computes the new comments, and only those."""

import csv
import hashlib
from collections import Counter
from datetime import date

import numpy as np
import prefect
import pytest
import sqlalchemy as sa

from flows import nightly
from flows.config import load_config
from flows.deployment import deployment
from pipeline import segment
from pipeline.parse import Names

WORDS = ["配送が遅い", "返品の手続きがわからない", "梱包が丁寧でした", "値段が高い", "アプリが落ちる", "品ぞろえが良い"]
CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { id = "id", text = "comment", score = "score", received_at = "day" }
"""


class FakeModels:
    """An encoder and classifier in one: a vector per subject, a little of the text's own; counts what it is given."""

    dim, model_id = 16, "fake"
    logits = np.arange(8, dtype=np.float32)  # sure praise

    def __init__(self, counts):
        self.encoder, self.counts = self, counts

    def from_pretrained(self, *_, **__):
        return self

    def encode(self, texts):
        draws = [np.random.default_rng(int(hashlib.sha256(t.encode()).hexdigest()[:8], 16)).normal(size=16) for t in texts]
        subjects = np.eye(16)[[next((k for k, word in enumerate(WORDS) if word[:2] in t), 9) for t in texts]]
        vectors = subjects + 0.05 * np.array(draws).reshape(-1, 16)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def encode_with_logits(self, texts):
        self.counts["encoded"] += len(texts)
        return self.encode(texts), np.tile(self.logits, (len(texts), 1))

    def calibrated(self, logits):
        return logits


@pytest.fixture
def counted(monkeypatch, parser):
    """Make the night a plain function with counted models, parses and statements."""
    counts = Counter()
    for name, value in list(vars(nightly).items()):
        if isinstance(value, prefect.Task):
            monkeypatch.setattr(nightly, name, value.fn)
    models, annotate = FakeModels(counts), segment.annotate

    def counting_annotate(texts, *args, **kwargs):
        counts["read"] += len(texts)
        return annotate(texts, *args, **kwargs)

    pipe = parser.pipe

    def counting_pipe(texts, **kwargs):
        asking = list(texts)
        counts["parsed"] += len(asking)
        return pipe(asking, **kwargs)

    recognise = Names.recognised

    def counting_recognise(self, docs):
        counts["recognised"] += len(docs)
        return recognise(self, docs)

    monkeypatch.setattr(nightly, "Encoder", models)
    monkeypatch.setattr(nightly, "SentimentClassifier", models)
    monkeypatch.setattr(segment, "annotate", counting_annotate)
    monkeypatch.setattr(parser, "pipe", counting_pipe)
    monkeypatch.setattr(Names, "recognised", counting_recognise)

    def statement(*_):
        counts["statements"] += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", statement)
    yield counts
    sa.event.remove(sa.Engine, "before_cursor_execute", statement)


def rows(first, last):
    return [[f"R{i:04}", f"2026-11-{1 + i % 20:02}", str(i % 11), f"{WORDS[i % 6]}。{i}回目です"] for i in range(first, last)]


def run(folder, day, data, counts):
    """Run a night on these rows; return what it counted."""
    folder.mkdir(exist_ok=True)
    (folder / "night.toml").write_text(CONFIG, encoding="utf-8")
    with (folder / "survey.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["id", "day", "score", "comment"], *data])
    counts.clear()
    config = load_config(folder / "night.toml")
    with deployment(config, config.out, night=day) as store:
        nightly.analyse(config, day, config.out, store)
    return counts.copy()


FIRST, SECOND = date(2026, 11, 21), date(2026, 11, 22)


@pytest.mark.parametrize("cumulative", [False, True], ids=["only the newest", "cumulative exports"])
def test_a_second_night_reads_and_encodes_the_new_comments_alone(counted, tmp_path, cumulative):
    first = run(tmp_path, FIRST, rows(0, 60), counted)
    assert first["read"] == 60 and first["encoded"] >= 60
    run(tmp_path, SECOND, rows(0 if cumulative else 60, 67), counted)
    assert counted["read"] == 7
    assert 7 <= counted["encoded"] <= 14  # one or two opinions a comment


def test_the_same_night_again_computes_nothing(counted, tmp_path):
    run(tmp_path, FIRST, rows(0, 60), counted)
    run(tmp_path, FIRST, rows(0, 60), counted)
    assert (counted["read"], counted["parsed"], counted["encoded"]) == (0, 0, 0)


PLAIN = ["配送が遅い。梱包は丁寧でした", "品ぞろえが良いが、値段が高い", "店長の対応が良い", "アプリが落ちるし、遅い"]
ASKING = {
    "担当の東野が丁寧でした": 1,  # a surname, or the place
    "味は良い値段は高いです": 0,  # 値段, or the one of a good taste: the parse tells, and no name is possible
}


def test_only_what_words_do_not_settle_is_parsed_and_searched_for_names(counted, tmp_path):
    """The networks cost ten times what words cost: a rule that asks for them too readily makes a night long."""
    texts = [*PLAIN, *ASKING]
    run(tmp_path, FIRST, [[f"R{i}", "2026-11-20", "5", text] for i, text in enumerate(texts)], counted)
    assert (counted["read"], counted["parsed"], counted["recognised"]) == (len(texts), len(ASKING), sum(ASKING.values()))


def test_of_a_contrast_only_the_shorter_side_is_read_where_it_is_not_sure(counted, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeModels, "logits", np.zeros(8, np.float32))
    run(tmp_path, FIRST, [["R1", "2026-11-20", "5", "先日購入したのですが、サイズが合わなくて返品しました"]], counted)
    assert counted["encoded"] == 2, "the whole opinion, and its shorter clause"


def test_statements_do_not_grow_with_the_comments_of_the_window(counted, tmp_path):
    found = []
    for size in (60, 240):
        folder = tmp_path / str(size)
        run(folder, FIRST, rows(0, size), counted)
        found.append(run(folder, SECOND, rows(size, size + 7), counted)["statements"])
    assert found[1] <= found[0] + 2, "one statement reads 500 rows"
    assert found[1] < 90
