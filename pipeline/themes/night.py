"""The night's themes: groups with permanent ids, names, statuses and parents.

The themes a registry knows come first (:mod:`pipeline.themes.continuity`); what people decided lies over what was
found (:mod:`pipeline.themes.curation`); and what became of each theme is told (:mod:`pipeline.themes.matching`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from models.theme_prior import ThemePrior, prior_for, unit
from models.themes import ThemeModel
from pipeline.quotes import choose_quotes
from pipeline.themes.bursts import bursting_topics
from pipeline.themes.codebook_themes import NamedThemes
from pipeline.themes.continuity import Grouping, Units, find_afresh, follow
from pipeline.themes.curation import Curation
from pipeline.themes.families import Family, find_families
from pipeline.themes.matching import transitions
from pipeline.themes.members import NO_MEMBERS, Keys, Members, unit_keys
from pipeline.themes.naming import (
    NameProposer,
    ThemeName,
    ThemeSample,
    heard,
    name_themes,
    theme_keywords,
    with_proposals,
)
from pipeline.themes.registry import Registry, StoredTheme, Transition, theme_id
from pipeline.themes.word_counts import WordCounts

FAR = "どのテーマとも離れている"
ENDED = "終了したテーマに近い"
RETIRE_AFTER = 400  # days: a theme of one season is dormant for most of a year, and is still the same theme
THEME_SCHEMA: dict[str, Any] = {
    "theme_id": pl.Utf8,
    "name": pl.Utf8,
    "parent_id": pl.Utf8,
    "status": pl.Utf8,
    "first_seen": pl.Utf8,
    "pinned": pl.Boolean,
    "hidden": pl.Boolean,
    "keywords": pl.List(pl.Utf8),
    "pairs": pl.List(pl.Utf8),
    "quotes": pl.List(pl.Utf8),
}
NAMED_FROM = 1_000
"""Units of a theme from which its name, keywords and pairs are read: more would tell the same, and take minutes."""

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
        One row per theme that is shown, parents included; see THEME_SCHEMA.
    stored : list of StoredTheme
        The state of the registry after the night, as the data left it.
    transitions : list of Transition
        What became of each theme.
    members : Members
        Each unit's theme, as the data left it.
    kept_share : float or None
        Share of last night's units that keep their theme.
    refused : bool
        Whether themes found afresh differed so much that the known ones were kept.
    """

    units: pl.DataFrame
    themes: pl.DataFrame
    stored: list[StoredTheme]
    transitions: list[Transition] = field(default_factory=list)
    members: Members = NO_MEMBERS
    kept_share: float | None = None
    refused: bool = False


def find_themes(
    units: pl.DataFrame,
    embeddings: np.ndarray,
    *,
    granularity: str,
    random_state: int,
    registry: Registry,
    model_id: str,
    business_date: date,
    prior: ThemePrior | str | None = "bundled",
    retire_after: int = RETIRE_AFTER,
    propose: NameProposer | None = None,
    codebook: NamedThemes | None = None,
) -> ThemedNight:
    """Return the night's themes and every unit's place in them.

    Parameters
    ----------
    units : pl.DataFrame
        source, feedback_id, unit_index, unit_text, tokens, pairs and, where they are known, received_at,
        sentiment and sentiment_score are read; row i of embeddings is unit i.
    embeddings : ndarray, (n_units, dim)
        Unit vectors of the encoder `model_id`.
    granularity, random_state, prior
        As for :class:`models.themes.ThemeModel`; the bundled prior serves the bundled encoder alone.
    registry : Registry
        Every theme known before this night, with what people decided about them.
    business_date : date
        The night: first_seen of new themes.
    retire_after : int
        Days after which a dormant theme retires.
    propose : callable, optional
        Proposes names for new themes; those that break the rules of names are not taken.
    codebook : NamedThemes, optional
        The one whose themes the registry holds: words then tell its themes apart beside the vectors.

    Returns
    -------
    ThemedNight
        Equal for equal units and registry, in whatever order the units come.
    """
    if len(embeddings) != units.height:
        raise ValueError(f"embeddings must have one row per unit; got {len(embeddings)} for {units.height} units")
    signature = f"{model_id}|{granularity}"
    keys = unit_keys(units)
    seen = Units(units["unit_text"].to_list(), embeddings, registry.members.themes_of(keys), codebook)
    model = ThemeModel(granularity, random_state, prior=prior_for(model_id) if prior == "bundled" else prior)
    leaves, parents = _levels(registry)
    grouping = _group(model, seen, leaves, registry, signature, units, business_date)
    present = {theme.theme_id for theme in grouping.known if theme}
    registry = replace(registry, curation=registry.curation.among(present | set(parents)))
    named = _Named.of(units, grouping, leaves, parents, registry, propose)
    night = business_date.isoformat()
    rows = named.rows(night, signature, embeddings.shape[1])
    stored = rows + _resting(registry.themes, {row.theme_id for row in rows}, business_date, retire_after)
    shown = named.shown(stored, registry)
    chosen = [named.ids[label] if label >= 0 else None for label in grouping.labels.tolist()]
    placed = _with_themes(units, grouping, embeddings, chosen, shown, registry.curation)
    return ThemedNight(
        placed,
        _theme_frame(shown, named, registry.curation, placed),
        sorted(stored, key=lambda theme: theme.theme_id),
        _transitions(seen.before, chosen, stored, named, registry),
        Members.of(keys, chosen),
        grouping.kept,
        grouping.refused,
    )


