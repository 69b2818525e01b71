"""Words that come up: what hardly anyone said before the last days, and many say now."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from pipeline.themes.vocabulary import is_noun, unit_terms

_BURST = 6  # respondents who use a word that comes up


@dataclass(frozen=True)
class Burst:
    """Words that came up together within the last week, and the rows of the week's units that hold them."""

    terms: frozenset[str]
    rows: np.ndarray

    def names(self, name: str) -> bool:
        """Tell whether a theme's name is made of the topic's words."""
        parts = name.split("・")
        return any(term in part or (len(part) > 1 and part in term) for term in self.terms for part in parts)


def bursting_topics(units: pl.DataFrame, business_date: date, *, days: int = 7) -> list[Burst]:
    """Return topics that hardly anyone mentioned before the last days and many mention now.

    A noun bursts when at least 6 respondents of the last days use it, they are four in five of all who do,
    and so many of them would come together by chance (hypergeometric test, one-sided, Bonferroni over all
    nouns) less than once in a hundred nights. Nouns that stand in the same units are one topic.

    Parameters
    ----------
    units : pl.DataFrame
        source, feedback_id, unit_text, tokens and received_at; without received_at nothing bursts.
    business_date : date
        The last day.
    """
    if "received_at" not in units.columns or units.is_empty():
        return []
    day = units["received_at"].dt.date()
    recent = (day > business_date - timedelta(days=days)).fill_null(False).to_numpy()
    people = units.select(pl.struct("source", "feedback_id").rank("dense")).to_series().to_numpy()
    holders: dict[str, list[int]] = {}
    for row, (text, tokens) in enumerate(zip(units["unit_text"], units["tokens"].to_list(), strict=True)):
        for term in {term for term in unit_terms(text, tokens) if is_noun(term)}:
            holders.setdefault(term, []).append(row)
    n_people, n_recent = len(np.unique(people)), len(np.unique(people[recent]))
    bursting = {}
    for term, rows in holders.items():
        if len(rows) < _BURST:
            continue
        now, ever = len(np.unique(people[rows][recent[rows]])), len(np.unique(people[rows]))
        if now >= _BURST and now >= 0.8 * ever:
            p = float(hypergeom.sf(now - 1, n_people, ever, n_recent))
            if p * len(holders) < 0.01:
                bursting[term] = {row for row in rows if recent[row]}
    return _topics(bursting)


def _topics(bursting: dict[str, set[int]]) -> list[Burst]:
    """Join words that share a quarter of the rarer one's units."""
    topics: list[tuple[set[str], set[int]]] = []
    for term, rows in sorted(bursting.items(), key=lambda item: (-len(item[1]), item[0])):
        near = [topic for topic in topics if 4 * len(topic[1] & rows) >= min(len(topic[1]), len(rows))]
        topics = [topic for topic in topics if topic not in near]
        topics.append((set().union({term}, *(t[0] for t in near)), set().union(rows, *(t[1] for t in near))))
    topics.sort(key=lambda topic: (-len(topic[1]), min(topic[0])))
    return [Burst(frozenset(terms), np.array(sorted(rows))) for terms, rows in topics]
