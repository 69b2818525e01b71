"""Which theme is which: tonight's groups against the registry, and what became of each theme.

Groups and themes are matched one to one by optimal assignment (Kuhn 1955, doi:10.1002/nav.3800020109).
The strongest evidence is the units that both nights hold: two groups of the same comments are one theme,
whatever their vectors say. Cosine of centroids and shared keywords decide where few units are shared.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.themes.registry import Transition

SAME = 0.40  # evidence from which a group is a known theme
KEPT_SHARE = 0.80  # a night on which fewer units keep their theme is a shift
_MEMBERS = 0.7  # weight of the shared units; the cosine has the rest
_COSINE = 0.85  # weight of the cosine where no units are shared; the keywords have the rest
_ENOUGH = 5  # shared units from which they count as evidence
_PART = 0.25  # share of a theme's units that must go elsewhere together to be called a split
_MOST = 0.5  # share of a lost theme's units that must sit in one theme to call it merged


def match_themes(
    cosine: NDArray[np.floating], overlap: NDArray[np.floating], shared: NDArray[np.floating] | None = None
) -> dict[int, int]:
    """Return known theme by found group, one to one, where the evidence suffices.

    Parameters
    ----------
    cosine, overlap : ndarray, (n_found, n_known)
        Cosine of centroids around the night's mean (nan where the encoders differ: then keywords alone
        decide), and shared share of keywords.
    shared : ndarray, (n_found, n_known), optional
        Jaccard index of the members, over units of both nights; nan where too few are shared to tell.
    """
    if not cosine.size:
        return {}
    words = np.where(np.isnan(cosine), overlap + 0.15, _COSINE * cosine + (1 - _COSINE) * overlap - 0.15)
    score = words
    if shared is not None:
        likeness = np.where(np.isnan(cosine), overlap, np.maximum(cosine, 0))
        score = np.where(np.isnan(shared), words, _MEMBERS * shared + (1 - _MEMBERS) * likeness)
    found, known = linear_sum_assignment(-score)
    return {int(f): int(k) for f, k in zip(found, known, strict=True) if score[f, k] >= SAME}


def shared_members(
    labels: Sequence[int], n_found: int, before: Sequence[str | None], known: Sequence[str]
) -> NDArray[np.floating]:
    """Return the Jaccard index (n_found, n_known) of tonight's groups and last night's themes.

    Only units of both nights count; the column of a theme with fewer than 5 of them is nan.
    """
    place = {theme: k for k, theme in enumerate(known)}
    both = np.zeros((n_found, len(known)))
    for label, theme in zip(labels, before, strict=True):
        if label >= 0 and theme in place:
            both[label, place[theme]] += 1
    held = Counter(label for label, theme in zip(labels, before, strict=True) if label >= 0 and theme is not None)
    sizes = Counter(theme for theme in before if theme in place)
    found_size = np.array([held[label] for label in range(n_found)])[:, None]
    known_size = np.array([sizes[theme] for theme in known])[None, :]
    union = found_size + known_size - both
    jaccard = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return np.where(known_size >= _ENOUGH, jaccard, np.nan)


def kept_share(before: Sequence[str | None], now: Sequence[str | None]) -> float | None:
    """Return the share of the units that had a theme and still have it; None where none had one."""
    held = [(old, new) for old, new in zip(before, now, strict=True) if old is not None]
    return sum(old == new for old, new in held) / len(held) if held else None


def transitions(
    before: Sequence[str | None],
    now: Sequence[str | None],
    status: Mapping[str, str],
    settled: Collection[Transition] = (),
) -> list[Transition]:
    """Return what became of each theme, sorted by theme_id.

    Parameters
    ----------
    before, now : sequence
        Each unit's theme last night (None: not there, or without a theme) and tonight.
    status : mapping
        Tonight's status of every theme that was alive last night or is tonight.
    settled : collection of Transition
        What decisions brought about; themes named there are not judged again.
    """
    flows: dict[str, Counter[str | None]] = {}
    for old, new in zip(before, now, strict=True):
        if old is not None:
            flows.setdefault(old, Counter())[new] += 1
    came: dict[str, Counter[str]] = {}
    for old, targets in flows.items():
        for new, n in targets.items():
            if new is not None:
                came.setdefault(new, Counter())[old] += n
    told = {t.theme_id: t for t in settled}
    parts = {part for t in settled for part in t.others if t.kind == "split"}
    found = []
    for theme, state in status.items():
        held = flows.get(theme, Counter())
        kept = held[theme] / held.total() if held else None
        if theme in told:
            t = told[theme]
            found.append(Transition(t.kind, theme, t.others, kept, t.decision))
        elif state == "continuing":
            split = _parts(theme, held, came, status)
            found.append(Transition("split" if split else "survived", theme, split, kept))
        elif state == "dormant":
            heir = _heir(theme, held, status)
            found.append(Transition("merged" if heir else "dormant", theme, heir, kept))
        elif theme not in parts:
            found.append(Transition(state, theme, kept=kept))
    return sorted(found, key=lambda t: t.theme_id)


def _parts(
    theme: str, held: Counter[str | None], came: Mapping[str, Counter[str]], status: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the new themes that took a good part of this one, and little of any other."""
    taken = [
        new
        for new, n in held.items()
        if new is not None and new != theme and status.get(new) == "new"
        and n >= max(_ENOUGH, _PART * held.total()) and 2 * n >= came[new].total()
    ]  # fmt: skip
    return tuple(sorted(taken))


def _heir(theme: str, held: Counter[str | None], status: Mapping[str, str]) -> tuple[str, ...]:
    """Return the theme that now holds most of what this one held."""
    others = {new: n for new, n in held.items() if new not in (None, theme) and status.get(str(new)) == "continuing"}
    best = max(others, key=lambda new: (others[new], str(new)), default=None)
    enough = best is not None and others[best] >= max(_ENOUGH, _MOST * held.total())
    return (str(best),) if enough else ()
