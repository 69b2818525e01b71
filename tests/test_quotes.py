"""Quotes of a theme: like it, unlike one another."""

import numpy as np
import polars as pl

from pipeline.themes.quotes import marginal_relevance, representative

A, B, C = np.eye(3)


def test_the_next_quote_is_relevant_and_unlike_those_before():
    vectors = np.stack([A, A, B, C])
    assert marginal_relevance(np.array([0.9, 0.89, 0.7, 0.6]), vectors, 3) == [0, 2, 3]
    assert marginal_relevance(np.array([0.9]), vectors[:1], 3) == [0]


def night(texts, people, similarity=0.8):
    n = len(texts)
    return pl.DataFrame(
        {
            "source": ["s"] * n,
            "feedback_id": people,
            "unit_index": list(range(n)),
            "unit_text": texts,
            "theme_id": ["T0001"] * n,
            "similarity": [similarity - k / 100 for k in range(n)],
        }
    )


def test_quotes_are_different_texts_of_different_respondents():
    texts = ["配達がいつも遅れて困ります", "配達がいつも遅れて困ります", "時間どおりに届きません", "置き配の場所が選べません"]
    units = night(texts, ["R1", "R2", "R1", "R3"])
    quotes = representative(units, np.stack([A, A, B, C]))["T0001"]
    assert quotes == [texts[0], texts[3]]


def test_readable_quotes_come_before_short_ones_and_order_changes_nothing():
    texts = ["遅い", "配達がいつも遅れて困ります", "時間どおりに届いたことがない", "置き配の場所が選べません", "だめ"]
    units = night(texts, list("abcde"))
    vectors = np.stack([A, A, B, C, C])
    quotes = representative(units, vectors)["T0001"]
    assert set(quotes) == set(texts[1:4])
    order = [4, 2, 0, 3, 1]
    assert representative(units[order], vectors[order])["T0001"] == quotes
