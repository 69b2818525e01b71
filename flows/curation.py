"""What the command line and the form share: look the themes up, check a decision, append it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.mask import mask_personal_data
from pipeline.store import Store
from pipeline.themes.curation import Curation, CurationError, Decision, check, told
from pipeline.themes.registry import Registry

LATER = date(9999, 12, 31)


@dataclass(frozen=True)
class ThemeRow:
    """A theme as ``kikitori themes list`` shows it."""

    theme_id: str
    name: str
    parent: str
    status: str
    n_feedback: str
    first_seen: str
    last_seen: str
    marks: str
    keywords: tuple[str, ...]


def decide(
    store: Store,
    kind: str,
    theme_id: str | None,
    detail: Mapping[str, Any],
    *,
    made_by: str,
    holds_from: date | None = None,
    made_at: datetime | None = None,
) -> Decision:
    """Check a decision against the registry, append it, and return it.

    Raises
    ------
    CurationError
        If it cannot be carried out.
    """
    if "phrase" in detail:
        detail = {**detail, "phrase": mask_personal_data(detail["phrase"])}

    def next_decision(earlier: Sequence[Decision], registry: Registry) -> Decision:
        if registry.last_night is None:
            raise CurationError("there is nothing to decide about before the first night; run one with kikitori run")
        wanted = Decision(
            number=1 + max((d.number for d in earlier), default=0),
            kind=kind,
            theme_id=theme_id,
            detail=detail,
            made_by=made_by,
            made_at=made_at or datetime.now(UTC).replace(microsecond=0),
            holds_from=holds_from or registry.last_night + timedelta(days=1),
        )
        names, parents = names_shown(registry)
        return check(wanted, names, earlier, parents=parents)

    return store.decide(next_decision)


def names_shown(registry: Registry) -> tuple[dict[str, str], set[str]]:
    """Return the names of all themes that one can decide about, and which of them are parents."""
    curation = registry.curation
    over = set(curation.merged) | curation.retired | {t.theme_id for t in registry.themes if t.status == "retired"}
    names = {t.theme_id: curation.names.get(t.theme_id, t.name) for t in registry.themes if t.theme_id not in over}
    return names, {theme.parent_id for theme in registry.themes if theme.parent_id}


def list_themes(store: Store, *, everything: bool = False) -> list[ThemeRow]:
    """Return the themes as the next night will know them, the newest figures beside them."""
    registry = store.registry_before(LATER)
    figures = _newest_figures(store)
    names = {t.theme_id: registry.curation.names.get(t.theme_id, t.name) for t in registry.themes}
    rows = []
    for theme in registry.themes:
        status = _status(theme.theme_id, theme.status, registry.curation)
        if status in ("retired", "merged") and not everything:
            continue
        n = figures.get(theme.theme_id, {}).get("n_feedback")
        rows.append(
            ThemeRow(
                theme.theme_id,
                names[theme.theme_id],
                names.get(theme.parent_id or "", ""),
                status,
                "—" if n is None else str(n),
                theme.first_seen,
                theme.last_seen,
                _marks(theme.theme_id, registry.curation),
                theme.keywords,
            )
        )
    return rows


def export_themes(store: Store) -> list[dict[str, Any]]:
    """Return the themes that are not over, as plain values: what a codebook needs of them."""
    registry = store.registry_before(LATER)
    names, parents = names_shown(registry)
    shown = {theme.theme_id: theme for theme in registry.themes}
    return [
        {
            "theme_id": theme_id,
            "name": name,
            "parent": names.get(shown[theme_id].parent_id or "", ""),
            "is_parent": theme_id in parents,
            "status": shown[theme_id].status,
            "keywords": list(shown[theme_id].keywords),
            "phrases": [p for p, theme in registry.curation.moves if theme == theme_id],
        }
        for theme_id, name in names.items()
    ]


def told_history(store: Store) -> list[str]:
    """Return one line per decision and one per change of a theme, in the order of nights."""
    decisions = store.decisions()
    undone = {int(d.detail["number"]) for d in decisions if d.kind == "undo"}
    lines = [
        f"{d.number:>4}  {d.made_at:%Y-%m-%d %H:%M}Z  {d.made_by}: {told(d)}  (from {d.holds_from})"
        + ("  undone" if d.number in undone else "")
        for d in decisions
    ]
    for night, changes in store.transitions().items():
        for change in changes:
            if change.kind != "survived":
                others = f" → {', '.join(change.others)}" if change.others else ""
                by = f" (decision {change.decision})" if change.decision else ""
                lines.append(f"      {night}  {change.theme_id} {change.kind}{others}{by}")
    return lines


def _newest_figures(store: Store) -> dict[str, dict[str, Any]]:
    night = store.night_before(LATER)
    return {theme["theme_id"]: theme for theme in night.summary.get("themes", [])} if night else {}


def _status(theme_id: str, status: str, curation: Curation) -> str:
    if theme_id in curation.retired:
        return "retired"
    return "merged" if theme_id in curation.merged else status


def _marks(theme_id: str, curation: Curation) -> str:
    marks = [word for word, themes in (("pinned", curation.pinned), ("hidden", curation.hidden)) if theme_id in themes]
    marks += ["named"] if theme_id in curation.names else []
    marks += [f"→ {curation.merged[theme_id]}"] if theme_id in curation.merged else []
    marks += [f"split {s.parts}" for s in curation.splits if s.theme_id == theme_id]
    return " ".join(marks)
