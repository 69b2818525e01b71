"""What people decided about themes: an append-only list, and what it comes to on a given night.

Decisions never touch what the machine found; they lie over it. So a later decision can undo any earlier
one, and a night run again sees exactly those that held for it: a decision holds from its ``holds_from``
night on, which is the night after the newest one at the time it was made, unless its maker says otherwise.
"""

import difflib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

KINDS = ("rename", "merge", "split", "pin", "unpin", "hide", "unhide", "move", "retire", "refit", "undo")
MAX_NAME = 20
MAX_PARTS = 5
_UNITS = ("split", "move", "pin", "retire")  # kinds that need a theme with units of its own


class CurationError(ValueError):
    """A decision that cannot be carried out; the message states the rule and the remedy."""


@dataclass(frozen=True)
class Decision:
    """One decision of one person.

    Attributes
    ----------
    number : int
        1, 2, … in the order they were made.
    kind : str
        rename | merge | split | pin | unpin | hide | unhide | move | retire | refit | undo.
    theme_id : str or None
        The theme it is about; None for refit and undo.
    detail : mapping
        name (rename), into (merge), parts (split), phrase (move), number (undo).
    made_by, made_at : str, datetime
        Who and when (UTC).
    holds_from : date
        The first night it holds for.
    """

    number: int
    kind: str
    theme_id: str | None
    detail: Mapping[str, Any]
    made_by: str
    made_at: datetime
    holds_from: date


@dataclass(frozen=True)
class Split:
    """A theme to be split into parts, by a decision that no earlier night has carried out."""

    theme_id: str
    parts: int
    decision: int


