"""Personal data that a learned tagger finds in a conversation, whatever its writer's phrases.

A linear-chain conditional random field (`models.chain`) reads the evidence of each word and gives its probability of
being personal, of each type. It stands beside the rules: what either finds is masked.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

import models
from models.chain import Chain
from pipeline.mask.evidence import Word, evidence, is_digits, words_of

WEIGHTS = Path(models.__file__).parent / "weights" / "personal.json"
SURE = 0.85  # probability at which a word begins to be masked; chosen on an author left out of training
ALSO = 0.4  # and at which a word beside it goes with it
MARKS = {
    "name": "[氏名]",
    "spelling": "[氏名]",
    "phone": "[電話]",
    "number": "[番号]",
    "card": "[カード番号]",
    "account": "[口座番号]",
    "birth_date": "[生年月日]",
    "password": "[暗証番号]",
    "address": "[住所]",
    "postal": "[郵便番号]",
    "mail": "[メール]",
    "url": "[URL]",
    "plate": "[車両番号]",
    "social": "[アカウント]",
}
OTHER = "O"


class Tagged(NamedTuple):
    """A personal string: its place, the mark for it, and how probable the surest of its words is."""

    start: int
    end: int
    mark: str
    probability: float


_FRINGE = ("空白", "補助記号", "助詞", "助動詞", "感動詞", "接続詞", "連体詞")
_PLACE = re.compile(r".+[都道府県市区]")
_TITLES = frozenset(["様", "さま", "さん", "くん", "ちゃん", "殿", "氏"])


NOTHING = Chain((OTHER,), {}, np.zeros((1, 1), dtype=np.float32))  # tags no word


class _Fitted(NamedTuple):
    chain: Chain
    sure: float
    also: float


_FITTED: ContextVar[_Fitted | None] = ContextVar("fitted", default=None)


@contextmanager
def fitted(chain: Chain, sure: float = SURE, also: float = ALSO) -> Iterator[None]:
    """Tag with other weights and thresholds than the shipped ones inside a with block: what a benchmark compares."""
    token = _FITTED.set(_Fitted(chain, sure, also))
    try:
        yield
    finally:
        _FITTED.reset(token)


def tagged(text: str) -> list[Tagged]:
    """Return what is personal in a text of one width, in order.

    Parameters
    ----------
    text : str
        What is masked already has its marks; they are read, and never part of a span.
    """
    words = words_of(text)
    if not words:
        return []
    chain, sure, also = _FITTED.get() or _shipped()
    return spans_of(words, chain.marginals(evidence(text, words)), chain.labels, sure, also)


def spans_of(
    words: list[Word], marginals: np.ndarray, labels: tuple[str, ...], sure: float = SURE, also: float = ALSO
) -> list[Tagged]:
    """Return the runs of words of which one is `sure` to be personal and the others are `also` likely.

    Parameters
    ----------
    words : list of Word
    marginals : ndarray, float (n_words, n_labels)
    labels : tuple of str
        The types, and `OTHER`.
    """
    likely = 1 - marginals[:, labels.index(OTHER)]
    likely[[i for i, word in enumerate(words) if _is_nobodys(word)]] = 0.0
    spans: list[Tagged] = []
    i = 0
    while i < len(words):
        j = i
        while j < len(words) and likely[j] >= also:
            j += 1
        first, last = i, j
        while first < last and _is_fringe(words[first], likely[first], sure):
            first += 1
        while first < last and _is_fringe(words[last - 1], likely[last - 1], sure):
            last -= 1
        if first < last and likely[first:last].max() >= sure:
            mass = marginals[first:last].sum(axis=0)
            kind = max((label for label in labels if label != OTHER), key=lambda label: mass[labels.index(label)])
            top = float(likely[first:last].max())
            spans.append(Tagged(words[first].start, words[last - 1].end, MARKS[kind], top))
        i = max(j, i + 1)
    return spans


def _is_nobodys(word: Word) -> bool:
    """Tell a mark, a line's end, a title, and a prefecture or city: never personal, whatever stands around."""
    city = word.tag.startswith("名詞-固有名詞-地名") and _PLACE.fullmatch(word.text)
    return word.tag in {"伏字", "改行"} or word.text in _TITLES or bool(city)


def _is_fringe(word: Word, probability: float, sure: float) -> bool:
    """Tell a particle, a filler or a sign at the end of a span that is not itself all but certain."""
    return word.tag.startswith(_FRINGE) and probability < max(sure, 0.95) and not is_digits(word)


@cache
def _shipped() -> _Fitted:
    return _Fitted(Chain.from_json(WEIGHTS), SURE, ALSO)
