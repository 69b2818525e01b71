"""The night's themes: clusters with permanent ids, names, statuses and parents.

The themes a registry knows come first: their anchors place the night's units, so that a unit keeps its
theme from night to night; what they do not explain may become a new theme. Where themes are discovered
afresh (the first night, another encoder or granularity) they are matched to the registry one to one by
optimal assignment (Kuhn 1955, doi:10.1002/nav.3800020109) on centroid cosine and shared keywords.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment
from scipy.stats import hypergeom

from models.theme_prior import ThemePrior, unit
from models.themes import MIN_NEW, Assignment, KnownTheme, ThemeModel, canonical_order
from pipeline.naming import ThemeName, heard, is_noun, join_names, name_themes, unit_terms

if TYPE_CHECKING:
    from pipeline.store import Registry, StoredTheme

FAR = "どのテーマとも離れている"
THEME_SCHEMA: dict[str, Any] = {
    "theme_id": pl.Utf8,
    "name": pl.Utf8,
    "parent_id": pl.Utf8,
    "status": pl.Utf8,
    "first_seen": pl.Utf8,
    "keywords": pl.List(pl.Utf8),
    "pairs": pl.List(pl.Utf8),
}
_STAY = 3  # units with which a live theme stays alive; MIN_NEW bring a retired one back
_SAME = 0.55  # cosine (0.85 of it) and keyword overlap from which a discovered theme is a known one
_BURST = 6  # respondents who use a word that comes up
_N_NEAREST = 12


@dataclass(frozen=True)
class ThemedNight:
    """The night's units with their themes, the table of themes, and what the store keeps of them.

    Attributes
    ----------
    units : pl.DataFrame
        The units with theme_id, theme, parent_theme, similarity (cosine in theme space, 4 decimals) and
        unassigned_reason (set exactly where theme_id is null).
    themes : pl.DataFrame
        theme_id, name, parent_id, status, first_seen, keywords, pairs; parents are rows of their own.
    stored : list of StoredTheme
        The same themes for the store. A centroid is a flat (1 + n_anchors, dim) array: the theme's mean
        vector, then its anchors; each of unit length.
    """

    units: pl.DataFrame
    themes: pl.DataFrame
    stored: "list[StoredTheme]"


def find_themes(
    units: pl.DataFrame,
    embeddings: np.ndarray,
    *,
    granularity: str,
    random_state: int,
    registry: "Registry",
    model_id: str,
    business_date: date,
    prior: ThemePrior | str | None = "bundled",
) -> ThemedNight:
    """Return the night's themes and every unit's place in them.

    Parameters
    ----------
    units : pl.DataFrame
        unit_text, tokens, pairs and, where there is one, received_at are read; row i of embeddings is unit i.
    embeddings : ndarray, (n_units, dim)
        Unit vectors of the encoder `model_id`.
    granularity, random_state, prior
        As for :class:`models.themes.ThemeModel`; the bundled prior serves the bundled encoder alone.
    registry : Registry
        Every theme known before this night.
    business_date : date
        The night: first_seen of new themes.

    Returns
    -------
    ThemedNight
        Equal for equal units and registry, in whatever order the units come.
    """
    if len(embeddings) != units.height:
        raise ValueError(f"embeddings must have one row per unit; got {len(embeddings)} for {units.height} units")
    signature = f"{model_id}|{granularity}"
    leaves, parents = _levels(registry.themes)
    model = ThemeModel(granularity, random_state, prior=_prior_of(model_id) if prior == "bundled" else prior)
    bursts = bursting_topics(units, business_date) if leaves else []
    model, known = _fit(model, embeddings, leaves, signature, bursts)
    assignment = model.assign(embeddings)
    columns = (units["unit_text"].to_list(), units["tokens"].to_list(), units["pairs"].to_list())
    known, names = _named(columns, assignment.labels.tolist(), model, known, leaves, model_id)
    ids = _leaf_ids(known, names, assignment.labels, registry.next_number)
    families = _families(ids, known, model, parents, names, registry.next_number + sum(k is None for k in known))

    night = business_date.isoformat()
    rows = []
    for label, theme_id in enumerate(ids):
        parent = next((family.theme_id for family in families if label in family.children), None)
        look = _flat(model.centroids_[label], model.anchors_[model.anchor_labels_ == label])
        rows.append(_Row.of(theme_id, names[label], parent, known[label], look, signature, night))
    for family in families:
        look = _flat(model.centroids_[family.children].mean(axis=0), model.centroids_[:0])
        rows.append(_Row.of(family.theme_id, family.name, None, family.known, look, signature, night))
    rows += _retired(registry.themes, {row.stored.theme_id for row in rows})
    rows.sort(key=lambda row: row.stored.theme_id)
    return ThemedNight(_with_themes(units, assignment, ids, rows), _theme_frame(rows), [row.stored for row in rows])


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


def match_themes(cosine: np.ndarray, overlap: np.ndarray) -> dict[int, int]:
    """Return known theme by found theme, one to one, where cosine and keyword overlap together suffice.

    Parameters
    ----------
    cosine, overlap : ndarray, (n_found, n_known)
        Cosine of centroids around the night's mean (nan where the encoders differ: then keywords alone
        decide), and shared share of keywords.
    """
    if not cosine.size:
        return {}
    score = np.where(np.isnan(cosine), overlap + 0.3, 0.85 * cosine + 0.15 * overlap)
    found, known = linear_sum_assignment(-score)
    return {int(f): int(k) for f, k in zip(found, known, strict=True) if score[f, k] >= _SAME}


@dataclass(frozen=True)
class _Family:
    """A parent theme: its id, its name, the registry's entry if it has one, and its children's labels."""

    theme_id: str
    name: ThemeName
    known: "StoredTheme | None"
    children: list[int]


@dataclass(frozen=True)
class _Row:
    stored: "StoredTheme"
    pairs: tuple[str, ...]

    @classmethod
    def of(
        cls,
        theme_id: str,
        name: ThemeName,
        parent_id: str | None,
        known: "StoredTheme | None",
        look: np.ndarray,
        signature: str,
        night: str,
    ) -> "_Row":
        from pipeline.store import StoredTheme

        status = "new" if known is None else "returned" if known.status == "retired" else "continuing"
        first_seen = known.first_seen if known else night
        stored = StoredTheme(
            theme_id, name.name, parent_id, status, first_seen, night, name.keywords, look, signature
        )
        return cls(stored, name.pairs)


def _prior_of(model_id: str) -> ThemePrior | None:
    """Return the bundled prior for the vectors it was learned from, none for another encoder's."""
    prior = ThemePrior.from_pretrained()
    return prior if model_id.startswith(prior.encoder_id) else None


