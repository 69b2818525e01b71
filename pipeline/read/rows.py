"""Raw rows to feedback: scores and dates parsed, conversations and mails reduced, the rest to quarantine.

Rows come in batches; in each, every distinct cell is parsed once.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.mask import NO_WORDS, WordList, mask_conversation, mask_messages, mask_patterns, mask_personal_data
from pipeline.read.contract import FEEDBACK_SCHEMA, QUARANTINE_SCHEMA, RATINGS, RawRow, SourceSpec
from pipeline.read.conversations import UnknownSpeakersError, as_lines, customer_words
from pipeline.read.dates import parse_moment
from pipeline.read.mail import messages
from pipeline.read.scores import nps_score, parse_score

SEGMENT = "segment:"
CONTENT_ID = "content id"
WITHHELD = "…"
_BATCH = 20_000  # rows
_BATCH_CHARACTERS = 20_000_000
_MAX_SHOWN = 80  # characters of a cell in quarantine
_MAX_PARSED = 500  # distinct cells of words that quarantine shows: each is searched for names
# Control characters, marks of writing direction and invisible ones: no cell needs them, a report would obey them.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
Problem = tuple[str, str, str]  # column, reason, the cell as it is written


def batches(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    """Yield the rows in lists of at most 20,000 rows and, but for the last row, 20 million characters."""
    batch: list[RawRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(map(len, row.cells))
        if len(batch) == _BATCH or size > _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def feedback_of(
    batch: Sequence[RawRow], keys: Sequence[tuple[str, ...]], source: SourceSpec, file: str, zone: ZoneInfo,
    night: date | None, words: WordList = NO_WORDS,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a batch as feedback, and its bad rows as quarantine with their cells as they are written.

    Parameters
    ----------
    keys : sequence of tuple of str
        What each cell of a row means: roles and segments, one or more of them.
    words : WordList
        The deployment's own words: conversations are masked before the agent's words are cut away.
    """
    cells = _columns(batch, keys)
    problems: list[Problem | None] = [("", row.fault, "") if row.fault else None for row in batch]
    if "id" in cells:
        column = source.columns.get("id", "id")
        _parsed(cells["id"], _present, column, problems)
    values = {
        role: _parsed(cells[role], parse, source.columns.get(role, role), problems)
        for role, parse in _parsers(source, zone, night).items()
        if role in cells
    }
    texts = _own(cells["text"], source, words, problems) if "text" in cells else [""] * len(batch)
    feedback = _feedback(batch, cells, values, problems, source, file, texts)
    return feedback, _quarantine(batch, cells, problems, source, file)


def masked_quarantine(quarantine: pl.DataFrame) -> pl.DataFrame:
    """Return quarantine as it may be shown: values masked, ids that are no ids left out."""
    values = _shown_values(quarantine["value"].unique(maintain_order=True).to_list())
    ids = {written: _shown_id(written) for written in quarantine["feedback_id"].unique() if written is not None}
    return quarantine.with_columns(
        pl.Series("value", [values[value] for value in quarantine["value"]], pl.Utf8),
        pl.Series("feedback_id", [ids.get(written) for written in quarantine["feedback_id"]], pl.Utf8),
    )


# --- cells -----------------------------------------------------------------------------------------------------------


def _columns(batch: Sequence[RawRow], keys: Sequence[tuple[str, ...]]) -> dict[str, list[str]]:
    """Return the cells by what they mean, without control characters."""
    blank = ("",) * len(keys)
    columns = list(zip(*(row.cells or blank for row in batch), strict=True)) or [()] * len(keys)
    found: dict[str, list[str]] = {}
    for column, meanings in zip(columns, keys, strict=True):
        clean = [_CONTROL.sub("", cell) for cell in column] if _CONTROL.search("\n".join(column)) else list(column)
        found |= dict.fromkeys(meanings, clean)
    return found


def _parsers(source: SourceSpec, zone: ZoneInfo, night: date | None) -> dict[str, Callable[[str], Any]]:
    def rating(role: str) -> Callable[[str], int | None]:
        return lambda written: parse_score(written, source.scale(role), role)

    def moment(written: str) -> datetime | None:
        return parse_moment(written, zone, night) if written.strip() else None

    score = {"score": lambda written: nps_score(written, source.scale("score"))}
    return {**score, **{role: rating(role) for role in RATINGS if role != "score"}, "received_at": moment}


def _present(written: str) -> str:
    if not written.strip():
        raise ValueError("the id is missing")
    return written


