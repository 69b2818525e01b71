"""Which night a moment belongs to, and which nights a schedule has missed."""

from collections.abc import Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from cronsim import CronSim


def night_of(moment: datetime, zone: ZoneInfo) -> date:
    """Return the business date of a run that was to start at a moment: its day on the clocks of the zone.

    Examples
    --------
    >>> from datetime import UTC
    >>> night_of(datetime(2026, 11, 21, 17, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    datetime.date(2026, 11, 22)
    """
    return moment.astimezone(zone).date()


def nights_between(cron: str, zone: ZoneInfo, after: date, before: date) -> list[date]:
    """Return the nights of a schedule that lie between two others, in order; none without a schedule.

    Examples
    --------
    >>> nights = nights_between("0 2 * * *", ZoneInfo("Asia/Tokyo"), date(2026, 11, 20), date(2026, 11, 23))
    >>> [str(night) for night in nights]
    ['2026-11-21', '2026-11-22']
    """
    found: dict[date, None] = {}
    for start in _starts(cron, datetime.combine(after, time.max, zone)):
        if start.date() >= before:
            break
        found[start.date()] = None
    return list(found)


def is_overtaken(cron: str, zone: ZoneInfo, scheduled: datetime, now: datetime) -> bool:
    """Return whether a later night of the schedule was to start by now, too."""
    local = scheduled.astimezone(zone)
    later = next((start for start in _starts(cron, local) if start.date() > local.date()), None)
    return later is not None and later <= now


def _starts(cron: str, after: datetime) -> Iterator[datetime]:
    return iter(CronSim(cron, after)) if cron else iter(())
