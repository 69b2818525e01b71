"""The workbook's sheet of themes: one row per theme, every figure of it."""

from typing import Any

from xlsxwriter.worksheet import Worksheet

from pipeline.loyalty.measures import UNCERTAIN_BELOW
from pipeline.report.cells import Cells
from pipeline.report.night import badge, impacts, is_uncertain, ranked_themes
from pipeline.report.wording import Words


def theme_columns(t: Words) -> list[tuple[str, str, str, int]]:
    """Return key, header, form and width of every column."""
    words = [
        (key, t(f"sheet.{name}"), form, width)
        for key, name, form, width in (
            ("parent_name", "parent", "text", 18), ("badge", "status", "text", 8),
            ("n_feedback", "mentioned", "integer", 10), ("share", "share", "percent", 9),
            ("share_low", "share_low", "percent", 9), ("share_high", "share_high", "percent", 9),
            ("previous_share", "previous_share", "percent", 9),
        )
    ]
    sentiments = t.part("sentiments")
    counts = [(key, word, "integer", 9) for key, word in sentiments.items()]
    groups = [
        (f"{group}.{key}", f"{who} {word}", "integer", 9)
        for group, who in t.part("groups").items()
        for key, word in {"n_feedback": "n", **sentiments}.items()
    ]
    sides = [
        (f"{side}:{key}", t("sheet.side", side=who, figure=t(f"sheet.{key}")), form, width)
        for side, who in t.part("sides").items()
        for key, form, width in (
            ("n", "integer", 9), ("nps", "points", 9), ("impact", "points", 10), ("impact_low", "points", 10),
            ("impact_high", "points", 10), ("p_adjusted", "decimal", 10), ("certainty", "text", 22),
        )
    ]
    rest = [
        (key, t(f"sheet.{name}"), form, width)
        for key, name, form, width in (
            ("nps", "nps_all", "points", 10), ("nps_n", "nps_n", "integer", 10), ("impact", "impact_all", "points", 10),
            ("caution", "caution", "text", 12), ("keywords", "keywords", "text", 36), ("pairs", "pairs", "text", 40),
            ("first_seen", "first_seen", "text", 13),
        )
    ]
    first = [("rank", t("themes.rank"), "integer", 6), ("name", t("themes.name"), "text", 24)]
    return [*first, *words, *counts, *sides, *groups, *rest, ("theme_id", t.name("columns", "theme_id"), "text", 14)]


def column_of(key: str, t: Words) -> int:
    """Return the position of a column on the sheet."""
    return [name for name, *_ in theme_columns(t)].index(key)


def write_themes(sheet: Worksheet, summary: dict[str, Any], cells: Cells) -> None:
    """Write the sheet, filterable, with a frozen header."""
    themes, columns = ranked_themes(summary), theme_columns(cells.t)
    for column, (key, label, form, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        cells.write(sheet, 0, column, label, "header")
        for at, theme in enumerate(themes, start=1):
            cells.write(sheet, at, column, _value(theme, key, summary, cells.t), form)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(themes)), len(columns) - 1)


def _value(theme: dict[str, Any], key: str, summary: dict[str, Any], t: Words) -> Any:
    if key == "badge":
        return t.name("statuses", badge(theme, summary) or "continuing") if summary["previous"] else None
    if ":" in key:
        side, figure = key.split(":")
        found = next((one for one in impacts(theme, summary) if one["side"] == side), None)
        if found is None:
            return t("not_computed") if figure == "certainty" else None
        if figure == "certainty":
            return t.certain(found["certainty"], few=found["n"] < UNCERTAIN_BELOW)
        return found[figure]
    if key == "caution":
        return t("reference_n", n=UNCERTAIN_BELOW) if is_uncertain(theme) else None
    if "." in key:
        group, name = key.split(".")
        return theme["by_group"].get(group, {}).get(name, 0)
    return " / ".join(theme[key]) if isinstance(theme[key], list) else theme[key]
