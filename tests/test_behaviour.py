"""Ten customers, counted by hand.

customer  orders  revenue  first       last        tier
c0             1    1,000  2026-10-01  2026-10-01  regular
c1             1    1,000  2025-01-01  2025-01-01  regular   left
c2             2    3,000  2026-01-01  2026-09-01  regular
c3             3    6,000  2025-12-01  2026-11-01  gold
c4             5   20,000  2025-01-01  2026-11-10  gold
c5             1    2,000  2026-11-01  2026-11-01  regular
c6             2    4,000  2024-06-01  2025-06-01  regular   left
c7             8   40,000  2024-01-01  2026-10-15  gold
c8             1    3,000  2026-11-14  2026-11-14  regular
c9             4   20,000  2025-06-01  2026-10-31  gold
"""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipeline.loyalty.behaviour import (
    churn,
    latest_answers,
    lifetime_value,
    repeat_rate,
    revenue_by_group,
    revenue_per_customer,
    top_share,
)
from pipeline.loyalty.loyalty_map import loyalty_map, place_customers

AS_OF = date(2026, 11, 15)
ROWS = [line.split() for line in (__doc__ or "").splitlines() if line.startswith("c") and line[1].isdigit()]
CUSTOMERS = pl.DataFrame(
    {
        "customer": [row[0] for row in ROWS],
        "orders": [int(row[1]) for row in ROWS],
        "revenue": [float(row[2].replace(",", "")) for row in ROWS],
        "first_purchase": [date.fromisoformat(row[3]) for row in ROWS],
        "last_purchase": [date.fromisoformat(row[4]) for row in ROWS],
        "tier": [row[5] for row in ROWS],
    }
)
SCORES = [10, 9, 9, 8, 7, 6, 5, 3, 0, 4]


def answers() -> pl.DataFrame:
    """Customer c_i answered SCORES[i] as r_i; c3 had answered 10 before, as r10; r11 is nobody's."""
    moments = [datetime(2026, 11, 1 + at, tzinfo=UTC) for at in range(10)]
    return pl.DataFrame(
        {
            "source": ["survey"] * 12,
            "feedback_id": [f"r{at}" for at in range(12)],
            "customer": [*(f"c{at}" for at in range(10)), "c3", None],
            "score": [*SCORES, 10, 1],
            "received_at": [*moments, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)],
        }
    )


def test_repeat_rate_and_churn_by_pencil() -> None:
    assert (repeat_rate(CUSTOMERS).k, repeat_rate(CUSTOMERS).n) == (6, 10)
    assert repeat_rate(CUSTOMERS).share == 0.6
    assert (churn(CUSTOMERS, AS_OF, 180).k, churn(CUSTOMERS, AS_OF, 180).n) == (2, 10)
    # Wilson of 2 in 10.
    assert churn(CUSTOMERS, AS_OF, 180).low == pytest.approx(0.0567, abs=1e-4)


def test_a_customer_has_left_only_after_the_last_of_the_days() -> None:
    assert churn(CUSTOMERS.head(1), date(2026, 10, 31), 30).k == 0
    assert churn(CUSTOMERS.head(1), date(2026, 11, 1), 30).k == 1


def test_what_happened_after_the_business_date_is_not_known_yet() -> None:
    assert churn(CUSTOMERS, date(2026, 10, 20), 180).n == 8  # c5 and c8 come later
    assert lifetime_value(CUSTOMERS, date(2026, 10, 20), 180).n == 8


def test_revenue_by_pencil() -> None:
    assert revenue_per_customer(CUSTOMERS) == 10_000
    assert top_share(CUSTOMERS) == 0.6  # two of ten: 40,000 + 20,000 of 100,000
    assert top_share(CUSTOMERS.head(0)) is None
    assert revenue_per_customer(CUSTOMERS.head(0)) is None


def test_lifetime_value_by_pencil() -> None:
    # 100,000 / 28 orders each; 28 orders in all active years; those years / 2 who left: 100,000 / 2 in all.
    value = lifetime_value(CUSTOMERS, AS_OF, 180)
    assert value.average_order == pytest.approx(100_000 / 28)
    assert value.value == pytest.approx(50_000)
    ends = [min(last + timedelta(days=180), AS_OF) for last in CUSTOMERS["last_purchase"]]
    days = sum((end - first).days for end, first in zip(ends, CUSTOMERS["first_purchase"], strict=True))
    assert value.lifetime_years == pytest.approx(days / 365.25 / 2)
    assert value.orders_per_year == pytest.approx(28 / (days / 365.25))