def _parsed(
    cells: Sequence[str], parse: Callable[[str], Any], column: str, problems: list[Problem | None]
) -> list[Any]:
    """Return what the cells mean; a row's first problem is noted."""
    known: dict[str, Any] = {}
    bad: dict[str, Problem] = {}
    for written in dict.fromkeys(cells):
        try:
            known[written] = parse(written)
        except ValueError as error:
            bad[written] = (column, str(error), written)
    if bad:
        for i, written in enumerate(cells):
            problems[i] = problems[i] or bad.get(written)
    return [known.get(written) for written in cells]


# --- tables ----------------------------------------------------------------------------------------------------------


def _feedback(
    batch: Sequence[RawRow],
    cells: dict[str, list[str]],
    values: dict[str, list[Any]],
    problems: Sequence[Problem | None],
    source: SourceSpec,
    file: str,
    texts: Sequence[str],
) -> pl.DataFrame:
    good = [i for i, problem in enumerate(problems) if problem is None]
    ids = cells["id"] if "id" in cells else cells[CONTENT_ID]
    columns: dict[str, Any] = {role: [values[role][i] for i in good] for role in values}
    columns |= {
        "source": [source.name] * len(good),
        "feedback_id": [ids[i].strip() for i in good],
        "text": [texts[i] for i in good],
        "file": [file] * len(good),
        "row": [batch[i].number for i in good],
        **{name: [cells[SEGMENT + name][i].strip() for i in good] for name in source.segments},
    }
    if "customer" in cells:
        columns["customer"] = [cells["customer"][i].strip() or None for i in good]
    schema = {**FEEDBACK_SCHEMA, **dict.fromkeys(source.segments, pl.Utf8)}
    return pl.DataFrame({name: columns.get(name, [None] * len(good)) for name in schema}, schema=schema)


def _own(
    texts: Sequence[str], source: SourceSpec, words: WordList, problems: list[Problem | None]
) -> list[str]:
    """Return what of each text is the customer's own, "" for rows with a problem; unknown speakers become one.

    A conversation is masked first: the agent's question tells what an answer is, and goes.
    """
    own: list[str] = []
    for i, text in enumerate(texts):
        said = ""
        if problems[i] is None:
            try:
                said = _said(text, source, words)
            except UnknownSpeakersError as error:
                problems[i] = (source.columns.get("text", "text"), str(error), mask_conversation(as_lines(text), words))
        own.append(said)
    return own


def _said(text: str, source: SourceSpec, words: WordList) -> str:
    if source.kind == "transcript":
        masked = mask_conversation(as_lines(text), words)
        return customer_words(masked, source.agent_marks, source.customer_marks)
    if source.kind == "email":
        thread = messages(text)[::-1]  # the newest stands first
        hidden = mask_messages([message.text for message in thread], words)
        said = [part for part, message in zip(hidden, thread, strict=True) if message.kept]
        return "\n".join(filter(None, map(str.strip, reversed(said))))
    return text


def _quarantine(
    batch: Sequence[RawRow],
    cells: dict[str, list[str]],
    problems: Sequence[Problem | None],
    source: SourceSpec,
    file: str,
) -> pl.DataFrame:
    rows = [
        (source.name, file, row.number, cells["id"][i].strip() or None if "id" in cells else None,
         problem[0], problem[1], problem[2][: 4 * _MAX_SHOWN])
        for i, (row, problem) in enumerate(zip(batch, problems, strict=True))
        if problem
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=QUARANTINE_SCHEMA, orient="row")


# --- what quarantine shows -------------------------------------------------------------------------------------------


def _shown_values(values: Sequence[str]) -> dict[str, str]:
    """Return each value masked, then cut, so that no half of a number is left; beyond 500 of words only marks."""
    masked = {value: mask_patterns(value) for value in values}
    wordy = [value for value in values if _WORD.search(_MARKS.sub("", masked[value]))]
    named = {value: mask_personal_data(masked[value]) for value in wordy[:_MAX_PARSED]}
    named |= dict.fromkeys(wordy[_MAX_PARSED:], WITHHELD)
    return {value: (masked | named)[value][:_MAX_SHOWN] for value in values}


def _shown_id(written: str) -> str | None:
    """Return an id as it is; None for a cell that is none, as words or a phone number are."""
    masked = mask_patterns(written)
    private = re.search(r"\[(?:電話|メール|住所|URL|カード番号|口座番号)\]", masked)
    return None if private or len(written) > 64 or re.search(r"\s|[ぁ-ん]", written) else written


_MARKS = re.compile(r"\[[^\]]+\]")
_WORD = re.compile(r"[^\W\d_]{2}")  # two letters: the search for names loads the parser