@dataclass(frozen=True)
class _Named:
    """The night's labels with their ids and names, and the families above them."""

    grouping: Grouping
    ids: list[str]
    names: list[ThemeName]
    families: list[Family]
    shown_labels: list[int]

    @classmethod
    def of(
        cls,
        units: pl.DataFrame,
        grouping: Grouping,
        leaves: Sequence[StoredTheme],
        parents: dict[str, StoredTheme],
        registry: Registry,
        propose: NameProposer | None,
    ) -> "_Named":
        """Name every label, number the new ones, and find the parents."""
        curation, known = registry.curation, grouping.known
        shown = _shown_labels(known, curation)
        labels = [shown.get(label, -1) for label in grouping.labels.tolist()]
        names = _names(units, grouping, labels, leaves, curation, propose)
        counts = Counter(labels)
        fresh = sorted((k for k in range(len(known)) if known[k] is None), key=lambda k: (-counts[k], names[k].name))
        numbers = {label: theme_id(registry.next_number + k) for k, label in enumerate(fresh)}
        ids = [theme.theme_id if theme else numbers[label] for label, theme in enumerate(known)]
        heads = sorted(set(shown.values()))
        families = find_families(
            {label: ids[label] for label in heads},
            known,
            grouping.model.parent_labels_,
            {child: parents.get(curation.stands_for(child), theme) for child, theme in parents.items()},
            names,
            _texts_of(units, labels),
            registry.next_number + len(fresh),
            taken=set(curation.names.values()),
        )
        return cls(grouping, ids, names, families, heads)

    def rows(self, night: str, signature: str, dim: int) -> list[StoredTheme]:
        """Return the state of every label and every parent after the night."""
        model = self.grouping.model
        rows = []
        for label, theme in enumerate(self.grouping.known):
            above = next((f.theme_id for f in self.families if label in f.children), theme.parent_id if theme else None)
            look = _look(model.centroids_[label], model.anchors_[model.anchor_labels_ == label])
            rows.append(_row(self.ids[label], self.names[label], above, theme, look, signature, night))
        for family in self.families:
            look = _look(model.centroids_[family.children].mean(axis=0), np.zeros((0, dim), np.float32))
            rows.append(_row(family.theme_id, family.name, None, family.known, look, signature, night))
        return rows

    def shown(self, stored: Sequence[StoredTheme], registry: Registry) -> list[StoredTheme]:
        """Return the themes the night shows: those alive, and those that have just ceased to be."""
        curation = registry.curation
        gone = {theme for (kind, theme) in curation.fresh if kind in ("merge", "retire")}
        was_alive = {theme.theme_id for theme in registry.themes if theme.is_alive}
        found = []
        for theme in stored:
            if theme.theme_id in curation.retired or theme.theme_id in curation.merged:
                if theme.theme_id in gone & was_alive:
                    found.append(theme.with_status("retired"))
            else:
                found.append(replace(theme, parent_id=theme.parent_id and curation.stands_for(theme.parent_id)))
        return [replace(theme, name=curation.names.get(theme.theme_id, theme.name)) for theme in found]


def _group(
    model: ThemeModel,
    seen: Units,
    leaves: list[StoredTheme],
    registry: Registry,
    signature: str,
    units: pl.DataFrame,
    business_date: date,
) -> Grouping:
    """Return the night's groups: those of the known themes, or groups found afresh where these do not hold."""
    if leaves and registry.signature == signature and not registry.curation.refit:
        same = [theme for theme in leaves if theme.model_id.rpartition("|")[0] == signature.rpartition("|")[0]]
        found = follow(model, seen, same, registry.curation, bursting_topics(units, business_date))
        if found:
            return found
    return find_afresh(model, seen, leaves, registry.curation, signature, registry.signature)


