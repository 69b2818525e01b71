"""Parents: groups of related themes, with ids and names that last like those of the themes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.themes.naming import ThemeName
from pipeline.themes.parent_names import Member, name_parent
from pipeline.themes.registry import StoredTheme, theme_id


@dataclass(frozen=True)
class Family:
    """A parent theme: its id, its name, the registry's entry if it has one, and its children's labels."""

    theme_id: str
    name: ThemeName
    known: StoredTheme | None
    children: list[int]


def find_families(
    ids: Mapping[int, str],
    known: Sequence[StoredTheme | None],
    groups: NDArray[np.integer],
    parents: Mapping[str, StoredTheme],
    names: Sequence[ThemeName],
    texts: Mapping[int, Sequence[str]],
    next_number: int,
    taken: Collection[str] = (),
) -> list[Family]:
    """Return the parents: a known theme stays with its own, a new one joins its nearest relatives'.

    Parameters
    ----------
    ids : mapping
        The theme id of each label that is shown.
    known, names : sequence
        The registry's theme, if there is one, and the name of each label.
    texts : mapping
        The units of each label that has any, as text.
    groups : ndarray of int, (n_labels,)
        The group of related labels each belongs to; −1: none.
    parents : mapping
        The registry's parents by id; a merged one under the id it was merged from stands for the other.
    next_number : int
        The number the first new parent gets.
    taken : collection of str
        Names that no parent may take.
    """
    home = _homes(ids, known, groups, parents)
    families: list[Family] = []
    held = {names[label].name for label in ids} | set(taken)
    members = {label: Member.of(names[label], texts.get(label, ())) for label in ids}
    for key in sorted(set(home.values()), key=lambda k: min(ids[c] for c in home if home[c] == k)):
        children = sorted(label for label in home if home[label] == key)
        theme = parents.get(key)
        if theme is None and len(children) < 2:
            continue
        ranked = sorted(children, key=lambda child: (-members[child].n_units, ids[child]))
        others = [member for label, member in members.items() if label not in children]
        name = name_parent([members[child] for child in ranked], others, held)
        if theme:
            name = replace(name, name=theme.name)
        held.add(name.name)
        families.append(Family(theme.theme_id if theme else theme_id(next_number), name, theme, children))
        next_number += theme is None
    return families


def _homes(
    ids: Mapping[int, str],
    known: Sequence[StoredTheme | None],
    groups: NDArray[np.integer],
    parents: Mapping[str, StoredTheme],
) -> dict[int, str]:
    """Return each label's parent: the registry's id, or a group of the night ("#0", "#1", …)."""
    home: dict[int, str] = {}
    for label in ids:
        theme = known[label]
        if theme and theme.parent_id in parents:
            home[label] = parents[str(theme.parent_id)].theme_id
    for label in ids:
        group = int(groups[label])
        if group < 0 or known[label]:
            continue
        relatives = np.flatnonzero(groups == group).tolist()
        homes = Counter(home[r] for r in relatives if r in home and not home[r].startswith("#"))
        home[label] = min(homes, key=lambda h: (-homes[h], h)) if homes else f"#{group}"
    return home
