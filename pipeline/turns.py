"""Cut an opinion unit where its polarity turns.

Grammar alone does not tell 「二日で届きましたが、箱がつぶれていました」, praise and complaint, from
「先日購入しましたが、箱がつぶれていました」, one complaint. So the segmenter names the places where a unit might turn,
and the sentiment model decides: cut where it reads praise on one side and complaint on the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.segment import Annotation, OpinionUnit

Polarity = Callable[[list[str]], np.ndarray]
SURE = 0.6  # least probability of a polarity on either side


def cut_at_turns(annotations: Sequence[Annotation], polarity: Polarity) -> list[Annotation]:
    """Return the annotations with the units cut whose polarity turns; units have no clauses any more.

    Parameters
    ----------
    annotations : sequence of Annotation
        From :func:`pipeline.segment.annotate`.
    polarity : callable
        Returns probabilities of negative, neutral, positive, float (n, 3), of texts.

    Examples
    --------
    >>> annotations = annotate(["二日で届きましたが、箱がつぶれていました"], Parser())  # doctest: +SKIP
    >>> [unit.text for unit in cut_at_turns(annotations, classifier.predict_proba)[0].units]  # doctest: +SKIP
    ['二日で届きました', '箱がつぶれていました']
    """
    texts = sorted({clause.text for a in annotations for unit in a.units for clause in unit.clauses})
    signs = dict(zip(texts, _signs(polarity(texts)), strict=True)) if texts else {}
    return [
        replace(a, units=tuple(part for unit in a.units for part in _parts(a.text, unit, signs))) for a in annotations
    ]


def _signs(proba: np.ndarray) -> list[int]:
    """Return 1 for sure praise, −1 for sure complaint, else 0."""
    return ((proba[:, 2] >= SURE).astype(int) - (proba[:, 0] >= SURE)).tolist()


def _parts(text: str, unit: OpinionUnit, signs: dict[str, int]) -> list[OpinionUnit]:
    """Return the unit's parts; what is said between praise and complaint goes with what follows it."""
    parts, start, last, sign = [], 0, 0, 0
    for place, clause in enumerate(unit.clauses):
        read = signs[clause.text]
        if read and read == -sign:
            parts.append(_joined(text, unit.clauses[start : last + 1]))
            start = last + 1
        if read:
            last, sign = place, read
    if not parts:
        return [replace(unit, clauses=())]
    return [*parts, _joined(text, unit.clauses[start:])]


def _joined(text: str, clauses: Sequence[OpinionUnit]) -> OpinionUnit:
    start, end = clauses[0].start, clauses[-1].end
    tokens = tuple(token for clause in clauses for token in clause.tokens)
    pairs = dict.fromkeys(pair for clause in clauses for pair in clause.pairs)
    return OpinionUnit(text[start:end], start, end, tokens, tuple(pairs))