def _levels(themes: "Sequence[StoredTheme]") -> "tuple[list[StoredTheme], dict[str, StoredTheme]]":
    """Split the registry into themes that hold units and the parents above them."""
    above = {theme.parent_id for theme in themes}
    parents = {theme.theme_id: theme for theme in themes if theme.theme_id in above}
    return [theme for theme in themes if theme.theme_id not in parents and theme.centroid is not None], parents


def _fit(
    model: ThemeModel, embeddings: np.ndarray, leaves: "list[StoredTheme]", signature: str, bursts: "list[Burst]"
) -> "tuple[ThemeModel, list[StoredTheme | None]]":
    """Return the fitted model and the registry's theme of each of its labels, if it is known already.

    Themes of the registry that too few units speak of are left out, and the rest is placed again.
    """
    alive = [theme for theme in leaves if theme.model_id == signature]
    while alive:
        known = [_remembered(theme, embeddings.shape[1]) for theme in alive]
        model.fit(embeddings, known=known)
        counts = np.bincount(model.labels_[model.labels_ >= 0], minlength=len(model.centroids_))
        enough = [
            int(count) >= (MIN_NEW if theme.status == "retired" else _STAY)
            for theme, count in zip(alive, counts, strict=False)
        ]
        if all(enough):
            if bursts:
                known, hints = _with_bursts(bursts, alive, known, model.labels_, embeddings)
                model.fit(embeddings, known=known, hints=hints)
            return model, [*alive, *[None] * (len(model.centroids_) - len(alive))]
        alive = [theme for theme, stays in zip(alive, enough, strict=True) if stays]
    model.fit(embeddings)
    return model, [None] * len(model.centroids_)


