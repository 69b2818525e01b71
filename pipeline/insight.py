"""What the night's figures say together: measures, drivers, differences, trends, and what to mend first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipeline.loyalty import alerts, behaviour
from pipeline.loyalty.differences import against_the_others
from pipeline.loyalty.drivers import decompose
from pipeline.loyalty.impact import adjust_p
from pipeline.loyalty.loyalty_map import loyalty_map, place_customers
from pipeline.loyalty.measures import UNCERTAIN_BELOW, Groups, top_box
from pipeline.loyalty.mentions import KEY, find_mentions
from pipeline.loyalty.mismatch import words_against_scores
from pipeline.loyalty.priorities import prioritise
from pipeline.loyalty.segments import compare_periods, compare_segments
from pipeline.loyalty.trends import Trends, theme_trends, weekly_nps

LEAST_MENTIONS = 5
"""Scored respondents a theme × polarity needs to enter the drivers; fewer belong to the baseline."""



@dataclass(frozen=True)
class LoyaltySettings:
    """What a deployment means by its words.

    Attributes
    ----------
    attitude_min : int
        The lowest score of a high attitude (7: everybody but detractors).
    orders_min : int
        The fewest orders of a high behaviour, where no tiers are named.
    high_tiers : tuple of str
        Tiers of a high behaviour.
    churn_days : int
        Days without a purchase after which a customer has left.
    csat_min, ces_min, dwb_min : int
        The lowest answer that counts as top box.
    period_days : int
        Days that are compared with as many days before.
    watch : tuple of str
        Phrases, theme names or theme ids that always raise an alert.
    """

    attitude_min: int = 7
    orders_min: int = 3
    high_tiers: tuple[str, ...] = ()
    churn_days: int = 180
    csat_min: int = 4
    ces_min: int = 5
    dwb_min: int = 5
    period_days: int = 28
    watch: tuple[str, ...] = ()


def build_insights(
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    themes: pl.DataFrame,
    rows: Sequence[dict[str, Any]],
    *,
    window: tuple[date, date],
    timezone: str,
    settings: LoyaltySettings,
    segments: Sequence[str] = (),
    customers: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the parts of summary.json beyond NPS and the theme table.

    Parameters
    ----------
    feedback, units, themes : pl.DataFrame
        As `build_summary` takes them; csat, ces, dwb and customer may be among the feedback's columns.
    rows : sequence of dict
        The theme table's rows.
    window, timezone, settings, segments
        The period, the zone its days are in, the deployment's definitions, its segment columns.
    customers : pl.DataFrame, optional
        The customers table; without it behaviour and the loyalty map are None.

    Returns
    -------
    dict
        measures, drivers, loyalty_map, segments, periods, trends, alerts (spikes and watch list), mismatches and
        mismatches_left_out, priorities; docs/methods.md says what each holds. Themes are those that hold units of
        their own: a parent would repeat its children.
    """
    mentions = find_mentions(units, themes, parents=False)
    named = dict(themes.select("theme_id", "name").iter_rows())
    names = {theme_id: named[theme_id] for theme_id in sorted(mentions["theme_id"].unique())}
    analysed = units.select(KEY).unique()
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date().alias("day")
    dated = feedback.with_columns(day)
    received = dated.select(*KEY, "day").join(analysed, on=KEY, how="semi").drop_nulls("day")
    trends = theme_trends(received, mentions, list(names), window)
    drivers = find_drivers(feedback, mentions, names)
    periods = compare_periods(
        feedback, mentions, names, segments, window=window, days=settings.period_days, timezone=timezone,
        analysed=analysed,
    )
    spikes = alerts.spike_alerts(trends, received, mentions, names)
    watched = alerts.watch_alerts(settings.watch, dated, mentions, names, window=window)
    return {
        "measures": measures(feedback, customers, window[1], settings),
        "drivers": drivers,
        "loyalty_map": _map(feedback, customers, mentions, names, settings),
        "segments": compare_segments(feedback, analysed, mentions, names, segments),
        "periods": periods,
        "trends": _trend_rows(trends, names) | {"nps": _weekly_nps(dated, trends.weeks)},
        "alerts": spikes + watched,
        **words_against_scores(feedback, units),
        "priorities": prioritise(rows, drivers, periods),
    }


def measures(
    feedback: pl.DataFrame, customers: pl.DataFrame | None, as_of: date, settings: LoyaltySettings
) -> dict[str, Any]:
    """Return CSAT, CES, DWB and the behaviour of the customers; None where there is no such column or table."""
    least = {"csat": settings.csat_min, "ces": settings.ces_min, "dwb": settings.dwb_min}
    found: dict[str, Any] = {}
    for name, lowest in least.items():
        answers = feedback[name].drop_nulls() if name in feedback.columns else pl.Series([], dtype=pl.Int64)
        mean = int(answers.sum()) / answers.len() if answers.len() else None
        found[name] = asdict(top_box(answers, lowest)) | {"mean": mean, "least": lowest} if answers.len() else None
    return found | {"behaviour": _behaviour(feedback, customers, as_of, settings)}


