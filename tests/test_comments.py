"""Labelled comments, whole: what the format means, and what of it may be learned alone."""

import pytest

from models.comments import Clause, clause_opinions, load_comments, parse_comments
from models.corpus import load_corpus

SOURCE = """\
料理はおいしかったのですが、\t+
お茶のおかわりが20分。\t-*

できれば電話も受けてほしい\t-r
"""


def test_an_empty_line_ends_a_comment():
    first, second = parse_comments(SOURCE, "dining")
    assert [clause.text for clause in first.clauses] == ["料理はおいしかったのですが、", "お茶のおかわりが20分。"]
    assert first.clauses[1] == Clause("お茶のおかわりが20分。", "negative", "complaint", True)
    assert (second.trade, second.clauses[0].intent) == ("dining", "request")


@pytest.mark.parametrize("line", ["no code", "待った\t?", "、。\t+", "待った\t+-"])
def test_a_line_without_clause_and_code_is_refused_with_its_number(line):
    with pytest.raises(ValueError, match="dining line 2"):
        list(parse_comments(f"届いた\t0\n{line}\n", "dining"))


def test_clauses_that_need_their_comment_are_not_learned_alone():
    assert [opinion.text for opinion in clause_opinions(parse_comments(SOURCE))] == [
        "料理はおいしかったのですが",
        "できれば電話も受けてほしい",
    ]


def test_a_text_with_two_labels_is_learned_under_none():
    source = "早い。\t+\n\n早い\t-\n\n遅い\t-\n"
    assert [opinion.text for opinion in clause_opinions(parse_comments(source))] == ["遅い"]


def test_the_shipped_comments_are_whole_and_differ_from_one_another():
    comments = load_comments()
    texts = [comment.clauses for comment in comments]
    assert len(texts) > 3_000
    assert len(set(texts)) == len(texts)
    held = {opinion.text for opinion in load_corpus()}
    assert sum(opinion.text in held for opinion in clause_opinions(comments)) < 0.02 * len(texts)
