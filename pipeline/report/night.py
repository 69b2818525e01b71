"""What one night hands to the report, and the order in which its themes are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline.loyalty.measures import UNCERTAIN_BELOW
from pipeline.loyalty.priorities import prioritise, sides_of
from pipeline.report.wording import Words, words_of

ACCOUNTED = ("read", "analysed", "no_opinion", "duplicate", "quarantined", "outside_window", "carried_over")
"""What is counted of each source."""


@dataclass(frozen=True)
class Night:
    """One night's results, as they are published.

    Attributes
    ----------
    title, business_date : str
        The deployment's title; the night as ISO date.
    summary : dict
        The content of ``summary.json``.
    units, themes, quarantine : pl.DataFrame
        The content of ``units.csv``, ``themes.csv`` and ``quarantine.csv``.
    timezone : str
        The zone in which the report tells days and times.
    n_erased : int
        Responses erased since the night was published; its figures still count them.
    language : str
        The language of the report: ja or en.
    labels : mapping of str
        What readers call segment columns and sources; one without a label is told as it is.
    """

    title: str
    business_date: str
    summary: dict[str, Any]
    units: pl.DataFrame
    themes: pl.DataFrame
    quarantine: pl.DataFrame
    timezone: str = "UTC"
    n_erased: int = 0
    language: str = "ja"
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """The words of the night's language, with its labels."""
        return words_of(self.language).with_labels(self.labels)

    def local_units(self) -> pl.DataFrame:
        """Return the units with their times as the clocks of the report's zone showed them."""
        aware = [n for n, dtype in self.units.schema.items() if isinstance(dtype, pl.Datetime) and dtype.time_zone]
        return self.units.with_columns(pl.col(aware).dt.convert_time_zone(self.timezone))


def ranked_themes(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the themes somebody mentioned and nobody hid, largest share first, sub-themes after their parent.

    Each has its ``depth`` (0 for a theme that stands under none of the others) and its ``rank``: from 1 among
    those of depth 0, None for a sub-theme, whose mentions its parent counts already.
    """
    mentioned = [theme for theme in summary["themes"] if theme["n_feedback"] > 0 and not theme.get("hidden")]
    mentioned.sort(key=lambda theme: (-theme["n_feedback"], theme["theme_id"]))
    known = {theme["theme_id"] for theme in mentioned}
    tops = [theme for theme in mentioned if theme["parent_id"] not in known]
    ordered = []
    for rank, theme in enumerate(tops, start=1):
        ordered += [theme | {"rank": rank, "depth": 0}, *_below(theme, mentioned, 1)]
    return ordered


def _below(theme: dict[str, Any], mentioned: list[dict[str, Any]], depth: int) -> list[dict[str, Any]]:
    found = []
    for child in mentioned:
        if child["parent_id"] == theme["theme_id"]:
            found += [child | {"rank": None, "depth": depth}, *_below(child, mentioned, depth + 1)]
    return found


def silent_themes(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the known themes that nobody mentioned in the window."""
    return [theme for theme in summary["themes"] if theme["n_feedback"] == 0]


def priorities(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the shown themes in order of priority.

    Those of a night stored by an older version, which ordered them by another figure, are worked out again.
    """
    rows: list[dict[str, Any]] = summary["priorities"]
    if rows and "certainty" not in rows[0]:
        rows = prioritise(summary["themes"], summary["drivers"], summary["periods"])
    shown = {theme["theme_id"] for theme in ranked_themes(summary)}
    return [row for row in rows if row["theme_id"] in shown]


def impacts(theme: dict[str, Any], summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what those who complain of a theme, and those who praise it, do to the NPS; an empty side is left out.

    A theme that only holds others has none: it would add up what they say, and outdo each of them.
    Each has side, n, nps, impact with its interval, and certainty; see :func:`pipeline.loyalty.priorities.sides_of`.
    """
    leaves = {row["theme_id"] for row in summary["periods"]["themes"]}
    if theme["theme_id"] not in leaves:
        return []
    return [side for side in sides_of(theme, summary["drivers"]) if side["impact"] is not None]


def is_uncertain(theme: dict[str, Any]) -> bool:
    """Return whether too few respondents mention the theme to build on its figures."""
    return bool(theme["n_feedback"] < UNCERTAIN_BELOW)


def children_of(theme: dict[str, Any], summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the mentioned themes under this one; their mentions are counted in the parent, too."""
    return [child for child in ranked_themes(summary) if child["parent_id"] == theme["theme_id"]]


def badge(theme: dict[str, Any], summary: dict[str, Any]) -> str | None:
    """Return ``"new"``, ``"returned"`` or ``"rising"`` where the theme deserves a mark.

    On the first night every theme is new, and a mark on all of them would say nothing.
    """
    if theme["status"] == "returned":
        return "returned"
    alerts = {(alert["kind"], alert.get("theme_id")) for alert in summary["alerts"]}
    if ("new_theme", theme["theme_id"]) in alerts or (theme["status"] == "new" and summary["previous"]):
        return "new"
    rising = any((kind, theme["theme_id"]) in alerts for kind in ("growing_theme", "volume_spike"))
    return "rising" if rising else None


def accounting(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per source and, with more than one source, their sum; ``gap`` is what is unaccounted for.

    ``newest`` is the ISO date of the newest feedback, None where there is none.
    """
    rows = [
        {"name": s["name"], "newest": s.get("newest"), **{c: s.get(c, 0) for c in ACCOUNTED}}
        for s in summary["sources"]
    ]
    if len(rows) > 1:
        newest = max((row["newest"] for row in rows if row["newest"]), default=None)
        rows.append({"name": None, "newest": newest, **{c: sum(row[c] for row in rows) for c in ACCOUNTED}})
    for row in rows:
        parts = row["analysed"] + row["no_opinion"] + row["duplicate"] + row["quarantined"]
        row["gap"] = row["read"] - parts
    return rows


def quarantine_reasons(quarantine: pl.DataFrame, n_places: int = 5) -> list[dict[str, Any]]:
    """Return the quarantined rows counted by source, column and reason, with the first few places."""
    if quarantine.is_empty():
        return []
    place = pl.concat_str(["file", pl.col("row").cast(pl.Utf8)], separator=":", ignore_nulls=True)
    return (
        quarantine.sort(["source", "file", "row"])
        .group_by(["source", "column", "reason"], maintain_order=True)
        .agg(pl.len().alias("n"), place.head(n_places).alias("places"))
        .sort(["n", "source", "column", "reason"], descending=[True, False, False, False])
        .to_dicts()
    )


def unassigned_reasons(units: pl.DataFrame) -> list[tuple[str, int]]:
    """Return why units belong to no theme, most frequent reason first."""
    if "unassigned_reason" not in units.columns:
        return []
    reason = pl.col("unassigned_reason")
    counted = units.filter(reason.is_not_null() & (reason != "")).group_by(reason).len()
    return [(str(why), int(n)) for why, n in counted.sort(["len", reason], descending=[True, False]).rows()]