def _levels(registry: Registry) -> tuple[list[StoredTheme], dict[str, StoredTheme]]:
    """Split the registry into themes that hold units, retired ones left out, and the parents above them."""
    above = {theme.parent_id for theme in registry.themes}
    parents = {theme.theme_id: theme for theme in registry.themes if theme.theme_id in above}
    leaves = [theme for theme in registry.themes if theme.theme_id not in parents and theme.look is not None]
    return [theme for theme in leaves if theme.status != "retired"], parents


def _shown_labels(known: Sequence[StoredTheme | None], curation: Curation) -> dict[int, int]:
    """Return the label under which each label's units are shown; labels of retired themes are left out."""
    place = {theme.theme_id: label for label, theme in enumerate(known) if theme}
    shown = {}
    for label, theme in enumerate(known):
        head = curation.stands_for(theme.theme_id) if theme else None
        if head not in curation.retired:
            shown[label] = place.get(head or "", label)
    return shown


def _names(
    units: pl.DataFrame,
    grouping: Grouping,
    labels: list[int],
    leaves: Sequence[StoredTheme],
    curation: Curation,
    propose: NameProposer | None,
) -> list[ThemeName]:
    """Return the name of each label: a known theme's as long as it fits, else one from the night's words."""
    rows = some_of_each(np.array(labels, np.int64), unit_keys(units), NAMED_FROM)
    units, labels = units[rows], [labels[row] for row in rows]
    columns = (units["unit_text"].to_list(), units["tokens"].to_list(), units["pairs"].to_list())
    n = len(grouping.known)
    words = WordCounts(*columns, labels, n)
    nearest = [grouping.model.nearest_names(label, _N_NEAREST) for label in range(n)]
    texts = _texts_of(units, labels)
    given = set(curation.names.values())
    kept = {
        label: theme.name
        for label, theme in enumerate(grouping.known)
        if theme
        and (theme.theme_id in curation.names or theme.name not in given)
        and (label not in texts or _still_fits(theme, theme_keywords(words, label), texts[label]))
    }
    present = {theme.theme_id for theme in grouping.known if theme}
    taken = {theme.name for theme in leaves if theme.theme_id not in present} | given
    found = name_themes(words, nearest=nearest, kept=kept, taken=taken)
    if propose:
        fresh = [label for label in range(n) if grouping.known[label] is None and label in texts]
        samples = [ThemeSample(found[k].name, found[k].keywords, _typical_texts(texts[k])) for k in fresh]
        found = with_proposals(found, fresh, samples, propose, taken)
    return [
        replace(name, keywords=theme.keywords) if theme and label not in texts else name
        for label, (name, theme) in enumerate(zip(found, grouping.known, strict=True))
    ]


def some_of_each(labels: np.ndarray, keys: Keys, most: int) -> list[int]:
    """Return the rows of at most so many units of each label ≥ 0, drawn by their keys, in their order."""
    order = np.lexsort((keys, labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-2))
    sizes = np.diff(starts, append=len(order))
    nth = np.arange(len(order)) - np.repeat(starts, sizes)
    chosen = order[(nth < most) & (labels[order] >= 0)]
    return [int(row) for row in np.sort(chosen)]


def _texts_of(units: pl.DataFrame, labels: Sequence[int]) -> dict[int, list[str]]:
    texts: dict[int, list[str]] = {}
    for text, label in zip(units["unit_text"].to_list(), labels, strict=True):
        texts.setdefault(label, []).append(text)
    return texts


def _typical_texts(texts: Sequence[str], n: int = 12) -> tuple[str, ...]:
    """Return a few different texts of middling length, whatever the order of the units."""
    ranked = sorted(set(texts), key=lambda text: (abs(len(text) - 25), text))
    return tuple(ranked[:n])


def _row(
    theme: str,
    name: ThemeName,
    parent_id: str | None,
    known: StoredTheme | None,
    look: np.ndarray,
    signature: str,
    night: str,
) -> StoredTheme:
    status = "new" if known is None else "continuing" if known.is_alive else "returned"
    first_seen = known.first_seen if known else night
    return StoredTheme(theme, name.name, parent_id, status, first_seen, night, name.keywords, look, signature)


def _resting(
    themes: Sequence[StoredTheme], present: set[str], business_date: date, retire_after: int
) -> list[StoredTheme]:
    """Return the themes that were alive and no longer are, and those that have been dormant for too long."""
    found = []
    for theme in themes:
        if theme.theme_id in present or theme.status == "retired":
            continue
        if theme.dormant_days(business_date) > retire_after:
            found.append(theme.with_status("retired"))
        elif theme.is_alive:
            found.append(theme.with_status("dormant"))
    return found


