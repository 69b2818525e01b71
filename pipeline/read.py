"""From export files to feedback; a row that cannot be used goes to quarantine with its place and reason.

Row numbers are a spreadsheet's: the header is row 1, a row whose cell holds line breaks is one row.
"""

import csv
import difflib
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.mask import mask_patterns, mask_personal_data

FEEDBACK_SCHEMA: dict[str, Any] = {
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
_MAX_CELL = 16 * 1024 * 1024  # characters
_MAX_SHOWN = 80
_UNREADABLE = "\ufffd"


class InputError(ValueError):
    """A file or its columns cannot be used; the message is one line and holds no customer's words."""


@dataclass(frozen=True)
class SourceSpec:
    """Where one source's rows are and which column means what.

    Attributes
    ----------
    name, kind : str
        Kind is survey, transcript or zendesk.
    paths : tuple of str
        Files or fsspec URLs: csv, tsv, jsonl, xlsx, parquet.
    columns : dict of str to str
        From id, text, score, received_at, customer, csat to the file's own column names.
    segments : tuple of str
        Columns kept as they are named.
    score_field : int, optional
        The custom field of a Zendesk ticket that holds the score.
    """

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

    @property
    def read(self) -> int:
        """Rows that came: usable ones and those in quarantine. Blank rows are none."""
        return self.feedback.height + self.quarantine.height


def read_source(source: SourceSpec, timezone: str) -> Reading:
    """Return the rows of every file of a source.

    A score is 0–10, also as １０, 「10点」 or 「9 - とても勧めたい」; an empty one is kept as no score, any other text
    sends the row to quarantine, as do a date that cannot be read, a missing id, a wrong number of cells and
    bytes that are not text. Dates without a zone are in ``timezone``. Without an id column the id is a hash of
    the row's content.

    Raises
    ------
    InputError
        If a file is missing, empty or unreadable, lacks a configured column, or no row can be used.
    """
    zone = ZoneInfo(timezone)
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for path in source.paths:
        for row in _rows(path, source):
            try:
                good.append(_feedback_row(row, source, zone))
            except _BadCell as problem:
                bad.append(_quarantine_row(row, source, problem))
    if not good:
        raise _nothing_usable(source, bad)
    shown = {value: _shown(value) for value in {entry["value"] for entry in bad}}
    bad = [entry | {"value": shown[entry["value"]]} for entry in bad]
    schema: dict[str, Any] = FEEDBACK_SCHEMA | dict.fromkeys(source.segments, pl.Utf8)
    return Reading(pl.DataFrame(good, schema=schema), pl.DataFrame(bad, schema=QUARANTINE_SCHEMA))


def customer_words(transcript: str) -> str:
    """Return what the customer said in a conversation; a line without a mark belongs to the last speaker.

    Speakers are marked at a line's start, or after a sentence, as オペレーター：, OP:, 【担当】, 客「…」. What comes
    before the first mark is nobody's. A conversation without any mark is returned as it is.
    """
    transcript = transcript.translate(_MARK_WIDTH)
    lines = [_STAMP.sub("", line.strip(), count=1) for line in _TURN.sub("\n", transcript).splitlines()]
    turns = [_SPEAKER.match(line) for line in lines]
    speaking = not any(turns)
    kept: list[str] = []
    for line, turn in zip(lines, turns, strict=True):
        if turn:
            speaking = turn["customer"] is not None
            line = re.sub(r"^「(.*)」$", r"\1", turn["words"])
        if speaking and (words := _FILLER.sub("", line).strip()):
            kept.append(words)
    return "\n".join(kept)


def parse_score(value: str) -> int | None:
    """Return a score from 0 to 10, None for an empty cell; ValueError for anything else."""
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        return None
    match = _SCORE.fullmatch(text)
    if not match or int(match[1]) > 10:
        raise ValueError("score must be a whole number from 0 to 10")
    return int(match[1])


def parse_moment(value: str, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC of a date as Japanese exports write it; ValueError for anything else.

    Examples
    --------
    >>> parse_moment("令和8年11月3日 午後9時5分", ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-11-03T12:05:00+00:00'
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if compact := _COMPACT.fullmatch(text):
        text = "{}-{}-{} {}:{}:{}".format(*compact.groups("00"))
    match = _DAY.match(text)
    clock = match and _CLOCK.fullmatch(text, match.end())
    if not match or not clock:
        raise ValueError("date must look like 2026-11-03 21:05:00")
    try:
        day = datetime(_year(match["year"]), int(match["month"]), int(match["day"]))
        moment = day + _since_midnight(clock)
        if clock["zone"]:
            offset = _ZONES.get(clock["zone"].upper(), clock["zone"])
            return moment.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo).astimezone(UTC)
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("no such date or time") from None


# --- rows of a file --------------------------------------------------------------------------------------------------


class _BadCell(Exception):
    def __init__(self, column: str, reason: str, value: str = "") -> None:
        self.column, self.reason, self.value = column, reason, value


@dataclass(frozen=True)
class _Row:
    file: str
    number: int
    cells: dict[str, Any]
    fault: str = ""


def _rows(path: str, source: SourceSpec) -> Iterator[_Row]:
    data, name = _bytes(path, source), PurePath(path).name
    if not data.strip():
        raise InputError(f"{name}: the file is empty; expected a header row and responses")
    suffix = PurePath(path).suffix.lower()
    if source.kind == "zendesk" or suffix in {".jsonl", ".ndjson", ".json"}:
        return _json_rows(data, name, source)
    if suffix in {".xlsx", ".xlsm", ".parquet"}:
        return _frame_rows(data, name, source)
    return _delimited_rows(data, name, source)


def _bytes(path: str, source: SourceSpec) -> bytes:
    try:
        if "://" in path:
            import fsspec  # only for URLs

            with fsspec.open(path, "rb") as stream:
                return bytes(stream.read())
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check path of source {source.name!r}") from None
    except (OSError, ValueError, ImportError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"{path}: cannot be read ({reason}); check path of source {source.name!r}") from None


def _delimited_rows(data: bytes, name: str, source: SourceSpec) -> Iterator[_Row]:
    lines = list(io.StringIO(_decoded(data, name), newline=""))
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",\t;", key=first.count)
    records = _records(lines, delimiter, name)
    header: list[str] = []
    number = 0
    for number, cells in enumerate(records, start=1):
        if not header:
            header = [column.strip() for column in cells or []]
            _check_columns(header, name, source)
        elif cells is None:
            yield _Row(name, number, {}, "a quotation mark is opened and never closed")
        elif any(map(str.strip, cells)):
            yield _delimited_row(name, number, header, cells)


def _delimited_row(name: str, number: int, header: list[str], cells: list[str]) -> _Row:
    if any(cells[len(header) :]) or len(cells) < len(header):
        return _Row(name, number, {}, f"the row has {len(cells)} cells, the header {len(header)}")
    fault = "bytes that are not text in the file's encoding" if any(_UNREADABLE in cell for cell in cells) else ""
    return _Row(name, number, dict(zip(header, cells, strict=False)), fault)


def _records(lines: list[str], delimiter: str, name: str) -> Iterator[list[str] | None]:
    """Yield each row's cells; None for a line whose quotation mark never closes, then go on below that line."""
    csv.field_size_limit(_MAX_CELL)
    start = 0
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter)
        begun = start
        try:
            for cells in reader:
                ended = start + reader.line_num
                runaway = ended == len(lines) and ended - begun > 1
                if runaway and sum(line.count('"') for line in lines[begun:]) % 2:
                    break
                yield cells
                begun = ended
            else:
                return
        except csv.Error:
            raise InputError(f"{name}: line {begun + 1}: a cell is longer than {_MAX_CELL:,} characters") from None
        yield None
        start = begun + 1


