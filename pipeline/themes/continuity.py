"""The night's groups as a continuation of the themes that are known.

On most nights the known themes place the night's units by their looks, and only what they do not explain
may become a new theme: a unit keeps its theme because the theme keeps its look. Themes are found afresh on
the first night, for another encoder or granularity, and when somebody asks for it. Then the groups found
are matched to the registry, and a unit of last night leaves its theme only for a group that explains it
markedly better: evolutionary clustering (Chakrabarti, Kumar & Tomkins 2006, doi:10.1145/1150402.1150467),
snapshot quality against history cost.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from models.theme_prior import unit
from models.themes import MIN_NEW, MIN_SUPPORT, KnownTheme, ThemeModel, canonical_order
from pipeline.themes.bursts import Burst
from pipeline.themes.codebook_themes import NamedThemes
from pipeline.themes.curation import Curation, Split
from pipeline.themes.matching import KEPT_SHARE, kept_share, match_themes, shared_members
from pipeline.themes.registry import StoredTheme

STAY = 3  # units with which a live theme stays alive; MIN_NEW bring a dormant one back
HISTORY = 0.2  # cosine by which another theme must explain a unit of last night better to take it
_MEMORY = 0.5  # weight of a theme's old centroid when it is learned anew
_OLD_ANCHORS = 24  # anchors a theme takes along when it is learned anew

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """A fitted model and what its labels mean.

    Attributes
    ----------
    model : ThemeModel
        Places units.
    labels : ndarray of int, (n_units,)
        The group of each unit, moved phrases included; −1: none.
    known : list
        The registry's theme of each label; None: a new one.
    parts : dict
        The split that made a label, by label.
    kept : float or None
        Share of last night's units that keep their theme.
    refused : bool
        Whether themes found afresh were refused because too few units would have kept theirs.
    """

    model: ThemeModel
    labels: Rows
    known: list[StoredTheme | None]
    parts: dict[int, Split] = field(default_factory=dict)
    kept: float | None = None
    refused: bool = False


@dataclass(frozen=True)
class Units:
    """What grouping looks at: row i of each is unit i; before is its theme of last night, if it had one."""

    texts: list[str]
    embeddings: NDArray[np.float32]
    before: list[str | None]
    codebook: NamedThemes | None = None

    def rows_of(self, theme_id: str) -> Rows:
        """Return the units that belonged to a theme last night."""
        return np.flatnonzero([theme == theme_id for theme in self.before])

    def look(self, rows: Rows) -> KnownTheme:
        """Return what the units of some rows look like together."""
        vectors = self.embeddings[rows].astype(np.float32)
        vectors = vectors[canonical_order(vectors)]
        centroid = unit(vectors.mean(axis=0)[None])[0].astype(np.float32)
        return KnownTheme(centroid, np.zeros((0, len(centroid)), np.float32)).with_examples(vectors)


def follow(
    model: ThemeModel, units: Units, themes: Sequence[StoredTheme], curation: Curation, bursts: Sequence[Burst]
) -> Grouping | None:
    """Return the night's groups, led by known themes whose looks are of this encoder; None if none stays alive.

    A theme with too few units is left out and the rest is placed again, unless a person pinned it, retired it
    (it still tells what is nothing new) or moved a phrase to it.
    """
    alive = [theme for theme in themes if theme.look is not None]
    held = curation.pinned | curation.retired | {theme for phrase, theme in curation.moves if _holders(phrase, units)}
    while alive:
        known = [_remembered(theme) for theme in alive]
        model.fit(units.embeddings, known=known)
        counts = Counter(curation.stands_for(alive[k].theme_id) for k in model.labels_ if 0 <= k < len(alive))
        sizes = [counts[curation.stands_for(theme.theme_id)] for theme in alive]
        stays = [theme.theme_id in held or n >= _need(theme) for theme, n in zip(alive, sizes, strict=True)]
        if all(stays):
            return _with_news(model, units, alive, known, curation, bursts)
        alive = [theme for theme, stay in zip(alive, stays, strict=True) if stay]
    return None


def find_afresh(
    model: ThemeModel,
    units: Units,
    themes: Sequence[StoredTheme],
    curation: Curation,
    signature: str,
    before: str | None,
) -> Grouping:
    """Return groups found without regard to the known themes, or, with history, as their next state.

    Parameters
    ----------
    themes : sequence of StoredTheme
        The registry's themes that hold units.
    signature, before : str
        Encoder and granularity of tonight and of last night. Where the granularity changes, somebody wants
        other themes: groups and themes are matched and no more.
    """
    model.fit(units.embeddings)
    pairs = _match(model, units, themes, signature)
    if not pairs or (before or signature).rpartition("|")[2] != signature.rpartition("|")[2]:
        return _matched(model, units, themes, pairs, curation)
    old = relearned(units, themes, signature)
    after = _next_state(model, units, old, {label: themes[k].theme_id for label, k in pairs.items()})
    held = [theme for theme in old if len(after[theme.theme_id])]
    renewed = [_renewed(theme, units.look(after[theme.theme_id])) for theme in held]
    hints = [Burst(frozenset(), rows) for name, rows in after.items() if name.startswith("#") and len(rows) >= MIN_NEW]
    found = follow(model, units, renewed, curation, hints)
    if found is not None:
        renewed = [_corrected(theme, after[theme.theme_id], found, units) for theme in renewed]
        found = follow(model, units, renewed, curation, hints)
    if found is not None and (found.kept is None or found.kept >= KEPT_SHARE):
        return found
    kept = follow(model, units, old, curation, [])
    if kept is None:
        return _matched(model.fit(units.embeddings), units, themes, pairs, curation)
    return replace(kept, refused=found is not None, kept=found.kept if found else kept.kept)


def relearned(units: Units, themes: Sequence[StoredTheme], signature: str) -> list[StoredTheme]:
    """Return the themes with looks that hold for tonight's encoder: their own, or their members' of last night."""
    encoder = signature.rpartition("|")[0]
    found = []
    for theme in themes:
        if theme.look is not None and theme.model_id.rpartition("|")[0] == encoder:
            found.append(theme)
        elif len(rows := units.rows_of(theme.theme_id)) >= STAY:
            found.append(replace(theme, look=_flat(units.look(rows))))
    return found


def _matched(
    model: ThemeModel, units: Units, themes: Sequence[StoredTheme], pairs: dict[int, int], curation: Curation
) -> Grouping:
    """Return the groups as they were found, under the ids of the themes they are matched to."""
    known: list[StoredTheme | None] = [None] * len(model.centroids_)
    for label, k in pairs.items():
        known[label] = themes[k]
    return _counted(Grouping(model, _placed(model, known, units, curation), known), units, curation)


def _with_news(
    model: ThemeModel,
    units: Units,
    alive: list[StoredTheme],
    known: list[KnownTheme],
    curation: Curation,
    bursts: Sequence[Burst],
) -> Grouping:
    """Return the groups with splits carried out, and with the topics that come up beside the known themes."""
    known, parts, hints = _split(model, units, alive, known, curation.splits)
    n_parts = len(hints)
    known, topics = _with_bursts(bursts, alive, known, model.labels_, units)
    hints += topics
    if hints or bursts:
        model.fit(units.embeddings, known=known, hints=hints)
    themes: list[StoredTheme | None] = [*alive, *[None] * (len(model.centroids_) - len(alive))]
    made = {len(alive) + k: parts[k] for k in range(n_parts)}
    return _counted(Grouping(model, _placed(model, themes, units, curation), themes, made), units, curation)


def _split(
    model: ThemeModel, units: Units, alive: list[StoredTheme], known: list[KnownTheme], splits: Sequence[Split]
) -> tuple[list[KnownTheme], list[Split], list[Rows]]:
    """Return the known themes narrowed to the largest part of each split, and the rows of the other parts."""
    known, made, hints = list(known), [], []
    place = {theme.theme_id: label for label, theme in enumerate(alive)}
    for split in splits:
        label = place.get(split.theme_id)
        rows = np.flatnonzero(model.labels_ == label) if label is not None else np.zeros(0, np.int64)
        if label is None or len(rows) < split.parts * MIN_SUPPORT:
            continue  # not tonight: too few units to tell parts from one another
        first, *others = _parts(model, units, rows, split.parts)
        known[label] = units.look(first)
        hints += others
        made += [split] * len(others)
    return known, made, hints


def _parts(model: ThemeModel, units: Units, rows: Rows, n: int) -> list[Rows]:
    """Return the rows in n groups by their vectors, the largest first."""
    rows = rows[canonical_order(units.embeddings[rows].astype(np.float32))]
    points = model.transform(units.embeddings[rows])
    with threadpool_limits(1):
        groups = KMeans(n, n_init=10, random_state=0).fit(points).labels_
    found = [np.sort(rows[groups == group]) for group in range(n)]
    return sorted((part for part in found if len(part)), key=lambda part: -len(part))


def _with_bursts(
    bursts: Sequence[Burst], alive: list[StoredTheme], known: list[KnownTheme], labels: Rows, units: Units
) -> tuple[list[KnownTheme], list[Rows]]:
    """Return the known themes, with examples where a burst belongs to one, and the rows of each new topic.

    A burst belongs to a known theme that is named after its words: one that came up a few nights ago.
    """
    known, hints = list(known), []
    for burst in bursts:
        named = [label for label, theme in enumerate(alive) if burst.names(theme.name)]
        if not named:
            hints.append(burst.rows)
            continue
        missed = burst.rows[labels[burst.rows] != named[0]]
        if len(missed) >= STAY:
            vectors = units.embeddings[missed].astype(np.float32)
            known[named[0]] = known[named[0]].with_examples(vectors[canonical_order(vectors)])
    return known, hints


def _match(model: ThemeModel, units: Units, themes: Sequence[StoredTheme], signature: str) -> dict[int, int]:
    """Return the registry's theme (its place) of each group, by shared units and by centroid."""
    n_found = len(model.centroids_)
    cosine = np.full((n_found, len(themes)), np.nan)
    for k, theme in enumerate(themes):
        if theme.look is not None and theme.model_id.rpartition("|")[0] == signature.rpartition("|")[0]:
            cosine[:, k] = model.cosine_to(theme.look[:1])[:, 0]
    shared = shared_members(model.labels_.tolist(), n_found, units.before, [theme.theme_id for theme in themes])
    return match_themes(cosine, np.zeros(cosine.shape), shared)


