"""What a growing topic is called: the pair its units share, or the nouns that set them apart."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.themes.naming import MAX_LENGTH, N_KEYWORDS, may_stand
from pipeline.themes.phrases import pair_phrase
from pipeline.themes.vocabulary import MARK, is_keyword, is_noun, unit_terms, written

_SHARED = 0.2
"""Share of the units that hold a pair that names the topic, or a noun beside the first."""

_LEAST = 3


@dataclass(frozen=True)
class TopicName:
    """What a topic is called, at most 20 characters, and the words that set it apart, the most telling first."""

    name: str
    keywords: tuple[str, ...]


def name_topic(units: pl.DataFrame, rows: np.ndarray, taken: Iterable[str] = ()) -> TopicName:
    """Return the name of the topic that some rows of the units are.

    Parameters
    ----------
    units : pl.DataFrame
        unit_text, tokens, pairs of the whole window.
    rows : ndarray of int
        The topic's units.
    taken : iterable of str
        Names it may not have: those of themes.
    """
    mine = np.zeros(units.height, bool)
    mine[rows] = True
    texts = [MARK.sub("\n", text) for text in units["unit_text"]]
    tokens, pairs = units["tokens"].to_list(), units["pairs"].to_list()
    own = [texts[row] for row in rows]
    terms = _telling([set(unit_terms(text, words)) for text, words in zip(texts, tokens, strict=True)], mine)
    links = _telling([set(links) for links in pairs], mine)
    enough = max(_LEAST, math.ceil(_SHARED * len(rows)))
    phrases = [phrase for pair, n in links if n >= enough and (phrase := pair_phrase(pair, own))]
    nouns = [(written(term, own), n) for term, n in terms if is_noun(term)]
    taken = set(taken)
    name = next((name for name in [*phrases, *_joined(nouns, own, enough)] if may_stand(name, taken)), None)
    keywords = tuple(dict.fromkeys(written(term, own) for term, n in terms if n >= 2 and is_keyword(term)))
    return TopicName(name or "・".join(keywords[:2])[:MAX_LENGTH], keywords[:N_KEYWORDS])


def _telling(held: Sequence[set[str]], mine: np.ndarray) -> list[tuple[str, int]]:
    """Return what the topic's units hold with its count, ranked by share × log(share / share elsewhere)."""
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for is_mine, things in zip(mine, held, strict=True):
        (inside if is_mine else outside).update(things)
    n, m = int(mine.sum()), int((~mine).sum())

    def weight(thing: str) -> float:
        share, usual = inside[thing] / n, (outside[thing] + 1) / (m + 1)
        return share * math.log(share / usual)

    ranked = sorted(inside, key=lambda thing: (-round(weight(thing), 9), -len(thing), thing))
    return [(thing, inside[thing]) for thing in ranked if weight(thing) > 0]


def _joined(nouns: Sequence[tuple[str, int]], texts: Sequence[str], enough: int) -> Iterable[str]:
    """Yield names of two nouns, then of one: the second is the one that reaches most units the first does not."""
    names = [noun for noun, _ in nouns]
    held = _holders(texts)
    for first in names[:3]:
        rest = [noun for noun, n in nouns if n >= enough and first not in noun and noun not in first]
        if rest:
            second = max(rest, key=lambda noun: len(held(noun) - held(first)))
            yield f"{first}・{second}"
        yield first


def _holders(texts: Sequence[str]) -> Callable[[str], set[int]]:
    return lambda word: {row for row, text in enumerate(texts) if word in text}
