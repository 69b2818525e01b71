"""What reading takes and gives: the description of a source, the tables that come out, the error that stops it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from pipeline.read.scores import NPS_SCALE, Scale

FEEDBACK_SCHEMA: dict[str, Any] = {
    "source": pl.Utf8,
    "feedback_id": pl.Utf8,
    "text": pl.Utf8,
    "score": pl.Int64,
    "received_at": pl.Datetime("us", "UTC"),
    "customer": pl.Utf8,
    "csat": pl.Int64,
    "ces": pl.Int64,
    "dwb": pl.Int64,
    "file": pl.Utf8,
    "row": pl.Int64,
}
QUARANTINE_SCHEMA: dict[str, Any] = {
    "source": pl.Utf8,
    "file": pl.Utf8,
    "row": pl.Int64,
    "feedback_id": pl.Utf8,
    "column": pl.Utf8,
    "reason": pl.Utf8,
    "value": pl.Utf8,
}
RATINGS = ("score", "csat", "ces", "dwb")
MAX_CELL = 1_000_000  # characters; Excel's own cells end at 32,767, an hour's call has some 20,000


class InputError(ValueError):
    """A file or its columns cannot be used; the message is one line and holds no customer's words."""


@dataclass(frozen=True)
class SourceSpec:
    """Where one source's rows are and which column means what.

    Attributes
    ----------
    name, kind : str
        Kind is survey, transcript, zendesk or email.
    paths : tuple of str
        Files, folders, globs or fsspec URLs: csv, tsv, jsonl, xlsx, parquet, plain or in gz and zip;
        txt and eml for one conversation or mail a file.
    columns : dict of str to str
        From id, text, score, received_at, customer, csat, ces, dwb to the file's own column names.
    segments : tuple of str
        Columns kept as they are named.
    score_field : int, optional
        The custom field of a Zendesk ticket that holds the score.
    encoding, delimiter : str, optional
        Of text files; found where not given.
    sheet : str, optional
        Of a workbook; otherwise the first one with the configured columns.
    scales : dict of str to Scale
        The answers of score, csat, ces and dwb.
    agent_marks, customer_marks : tuple of str
        More speaker marks of conversations, beside the known ones.
    database, query : str, optional
        An SQLAlchemy URL and one SELECT, in place of paths.
    """

    name: str
    kind: str
    paths: tuple[str, ...]
    columns: dict[str, str]
    segments: tuple[str, ...] = ()
    score_field: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    scales: dict[str, Scale] = field(default_factory=dict)
    agent_marks: tuple[str, ...] = ()
    customer_marks: tuple[str, ...] = ()
    database: str | None = field(default=None, repr=False)
    query: str | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column a file must have, each once."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.segments)))

    def scale(self, role: str) -> Scale:
        """Return the declared scale of score, csat, ces or dwb; 0–10 and 1–5 where none is."""
        return self.scales.get(role, NPS_SCALE if role == "score" else Scale(1, 5))


@dataclass(frozen=True)
class Reading:
    """What the files of one source held: usable rows and the others."""

    feedback: pl.DataFrame
    quarantine: pl.DataFrame

    @property
    def read(self) -> int:
        """Rows that came: usable ones and those in quarantine. Blank rows are none."""
        return self.feedback.height + self.quarantine.height


class RawRow(NamedTuple):
    """One row as the file has it: its number, what is wrong with it as a whole (or ""), its cells."""

    number: int
    fault: str
    cells: tuple[str, ...]


NO_ROWS = Reading(pl.DataFrame(schema=FEEDBACK_SCHEMA), pl.DataFrame(schema=QUARANTINE_SCHEMA))
"""The reading of a source that could not be read."""
