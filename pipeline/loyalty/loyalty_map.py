"""The loyalty map: attitude × behaviour, four quadrants of customers, and the themes each talks about more often.

                     behaviour low      behaviour high
    attitude high    attached           loyal
    attitude low     distant            captive      ← stays without liking us, leaves when a rival appears
"""

import math
from typing import Any

import polars as pl

from pipeline.loyalty.behaviour import latest_answers
from pipeline.loyalty.differences import lift
from pipeline.loyalty.impact import adjust_p
from pipeline.loyalty.measures import UNCERTAIN_BELOW, share_of
from pipeline.loyalty.mentions import KEY

QUADRANTS = ("loyal", "captive", "attached", "distant")
SIGNIFICANT = 0.05


def place_customers(
    feedback: pl.DataFrame, customers: pl.DataFrame, *, attitude_min: int, orders_min: int, high_tiers: tuple[str, ...]
) -> pl.DataFrame:
    """Return customer, score, revenue and quadrant of every customer who gave a score and is in the table.

    Attitude is high from `attitude_min` on in the latest score. Behaviour is high in the tiers named, or, where none is
    named, from `orders_min` orders on; a customer whose tier or orders are unknown is left out.
    """
    often = pl.col("tier").is_in(high_tiers) if high_tiers else pl.col("orders") >= orders_min
    likes = pl.col("score") >= attitude_min
    quadrant = (
        pl.when(often & likes).then(pl.lit("loyal"))
        .when(often).then(pl.lit("captive"))
        .when(likes).then(pl.lit("attached"))
        .otherwise(pl.lit("distant"))
    )
    known = latest_answers(feedback).join(customers, on="customer", how="inner").filter(often.is_not_null())
    return known.select("customer", "score", "revenue", quadrant.alias("quadrant")).sort("customer")


def loyalty_map(
    placed: pl.DataFrame, feedback: pl.DataFrame, mentions: pl.DataFrame, names: dict[str, str]
) -> dict[str, Any]:
    """Return the quadrants with their customers, revenue and over-represented themes, and the captives' themes.

    Parameters
    ----------
    placed : pl.DataFrame
        As `place_customers` gives it.
    feedback, mentions : pl.DataFrame
        Every respondent with their customer; who mentions which theme with which polarity.
    names : dict
        Theme names by id: the themes that are looked at.
    """
    owner = feedback.select(*KEY, "customer").drop_nulls("customer")
    said = (
        mentions.filter(pl.col("theme_id").is_in(list(names)))
        .join(owner, on=KEY, how="inner")
        .group_by("theme_id", "customer")
        .agg(pl.col("polarity").sum())
        .join(placed, on="customer", how="inner")
    )
    n, revenue = placed.height, math.fsum(placed["revenue"].drop_nulls().to_list())
    quadrants = []
    for quadrant in QUADRANTS:
        mine = placed.filter(pl.col("quadrant") == quadrant)
        amount = math.fsum(mine["revenue"].drop_nulls().to_list())
        share = share_of(mine.height, n)
        quadrants.append({
            "quadrant": quadrant, "n": mine.height, "share": share.share, "share_low": share.low,
            "share_high": share.high, "revenue": amount, "revenue_share": amount / revenue if revenue else None,
            "uncertain": mine.height < UNCERTAIN_BELOW, "themes": _lifts(said, quadrant, mine.height, n, names),
        })
    _keep_significant(quadrants)
    return {"n": n, "quadrants": quadrants, "captive_themes": _captive_themes(said, names)}


def _lifts(said: pl.DataFrame, quadrant: str, size: int, n: int, names: dict[str, str]) -> list[dict[str, Any]]:
    inside = dict(said.filter(pl.col("quadrant") == quadrant).group_by("theme_id").len().iter_rows())
    everywhere = dict(said.group_by("theme_id").len().iter_rows())
    rows = []
    for theme_id in sorted(everywhere):
        k = inside.get(theme_id, 0)
        times = lift(k, size, everywhere[theme_id] - k, n - size)
        rows.append({
            "theme_id": theme_id, "name": names[theme_id], "n": k, "lift": times.value, "lift_low": times.low,
            "lift_high": times.high, "p": times.p,
        })
    return rows


def _keep_significant(quadrants: list[dict[str, Any]]) -> None:
    """Adjust over all quadrants and themes together, and keep what is said more often beyond chance."""
    rows = [row for quadrant in quadrants for row in quadrant["themes"]]
    for row, adjusted in zip(rows, adjust_p([row.pop("p") for row in rows]), strict=True):
        row["p_adjusted"] = adjusted
    for quadrant in quadrants:
        found = [row for row in quadrant["themes"] if row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT]
        quadrant["themes"] = sorted(found, key=lambda row: (row["p_adjusted"], row["theme_id"]))


def _captive_themes(said: pl.DataFrame, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return what customers who stay without liking us talk about, by the revenue they stand for."""
    rows = []
    for (theme_id,), part in said.filter(pl.col("quadrant") == "captive").group_by(["theme_id"]):
        rows.append({
            "theme_id": theme_id, "name": names[str(theme_id)], "n": part.height,
            "negative": int((part["polarity"] < 0).sum()),
            "revenue": math.fsum(part["revenue"].drop_nulls().to_list()),
        })
    return sorted(rows, key=lambda row: (-row["revenue"], -row["n"], row["theme_id"]))
