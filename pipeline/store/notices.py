"""Which events were told, by the night that told them: keyed hashes, no words."""

from collections.abc import Iterable
from datetime import date, timedelta

import sqlalchemy as sa

from pipeline.store.tables import NOTICES, insert

AGAIN_AFTER = timedelta(days=7)
"""An event that is still there after a week is told again."""


def told(connection: sa.Connection, business_date: date) -> set[str]:
    """Return the hashes of the events that this night or one of the six days before it told."""
    recent = NOTICES.c.business_date.between(business_date - AGAIN_AFTER + timedelta(days=1), business_date)
    return set(connection.scalars(sa.select(NOTICES.c.event).where(recent)))


def tell(connection: sa.Connection, business_date: date, events: Iterable[str]) -> None:
    """Note the hashes of events that a night has told."""
    rows = [{"business_date": business_date, "event": event} for event in sorted(set(events))]
    if rows:
        connection.execute(insert(connection, NOTICES).on_conflict_do_nothing(), rows)
