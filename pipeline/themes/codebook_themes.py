"""A codebook's themes as themes of the registry, and the registry's themes as a codebook.

A codebook theme is a known theme that is pinned and named: the night places units by its look first, and
discovers themes only in what the known ones do not explain (:mod:`pipeline.themes.continuity`). Its first look
comes from its words and the units they find; from then on the registry keeps it. The units of the codebook's
themes are then told apart by their words, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from models.codebook import CodebookTheme, Reading, settle
from models.theme_prior import ThemePrior, unit
from models.themes import PLAIN_SPREAD
from models.wording import Wording
from pipeline.themes.codebooks import Codebook, name_id, permanent_id
from pipeline.themes.registry import Registry, StoredTheme


@dataclass(frozen=True)
class NamedThemes:
    """A codebook's themes as a night reads them: their permanent ids, and what tells them apart by words."""

    ids: tuple[str, ...]
    reading: Reading

    @classmethod
    def of(cls, codebook: Codebook, prior: ThemePrior | None) -> "NamedThemes":
        """Return the reading of a codebook, for vectors that a prior reads, or none does."""
        spread = 1.0 if prior else PLAIN_SPREAD
        reading = Reading(codebook.themes, Wording.from_pretrained(), spread=spread)
        return cls(tuple(permanent_id(theme) for theme in codebook.themes), reading)


def with_codebook(
    registry: Registry,
    codebook: Codebook,
    *,
    encode: Callable[[list[str]], np.ndarray],
    embeddings: np.ndarray,
    prior: ThemePrior | None,
    signature: str,
    business_date: date,
) -> Registry:
    """Return the registry with the codebook's themes in it, named and pinned.

    Themes it knows by their id keep the look they have; the others get one from their words.

    Parameters
    ----------
    encode : callable
        Texts to unit vectors, by the night's encoder.
    embeddings : ndarray, (n_units, dim)
        The night's units.
    prior : ThemePrior or None
        The map into theme space for this encoder.
    signature : str
        The night's encoder and granularity, joined by "|".
    business_date : date
        The night.
    """
    known = {theme.theme_id: theme for theme in registry.themes}
    encoder = signature.rpartition("|")[0]
    fresh = [theme for theme in codebook.themes if not _has_look(known.get(permanent_id(theme)), encoder)]
    looks = {}
    if fresh:
        settled = settle(codebook.themes, encode, embeddings, prior=prior)
        looks = {permanent_id(theme): look for theme, look in zip(codebook.themes, settled, strict=True)}
    fresh_ids = {permanent_id(theme) for theme in fresh}
    parent_ids = _parent_ids(registry, codebook)
    added = []
    for theme in codebook.themes:
        theme_id, parent = permanent_id(theme), theme.parent and parent_ids[theme.parent]
        if theme_id in fresh_ids:
            look = np.concatenate([unit(looks[theme_id].centroid[None]), looks[theme_id].anchors]).astype(np.float32)
            added.append(_stored(theme_id, theme.name, parent, look, signature, business_date, known.get(theme_id)))
        else:
            # The granularity says how finely discovery looks; a codebook theme is as fine as its words.
            added.append(replace(known[theme_id], name=theme.name, parent_id=parent, model_id=signature))
    for name, theme_id in sorted(parent_ids.items()):
        children = [theme.look[0] for theme in added if theme.parent_id == theme_id and theme.look is not None]
        mean = np.mean(children, axis=0, keepdims=True)
        look = unit(mean).astype(np.float32)
        added.append(_stored(theme_id, name, None, look, signature, business_date, known.get(theme_id)))
    themes = known | {theme.theme_id: theme for theme in added}
    names = {theme.theme_id: theme.name for theme in added} | dict(registry.curation.names)
    pinned = registry.curation.pinned | {theme.theme_id for theme in added}
    curation = replace(registry.curation, names=names, pinned=pinned)
    return replace(registry, themes=[themes[key] for key in sorted(themes)], curation=curation)


def codebook_of(registry: Registry, title: str) -> Codebook:
    """Return the themes that are alive, with their ids, names, groups and keywords, as a codebook to edit."""
    curation = registry.curation
    names = {theme.theme_id: curation.names.get(theme.theme_id, theme.name) for theme in registry.themes}
    parents = {theme.parent_id for theme in registry.themes}
    gone = curation.retired | set(curation.merged)
    found = [
        CodebookTheme(
            name=names[theme.theme_id],
            description="、".join(theme.keywords),
            parent=names.get(curation.stands_for(theme.parent_id)) if theme.parent_id else None,
            theme_id=theme.theme_id,
        )
        for theme in registry.themes
        if theme.is_alive and theme.theme_id not in parents and theme.theme_id not in gone
    ]
    return Codebook(title, tuple(found))


def _parent_ids(registry: Registry, codebook: Codebook) -> dict[str, str]:
    """Return the id of each group by its name: the registry's, or one made of the name."""
    above = {theme.parent_id for theme in registry.themes}
    parents = [theme for theme in registry.themes if theme.theme_id in above]
    known = {registry.curation.names.get(theme.theme_id, theme.name): theme.theme_id for theme in parents}
    return {theme.parent: known.get(theme.parent, name_id(theme.parent)) for theme in codebook.themes if theme.parent}


def _has_look(theme: StoredTheme | None, encoder: str) -> bool:
    return theme is not None and theme.look is not None and theme.model_id.rpartition("|")[0] == encoder


def _stored(
    theme_id: str,
    name: str,
    parent_id: str | None,
    look: np.ndarray,
    signature: str,
    business_date: date,
    known: StoredTheme | None,
) -> StoredTheme:
    night = business_date.isoformat()
    first_seen = known.first_seen if known else night
    keywords = known.keywords if known else ()
    return StoredTheme(theme_id, name, parent_id, "new", first_seen, night, keywords, look, signature)