def _frame_rows(data: bytes, name: str, source: SourceSpec) -> Iterator[_Row]:
    try:
        if name.lower().endswith(".parquet"):
            frame = pl.read_parquet(io.BytesIO(data))
        else:
            frame = pl.read_excel(io.BytesIO(data), infer_schema_length=0, drop_empty_rows=False)
    except Exception as error:  # every reader below polars has errors of its own
        raise InputError(f"{name}: not a readable {PurePath(name).suffix[1:]} file ({type(error).__name__})") from None
    _check_columns([column.strip() for column in frame.columns], name, source)
    for number, values in enumerate(frame.iter_rows(), start=2):
        if any(value is not None and str(value).strip() for value in values):
            yield _Row(name, number, {c.strip(): v for c, v in zip(frame.columns, values, strict=True)})


def _json_rows(data: bytes, name: str, source: SourceSpec) -> Iterator[_Row]:
    rows = [_json_row(name, number, line) for number, line in _json_lines(_decoded(data, name))]
    if source.kind != "zendesk":
        _check_columns(list({column: None for row in rows for column in row.cells}), name, source)
    yield from rows


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    """Yield one value a line; a file that is one list, or one object around "tickets", gives its members."""
    whole: Any = None
    if text.lstrip()[:1] == "[" or '"tickets"' in text[:200]:
        whole = _loaded(text)
        whole = whole.get("tickets") if isinstance(whole, dict) else whole
    if isinstance(whole, list):
        yield from enumerate(whole, start=1)
        return
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip():
            yield number, _loaded(line)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _json_row(name: str, number: int, value: Any) -> _Row:
    if isinstance(value, dict):
        return _Row(name, number, value)
    return _Row(name, number, {}, "the line is not a JSON object")