@dataclass(frozen=True)
class Curation:
    """What all decisions that hold for a night come to; made by :func:`in_force`.

    Attributes
    ----------
    names : dict
        Names people gave, by theme_id.
    merged : dict
        The theme that stands for another, by the id of the other; never a chain.
    pinned, hidden, retired : frozenset of str
        Themes that stay whatever the data says; that are counted but not shown; that are no more.
    moves : tuple of (phrase, theme_id)
        Units that hold the phrase belong to the theme; the newest decision first.
    splits : tuple of Split
        Splits to carry out tonight.
    fresh : dict
        The number of the decision that holds for the first time tonight, by (kind, theme_id).
    refit : bool
        Whether themes are to be found afresh tonight.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()
    moves: tuple[tuple[str, str], ...] = ()
    splits: tuple[Split, ...] = ()
    fresh: Mapping[tuple[str, str], int] = field(default_factory=dict)
    refit: bool = False

    def stands_for(self, theme_id: str) -> str:
        """Return the theme that stands for this one: itself, or the one it was merged into."""
        return self.merged.get(theme_id, theme_id)

    def among(self, themes: Collection[str]) -> "Curation":
        """Return the curation without merges into themes that are not there: who lost its head stands for itself."""
        return replace(self, merged={theme: head for theme, head in self.merged.items() if head in themes})


NO_CURATION = Curation()


def in_force(
    decisions: Iterable[Decision],
    business_date: date,
    *,
    last_night: date | None = None,
    carried_out: Mapping[int, Sequence[str]] | None = None,
) -> Curation:
    """Return what the decisions come to on a night.

    Parameters
    ----------
    decisions : iterable of Decision
        All of them, in any order.
    business_date : date
        The night.
    last_night : date, optional
        The night before: decisions that hold from later on are fresh tonight.
    carried_out : mapping, optional
        By the number of a split, the themes that earlier nights made of it.
    """
    done = dict(carried_out or {})
    held = sorted((d for d in decisions if d.holds_from <= business_date), key=lambda d: d.number)
    undone = _undone(held)
    names: dict[str, str] = {}
    merged: dict[str, str] = {}
    marks: dict[str, set[str]] = {"pin": set(), "hide": set(), "retire": set()}
    moves: dict[str, str] = {}
    splits, fresh, refit = [], {}, False
    for decision in held:
        theme = decision.theme_id or ""
        is_fresh = last_night is None or decision.holds_from > last_night
        if decision.number in undone:
            if decision.kind == "split":
                merged |= dict.fromkeys(done.get(decision.number, ()), theme)
            continue
        if is_fresh:
            fresh[decision.kind, theme] = decision.number
        match decision.kind:
            case "rename":
                names[theme] = decision.detail["name"]
            case "merge":
                merged[theme] = decision.detail["into"]
            case "pin" | "hide" | "retire":
                marks[decision.kind].add(theme)
            case "unpin" | "unhide":
                marks[decision.kind.removeprefix("un")].discard(theme)
            case "move":
                moves.pop(decision.detail["phrase"], None)
                moves[decision.detail["phrase"]] = theme
            case "split" if decision.number not in done:
                splits.append(Split(theme, int(decision.detail["parts"]), decision.number))
            case "refit":
                refit = refit or is_fresh
    stands = {theme: _last_of(theme, merged) for theme in merged}
    newest_first = tuple((phrase, stands.get(theme, theme)) for phrase, theme in reversed(moves.items()))
    return Curation(
        names, stands, frozenset(marks["pin"]), frozenset(marks["hide"]), frozenset(marks["retire"]),
        newest_first, tuple(splits), fresh, refit,
    )  # fmt: skip


def check(
    decision: Decision, names: Mapping[str, str], earlier: Sequence[Decision], *, parents: Collection[str] = ()
) -> Decision:
    """Return the decision with its text tidied, if it can be carried out.

    Parameters
    ----------
    decision : Decision
        What somebody wants.
    names : mapping
        The name of every theme that is neither retired nor merged away, as shown, by theme_id.
    earlier : sequence of Decision
        All decisions so far.
    parents : collection of str
        The themes that hold themes instead of units.

    Raises
    ------
    CurationError
        With the rule, what came, and the remedy.
    """
    if decision.kind not in KINDS:
        raise CurationError(f"a decision is one of {', '.join(KINDS)}; got {decision.kind!r}")
    detail = {key: _tidy(value) if isinstance(value, str) else value for key, value in decision.detail.items()}
    if decision.kind == "undo":
        _check_undo(detail.get("number"), earlier)
    elif decision.kind != "refit":
        _check_theme(decision.theme_id, names)
    if decision.kind in _UNITS and decision.theme_id in parents:
        raise CurationError(f"{decision.theme_id} is a parent; {decision.kind} one of the themes under it")
    if decision.kind == "rename":
        _check_name(detail["name"], str(decision.theme_id), names)
    elif decision.kind == "merge":
        _check_theme(detail["into"], names)
        if detail["into"] == decision.theme_id:
            raise CurationError(f"a theme cannot be merged into itself; got {decision.theme_id} twice")
        if (detail["into"] in parents) != (decision.theme_id in parents):
            raise CurationError(
                f"only themes of one level can be merged; of {decision.theme_id} and {detail['into']} one is a parent"
            )
    elif decision.kind == "split" and not 2 <= int(detail["parts"]) <= MAX_PARTS:
        raise CurationError(f"a theme is split into 2 to {MAX_PARTS} parts; got {detail['parts']}")
    elif decision.kind == "move" and len(detail["phrase"]) < 2:
        raise CurationError("a phrase has at least 2 characters; give the words that must stand in the comment")
    return Decision(
        decision.number, decision.kind, decision.theme_id, detail, decision.made_by, decision.made_at,
        decision.holds_from,
    )  # fmt: skip


def told(decision: Decision) -> str:
    """Return a decision in one line: ``T0003 rename 配送の遅れ``."""
    words = [decision.theme_id or "", decision.kind]
    words += [f"{'→ ' if key == 'into' else ''}{value}" for key, value in decision.detail.items()]
    return " ".join(filter(None, words))


def _undone(held: Sequence[Decision]) -> set[int]:
    """Return the numbers of the decisions that a later one undoes; an undone undo undoes nothing."""
    undone: set[int] = set()
    for decision in reversed(held):
        if decision.kind == "undo" and decision.number not in undone:
            undone.add(int(decision.detail["number"]))
    return undone


def _last_of(theme: str, merged: Mapping[str, str]) -> str:
    seen = {theme}
    while theme in merged and merged[theme] not in seen:
        theme = merged[theme]
        seen.add(theme)
    return theme


def _check_theme(theme: Any, names: Mapping[str, str]) -> None:
    if theme in names:
        return
    by_name = {name: theme_id for theme_id, name in names.items()}
    close = [*difflib.get_close_matches(str(theme), [*by_name, *names], 1)]
    near = by_name.get(str(theme)) or next((by_name.get(word, word) for word in close), None)
    remedy = f"did you mean {near}?" if near else "kikitori themes list shows them all"
    raise CurationError(f"no theme {theme} in the registry; {remedy}")


def _check_name(name: str, theme_id: str, names: Mapping[str, str]) -> None:
    if not 1 <= len(name) <= MAX_NAME:
        raise CurationError(f"a name has 1 to {MAX_NAME} characters; got {len(name)}")
    taken = [other for other, held in names.items() if held == name and other != theme_id]
    if taken:
        raise CurationError(f"{taken[0]} is called {name} already; choose another name or merge the two")


def _check_undo(number: Any, earlier: Sequence[Decision]) -> None:
    numbers = {decision.number for decision in earlier}
    if number not in numbers:
        known = f"1 to {max(numbers)}" if numbers else "none so far"
        raise CurationError(f"no decision {number} ({known}); kikitori themes history shows them all")
    if number in _undone(sorted(earlier, key=lambda d: d.number)):
        raise CurationError(f"decision {number} is undone already; kikitori themes history shows them all")


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