def _next_state(
    model: ThemeModel, units: Units, old: Sequence[StoredTheme], matched: dict[int, str]
) -> dict[str, Rows]:
    """Return the rows of each old theme (by id) and of each group without one ("#label")."""
    names = [matched.get(label, f"#{label}") for label in range(len(model.centroids_))]
    snapshot = [names[label] if label >= 0 else None for label in model.labels_]
    cosine = {f"#{label}": row for label, row in enumerate(model.cosine_to(units.embeddings))}
    cosine |= {matched[label]: cosine[f"#{label}"] for label in matched}
    history = _cosines(model, units, old)
    held: dict[str, list[int]] = {theme.theme_id: [] for theme in old}
    for row, (now, before) in enumerate(zip(snapshot, units.before, strict=True)):
        stays = before in history and (
            now is None or now == before or cosine[now][row] - history[str(before)][row] < HISTORY
        )
        theme = before if stays else now
        if theme is not None:
            held.setdefault(theme, []).append(row)
    return {theme: np.array(rows, np.int64) for theme, rows in held.items()}


def _cosines(model: ThemeModel, units: Units, old: Sequence[StoredTheme]) -> dict[str, NDArray[np.float32]]:
    """Return the cosine of every unit to each old theme, in theme space."""
    if not old:
        return {}
    centers = model.transform(np.stack([np.asarray(theme.look)[0] for theme in old]))
    cosines = centers @ model.transform(units.embeddings).T
    return {theme.theme_id: row for theme, row in zip(old, cosines, strict=True)}


