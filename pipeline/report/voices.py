"""Every opinion, compact, for the search on the page: written as JSON, read by report.js on demand."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.report.night import ranked_themes
from pipeline.report.wording import UNIT_COLUMNS, day_of

MOST_BYTES = 2_600_000
"""What the opinions may take of the page, in bytes of UTF-8: a page of 10,000 comments stays under 4 MB."""

_PAGE, _THEME, _LEAST = 3_900_000, 12_000, 200_000  # bytes: the page, a theme on it, what opinions always get

SENTIMENTS = ("negative", "neutral", "positive")
GROUPS = ("detractor", "passive", "promoter", "unscored")


def voices_data(
    units: pl.DataFrame, summary: dict[str, Any], labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the opinions of the page's search, newest first, cut where the page would grow too large.

    Sources are told by their `labels`.

    Returns
    -------
    dict
        themes [[theme_id, name, parent_id]], segments [[column, [values]]], sentiments, groups, n (all opinions) and
        rows [[text, theme, sentiment, group, score, day, reference, segment, …]], where theme, sentiment, group and
        each segment are positions in their lists, −1 for none.
    """
    themes = [[theme["theme_id"], theme["name"], theme["parent_id"]] for theme in ranked_themes(summary)]
    at = {theme[0]: i for i, theme in enumerate(themes)}
    columns = [name for name in units.columns if name not in UNIT_COLUMNS]
    values = {name: sorted({str(v) for v in units[name].drop_nulls().unique() if v != ""}) for name in columns}
    rows, size = [], 0
    room = min(MOST_BYTES, max(_LEAST, _PAGE - _THEME * len(themes)))
    ordered = units.sort(
        "received_at", "source", "feedback_id", "unit_index", descending=[True, False, False, False], nulls_last=True
    )
    for unit in ordered.iter_rows(named=True):
        row = [
            unit["unit_text"].strip(), at.get(unit["theme_id"], -1), SENTIMENTS.index(unit["sentiment"]),
            GROUPS.index(unit["nps_group"] or "unscored"), unit["nps_score"], day_of(unit["received_at"]),
            f"{(labels or {}).get(unit['source'], unit['source'])} {unit['feedback_id']}",
            *(values[name].index(str(unit[name])) if unit[name] not in (None, "") else -1 for name in columns),
        ]
        size += len(_dump(row).encode()) + 1
        if size > room:
            break
        rows.append(row)
    return {
        "themes": themes, "segments": [[name, values[name]] for name in columns], "sentiments": SENTIMENTS,
        "groups": GROUPS, "n": units.height, "rows": rows,
    }


def as_script_data(value: Any) -> Markup:
    """Return a value as JSON that may stand in a script element: nothing in it can end the element."""
    text = _dump(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def words_by_score(units: pl.DataFrame) -> list[dict[str, Any]]:
    """Return, for each score somebody gave, the respondents whose words are negative, neither and positive, and n.

    A respondent's opinions are added up, positive +1 and negative −1, and the sign decides.
    """
    scored = units.filter(pl.col("nps_score").is_not_null())
    sign = pl.when(pl.col("sentiment") == "positive").then(1).when(pl.col("sentiment") == "negative").then(-1)
    people = scored.group_by("source", "feedback_id").agg(
        pl.col("nps_score").first().alias("score"), sign.otherwise(0).sum().alias("sum")
    )
    total = pl.col("sum")
    counted = people.group_by("score").agg(
        (total < 0).sum().alias("negative"), (total == 0).sum().alias("neutral"), (total > 0).sum().alias("positive"),
        pl.len().alias("n"),
    )
    return counted.sort("score").to_dicts()


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
