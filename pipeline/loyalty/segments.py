"""What differs: segments against the rest, and the last weeks against the weeks before."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipeline.loyalty.differences import lift, mix_and_rate, nps_difference, share_difference
from pipeline.loyalty.impact import adjust_p
from pipeline.loyalty.measures import UNCERTAIN_BELOW, Groups, nps, nps_group
from pipeline.loyalty.mentions import KEY

SIGNIFICANT = 0.05
MOST_VALUES = 12
"""Values of one segment that are compared: those with most respondents."""


def compare_segments(
    feedback: pl.DataFrame,
    analysed: pl.DataFrame,
    mentions: pl.DataFrame,
    names: dict[str, str],
    columns: Sequence[str],
) -> list[dict[str, Any]]:
    """Return, for each segment column, every value's NPS against that of all others, and its over-represented themes.

    Parameters
    ----------
    feedback, analysed, mentions : pl.DataFrame
        Every respondent with the segment columns; those with an opinion unit (source, feedback_id); who mentions
        which theme.
    names : dict
        Theme names by id: the themes that are looked at.
    columns : sequence of str
        Segment columns; one that the feedback lacks is left out.

    Returns
    -------
    list of dict
        p values are adjusted over all segments together (for themes: over all segments and themes).
    """
    by_column = {}
    for column in columns:
        if column in feedback.columns:
            people = feedback.select(*KEY, _filled(column).alias("value"), nps_group(pl.col("score")).alias("group"))
            by_column[column] = _values(people, analysed, mentions, names)
    rows = [row for values in by_column.values() for row in values]
    _adjust(rows)
    _adjust([theme for row in rows for theme in row["themes"]])
    for row in rows:
        row["themes"] = _significant(row["themes"])
    return [{"column": column, "values": values} for column, values in by_column.items()]


def compare_periods(
    feedback: pl.DataFrame,
    mentions: pl.DataFrame,
    names: dict[str, str],
    columns: Sequence[str],
    *,
    window: tuple[date, date],
    days: int,
    timezone: str,
    analysed: pl.DataFrame,
) -> dict[str, Any]:
    """Return the last `days` days against as many before: NPS, of all and by segment, mix and rate, theme shares.

    In a window too short for both, each period is half of it.
    """
    days = min(days, ((window[1] - window[0]).days + 1) // 2)
    edge = window[1] - timedelta(days=days)
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date()
    people = feedback.with_columns(
        pl.when(day.is_between(edge + timedelta(days=1), window[1])).then(pl.lit("now"))
        .when(day.is_between(edge - timedelta(days=days - 1), edge)).then(pl.lit("before"))
        .alias("period"),
        nps_group(pl.col("score")).alias("group"),
    ).drop_nulls("period")
    now, before = (_groups(people.filter(pl.col("period") == period)) for period in ("now", "before"))
    difference = nps_difference(now, before)
    return {
        "days": days,
        "now": _level(now, edge + timedelta(days=1), window[1]),
        "before": _level(before, edge - timedelta(days=days - 1), edge),
        "difference": asdict(difference),
        "mix_and_rate": [_mix_and_rate(people, column) for column in columns if column in people.columns],
        "segments": _segment_changes(people, [column for column in columns if column in people.columns]),
        "themes": _theme_changes(people, analysed, mentions, names),
    }


def _segment_changes(people: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the NPS of each segment in either period; p values are adjusted over all segments together."""
    rows: list[dict[str, Any]] = []
    for column in columns:
        scored = people.select(_filled(column).alias("value"), "group", "period").drop_nulls()
        sizes = dict(scored.group_by("value").len().iter_rows())
        for value in sorted(sizes, key=lambda value: (-sizes[value], value))[:MOST_VALUES]:
            mine = scored.filter(pl.col("value") == value)
            now, before = (_groups(mine.filter(pl.col("period") == period)) for period in ("now", "before"))
            gap = nps_difference(now, before)
            rows.append({
                "column": column, "value": value, "nps_now": nps(*now).score, "n_now": now.n,
                "nps_before": nps(*before).score, "n_before": before.n, "difference": gap.value,
                "difference_low": gap.low, "difference_high": gap.high, "p": gap.p,
                "uncertain": min(now.n, before.n) < UNCERTAIN_BELOW,
            })
    _adjust(rows)
    return rows


