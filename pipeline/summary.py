"""The night's summary.json: assembled from counted tables, serialised to the same bytes every time."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipeline.insight import LoyaltySettings, build_insights
from pipeline.loyalty import KEY, find_mentions, nps, score_distribution, theme_table
from pipeline.loyalty.alerts import listed
from pipeline.themes.registry import ALIVE

SCHEMA_VERSION = 1
DECIMALS = 4


def build_summary(
    *,
    title: str,
    business_date: date,
    window: tuple[date, date],
    versions: Mapping[str, str],
    sentiment_adaptation: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    themes: pl.DataFrame,
    previous: Mapping[str, Any] | None,
    timezone: str,
    near_duplicate: pl.Series | None = None,
    segments: Sequence[str] = (),
    customers: pl.DataFrame | None = None,
    settings: LoyaltySettings | None = None,
) -> dict[str, Any]:
    """Return the night's figures as summary.json holds them (schema_version 1, floats to 4 decimals).

    Parameters
    ----------
    title : str
        The deployment's title.
    business_date : date
        The night.
    window : (date, date)
        First and last day the figures cover, both included.
    versions : mapping
        kikitori, embedding, sentiment, segmenter, parser.
    sentiment_adaptation : mapping
        What :func:`pipeline.encode.adapt_to_scores` decided, and on how many scores.
    sources : sequence of mapping
        The accounting, already counted: name, read, analysed, no_opinion, duplicate, quarantined,
        outside_window, carried_over and what else :func:`pipeline.intake.account` counts.
    feedback, units, themes : pl.DataFrame
        Every respondent in the window, their opinion units, the night's themes.
    previous : mapping or None
        The summary of the night before; None on the first night.
    timezone : str
        The config's time zone: weeks and first days are counted in it.
    near_duplicate : pl.Series, optional
        The group of copies of each response of the feedback, row by row.
    segments : sequence of str
        Columns of `feedback` that are compared.
    customers : pl.DataFrame, optional
        The customers table of `pipeline.customers`.
    settings : LoyaltySettings, optional
        The deployment's definitions.

    Returns
    -------
    dict
        JSON types only. Independent of the order of the rows of `feedback`, `units` and `themes`.

    Raises
    ------
    ValueError
        If a source's rows do not add up, or the window's feedback is not what the sources counted.
    """
    _check_accounting(sources, feedback)
    before = {theme["theme_id"]: theme for theme in (previous or {}).get("themes", [])}
    rows = theme_table(feedback, units, themes, before, timezone=timezone)
    insights = build_insights(
        feedback, units, themes, rows, window=window, timezone=timezone, segments=segments, customers=customers,
        settings=settings or LoyaltySettings(),
    )
    news = _new_theme_alerts(rows, _mention_days(feedback, units, themes, timezone)) if previous else []
    summary = {
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "business_date": business_date.isoformat(),
        "window": {"from": window[0].isoformat(), "to": window[1].isoformat()},
        "versions": dict(versions),
        "sentiment_adaptation": dict(sentiment_adaptation),
        "sources": [dict(source) for source in sources],
        "n_feedback": feedback.height,
        "n_analysed": units.select(*KEY).n_unique() if units.height else 0,
        "n_units": units.height,
        "n_unassigned": units["theme_id"].null_count(),
        "near_duplicates": _near_duplicates(near_duplicate),
        "nps": _nps(score_distribution(feedback)),
        "previous": _previous(previous),
        "themes": rows,
        "stability": _stability(rows, before),
        **insights,
        "alerts": news + insights["alerts"],
    }
    return _round(summary)


def dump_summary(summary: Mapping[str, Any]) -> bytes:
    r"""Return the summary as canonical JSON: sorted keys, 4 decimals, UTF-8, a newline at the end.

    Raises
    ------
    ValueError
        If a figure is infinite or not a number (an unknown figure is null).

    Examples
    --------
    >>> dump_summary({"b": -0.00001, "a": "返品"}).decode()
    '{\n  "a": "返品",\n  "b": 0.0\n}\n'
    """
    text = json.dumps(_round(summary), ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)
    return (text + "\n").encode()


def _nps(distribution: list[int]) -> dict[str, Any]:
    figure = nps(sum(distribution[9:]), sum(distribution[7:9]), sum(distribution[:7]))
    total = sum(score * count for score, count in enumerate(distribution))
    return {
        "score": figure.score,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "promoters": figure.promoters,
        "passives": figure.passives,
        "detractors": figure.detractors,
        "mean": total / figure.n if figure.n else None,
        "distribution": distribution,
    }


def _near_duplicates(groups: pl.Series | None) -> dict[str, int]:
    """Count the groups of copied texts, the responses in them, and those in the largest."""
    sizes = [] if groups is None else groups.drop_nulls().value_counts()["count"].to_list()
    return {"n_groups": len(sizes), "n_feedback": sum(sizes), "largest": max(sizes, default=0)}


def _previous(previous: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not previous:
        return None
    return {
        "business_date": previous["business_date"],
        "nps": previous["nps"]["score"],
        "n": previous["nps"]["n"],
    }


def _mention_days(feedback: pl.DataFrame, units: pl.DataFrame, themes: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Return who mentions which theme (not its parents) and the day on which that was received."""
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date().alias("day")
    return find_mentions(units, themes, parents=False).join(feedback.select(*KEY, day), on=KEY, how="inner")


def _new_theme_alerts(rows: Sequence[Mapping[str, Any]], mentions: pl.DataFrame) -> list[dict[str, Any]]:
    """Return an alert per new theme with feedback of its own (a new parent would only repeat them)."""
    alerts = []
    for row in rows:
        said = mentions.filter(pl.col("theme_id") == row["theme_id"])
        if row["status"] == "new" and said.height:
            day = said["day"].min()  # null where the source has no dates
            alerts.append(
                {
                    "kind": "new_theme",
                    "theme_id": row["theme_id"],
                    "name": row["name"],
                    "first_day": str(day) if day else row["first_seen"],
                    "n_feedback": row["n_feedback"],
                    "feedback": listed(said),
                }
            )
    return alerts


def _stability(rows: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Count the themes of each status, and the share of last night's live themes that live on."""
    live_before = {theme_id for theme_id, theme in before.items() if theme["status"] in ALIVE}
    live = {row["theme_id"] for row in rows if row["status"] in ALIVE}
    statuses = [row["status"] for row in rows]
    return {
        **{status: statuses.count(status) for status in ("continuing", "new", "returned", "dormant")},
        "retired": len(live_before - live - {row["theme_id"] for row in rows if row["status"] == "dormant"}),
        "kept_share": len(live_before & live) / len(live_before) if live_before else None,
    }


def _check_accounting(sources: Sequence[Mapping[str, Any]], feedback: pl.DataFrame) -> None:
    in_window = 0
    for source in sources:
        parts = [source[part] for part in ("analysed", "no_opinion", "duplicate", "quarantined")]
        if source["read"] != sum(parts):
            raise ValueError(
                f"{source['name']}: read must equal analysed + no_opinion + duplicate + quarantined; "
                f"got {source['read']} = {' + '.join(map(str, parts))}"
            )
        in_window += source["analysed"] + source["no_opinion"] + source["carried_over"]
    if in_window != feedback.height:
        raise ValueError(
            "analysed + no_opinion + carried_over of all sources must equal the feedback in the window; "
            f"got {in_window} and {feedback.height}"
        )


def _round(value: Any) -> Any:
    """Return the value with every float at 4 decimals, tuples as lists and −0.0 as 0.0."""
    if isinstance(value, Mapping):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_round(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return round(value, DECIMALS) + 0.0
    return value