def _with_bursts(
    bursts: "list[Burst]",
    themes: "Sequence[StoredTheme]",
    known: list[KnownTheme],
    labels: np.ndarray,
    embeddings: np.ndarray,
) -> tuple[list[KnownTheme], list[np.ndarray]]:
    """Return the known themes, with examples where a burst belongs to one, and the rows of each new topic.

    A burst belongs to a known theme that is named after its words: one that came up a few nights ago.
    """
    known, hints = list(known), []
    for burst in bursts:
        named = [label for label, theme in enumerate(themes) if burst.names(theme.name)]
        if not named:
            hints.append(burst.rows)
            continue
        label = named[0]
        missed = burst.rows[labels[burst.rows] != label]
        if len(missed) >= _STAY:
            order = canonical_order(embeddings[missed].astype(np.float32))
            known[label] = known[label].with_examples(embeddings[missed][order])
    return known, hints


def _remembered(theme: "StoredTheme", dim: int) -> KnownTheme:
    look = np.asarray(theme.centroid, np.float32).reshape(-1, dim)
    return KnownTheme(look[0], look[1:] if len(look) > 1 else look)


def _named(
    columns: tuple[list[str], list[list[str]], list[list[str]]],
    labels: list[int],
    model: ThemeModel,
    known: "list[StoredTheme | None]",
    leaves: "list[StoredTheme]",
    model_id: str,
) -> "tuple[list[StoredTheme | None], list[ThemeName]]":
    """Return the registry's theme of each label, matched where it was discovered afresh, and its name."""
    nearest = [model.nearest_names(label, _N_NEAREST) for label in range(len(known))]
    names = name_themes(*columns, labels, len(known), nearest=nearest)
    if known and not any(known) and leaves:
        matched = match_themes(*_likeness(model, names, leaves, model_id))
        known = [leaves[matched[label]] if label in matched else None for label in range(len(known))]
    texts: dict[int, list[str]] = {}
    for text, label in zip(columns[0], labels, strict=True):
        texts.setdefault(label, []).append(text)
    kept = {
        label: theme.name
        for label, theme in enumerate(known)
        if theme and _still_fits(theme, names[label], texts.get(label, []))
    }
    return known, name_themes(*columns, labels, len(known), nearest=nearest, kept=kept)


def _likeness(
    model: ThemeModel, names: list[ThemeName], leaves: "list[StoredTheme]", model_id: str
) -> tuple[np.ndarray, np.ndarray]:
    overlap = np.array([[_overlap(name.keywords, theme.keywords) for theme in leaves] for name in names])
    cosine = np.full(overlap.shape, np.nan)
    dim = model.centroids_.shape[1]
    for k, theme in enumerate(leaves):
        if theme.centroid is not None and theme.model_id.rsplit("|", 1)[0] == model_id:
            cosine[:, k] = model.cosine_to(np.asarray(theme.centroid, np.float32).reshape(-1, dim)[:1])[:, 0]
    return cosine, overlap


def _still_fits(theme: "StoredTheme", now: ThemeName, texts: list[str]) -> bool:
    return _overlap(theme.keywords, now.keywords) > 0 or heard(theme.name, texts)


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    union = set(one) | set(other)
    return len(set(one) & set(other)) / len(union) if union else 0.0