def find_drivers(feedback: pl.DataFrame, mentions: pl.DataFrame, names: dict[str, str]) -> dict[str, Any]:
    """Return what each theme × polarity adds to score and NPS with the others held still, largest weight first.

    `points` add up: baseline + Σ points = NPS. `weight`, the part of R² (Johnson's relative weight), `effect` and
    p_adjusted come from the scores themselves: NPS groups cannot tell a 0 from a 6, where most answers lie in Japan.
    """
    people = feedback.filter(pl.col("score").is_not_null()).select(*KEY, "score").sort(KEY).with_row_index("at")
    said = mentions.filter(pl.col("polarity") != 0).join(people, on=KEY, how="inner")
    said = said.with_columns(pl.when(pl.col("polarity") < 0).then(pl.lit("negative")).otherwise(pl.lit("positive"))
                             .alias("side"))
    sizes = said.group_by("theme_id", "side").len().filter(pl.col("len") >= LEAST_MENTIONS)
    columns = [(theme, side) for theme, side, _ in sizes.sort("theme_id", "side").iter_rows()]
    if not columns:
        return {"n": people.height, "r2": None, "baseline": None, "rows": []}
    position = {column: at for at, column in enumerate(columns)}
    design = np.zeros((people.height, len(columns)), bool)
    for at, theme, side in said.select("at", "theme_id", "side").iter_rows():
        if (theme, side) in position:
            design[at, position[theme, side]] = True
    score = people["score"].to_numpy()
    split = decompose(design, score)
    on_nps = decompose(design, np.where(score >= 9, 100, np.where(score <= 6, -100, 0)))
    rows = []
    for at, ((theme, side), n) in enumerate(zip(columns, design.sum(axis=0).tolist(), strict=True)):
        rows.append({
            "theme_id": theme, "name": names[theme], "side": side, "n": n, "share": n / people.height,
            "weight": float(split.weights[at]), "effect": float(split.coefficients[at]),
            "effect_low": float(split.coefficients_low[at]), "effect_high": float(split.coefficients_high[at]),
            "points": float(on_nps.contributions[at]), "points_low": float(on_nps.low[at]),
            "points_high": float(on_nps.high[at]), "p": float(split.p[at]), "uncertain": n < UNCERTAIN_BELOW,
        })
    for row, adjusted in zip(rows, adjust_p([row.pop("p") for row in rows]), strict=True):
        row["p_adjusted"] = adjusted
    rows.sort(key=lambda row: (-round(row["weight"], 9), row["theme_id"], row["side"]))
    return {"n": people.height, "r2": split.r2, "baseline": on_nps.baseline, "rows": rows}


def _behaviour(
    feedback: pl.DataFrame, customers: pl.DataFrame | None, as_of: date, settings: LoyaltySettings
) -> dict[str, Any] | None:
    if customers is None:
        return None
    answers = behaviour.latest_answers(_with_customer(feedback))
    return {
        "n": customers.height,
        "repeat_rate": asdict(behaviour.repeat_rate(customers)),
        "churn": asdict(behaviour.churn(customers, as_of, settings.churn_days)) | {"days": settings.churn_days},
        "revenue_per_customer": behaviour.revenue_per_customer(customers),
        "lifetime_value": asdict(behaviour.lifetime_value(customers, as_of, settings.churn_days)),
        "top_fifth_share": behaviour.top_share(customers),
        "by_group": behaviour.revenue_by_group(answers, customers),
    }


def _map(
    feedback: pl.DataFrame, customers: pl.DataFrame | None, mentions: pl.DataFrame, names: dict[str, str],
    settings: LoyaltySettings,
) -> dict[str, Any] | None:
    if customers is None:
        return None
    known = _with_customer(feedback)
    placed = place_customers(
        known, customers, attitude_min=settings.attitude_min, orders_min=settings.orders_min,
        high_tiers=settings.high_tiers,
    )
    definition = {
        "attitude_min": settings.attitude_min, "orders_min": settings.orders_min,
        "high_tiers": list(settings.high_tiers),
    }
    return loyalty_map(placed, known, mentions, names) | {"definition": definition}


def _with_customer(feedback: pl.DataFrame) -> pl.DataFrame:
    return feedback if "customer" in feedback.columns else feedback.with_columns(customer=pl.lit(None, pl.Utf8))


def _weekly_nps(dated: pl.DataFrame, weeks: Sequence[date]) -> list[dict[str, Any]]:
    scored = dated.select("score", "day").drop_nulls()
    figures = weekly_nps(scored, weeks)
    gaps = against_the_others([Groups(week.promoters, week.passives, week.detractors) for week in figures])
    adjusted = adjust_p([gap.p for gap in gaps])
    return [
        {"score": week.score, "low": week.low, "high": week.high, "n": week.n, "difference": gap.value, "p_adjusted": p}
        for week, gap, p in zip(figures, gaps, adjusted, strict=True)
    ]


def _trend_rows(trends: Trends, names: dict[str, str]) -> dict[str, Any]:
    themes = []
    for series in trends.series:
        bands = [trends.volume_band(series, week) for week in range(len(trends.weeks))]
        themes.append({
            "theme_id": series.theme_id, "name": names[series.theme_id], "n_feedback": series.n_feedback,
            "negative": series.negative, "low": [band and band.low for band in bands],
            "high": [band and band.high for band in bands], "daily": series.daily,
        })
    return {
        "weeks": [week.isoformat() for week in trends.weeks], "n_analysed": trends.n_analysed,
        "first_day": trends.first_day.isoformat(), "themes": themes,
    }
