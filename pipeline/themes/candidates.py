"""Everything a new problem could look like in the night's units: a word, a 係り受け pair, a group of like sentences.

Candidates are taken from the whole window, whatever their dates, so that testing whether they grow is fair. Each
stands twice where it can: all who mention it, and those who do so in a negative unit.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from models.nested_groups import nested_groups
from pipeline.growth import LEAST
from pipeline.themes.vocabulary import MARK, unit_terms

MOST = 0.25
"""Share of the units a group of like sentences holds at most: what is larger is a theme."""


@dataclass(frozen=True)
class Candidate:
    """A possible topic: the rows of its units.

    Attributes
    ----------
    kind : str
        word, pair or group.
    label : str
        The word or pair in normalized form; empty for a group.
    negative : bool
        Whether only negative units count.
    rows : ndarray of int
        Row numbers of its units.
    """

    kind: str
    label: str
    negative: bool
    rows: np.ndarray


def find_candidates(units: pl.DataFrame, embeddings: np.ndarray, people: np.ndarray) -> list[Candidate]:
    """Return the candidates that at least `LEAST` respondents speak of, each set of units once.

    Parameters
    ----------
    units : pl.DataFrame
        unit_text, tokens, pairs and, where known, sentiment.
    embeddings : ndarray, (n_units, dim)
        Unit vectors of the units.
    people : ndarray of int, (n_units,)
        Who said each unit.
    """
    negative = (
        (units["sentiment"] == "negative").to_numpy() if "sentiment" in units.columns else np.zeros(units.height, bool)
    )
    found: dict[bytes, Candidate] = {}
    for kind, label, rows in [*_said(units), *_groups(embeddings)]:
        for is_negative, chosen in ((False, rows), (True, rows[negative[rows]])):
            if len(chosen) >= LEAST and len(np.unique(people[chosen])) >= LEAST:
                found.setdefault(chosen.tobytes(), Candidate(kind, label, is_negative, chosen))
    return list(found.values())


def _said(units: pl.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """Return the rows that hold each pair and each word; pairs first, which say more."""
    words: dict[str, list[int]] = {}
    pairs: dict[str, list[int]] = {}
    columns = (units["unit_text"], units["tokens"].to_list(), units["pairs"].to_list())
    for row, (text, tokens, links) in enumerate(zip(*columns, strict=True)):
        for pair in set(links):
            pairs.setdefault(pair, []).append(row)
        for word in set(unit_terms(MARK.sub("\n", text), tokens)):
            words.setdefault(word, []).append(row)
    return [
        (kind, label, np.array(rows, np.int64))
        for kind, table in (("pair", pairs), ("word", words))
        for label, rows in sorted(table.items())
        if len(rows) >= LEAST
    ]


def _groups(embeddings: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    most = int(MOST * len(embeddings))
    return [("group", "", rows) for rows in nested_groups(embeddings, least=LEAST, most=most)]
