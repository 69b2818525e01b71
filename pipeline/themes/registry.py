"""What is known of every theme: its permanent id, its look, and what became of it from night to night.

A theme is **alive** while enough of the window's units speak of it, **dormant** while too few do (it stays
in the registry and comes back under its id), and **retired** when it has been dormant for long or a person
retired it (it does not come back by itself).
"""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipeline.themes.curation import NO_CURATION, Curation
from pipeline.themes.members import NO_MEMBERS, Members

ALIVE = ("new", "continuing", "returned")
STATUSES = (*ALIVE, "dormant", "retired")


@dataclass(frozen=True)
class StoredTheme:
    """A theme as one night left it, before anybody's renaming or merging.

    Attributes
    ----------
    theme_id, name, parent_id
        The permanent id, the name the words gave it, and the parent theme's id.
    status : str
        new | continuing | returned | dormant | retired.
    first_seen, last_seen : str
        ISO dates of the first and the last night it was alive.
    keywords : tuple of str
        Up to five.
    look : ndarray of float32, (1 + n_anchors, dim), or None
        Unit vectors of the encoder: the centroid, then means of small groups of members.
    model_id : str
        The encoder of the look and the granularity it was found at, joined by "|".
    """

    theme_id: str
    name: str
    parent_id: str | None
    status: str
    first_seen: str
    last_seen: str
    keywords: tuple[str, ...] = ()
    look: NDArray[np.float32] | None = field(default=None, compare=False)
    model_id: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether the last night counted it among its themes."""
        return self.status in ALIVE

    def dormant_days(self, business_date: date) -> int:
        """Return the days since it was last alive."""
        return (business_date - date.fromisoformat(self.last_seen)).days

    def with_status(self, status: str) -> "StoredTheme":
        """Return the theme in another status."""
        return replace(self, status=status)


@dataclass(frozen=True)
class Transition:
    """What became of one theme in one night.

    Attributes
    ----------
    kind : str
        survived | split | merged | new | dormant | returned | retired.
    theme_id : str
        The theme it happened to; of a split, the theme that was split.
    others : tuple of str
        The themes a split left beside it; the theme it was merged into.
    kept : float or None
        Share of its units of the night before, as far as they are still in the window, that it still holds;
        None where it had none.
    decision : int or None
        The number of the decision that brought it about; None: the data did.
    """

    kind: str
    theme_id: str
    others: tuple[str, ...] = ()
    kept: float | None = None
    decision: int | None = None


@dataclass(frozen=True)
class Registry:
    """Every theme known before a night, at its last state.

    Attributes
    ----------
    themes : list of StoredTheme
        Sorted by theme_id, retired ones included.
    next_number : int
        The number the next new theme gets; numbers are never used again.
    last_night : date or None
        The night before.
    members : Members
        The theme of each unit of that night.
    curation : Curation
        What people decided, as far as it holds for the night.
    """

    themes: list[StoredTheme]
    next_number: int
    last_night: date | None = None
    members: Members = NO_MEMBERS
    curation: Curation = NO_CURATION

    @property
    def signature(self) -> str | None:
        """Encoder and granularity of the last night that had themes; None before the first."""
        newest = max((theme for theme in self.themes if theme.look is not None), key=_last_state, default=None)
        return newest.model_id if newest else None


def theme_number(theme_id: str) -> int:
    """Return the number a theme id ends in; 0 for an id without one."""
    digits = theme_id[len(theme_id.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def theme_id(number: int) -> str:
    """Return the id of the n-th theme.

    Examples
    --------
    >>> theme_id(7)
    'T0007'
    """
    return f"T{number:04d}"


def _last_state(theme: StoredTheme) -> tuple[str, str]:
    return theme.last_seen, theme.theme_id
