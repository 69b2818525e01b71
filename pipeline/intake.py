"""What tonight's files bring: which rows belong to the window, and where every row went."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

import polars as pl

from pipeline.cleanse import cleanse
from pipeline.erasure import blanked
from pipeline.loyalty import KEY
from pipeline.mask import NO_WORDS, WordList, mask_patterns
from pipeline.read import Reading
from pipeline.store.feedback import midnight
from pipeline.tombstones import Tombstones

NOTHING_MISSING: Mapping[str, str] = MappingProxyType({})
ERASED = "erased on request"
"""The reason in quarantine.csv of a row whose customer or response was erased."""


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
        Per source: read, duplicate, quarantined, outside_window, erased (refused since an erasure; they are in
        quarantined, too).
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

    A row without a date belongs to the night that first reads it. Rows dated outside the window are counted
    and left out: they belong to other nights.
    """
    rows = _without_nul(pl.concat([reading.feedback for reading in readings.values()], how="diagonal"))
    inside = _inside(rows, window, timezone)
    read = _count_by_source(rows, names=readings)
    kept = _count_by_source(inside, names=readings)
    cleansed = cleanse(inside, customer_key=customer_key, words=words)
    quarantine = _without_nul(pl.concat([reading.quarantine for reading in readings.values()]))
    quarantine = quarantine.sort("source", "file", "row")
    shown = [value and mask_patterns(value, words) for value in quarantine["value"]]
    quarantine = quarantine.with_columns(pl.Series("value", shown, pl.Utf8))
    bad = _count_by_source(quarantine, names=readings)
    counts = {
        name: {
            "read": kept[name] + bad[name],
            "duplicate": cleansed.n_duplicate.get(name, 0),
            "quarantined": bad[name],
            "outside_window": read[name] - kept[name],
            "erased": 0,
        }
        for name in readings
    }
    return Intake(cleansed.feedback, quarantine, counts)


def refuse(intake: Intake, tombstones: Tombstones, secret: bytes) -> Intake:
    """Return the intake without whoever was erased; each row refused is in quarantine, by file and row alone."""
    if not tombstones:
        return intake
    refused = tombstones.refuse(intake.feedback, secret)
    gone = intake.feedback.filter(refused).select("source", "file", "row")
    hidden = tombstones.refuse(intake.quarantine, secret)
    quarantine = blanked(intake.quarantine, hidden).with_columns(
        reason=pl.when(hidden).then(pl.lit(ERASED)).otherwise(pl.col("reason"))
    )
    lines = gone.with_columns(
        feedback_id=pl.lit(None, pl.Utf8), column=pl.lit(""), reason=pl.lit(ERASED), value=pl.lit("")
    )
    quarantine = pl.concat([quarantine, lines.select(quarantine.columns)]).sort("source", "file", "row")
    n_gone = dict(gone.group_by("source").len().iter_rows())
    n_erased = dict(quarantine.filter(pl.col("reason") == ERASED).group_by("source").len().iter_rows())
    counts = {
        name: count
        | {"quarantined": count["quarantined"] + n_gone.get(name, 0), "erased": n_erased.get(name, 0)}
        for name, count in intake.counts.items()
    }
    return replace(intake, feedback=intake.feedback.filter(~refused), quarantine=quarantine, counts=counts)


