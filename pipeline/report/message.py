"""The night in a few lines for a chat room: its alerts and what did not arrive, in figures, with a link."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.report.headline import alert_text
from pipeline.report.night import Night
from pipeline.report.quotes import alert_quotes
from pipeline.report.wording import Words, count, points

N_QUOTES, LONGEST_QUOTE = 3, 120
Event = tuple[str, ...]
"""What a message tells of: ("alert", kind, theme or phrase) or ("silent", source)."""


@dataclass(frozen=True)
class Message:
    """What is sent.

    Attributes
    ----------
    subject, body : str
        Plain text; the body has several lines.
    events : tuple of Event
        What it tells of, so that nothing is told twice.
    """

    subject: str
    body: str
    events: tuple[Event, ...]


def render_message(
    night: Night,
    *,
    link: str | None = None,
    quotes: bool = False,
    silent_days: int | None = None,
    told: Callable[[Event], bool] = lambda event: False,
) -> Message | None:
    """Return the message of a night; None where there is nothing new to tell.

    Parameters
    ----------
    link : str, optional
        Address of the night's report.
    quotes : bool
        Whether up to three customers' opinions stand under each alert; without, no sentence of a customer does.
    silent_days : int, optional
        A source whose newest feedback is so many days older than the night is late; None: none is.
    told : callable
        Whether an event was told already.
    """
    t, day = night.words, date.fromisoformat(night.business_date)
    alerts = [(event, lines) for event, lines in _alerts(night, quotes, t) if not told(event)]
    late = [(event, lines) for event, lines in _late(night.summary, day, silent_days, t) if not told(event)]
    if not alerts and not late:
        return None
    shown = t.short_date(night.business_date)
    if alerts:
        subject = t("message.subject", title=night.title, n=len(alerts), day=shown)
    else:
        subject = t("message.late_subject", title=night.title, day=shown)
    body = [line for _, lines in (*alerts, *late) for line in lines]
    nps = night.summary["nps"]
    if nps["n"]:
        interval = t.points_interval(nps["low"], nps["high"])
        body.append(t("message.nps", score=points(nps["score"]), interval=interval, n=count(nps["n"])))
    if link:
        body.append(t("message.report", link=link))
    return Message(subject, "\n".join(body), tuple(event for event, _ in (*alerts, *late)))


def _alerts(night: Night, quotes: bool, t: Words) -> list[tuple[Event, list[str]]]:
    found: list[tuple[Event, list[str]]] = []
    for alert in night.summary["alerts"]:
        event = ("alert", alert["kind"], str(alert.get("theme_id") or alert.get("name") or ""))
        lines = [f"- {alert_text(alert, t)}"]
        if quotes:
            lines += [f"  {t('message.quote', text=text)}" for text in _spoken(alert, night.units)]
        found.append((event, lines))
    return found


def _spoken(alert: dict[str, Any], units: pl.DataFrame) -> list[str]:
    return [_cut(quote.text) for quote in alert_quotes(alert, units, N_QUOTES)]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def _late(
    summary: dict[str, Any], day: date, silent_days: int | None, t: Words
) -> list[tuple[Event, list[str]]]:
    if silent_days is None:
        return []
    found: list[tuple[Event, list[str]]] = []
    for source in summary["sources"]:
        name, newest = source["name"], source.get("newest")
        if newest is None:
            found.append((("silent", name), [f"- {t('message.never', source=name)}"]))
        elif (days := (day - date.fromisoformat(newest)).days) >= silent_days:
            line = t("message.silent", source=t.label(name), day=t.short_date(newest), days=days)
            found.append((("silent", name), [f"- {line}"]))
    return found
