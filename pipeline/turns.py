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
    units = [unit for a in annotations for unit in a.units if unit.clauses]
    signs = _read(polarity, [clause.text for unit in units for clause in _shorter(unit)])
    in_doubt = [_longest(unit).text for unit in units if any(signs[clause.text] for clause in _shorter(unit))]
    signs |= _read(polarity, [text for text in in_doubt if text not in signs])
    return [
        replace(a, units=tuple(part for unit in a.units for part in _parts(a.text, unit, signs))) for a in annotations
    ]


def _read(polarity: Polarity, texts: Sequence[str]) -> dict[str, int]:
    """Return 1 for sure praise, −1 for sure complaint, else 0, of each text."""
    if not texts:
        return {}
    proba = polarity(unique := sorted(set(texts)))
    return dict(zip(unique, ((proba[:, 2] >= SURE).astype(int) - (proba[:, 0] >= SURE)).tolist(), strict=True))


def _longest(unit: OpinionUnit) -> OpinionUnit:
    """Return the clause that is dearest to read; it is left unread where no other is sure: nothing turns alone."""
    return max(unit.clauses, key=lambda clause: len(clause.text))


def _shorter(unit: OpinionUnit) -> list[OpinionUnit]:
    return [clause for clause in unit.clauses if clause is not _longest(unit)]


def _parts(text: str, unit: OpinionUnit, signs: dict[str, int]) -> list[OpinionUnit]:
    """Return the unit's parts; what is said between praise and complaint goes with what follows it."""
    parts, start, last, sign = [], 0, 0, 0
    for place, clause in enumerate(unit.clauses):
        read = signs.get(clause.text, 0)
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