def _values(
    people: pl.DataFrame, analysed: pl.DataFrame, mentions: pl.DataFrame, names: dict[str, str]
) -> list[dict[str, Any]]:
    sizes = dict(people.drop_nulls("value").group_by("value").len().iter_rows())
    chosen = sorted(sizes, key=lambda value: (-sizes[value], value))[:MOST_VALUES]
    heard = dict(people.join(analysed, on=KEY, how="semi").group_by("value").len().iter_rows())
    said = mentions.join(people, on=KEY, how="inner").group_by("value", "theme_id").len()
    counts = {(value, theme_id): n for value, theme_id, n in said.iter_rows()}
    totals = dict(said.group_by("theme_id").agg(pl.col("len").sum()).iter_rows())
    everyone, rows = _groups(people), []
    for value in chosen:
        mine = _groups(people.filter(pl.col("value") == value))
        figure, gap = nps(*mine), nps_difference(mine, everyone.without(mine))
        size, rest = heard.get(value, 0), sum(heard.values()) - heard.get(value, 0)
        rows.append({
            "value": value, "n_feedback": sizes[value], "n": mine.n, "nps": figure.score, "low": figure.low,
            "high": figure.high, "difference": gap.value, "difference_low": gap.low, "difference_high": gap.high,
            "p": gap.p if len(sizes) > 1 else None, "uncertain": mine.n < UNCERTAIN_BELOW,
            "themes": [
                _lift(theme_id, names, counts.get((value, theme_id), 0), size, totals.get(theme_id, 0), rest)
                for theme_id in sorted(names)
            ],
        })
    return rows


def _lift(theme_id: str, names: dict[str, str], k: int, size: int, total: int, rest: int) -> dict[str, Any]:
    times = lift(k, size, total - k, rest)
    return {
        "theme_id": theme_id, "name": names[theme_id], "n": k, "lift": times.value, "lift_low": times.low,
        "lift_high": times.high, "p": times.p if k else None,
    }


def _theme_changes(
    people: pl.DataFrame, analysed: pl.DataFrame, mentions: pl.DataFrame, names: dict[str, str]
) -> list[dict[str, Any]]:
    heard = dict(people.join(analysed, on=KEY, how="semi").group_by("period").len().iter_rows())
    said = mentions.join(people.select(*KEY, "period"), on=KEY, how="inner").group_by("theme_id", "period").len()
    counts = {(theme_id, period): n for theme_id, period, n in said.iter_rows()}
    rows = []
    for theme_id in sorted(names):
        k1, k0 = counts.get((theme_id, "now"), 0), counts.get((theme_id, "before"), 0)
        n1, n0 = heard.get("now", 0), heard.get("before", 0)
        gap = share_difference(k1, n1, k0, n0)
        rows.append({
            "theme_id": theme_id, "name": names[theme_id], "n_now": k1, "n_before": k0,
            "share_now": k1 / n1 if n1 else None, "share_before": k0 / n0 if n0 else None,
            "difference": gap.value, "difference_low": gap.low, "difference_high": gap.high, "p": gap.p,
            "uncertain": k1 + k0 < UNCERTAIN_BELOW,
        })
    _adjust(rows)
    return rows


def _mix_and_rate(people: pl.DataFrame, column: str) -> dict[str, Any]:
    filled = people.with_columns(_filled(column).fill_null("").alias("value"))

    def by_value(period: str) -> dict[str, Groups]:
        part = filled.filter(pl.col("period") == period)
        return {value: _groups(part.filter(pl.col("value") == value)) for value in sorted(part["value"].unique())}

    parts = mix_and_rate(by_value("now"), by_value("before"))
    told: dict[str, Any] = {"column": column}
    for name, part in (("mix", parts.mix), ("rate", parts.rate)):
        told |= {name: part.value, f"{name}_low": part.low, f"{name}_high": part.high}
    return told


def _level(groups: Groups, start: date, end: date) -> dict[str, Any]:
    figure = nps(*groups)
    return {
        "from": start.isoformat(), "to": end.isoformat(), "nps": figure.score, "low": figure.low, "high": figure.high,
        "n": figure.n, "uncertain": figure.n < UNCERTAIN_BELOW,
    }


def _groups(people: pl.DataFrame) -> Groups:
    return Groups.counted(dict(people.drop_nulls("group").group_by("group").len().iter_rows()))


def _filled(column: str) -> pl.Expr:
    text = pl.col(column).cast(pl.Utf8).str.strip_chars()
    return pl.when(text != "").then(text)


def _adjust(rows: list[dict[str, Any]]) -> None:
    for row, adjusted in zip(rows, adjust_p([row.pop("p") for row in rows]), strict=True):
        row["p_adjusted"] = adjusted


def _significant(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [row for row in rows if row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT]
    return sorted(found, key=lambda row: (row["p_adjusted"], row["theme_id"]))