def window_feedback(
    stored: pl.DataFrame, tonight: pl.DataFrame, news: pl.DataFrame, *, window: tuple[date, date], timezone: str
) -> pl.DataFrame:
    """Return all feedback of the window: what is stored, with tonight's version of what tonight's files hold.

    Parameters
    ----------
    stored : pl.DataFrame
        The window's feedback as :meth:`pipeline.store.Store.load_feedback` gives it.
    tonight : pl.DataFrame
        Tonight's masked feedback.
    news : pl.DataFrame
        What is new in it, row by row, as :meth:`pipeline.store.Store.compare` gives it.
    """
    # A row without a date counts as received when the day of the night that first read it began.
    began = {day: midnight(day, timezone) for day in news["first_seen"].unique()}
    first = pl.Series([began[day] for day in news["first_seen"]], dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    dated = tonight.with_columns(
        received_at=pl.coalesce(pl.col("received_at"), first),
        file=pl.lit(None, pl.Utf8),
        row=pl.lit(None, pl.Int64),
    )
    earlier = stored.join(tonight.select(KEY), on=KEY, how="anti")
    return pl.concat([earlier, _inside(dated, window, timezone)], how="diagonal").sort(KEY)


def account(
    intake: Intake,
    news: pl.DataFrame,
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    timezone: str,
    missing: Mapping[str, str] = NOTHING_MISSING,
) -> list[dict[str, object]]:
    """Return the accounting of each source: read = analysed + no_opinion + duplicate + quarantined.

    A response that an earlier night has read with the same content is a duplicate, one that changed is not:
    so analysed and no_opinion count tonight's news, whether exports are cumulative or only the newest.

    Parameters
    ----------
    news : pl.DataFrame
        What is new in tonight's feedback, row by row.
    feedback, units : pl.DataFrame
        All feedback of the window, tonight's and earlier nights', and its opinions.
    timezone : str
        The config's time zone, in which a day begins and ends.
    missing : mapping of str to str
        Why a source could not be read, by its name; its figures are those of an empty source.

    Returns
    -------
    list of dict
        name, the five figures of the equation, and: outside_window (not part of read), carried_over (in the
        window from earlier nights), duplicate_earlier (duplicates of earlier nights' rows, part of duplicate),
        changed (newer versions, part of analysed and no_opinion), erased (refused since an erasure, part of
        quarantined), newest (ISO date of the window's newest feedback; None without a dated one), missing (why
        the source could not be read; None where it was).
    """
    said = units.select(KEY).unique().with_columns(has_opinion=pl.lit(True))
    opinions = feedback.select(KEY).join(said, on=KEY, how="left").with_columns(pl.col("has_opinion").fill_null(False))
    tonight = opinions.join(news.filter(pl.col("news") != "same"), on=KEY, how="inner")
    return [
        _source_account(name, counts, news, tonight, feedback, timezone) | {"missing": missing.get(name)}
        for name, counts in intake.counts.items()
    ]


def _source_account(
    name: str, counts: dict[str, int], news: pl.DataFrame, tonight: pl.DataFrame, feedback: pl.DataFrame, timezone: str
) -> dict[str, object]:
    mine, read, window = (table.filter(pl.col("source") == name) for table in (tonight, news, feedback))
    newest = window.select(_day(timezone)).to_series().max()
    earlier = read.filter(pl.col("news") == "same").height
    before_window = read.height - earlier - mine.height  # without a date, first read before the window began
    analysed = int(mine["has_opinion"].sum())
    return {
        "name": name,
        "read": counts["read"] - before_window,
        "analysed": analysed,
        "no_opinion": mine.height - analysed,
        "duplicate": counts["duplicate"] + earlier,
        "quarantined": counts["quarantined"],
        "outside_window": counts["outside_window"] + before_window,
        "carried_over": window.height - mine.height,
        "duplicate_earlier": earlier,
        "changed": mine.filter(pl.col("news") == "changed").height,
        "erased": counts["erased"],
        "newest": None if newest is None else str(newest),
    }


def _without_nul(table: pl.DataFrame) -> pl.DataFrame:
    """Take out what neither PostgreSQL nor a workbook can hold; only a column that has some is copied."""
    found = table.select(pl.col(pl.Utf8).str.contains("\0", literal=True).any())
    holding = [name for name in found.columns if found[name][0]]
    return table.with_columns(pl.col(holding).str.replace_all("\0", "", literal=True)) if holding else table


def _inside(feedback: pl.DataFrame, window: tuple[date, date], timezone: str) -> pl.DataFrame:
    inside = feedback.select(_day(timezone).is_between(*window).fill_null(True)).to_series()
    return feedback if inside.all() else feedback.filter(inside)


def _day(timezone: str) -> pl.Expr:
    return pl.col("received_at").dt.convert_time_zone(timezone).dt.date()


def _count_by_source(table: pl.DataFrame, *, names: dict[str, Reading]) -> dict[str, int]:
    counts = dict(table.group_by("source").len().iter_rows())
    return {name: counts.get(name, 0) for name in names}