def _leaf_ids(
    known: "list[StoredTheme | None]", names: list[ThemeName], labels: np.ndarray, next_number: int
) -> list[str]:
    """Return each label's id: the registry's, or a new number by size, then name."""
    counts = Counter(labels.tolist())
    fresh = [label for label, theme in enumerate(known) if theme is None]
    fresh.sort(key=lambda label: (-counts[label], names[label].name))
    numbers = {label: _theme_id(next_number + k) for k, label in enumerate(fresh)}
    return [theme.theme_id if theme else numbers[label] for label, theme in enumerate(known)]


def _families(
    ids: list[str],
    known: "list[StoredTheme | None]",
    model: ThemeModel,
    parents: "dict[str, StoredTheme]",
    names: list[ThemeName],
    next_number: int,
) -> list[_Family]:
    """Return the parents: a known theme stays with its own, a new one joins its nearest relatives'."""
    home: dict[int, str] = {}  # label → the registry's parent, or a group of the night ("#0", "#1", …)
    for label, theme in enumerate(known):
        if theme and theme.parent_id in parents:
            home[label] = str(theme.parent_id)
    for label, theme in enumerate(known):
        group = int(model.parent_labels_[label])
        if group < 0 or theme:
            continue
        relatives = np.flatnonzero(model.parent_labels_ == group).tolist()
        homes = Counter(home[r] for r in relatives if r in home and not home[r].startswith("#"))
        home[label] = min(homes, key=lambda h: (-homes[h], h)) if homes else f"#{group}"
    families = []
    taken = {name.name for name in names}
    for key in sorted(set(home.values()), key=lambda k: min(ids[c] for c in home if home[c] == k)):
        children = [label for label in sorted(home) if home[label] == key]
        theme = parents.get(key)
        if theme is None and len(children) < 2:
            continue
        name = join_names([names[c] for c in children], taken)
        if theme:
            name = replace(name, name=theme.name)
        taken.add(name.name)
        theme_id = theme.theme_id if theme else _theme_id(next_number)
        next_number += theme is None
        families.append(_Family(theme_id, name, theme, children))
    return families


def _retired(themes: "Sequence[StoredTheme]", alive: set[str]) -> list[_Row]:
    """Return the themes that lived until the night before and no longer do."""
    gone = [theme for theme in themes if theme.theme_id not in alive and theme.status != "retired"]
    return [_Row(replace(theme, status="retired"), ()) for theme in gone]


def _with_themes(units: pl.DataFrame, assignment: Assignment, ids: list[str], rows: list[_Row]) -> pl.DataFrame:
    name = {row.stored.theme_id: row.stored.name for row in rows}
    parent = {row.stored.theme_id: name.get(row.stored.parent_id or "") for row in rows}
    chosen = [ids[label] if label >= 0 else None for label in assignment.labels.tolist()]
    similarity = assignment.similarity.astype(np.float64).round(4)
    return units.with_columns(
        pl.Series("theme_id", chosen, pl.Utf8),
        pl.Series("theme", [name[t] if t else None for t in chosen], pl.Utf8),
        pl.Series("parent_theme", [parent[t] if t else None for t in chosen], pl.Utf8),
        pl.Series("similarity", similarity, pl.Float64).fill_nan(None),
        pl.Series("unassigned_reason", [None if t else FAR for t in chosen], pl.Utf8),
    )


def _theme_frame(rows: list[_Row]) -> pl.DataFrame:
    present = {row.stored.theme_id for row in rows}
    records = [
        {
            "theme_id": row.stored.theme_id,
            "name": row.stored.name,
            "parent_id": row.stored.parent_id if row.stored.parent_id in present else None,
            "status": row.stored.status,
            "first_seen": row.stored.first_seen,
            "keywords": list(row.stored.keywords),
            "pairs": list(row.pairs),
        }
        for row in rows
    ]
    return pl.DataFrame(records, schema=THEME_SCHEMA)


def _flat(centroid: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    return np.concatenate([unit(centroid[None]), anchors]).astype(np.float32).ravel()


def _theme_id(number: int) -> str:
    return f"T{number:04d}"
