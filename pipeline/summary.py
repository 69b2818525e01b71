"""The night's summary.json: assembled from counted tables, serialised to the same bytes every time."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipeline.loyalty import KEY, nps, score_distribution, theme_table

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
        outside_window, carried_over.
    feedback, units, themes : pl.DataFrame
        Every respondent in the window, their opinion units, the night's themes.
    previous : mapping or None
        The summary of the night before; None on the first night.
    timezone : str
        The config's time zone: weeks and first days are counted in it.

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
        "nps": _nps(score_distribution(feedback)),
        "previous": _previous(previous),
        "themes": rows,
        "alerts": _new_theme_alerts(rows, _first_days(feedback, units, timezone)) if previous else [],
        "stability": _stability(rows, before),
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


def _previous(previous: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not previous:
        return None
    return {
        "business_date": previous["business_date"],
        "nps": previous["nps"]["score"],
        "n": previous["nps"]["n"],
    }


def _first_days(feedback: pl.DataFrame, units: pl.DataFrame, timezone: str) -> dict[str, date | None]:
    """Find the day on which the first feedback of each theme was received."""
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date()
    received = feedback.select(*KEY, day.alias("day"))
    days = (
        units.filter(pl.col("theme_id").is_not_null())
        .join(received, on=KEY, how="inner")
        .group_by("theme_id")
        .agg(pl.col("day").min())
    )
    return dict(days.iter_rows())


def _new_theme_alerts(
    rows: Sequence[Mapping[str, Any]], first_days: Mapping[str, date | None]
) -> list[dict[str, Any]]:
    """Return an alert per new theme with feedback of its own (a new parent would only repeat them)."""
    alerts = []
    for row in rows:
        if row["status"] == "new" and row["theme_id"] in first_days:
            day = first_days[row["theme_id"]]  # null where the source has no dates
            alerts.append(
                {
                    "kind": "new_theme",
                    "theme_id": row["theme_id"],
                    "name": row["name"],
                    "first_day": day.isoformat() if day else row["first_seen"],
                    "n_feedback": row["n_feedback"],
                }
            )
    return alerts


def _stability(rows: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Count the themes of each status, and the share of last night's live themes that live on."""
    live_before = {theme_id for theme_id, theme in before.items() if theme["status"] != "retired"}
    live = {row["theme_id"] for row in rows if row["status"] != "retired"}
    statuses = [row["status"] for row in rows]
    return {
        **{status: statuses.count(status) for status in ("continuing", "new", "returned")},
        "retired": len(live_before - live),
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
