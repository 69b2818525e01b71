"""What customers do: repeat rate, churn, revenue per customer, lifetime value, and who brings the revenue."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.loyalty.measures import Share, nps_group, share_of
from pipeline.loyalty.mentions import KEY

_YEAR = 365.25  # days


@dataclass(frozen=True)
class LifetimeValue:
    """Revenue to expect of a customer over their life, and its three factors; None where one is unknown.

    value = average_order · orders_per_year · lifetime_years.
    """

    value: float | None
    average_order: float | None
    orders_per_year: float | None
    lifetime_years: float | None
    n: int


def repeat_rate(customers: pl.DataFrame) -> Share:
    """Return the share of buyers (one order or more) who ordered at least twice."""
    orders = customers["orders"].drop_nulls()
    return share_of(int((orders >= 2).sum()), int((orders >= 1).sum()))


def churn(customers: pl.DataFrame, as_of: date, days: int) -> Share:
    """Return the share of customers whose last purchase lies more than `days` days before a day."""
    last = _until(customers, as_of)["last_purchase"].drop_nulls()
    return share_of(int((last < as_of - timedelta(days=days)).sum()), last.len())


def revenue_per_customer(customers: pl.DataFrame) -> float | None:
    """Return the mean revenue of the customers whose revenue is known."""
    revenue = customers["revenue"].drop_nulls().to_list()
    return math.fsum(revenue) / len(revenue) if revenue else None


def top_share(customers: pl.DataFrame, top: float = 0.2) -> float | None:
    """Return the share of revenue that the best-paying fifth of the customers brings (their number rounded up).

    Examples
    --------
    >>> top_share(pl.DataFrame({"revenue": [60.0, 10.0, 10.0, 10.0, 10.0]}))
    0.6
    """
    revenue = sorted(customers["revenue"].drop_nulls().to_list(), reverse=True)
    total = math.fsum(revenue)
    return math.fsum(revenue[: math.ceil(round(top * len(revenue), 9))]) / total if total else None


def lifetime_value(customers: pl.DataFrame, as_of: date, days: int) -> LifetimeValue:
    """Return average order × orders per year × years a customer stays.

    A customer is active from the first purchase until `days` days after the last one, or until `as_of` if that comes
    first. Customers leave at a constant rate: years a customer stays = active years of all / customers who left.
    Customers with a missing figure are left out; the value is None where nobody has left yet.
    """
    known = _until(customers, as_of).drop_nulls(["orders", "revenue", "first_purchase", "last_purchase"])
    known = known.filter(pl.col("orders") > 0)
    end = pl.min_horizontal(pl.col("last_purchase") + timedelta(days=days), pl.lit(as_of))
    years = int(known.select((end - pl.col("first_purchase")).dt.total_days().sum()).item() or 0) / _YEAR
    left, orders = churn(known, as_of, days).k, int(known["orders"].sum())
    average = math.fsum(known["revenue"].to_list()) / orders if orders else None
    yearly = orders / years if years > 0 else None
    stay = years / left if left else None
    value = None if average is None or yearly is None or stay is None else average * yearly * stay
    return LifetimeValue(value, average, yearly, stay, known.height)


def latest_answers(feedback: pl.DataFrame) -> pl.DataFrame:
    """Return each known customer's last scored feedback: customer, score, group, source, feedback_id."""
    scored = feedback.filter(pl.col("customer").is_not_null() & pl.col("score").is_not_null())
    ordered = scored.sort("customer", "received_at", *KEY, nulls_last=False)
    last = ordered.unique("customer", keep="last", maintain_order=True)
    return last.select("customer", "score", nps_group(pl.col("score")).alias("group"), *KEY)


def revenue_by_group(answers: pl.DataFrame, customers: pl.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """Return customers and revenue behind each NPS group, and the group's share of that revenue."""
    joined = answers.join(customers, on="customer", how="inner").drop_nulls("revenue")
    total = math.fsum(joined["revenue"].to_list())
    found: dict[str, dict[str, float | int | None]] = {}
    for group in ("promoter", "passive", "detractor"):
        revenue = joined.filter(pl.col("group") == group)["revenue"].to_list()
        amount = math.fsum(revenue)
        found[group] = {"n": len(revenue), "revenue": amount, "share": amount / total if total else None}
    return found


def _until(customers: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the customers who had bought by a day; what a later export says of later days is cut off."""
    known = customers.filter(pl.col("first_purchase").is_null() | (pl.col("first_purchase") <= as_of))
    return known.with_columns(pl.min_horizontal("last_purchase", pl.lit(as_of)).alias("last_purchase"))
