"""From export files to feedback; a row that cannot be used goes to quarantine with its place and reason."""

import csv
import difflib
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.mask import mask_personal_data

FEEDBACK_SCHEMA = {
    "source": pl.Utf8,
    "feedback_id": pl.Utf8,
    "text": pl.Utf8,
    "score": pl.Int64,
    "received_at": pl.Datetime("us", "UTC"),
    "customer": pl.Utf8,
    "file": pl.Utf8,
    "row": pl.Int64,
}
QUARANTINE_SCHEMA = {
    "source": pl.Utf8,
    "file": pl.Utf8,
    "row": pl.Int64,
    "feedback_id": pl.Utf8,
    "column": pl.Utf8,
    "reason": pl.Utf8,
    "value": pl.Utf8,
}
_ENCODINGS = ("utf-8-sig", "cp932")
_SPEAKER = re.compile(
    r"^(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s*)?"
    r"(?:【(?P<box>[^】]{1,8})】[:：]?|(?P<mark>オペレーター|オペ|担当者?|お客[様さま]*|顧客|客|OP|CU)\s*[:：])\s*(?P<words>.*)$"
)
_CUSTOMER = re.compile(r"^(?:お客|顧客|客|CU)")
_FILLER = re.compile(r"(?:えーっと|えーと|えっと|えー|あのー|あのう|そのー|うーん)[、,\s]*")


class InputError(ValueError):
    """A file or its columns cannot be used; the message is one line and holds no customer's words."""


class _BadCell(Exception):
    def __init__(self, column: str, reason: str, value: str) -> None:
        self.column, self.reason, self.value = column, reason, value


@dataclass(frozen=True)
class SourceSpec:
    """Where one source's rows are and which column means what."""

    name: str
    kind: str
    paths: tuple[str, ...]
    columns: dict[str, str]
    segments: tuple[str, ...] = ()
    score_field: int | None = None


@dataclass(frozen=True)
class Reading:
    """What the files of one source held: usable rows and the others."""

    feedback: pl.DataFrame
    quarantine: pl.DataFrame


def read_source(source: SourceSpec, timezone: str) -> Reading:
    """Return the rows of every file of a source.

    A score is 0–10, also as １０ or 「10点」; an empty one is kept as no score, any other text sends the row
    to quarantine, as does a date that cannot be read or a missing id. Dates without a zone are in ``timezone``.

    Raises
    ------
    InputError
        If a file is missing or empty, lacks a configured column, or has no usable row.
    """
    zone = ZoneInfo(timezone)
    schema = FEEDBACK_SCHEMA | dict.fromkeys(source.segments, pl.Utf8)
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for path in map(Path, source.paths):
        for number, cells in _rows(path, source):
            try:
                good.append(_feedback_row(cells, path.name, number, source, zone))
            except _BadCell as problem:
                bad.append(_quarantine_row(cells, path.name, number, source, problem))
    if bad and not good:
        raise InputError(
            f"{source.name}: none of {len(bad)} rows can be used; "
            f"{bad[0]['file']} row {bad[0]['row']}: {bad[0]['reason']}"
        )
    return Reading(pl.DataFrame(good, schema=schema), pl.DataFrame(bad, schema=QUARANTINE_SCHEMA))


def customer_words(transcript: str) -> str:
    """Return what the customer said in a conversation; a line without a mark belongs to the last speaker.

    A conversation without any speaker mark is returned as it is.
    """
    speaking: bool | None = None
    kept: list[str] = []
    for line in transcript.splitlines():
        if match := _SPEAKER.match(line.strip()):
            speaking = bool(_CUSTOMER.match(match["box"] or match["mark"]))
            line = match["words"]
        if speaking is not False and line.strip():
            kept.append(_FILLER.sub("", line.strip()))
    return "\n".join(kept)


def parse_score(value: str) -> int | None:
    """Return a score from 0 to 10, None for an empty cell; ValueError for anything else."""
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,2})(?:\.0+)?\s*(?:点|\s[-–:].*|\s*[-–:]\s.*)?", text)
    if not match or int(match[1]) > 10:
        raise ValueError("score must be a whole number from 0 to 10")
    return int(match[1])