def _transitions(
    before: Sequence[str | None],
    now: Sequence[str | None],
    stored: Sequence[StoredTheme],
    named: _Named,
    registry: Registry,
) -> list[Transition]:
    curation = registry.curation
    heads = [curation.stands_for(theme) if theme else None for theme in before]
    current = [curation.stands_for(theme) if theme else None for theme in now]
    overlaid = set(curation.merged) | curation.retired
    parents = {family.theme_id for family in named.families} | {theme.parent_id for theme in registry.themes}
    status = {t.theme_id: t.status for t in stored if t.theme_id not in overlaid | parents}
    settled = []
    for (kind, theme), number in curation.fresh.items():
        if kind == "merge" and theme in curation.merged:
            settled.append(Transition("merged", theme, (curation.stands_for(theme),), decision=number))
        elif kind == "retire" and theme in curation.retired:
            settled.append(Transition("retired", theme, decision=number))
    made: dict[tuple[str, int], list[str]] = {}
    for label, split in named.grouping.parts.items():
        made.setdefault((split.theme_id, split.decision), []).append(named.ids[label])
    for (theme, number), others in made.items():
        settled.append(Transition("split", theme, tuple(sorted(others)), decision=number))
    status |= {t.theme_id: "retired" for t in settled if t.kind != "split" and t.theme_id not in parents}
    return transitions(heads, current, status, settled)


def _with_themes(
    units: pl.DataFrame,
    grouping: Grouping,
    embeddings: np.ndarray,
    chosen: list[str | None],
    shown: Sequence[StoredTheme],
    curation: Curation,
) -> pl.DataFrame:
    name = {theme.theme_id: theme.name for theme in shown}
    parent = {theme.theme_id: name.get(theme.parent_id or "") for theme in shown}
    heads = [curation.stands_for(theme) if theme else None for theme in chosen]
    ended = [theme in curation.retired for theme in heads]
    heads = [None if is_over else theme for theme, is_over in zip(heads, ended, strict=True)]
    reasons = [None if theme else ENDED if is_over else FAR for theme, is_over in zip(heads, ended, strict=True)]
    return units.with_columns(
        pl.Series("theme_id", heads, pl.Utf8),
        pl.Series("theme", [name[t] if t else None for t in heads], pl.Utf8),
        pl.Series("parent_theme", [parent[t] if t else None for t in heads], pl.Utf8),
        pl.Series("similarity", _similarity(grouping, embeddings), pl.Float64).fill_nan(None),
        pl.Series("unassigned_reason", reasons, pl.Utf8),
    )


def _similarity(grouping: Grouping, embeddings: np.ndarray) -> np.ndarray:
    """Return each unit's cosine to its own theme's centroid, or to the nearest one's where it has none."""
    assignment = grouping.model.assignment_
    similarity = assignment.similarity.astype(np.float64)
    moved = np.flatnonzero((grouping.labels != assignment.labels) & (grouping.labels >= 0))
    if len(moved):
        cosine = grouping.model.cosine_to(embeddings[moved])
        similarity[moved] = cosine[grouping.labels[moved], np.arange(len(moved))]
    return similarity.round(4)


def _theme_frame(
    shown: Sequence[StoredTheme], named: _Named, curation: Curation, units: pl.DataFrame
) -> pl.DataFrame:
    pairs = {named.ids[label]: name.pairs for label, name in enumerate(named.names)}
    pairs |= {family.theme_id: family.name.pairs for family in named.families}
    present = {theme.theme_id for theme in shown}
    own = {theme_id: part for (theme_id,), part in units.group_by("theme_id")}
    records = [
        {
            "theme_id": theme.theme_id,
            "name": theme.name,
            "parent_id": theme.parent_id if theme.parent_id in present else None,
            "status": theme.status,
            "first_seen": theme.first_seen,
            "pinned": theme.theme_id in curation.pinned,
            "hidden": theme.theme_id in curation.hidden,
            "keywords": list(theme.keywords),
            "pairs": list(pairs.get(theme.theme_id, ())) if theme.is_alive else [],
            "quotes": _quotes(own.get(theme.theme_id), theme),
        }
        for theme in sorted(shown, key=lambda theme: theme.theme_id)
    ]
    return pl.DataFrame(records, schema=THEME_SCHEMA)


def _quotes(units: pl.DataFrame | None, theme: StoredTheme) -> list[str]:
    if units is None:
        return []
    return [unit["unit_text"] for unit in choose_quotes(units, words=theme.keywords)]


def _look(centroid: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    return np.concatenate([unit(centroid[None]), anchors]).astype(np.float32)


def _still_fits(theme: StoredTheme, keywords: Sequence[str], texts: list[str]) -> bool:
    return bool(set(theme.keywords) & set(keywords)) or heard(theme.name, texts)
