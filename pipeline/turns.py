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
    signs = clause_signs([[c.text for c in unit.clauses] for a in annotations for unit in a.units], polarity)
    return [
        replace(a, units=tuple(part for unit in a.units for part in _parts(a.text, unit, signs))) for a in annotations
    ]


def clause_signs(units: Sequence[Sequence[str]], polarity: Polarity) -> dict[str, int]:
    """Return 1 for sure praise, −1 for sure complaint, else 0, of the clauses that decide whether a unit turns.

    The longest clause of a unit, the dearest to read, is left unread where no other is sure: nothing turns alone.

    Parameters
    ----------
    units : sequence of sequence of str
        The texts of each unit's clauses, none for a unit that has none.
    """
    held = [(max(range(len(clauses)), key=lambda k: len(clauses[k])), clauses) for clauses in units if clauses]
    others = [[text for k, text in enumerate(clauses) if k != longest] for longest, clauses in held]
    signs = _read(polarity, [text for texts in others for text in texts])
    doubtful = [clauses[k] for (k, clauses), texts in zip(held, others, strict=True) if any(signs[t] for t in texts)]
    return signs | _read(polarity, [text for text in doubtful if text not in signs])


def turns(clauses: Sequence[str], signs: dict[str, int]) -> bool:
    """Tell whether a unit of these clauses holds both sure praise and sure complaint."""
    return {1, -1} <= {signs.get(clause, 0) for clause in clauses}


def _read(polarity: Polarity, texts: Sequence[str]) -> dict[str, int]:
    """Return 1 for sure praise, −1 for sure complaint, else 0, of each text."""
    if not texts:
        return {}
    proba = polarity(unique := sorted(set(texts)))
    return dict(zip(unique, ((proba[:, 2] >= SURE).astype(int) - (proba[:, 0] >= SURE)).tolist(), strict=True))


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