def _decoded(data: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, CP932, EUC-JP or UTF-16; a few unreadable bytes become U+FFFD."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # EUC-JP read as CP932 is legal and comes out as half-width kana.
        if encoding == "utf-8-sig" or len(_HALF_KANA.findall(text)) <= 0.8 * len(_NOT_ASCII.findall(text)):
            return text
    texts = [data.decode(encoding, "replace") for encoding in ("utf-8-sig", "cp932", "euc_jp")]
    best = min(texts, key=lambda text: text.count(_UNREADABLE) + len(_HALF_KANA.findall(text)))
    if best.count(_UNREADABLE) > 0.05 * len(best):
        raise InputError(f"{name}: neither UTF-8 nor CP932; save the export as UTF-8")
    return best


def _check_columns(header: list[str], name: str, source: SourceSpec) -> None:
    if "text" not in source.columns:
        raise InputError(f"source {source.name!r}: columns has no text; name the column of the comments")
    for wanted in (*source.columns.values(), *source.segments):
        if wanted not in header:
            near = difflib.get_close_matches(wanted, header, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the file has: {_safe_list(header)}"
            raise InputError(f"{name}: column {wanted!r} not found; {hint}")
        if header.count(wanted) > 1:
            raise InputError(f"{name}: column {wanted!r} stands {header.count(wanted)} times in the header; rename one")


def _safe_list(header: list[str]) -> str:
    """Name the columns; a file without a header would show a response here, so long cells stay out."""
    names = [column for column in header[:20] if 0 < len(column) <= 20 and mask_patterns(column) == column]
    return ", ".join(names) if len(names) == len(header[:20]) else f"{len(header)} columns; is the header row missing?"


# --- cells of a row --------------------------------------------------------------------------------------------------


def _feedback_row(row: _Row, source: SourceSpec, zone: ZoneInfo) -> dict[str, Any]:
    if row.fault:
        raise _BadCell("", row.fault)
    ticket = source.kind == "zendesk"
    values = _ticket(row.cells, source) if ticket else _mapped(row.cells, source.columns)
    if (ticket or "id" in source.columns) and not values["id"].strip():
        raise _BadCell(source.columns.get("id", "id"), "the id is missing")
    text = values.get("text", "")
    return {
        "source": source.name,
        "feedback_id": values.get("id", "").strip() or _content_id(row.cells),
        "text": customer_words(text) if source.kind == "transcript" else text,
        "score": _parsed("score", parse_score, values, source),
        "received_at": _parsed("received_at", lambda value: parse_moment(value, zone), values, source),
        "customer": values.get("customer", "").strip() or None,
        "file": row.file,
        "row": row.number,
        **{name: _as_text(_looked_up(row.cells, name)).strip() for name in source.segments},
    }


def _quarantine_row(row: _Row, source: SourceSpec, problem: _BadCell) -> dict[str, Any]:
    ticket = source.kind == "zendesk"
    identity = row.cells.get(source.columns.get("id", "id" if ticket else ""))
    return {
        "source": source.name,
        "file": row.file,
        "row": row.number,
        "feedback_id": _as_text(identity).strip() or None,
        "column": problem.column,
        "reason": problem.reason,
        "value": problem.value,
    }


def _nothing_usable(source: SourceSpec, bad: list[dict[str, Any]]) -> InputError:
    if bad:
        place = f"{bad[0]['file']} row {bad[0]['row']}: {bad[0]['reason']}"
        return InputError(f"{source.name}: none of {len(bad)} rows can be used; {place}")
    names = ", ".join(PurePath(path).name for path in source.paths[:3])
    return InputError(f"{names}: no rows below the header" if names else f"source {source.name!r}: no file found")


def _shown(value: str) -> str:
    """Return what quarantine.csv may show of a cell: masked, then cut, so that no half of a number is left."""
    masked = mask_patterns(value[: 4 * _MAX_SHOWN])
    if re.search(r"[^\W\d_]{2}", re.sub(r"\[[^\]]+\]", "", masked)):  # words; the parse takes seconds to load
        masked = mask_personal_data(masked)
    return masked[:_MAX_SHOWN]


def _mapped(cells: dict[str, Any], columns: dict[str, str]) -> dict[str, str]:
    return {role: _as_text(cells.get(column)) for role, column in columns.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _looked_up(cells: dict[str, Any], name: str) -> Any:
    """Return a cell by its name, or by a path as via.channel."""
    if name in cells:
        return cells[name]
    value: Any = cells
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _ticket(cells: dict[str, Any], source: SourceSpec) -> dict[str, str]:
    """Return a Zendesk ticket's values; its text is what the requester wrote in public, and how they rated it."""
    requester = cells.get("requester_id", _looked_up(cells, "requester.id"))
    comments = [comment for comment in _listed(cells.get("comments")) if isinstance(comment, dict)]
    words = [
        _as_text(comment.get("plain_body") or comment.get("body"))
        for comment in comments
        if comment.get("public") is not False and requester is not None
        if _as_text(comment.get("author_id")) == _as_text(requester)
    ]
    if not comments:  # the description is the first comment, whoever wrote it
        words = [_as_text(cells.get("description"))]
    words.append(_as_text(_looked_up(cells, "satisfaction_rating.comment")))
    fields = {
        _as_text(field.get("id")): field.get("value")
        for field in _listed(cells.get("custom_fields"))
        if isinstance(field, dict)
    }
    values = {
        "id": cells.get("id"),
        "text": "\n".join(filter(None, map(str.strip, words))),
        "received_at": cells.get("created_at"),
        "customer": requester,
        "score": fields.get(str(source.score_field)),
    }
    mapped = {role: _looked_up(cells, column) for role, column in source.columns.items() if role != "text"}
    return {role: _as_text(value) for role, value in (values | mapped).items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _parsed(role: str, parse: Callable[[str], Any], values: dict[str, str], source: SourceSpec) -> Any:
    value = values.get(role, "")
    if not value.strip():
        return None
    try:
        return parse(value)
    except ValueError as error:
        raise _BadCell(source.columns.get(role, role), str(error), value) from None


def _content_id(cells: dict[str, Any]) -> str:
    canonical = json.dumps(cells, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:16]


# --- how people write them -------------------------------------------------------------------------------------------

_ZONES = {"Z": "+0000", "UTC": "+0000", "JST": "+0900"}
_MARK_WIDTH = str.maketrans("：［］（）＜＞！？", ":[]()<>!?")
_NOT_ASCII = re.compile(r"[^\0-\x7f]")
_HALF_KANA = re.compile(r"[\uff61-\uff9f]")
_SCORE = re.compile(r"(\d{1,2})(?:\.0+)?\s*(?:点|/\s*10点?)?(?:\s*[-–—:.．、(（]\s*[^\d\s].*)?", re.DOTALL)

_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988}
_DAY = re.compile(
    r"(?P<year>\d{4}|(?:令和|平成|R|H)\s*(?:\d{1,2}|元))\s*(?:[-/.]|年)\s*(?P<month>\d{1,2})\s*(?:[-/.]|月)"
    r"\s*(?P<day>\d{1,2})(?!\d)日?(?:\s*\([月火水木金土日祝・]+\))?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?")
_CLOCK = re.compile(
    r"(?:[T\s]*(?P<half>午前|午後|AM|PM)?\s*(?P<hour>\d{1,2})[:時]\s*(?:(?P<minute>\d{1,2})(?:[:分]\s*"
    r"(?:(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?)?)?\s*(?P<after>AM|PM)?"
    r"\s*(?P<zone>Z|UTC|JST|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


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


_CUSTOMER = (
    r"お客様|お客さま|お客さん|お客|顧客|客|ユーザー?|利用者|契約者|ご?相談者|質問者|入電者|カスタマー|[^\s:：「」【】\[\]<>、。]{1,8}様"
    r"|CU|Customer|User"
)
_AGENT = (
    r"オペレーター?|オペ|担当者?|スタッフ|サポート|係員?|受付|窓口|コールセンター|センター|店員|上席|ボット|自動(?:応答|音声)|システム"
    r"|SV|OP|AG|CS|Agent|Operator|Bot"
)
_NUMBERED = r"(?:[A-Z0-9]{1,2}|\s?\([^)]{1,12}\))?"  # オペレーターA, 担当(佐藤)
_DATE_TIME = r"(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}\s+)?\d{1,2}:\d{2}(?::\d{2})?"
_SPEAKER = re.compile(
    rf"(?P<box>[【\[<])?(?:(?P<customer>{_CUSTOMER}|[CU])|{_AGENT}|[AO]){_NUMBERED}"
    r"(?(box)[】\]>]\s*:?|\s*(?::|(?=「[^」]*」\s*$)))\s*(?P<words>.*)$",
    re.IGNORECASE,
)
_TURN = re.compile(
    rf"(?<=[。!?」\s])\s*(?=(?:[\[(]?{_DATE_TIME}[\])]?\s*)?(?:(?:{_CUSTOMER}|{_AGENT}){_NUMBERED}\s*:"
    rf"|[【\[](?:{_CUSTOMER}|{_AGENT}){_NUMBERED}[】\]]))",
    re.IGNORECASE,
)
_STAMP = re.compile(
    rf"[\[(]{_DATE_TIME}[\])]\s*|{_DATE_TIME}\s+(?=[【\[]?(?:{_CUSTOMER}|{_AGENT}|[CUAO]\s*:))", re.IGNORECASE
)
_FILLER = re.compile(r"(?<![ぁ-んァ-ヴー])(?:え[ーえ]*っ?と[ーぉお]*|えー+|あの[ーう]+|そのー+|うーん+)[、,\s]*")