def parse_moment(value: str, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC of an ISO-like date, also 2026/11/3 21:05; ValueError for anything else."""
    text = unicodedata.normalize("NFKC", value).strip()
    match = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?.*))?", text)
    if not match:
        raise ValueError("date must look like 2026-11-03 21:05:00")
    year, month, day, clock = match.groups()
    try:
        moment = datetime.fromisoformat(f"{year}-{int(month):02}-{int(day):02}T{(clock or '00:00').zfill(5)}")
    except ValueError:
        raise ValueError("no such date or time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _rows(path: Path, source: SourceSpec) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; check path of source {source.name!r}")
    if source.kind == "zendesk" or path.suffix == ".jsonl":
        yield from _json_rows(path)
        return
    lines = csv.reader(io.StringIO(_decoded(path), newline=""), delimiter="\t" if path.suffix == ".tsv" else ",")
    header = [name.strip() for name in next(lines, [])]
    if not header:
        raise InputError(f"{path.name}: the file is empty; expected a header row and responses")
    _check_columns(header, path, source)
    number = 1
    for number, cells in enumerate(lines, start=2):
        row: dict[str, Any] = dict(zip(header, cells, strict=False))
        row["\0cells"] = (len(cells), len(header))
        yield number, row
    if number == 1:
        raise InputError(f"{path.name}: no rows below the header")


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = [line for line in _decoded(path).splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path.name}: the file is empty; expected one JSON object a line")
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield number, row if isinstance(row, dict) else {"\0json": True}


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path.name}: neither UTF-8 nor CP932; save the export as UTF-8")


def _check_columns(header: list[str], path: Path, source: SourceSpec) -> None:
    for wanted in (*source.columns.values(), *source.segments):
        if wanted not in header:
            near = difflib.get_close_matches(wanted, header, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the file has: {', '.join(header[:20])}"
            raise InputError(f"{path.name}: column {wanted!r} of source {source.name!r} not found; {hint}")


def _feedback_row(
    cells: dict[str, Any], file: str, number: int, source: SourceSpec, zone: ZoneInfo
) -> dict[str, Any]:
    if "\0json" in cells:
        raise _BadCell("", "the line is not a JSON object", "")
    found, expected = cells.get("\0cells", (0, 0))
    if found != expected:
        raise _BadCell("", f"the row has {found} cells, the header {expected}", "")
    values = _ticket(cells, source) if source.kind == "zendesk" else _mapped(cells, source.columns)
    if "id" in values and not values["id"]:
        raise _BadCell(source.columns.get("id", "id"), "the id is missing", "")
    text = values.get("text", "")
    return {
        "source": source.name,
        "feedback_id": values.get("id") or _content_id(cells),
        "text": customer_words(text) if source.kind == "transcript" else text,
        "score": _checked("score", parse_score, values, source),
        "received_at": _checked("received_at", lambda value: parse_moment(value, zone), values, source),
        "customer": values.get("customer") or None,
        "file": file,
        "row": number,
        **{name: str(cells.get(name) or "") for name in source.segments},
    }


def _mapped(cells: dict[str, Any], columns: dict[str, str]) -> dict[str, str]:
    return {role: str(cells.get(column) if cells.get(column) is not None else "") for role, column in columns.items()}


def _ticket(cells: dict[str, Any], source: SourceSpec) -> dict[str, str]:
    """Return a Zendesk ticket's values; its text is the requester's public comments."""
    requester = cells.get("requester_id")
    comments = cells.get("comments") or []
    words = [c["body"] for c in comments if c.get("public", True) and c.get("author_id") == requester and c.get("body")]
    fields = {field.get("id"): field.get("value") for field in cells.get("custom_fields") or []}
    values = {
        "id": cells.get("id"),
        "text": "\n".join(words or [cells.get("description") or ""]),
        "received_at": cells.get("created_at"),
        "customer": requester,
        "score": fields.get(source.score_field),
    }
    return {role: "" if value is None else str(value) for role, value in values.items()}


def _checked(role: str, parse: Any, values: dict[str, str], source: SourceSpec) -> Any:
    value = values.get(role, "")
    if not value.strip():
        return None
    try:
        return parse(value)
    except ValueError as error:
        raise _BadCell(source.columns.get(role, role), str(error), value) from None


def _quarantine_row(
    cells: dict[str, Any], file: str, number: int, source: SourceSpec, problem: _BadCell
) -> dict[str, Any]:
    return {
        "source": source.name,
        "file": file,
        "row": number,
        "feedback_id": _mapped(cells, source.columns).get("id") or None,
        "column": problem.column,
        "reason": problem.reason,
        "value": mask_personal_data(problem.value[:80]) if problem.value else "",
    }


def _content_id(cells: dict[str, Any]) -> str:
    canonical = json.dumps(cells, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