def _placed(model: ThemeModel, known: Sequence[StoredTheme | None], units: Units, curation: Curation) -> Rows:
    """Return the labels after words told a codebook's themes apart and phrases were moved; the newest move wins."""
    labels = model.labels_.copy()
    place = {theme.theme_id: label for label, theme in enumerate(known) if theme}
    if units.codebook:
        places = {column: place[key] for column, key in enumerate(units.codebook.ids) if key in place}
        labels = units.codebook.reading.tell_apart(model, labels, units.texts, units.embeddings, places)
    for phrase, theme in reversed(curation.moves):
        if theme in place:
            labels[_holders(phrase, units)] = place[theme]
    return labels


def _counted(grouping: Grouping, units: Units, curation: Curation) -> Grouping:
    ids = [curation.stands_for(theme.theme_id) if theme else None for theme in grouping.known]
    now = [ids[label] if label >= 0 else None for label in grouping.labels.tolist()]
    before = [curation.stands_for(theme) if theme else None for theme in units.before]
    return replace(grouping, kept=kept_share(before, now))


def _holders(phrase: str, units: Units) -> list[int]:
    return [row for row, text in enumerate(units.texts) if phrase in text]


def _need(theme: StoredTheme) -> int:
    return STAY if theme.is_alive else MIN_NEW


def _renewed(theme: StoredTheme, now: KnownTheme) -> StoredTheme:
    """Return the theme with what its units look like now beside what it looked like before.

    Its centroid moves half of the way (temporal smoothing, as in evolutionary k-means).
    Without its old anchors a theme loses the units at its border: 7 % of all in one refit, 2 % with them.
    """
    before = _remembered(theme)
    centroid = unit((_MEMORY * before.centroid + (1 - _MEMORY) * now.centroid)[None])[0]
    anchors = np.concatenate([before.anchors[-_OLD_ANCHORS:], now.anchors])
    return replace(theme, look=_flat(KnownTheme(centroid, anchors)))


def _corrected(theme: StoredTheme, rows: Rows, found: Grouping, units: Units) -> StoredTheme:
    """Return the theme with examples of the units that it had, should have kept, and did not."""
    place = {known.theme_id: label for label, known in enumerate(found.known) if known}
    lost = [row for row in rows.tolist() if units.before[row] == theme.theme_id]
    lost = [row for row in lost if found.labels[row] != place.get(theme.theme_id, -1)]
    if len(lost) < STAY:
        return theme
    vectors = units.embeddings[lost].astype(np.float32)
    return replace(theme, look=_flat(_remembered(theme).with_examples(vectors[canonical_order(vectors)])))


def _remembered(theme: StoredTheme) -> KnownTheme:
    look = np.asarray(theme.look, np.float32)
    return KnownTheme(look[0], look[1:] if len(look) > 1 else look)


def _flat(look: KnownTheme) -> NDArray[np.float32]:
    return np.concatenate([look.centroid[None], look.anchors]).astype(np.float32)
