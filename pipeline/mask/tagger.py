"""Personal data that a learned tagger finds in a conversation, whatever its writer's phrases.

A linear-chain conditional random field (`models.chain`) reads the evidence of each word and gives its probability of
being personal, of each type. It stands beside the rules: what either finds is masked.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

import models
from models.chain import Chain
from pipeline.mask.evidence import Word, evidence, words_of

WEIGHTS = Path(models.__file__).parent / "weights" / "personal.json"
SURE = 0.5  # probability at which a word begins to be masked
ALSO = 0.2  # and at which a word beside it goes with it
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


_SIGNS = ("改行", "伏字", "空白", "補助記号")


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
    chain = _chain()
    return spans_of(words, chain.marginals(evidence(text, words)), chain.labels)


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
    spans: list[Tagged] = []
    i = 0
    while i < len(words):
        j = i
        while j < len(words) and likely[j] >= also and words[j].tag not in {"改行", "伏字"}:
            j += 1
        first, last = i, j
        while first < last and words[first].tag.startswith(_SIGNS) and likely[first] < sure:
            first += 1
        while first < last and words[last - 1].tag.startswith(_SIGNS) and likely[last - 1] < sure:
            last -= 1
        if first < last and likely[first:last].max() >= sure:
            mass = marginals[first:last].sum(axis=0)
            kind = max((label for label in labels if label != OTHER), key=lambda label: mass[labels.index(label)])
            top = float(likely[first:last].max())
            spans.append(Tagged(words[first].start, words[last - 1].end, MARKS[kind], top))
        i = max(j, i + 1)
    return spans


@cache
def _chain() -> Chain:
    return Chain.from_json(WEIGHTS)