def test_lifetime_value_is_unknown_until_somebody_has_left() -> None:
    value = lifetime_value(CUSTOMERS, AS_OF, 10_000)
    assert value.value is None and value.average_order is not None


def test_revenue_stands_behind_the_latest_answer() -> None:
    latest = latest_answers(answers())
    assert latest.height == 10
    assert latest.filter(pl.col("customer") == "c3")["score"].item() == 8
    groups = revenue_by_group(latest, CUSTOMERS)
    assert groups["promoter"] == {"n": 3, "revenue": 5_000.0, "share": 0.05}
    assert groups["passive"] == {"n": 2, "revenue": 26_000.0, "share": 0.26}
    assert groups["detractor"] == {"n": 5, "revenue": 69_000.0, "share": 0.69}


def test_customers_fall_into_four_quadrants() -> None:
    placed = place_customers(answers(), CUSTOMERS, attitude_min=7, orders_min=3, high_tiers=())
    where = dict(placed.select("customer", "quadrant").iter_rows())
    assert {name for name, quadrant in where.items() if quadrant == "loyal"} == {"c3", "c4"}
    assert {name for name, quadrant in where.items() if quadrant == "captive"} == {"c7", "c9"}
    assert {name for name, quadrant in where.items() if quadrant == "attached"} == {"c0", "c1", "c2"}
    assert {name for name, quadrant in where.items() if quadrant == "distant"} == {"c5", "c6", "c8"}
    by_tier = place_customers(answers(), CUSTOMERS, attitude_min=9, orders_min=1, high_tiers=("gold",))
    assert by_tier.filter(pl.col("quadrant") == "captive")["customer"].to_list() == ["c3", "c4", "c7", "c9"]


def test_a_customer_without_orders_known_has_no_place() -> None:
    unknown = CUSTOMERS.with_columns(orders=pl.when(pl.col("customer") != "c7").then("orders"))
    assert place_customers(answers(), unknown, attitude_min=7, orders_min=3, high_tiers=()).height == 9


def test_the_map_tells_what_those_say_who_stay_without_liking_us() -> None:
    placed = place_customers(answers(), CUSTOMERS, attitude_min=7, orders_min=3, high_tiers=())
    said = [("r7", "T1", -1), ("r9", "T1", -1), ("r9", "T2", 1), ("r0", "T2", 1), ("r10", "T2", 1), ("r11", "T1", -1)]
    mentions = pl.DataFrame(said, schema=["feedback_id", "theme_id", "polarity"], orient="row").with_columns(
        source=pl.lit("survey")
    )
    found = loyalty_map(placed, answers(), mentions, {"T1": "返品", "T2": "品揃え"})
    assert found["n"] == 10
    assert [(row["quadrant"], row["n"], row["revenue"]) for row in found["quadrants"]] == [
        ("loyal", 2, 26_000.0), ("captive", 2, 60_000.0), ("attached", 3, 5_000.0), ("distant", 3, 9_000.0),
    ]
    assert found["captive_themes"] == [
        {"theme_id": "T1", "name": "返品", "n": 2, "negative": 2, "revenue": 60_000.0},
        {"theme_id": "T2", "name": "品揃え", "n": 1, "negative": 0, "revenue": 20_000.0},
    ]
    # 返品: 2 of 2 against 0 of 8 — Fisher 1/45; of eight tests the smallest, so adjusted 8/45: not beyond chance.
    assert found["quadrants"][1]["themes"] == []


def test_the_map_marks_themes_that_are_over_represented() -> None:
    n = 60
    people = pl.DataFrame({
        "source": ["survey"] * n, "feedback_id": [f"r{at:02}" for at in range(n)],
        "customer": [f"c{at:02}" for at in range(n)], "score": [3] * 30 + [9] * 30,
        "received_at": [datetime(2026, 11, 1, tzinfo=UTC)] * n,
    })
    bought = pl.DataFrame({"customer": people["customer"], "orders": [5] * n, "revenue": [1.0] * n, "tier": [None] * n})
    placed = place_customers(people, bought, attitude_min=7, orders_min=3, high_tiers=())
    mentions = people.head(20).select("source", "feedback_id", theme_id=pl.lit("T1"), polarity=pl.lit(-1))
    captive = loyalty_map(placed, people, mentions, {"T1": "返品"})["quadrants"][1]
    assert [(theme["name"], theme["n"], theme["lift"]) for theme in captive["themes"]] == [("返品", 20, None)]
    assert captive["themes"][0]["p_adjusted"] < 1e-6
    assert not captive["uncertain"]
