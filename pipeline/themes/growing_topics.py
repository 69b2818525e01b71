"""Topics that begin to grow below the level of themes: a new problem inside an old theme.

Words, pairs and groups of like sentences (:mod:`pipeline.themes.candidates`) are each tested for growth
(:mod:`pipeline.growth`). What grows is mostly seen by several of them at once; those that share their respondents
are one topic as long as taking them together makes its growth more likely.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipeline.growth import growth_evidence, growth_start, scan_p
from pipeline.themes.candidates import Candidate, find_candidates

ALPHA = 0.005
"""The chance of any false topic on a night on which nothing changes, at most."""

SHARED = 0.5
"""Share of the smaller one's newest respondents two candidates of one topic have in common."""


@dataclass(frozen=True)
class GrowingTopic:
    """A topic that grows.

    Attributes
    ----------
    rows : ndarray of int
        Units since the first day.
    rows_before : ndarray of int
        Units of the topic before.
    first_day : date
        The most likely first day of its growth.
    p : float
        Adjusted p value of its most telling part.
    parts : tuple of Candidate
        What it was seen by, the most telling first.
    """

    rows: np.ndarray
    rows_before: np.ndarray
    first_day: date
    p: float
    parts: tuple[Candidate, ...]

    def joined(self, other: "GrowingTopic") -> "GrowingTopic":
        """Return both as one topic, under the first day of this one."""
        rows = np.union1d(self.rows, other.rows)
        before = np.setdiff1d(np.union1d(self.rows_before, other.rows_before), rows)
        return GrowingTopic(rows, before, self.first_day, min(self.p, other.p), (*self.parts, *other.parts))


def growing_topics(
    units: pl.DataFrame, embeddings: np.ndarray, days: pl.DataFrame, business_date: date
) -> list[GrowingTopic]:
    """Return the topics that grow, the most certain first.

    Parameters
    ----------
    units : pl.DataFrame
        source, feedback_id, unit_text, tokens, pairs, sentiment; row i of embeddings is unit i.
    days : pl.DataFrame
        source, feedback_id and day of every respondent with an opinion and a date.
    business_date : date
        The last day; later ones are left out.
    """
    window = _Window.of(units, days, business_date)
    if window is None:
        return []
    dated = np.flatnonzero(window.day >= 0)
    inside = units[dated.tolist()]
    candidates = [
        Candidate(c.kind, c.label, c.negative, dated[c.rows])
        for c in find_candidates(inside, embeddings[dated], window.person[dated])
    ]
    counts = np.array([window.counts(c.rows) for c in candidates]).reshape(len(candidates), len(window.totals))
    p = scan_p(counts, window.totals)
    growing = [k for k in np.argsort(p, kind="stable") if p[k] < ALPHA]
    growing.sort(key=lambda k: (p[k], -growth_evidence(counts[k], window.totals).max(), k))
    return _topics([(candidates[k], float(p[k])) for k in growing], window)


@dataclass(frozen=True)
class _Window:
    """Day number and respondent of each unit (−1 where there is no day), and the respondents of each day."""

    first: date
    day: np.ndarray
    person: np.ndarray
    totals: np.ndarray

    @classmethod
    def of(cls, units: pl.DataFrame, days: pl.DataFrame, business_date: date) -> "_Window | None":
        known = days.filter(pl.col("day") <= business_date)
        first = known["day"].min()
        if not isinstance(first, date):
            return None
        key = ("source", "feedback_id")
        people = known.sort(key).with_row_index("person").with_columns(at=(pl.col("day") - first).dt.total_days())
        placed = units.select(key).join(people, on=key, how="left", maintain_order="left")
        totals = np.bincount(people["at"].to_numpy(), minlength=(business_date - first).days + 1)
        day, person = (placed[name].cast(pl.Int64).fill_null(-1).to_numpy() for name in ("at", "person"))
        return cls(first, day, person, totals)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return the respondents of each day who said one of the units."""
        _, once = np.unique(self.person[rows], return_index=True)
        return np.bincount(self.day[rows[once]], minlength=len(self.totals))

    def start(self, rows: np.ndarray) -> int:
        """Return the day on which the units most likely began to grow."""
        return growth_start(self.counts(rows), self.totals)

    def evidence(self, rows: np.ndarray) -> float:
        """Return the evidence of their growth."""
        return float(growth_evidence(self.counts(rows), self.totals).max())

    def since(self, rows: np.ndarray, start: int) -> np.ndarray:
        """Return the units from a day on."""
        return rows[self.day[rows] >= start]


def _topics(growing: Sequence[tuple[Candidate, float]], window: _Window) -> list[GrowingTopic]:
    """Join candidates that share their newest respondents, from the most certain on."""
    topics: list[tuple[np.ndarray, float, list[Candidate]]] = []
    for candidate, p in growing:
        place = next((k for k, topic in enumerate(topics) if _overlap(candidate.rows, topic[0], window)), None)
        if place is None:
            topics.append((candidate.rows, p, [candidate]))
            continue
        rows, best, parts = topics[place]
        joined = np.union1d(rows, candidate.rows)
        if window.evidence(joined) < window.evidence(rows):
            joined = rows
        topics[place] = (joined, best, [*parts, candidate])
    found = []
    for rows, p, parts in topics:
        start = window.start(rows)
        now = window.since(rows, start)
        first_day = window.first + timedelta(start)
        found.append(GrowingTopic(now, np.setdiff1d(rows, now), first_day, p, tuple(parts)))
    return found


def _overlap(one: np.ndarray, other: np.ndarray, window: _Window) -> bool:
    first, second = (np.unique(window.person[window.since(rows, window.start(rows))]) for rows in (one, other))
    shared = len(np.intersect1d(first, second))
    return shared >= SHARED * min(len(first), len(second))
