"""What tonight's files bring: which rows belong to the window, and where every row went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.cleanse import cleanse
from pipeline.loyalty import KEY
from pipeline.mask import NO_WORDS, WordList, mask_patterns
from pipeline.read import Reading
from pipeline.segment import Annotation


@dataclass(frozen=True)
class Intake:
    """Tonight's usable feedback, and the rows that are not.

    Attributes
    ----------
    feedback : pl.DataFrame
        Cleansed, without duplicates, inside the window, sorted by (source, feedback_id).
    quarantine : pl.DataFrame
        Rows that cannot be used, with file, row and reason.
    counts : dict
        Per source: read, duplicate, quarantined, outside_window.
    """

    feedback: pl.DataFrame
    quarantine: pl.DataFrame
    counts: dict[str, dict[str, int]]


def take_in(
    readings: dict[str, Reading],
    *,
    window: tuple[date, date],
    timezone: str,
    customer_key: bytes,
    words: WordList = NO_WORDS,
) -> Intake:
    """Return the cleansed feedback of the window from what each source's files held.

    A row without a date counts as received on the window's last day. Rows dated outside the window
    are counted and left out: they belong to other nights.
    """
    dated = pl.concat(
        [_dated(reading.feedback, window[1], timezone) for reading in readings.values()], how="diagonal"
    )
    inside = _inside(dated, window, timezone)
    read = _count_by_source(dated, names=readings)
    kept = _count_by_source(inside, names=readings)
    cleansed = cleanse(inside, customer_key=customer_key, words=words)
    quarantine = pl.concat([reading.quarantine for reading in readings.values()]).sort("source", "file", "row")
    shown = [value and mask_patterns(value, words) for value in quarantine["value"]]
    quarantine = quarantine.with_columns(pl.Series("value", shown, pl.Utf8))
    bad = _count_by_source(quarantine, names=readings)
    counts = {
        name: {
            "read": kept[name] + bad[name],
            "duplicate": cleansed.n_duplicate.get(name, 0),
            "quarantined": bad[name],
            "outside_window": read[name] - kept[name],
        }
        for name in readings
    }
    return Intake(cleansed.feedback.sort(KEY), quarantine, counts)


def account(
    intake: Intake, feedback: pl.DataFrame, annotations: Sequence[Annotation]
) -> list[dict[str, object]]:
    """Return the accounting of each source: read = analysed + no_opinion + duplicate + quarantined.

    Parameters
    ----------
    feedback : pl.DataFrame
        All feedback of the window, tonight's and earlier nights'; annotation i belongs to row i.
    """
    opinions = feedback.select(KEY).with_columns(
        pl.Series("has_opinion", [bool(annotation.units) for annotation in annotations], pl.Boolean)
    )
    tonight = opinions.join(intake.feedback.select(KEY), on=KEY, how="semi")
    rows = []
    for name, counts in intake.counts.items():
        mine = tonight.filter(pl.col("source") == name)
        analysed = int(mine["has_opinion"].sum())
        in_window = feedback.filter(pl.col("source") == name).height
        rows.append(
            {
                "name": name,
                "read": counts["read"],
                "analysed": analysed,
                "no_opinion": mine.height - analysed,
                "duplicate": counts["duplicate"],
                "quarantined": counts["quarantined"],
                "outside_window": counts["outside_window"],
                "carried_over": in_window - mine.height,
            }
        )
    return rows


def _dated(feedback: pl.DataFrame, last_day: date, timezone: str) -> pl.DataFrame:
    midnight = datetime(last_day.year, last_day.month, last_day.day, tzinfo=ZoneInfo(timezone))
    moment = pl.lit(midnight).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return feedback.with_columns(pl.col("received_at").fill_null(moment))


def _inside(feedback: pl.DataFrame, window: tuple[date, date], timezone: str) -> pl.DataFrame:
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date()
    return feedback.filter(day.is_between(*window))


def _count_by_source(table: pl.DataFrame, *, names: dict[str, Reading]) -> dict[str, int]:
    counts = dict(table.group_by("source").len().iter_rows())
    return {name: counts.get(name, 0) for name in names}
