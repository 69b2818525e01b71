"""Dates and times, as Japanese exports write them."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def parse_moment(value: str, zone: ZoneInfo, night: date | None = None) -> datetime:
    """Return the moment in UTC of a date as Japanese exports write it; ValueError for anything else.

    A date without a year is the last such date up to the night; without a night it is refused.
    A number such as 46329.88 is a spreadsheet's day since 1899-12-30.

    Examples
    --------
    >>> parse_moment("令和8年11月3日 午後9時5分", ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-11-03T12:05:00+00:00'
    """
    if _USUAL.fullmatch(value):  # nine exports of ten
        try:
            return datetime.fromisoformat(value.replace("/", "-")).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError("no such date or time") from None
    text = unicodedata.normalize("NFKC", value).strip()
    if serial := _SERIAL.fullmatch(text):
        return _from_serial(float(serial[0])).replace(tzinfo=zone).astimezone(UTC)
    if compact := _COMPACT.fullmatch(text):
        text = "{}-{}-{} {}:{}:{}".format(*compact.groups("00"))
    match = _DAY.match(text) or (night and _MONTH_DAY.match(text))
    clock = match and _CLOCK.fullmatch(text, match.end())
    if not match or not clock:
        raise ValueError("date must look like 2026-11-03 21:05:00")
    try:
        day = _day(match, night)
        moment = datetime(day.year, day.month, day.day) + _since_midnight(clock)
        if clock["zone"]:
            offset = _ZONES.get(clock["zone"].upper(), clock["zone"])
            return moment.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo).astimezone(UTC)
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("no such date or time") from None


_USUAL = re.compile(r"[12][0-9]{3}(?:-[0-9]{2}-|/[0-9]{2}/)[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
_ZONES = {"Z": "+0000", "UTC": "+0000", "GMT": "+0000", "JST": "+0900"}
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988}
_MONTH_AND_DAY = (
    r"(?P<month>\d{1,2})\s*(?:[-/.]|月)\s*(?P<day>\d{1,2})(?!\d)日?(?:\s*\([月火水木金土日祝・]+\))?"
)
_DAY = re.compile(rf"(?P<year>\d{{4}}|(?:令和|平成|R|H)\s*(?:\d{{1,2}}|元))\s*(?:[-/.]|年)\s*{_MONTH_AND_DAY}")
_MONTH_DAY = re.compile(
    r"(?P<month>\d{1,2})\s*(?:/\s*(?P<day>\d{1,2})|月\s*(?P<tag>\d{1,2})日)(?![\d/])(?:\s*\([月火水木金土日祝・]+\))?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?")
_SERIAL = re.compile(r"[3-6]\d{4}(?:\.\d+)?")  # 1982 to 2091
_CLOCK = re.compile(
    r"(?:[T\s]*(?P<half>午前|午後|AM|PM)?\s*(?P<hour>\d{1,2})[:時]\s*(?:(?P<minute>\d{1,2})(?:[:分]\s*"
    r"(?:(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?)?)?\s*(?P<after>AM|PM)?"
    r"\s*(?P<zone>Z|UTC|GMT|JST|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


def _day(match: re.Match[str], night: date | None) -> date:
    parts = match.groupdict()
    month, day = int(parts["month"]), int(parts["day"] or parts.get("tag") or 0)
    if parts.get("year"):
        return date(_year(parts["year"]), month, day)
    assert night is not None
    for year in range(night.year, night.year - 9, -1):  # 29 February may be eight years back
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= night:
            return found
    raise ValueError


def _year(written: str) -> int:
    era = re.match(r"\D+?(?=\s*(?:\d|元))", written)
    if not era:
        return int(written)
    number = written[era.end() :].strip()
    return _ERAS[era[0].strip()] + (1 if number == "元" else int(number))


def _since_midnight(clock: re.Match[str]) -> timedelta:
    hour, minute, second = (int(clock[part] or 0) for part in ("hour", "minute", "second"))
    half = (clock["half"] or clock["after"] or "").upper()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in {"午後", "PM"} else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    micros = int((clock["fraction"] or "0")[:6].ljust(6, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)


def _from_serial(days: float) -> datetime:
    return datetime(1899, 12, 30) + timedelta(seconds=round(days * 86400))
