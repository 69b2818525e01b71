"""Rows of JSON: one object a line, or one list of objects, alone or under a name as in {"tickets": […]}."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.read.archives import Member
from pipeline.read.contract import MAX_CELL, InputError, RawRow, SourceSpec
from pipeline.read.decoding import DAMAGED, TOO_LONG, lines_of, open_text, shown
from pipeline.read.delimited import LONG_CELL, NOT_TEXT
from pipeline.read.header import content_id, no_such_column

MAX_LIST = 256 * 1024 * 1024  # characters of a file that is one list; lines have no such limit
NOT_AN_OBJECT = "the line is not a JSON object"
_LIST = re.compile(r'\s*(?:\{\s*"(?:tickets|responses|results|records|data|rows|items)"\s*:\s*)?\[')
_SPACE = re.compile(r"[\s,]*")
_BLANK = "\ufeff \t\r\n"
_DECODER = json.JSONDecoder()


def json_rows(member: Member, source: SourceSpec) -> Iterator[RawRow]:
    """Yield the cells of `source.wanted` for every object; a dotted name looks into nested ones."""
    missing: dict[str, None] = dict.fromkeys(source.wanted)
    names: dict[str, None] = {}
    for number, fault, value in json_objects(member, source):
        if fault:
            yield RawRow(number, fault, ())
            continue
        for name in [name for name in missing if looked_up(value, name) is not None or name in value]:
            del missing[name]
        if missing:
            names |= dict.fromkeys(list(value)[:100])
        yield _row(number, value, source)
    if missing and names:
        raise no_such_column(next(iter(missing)), list(names), member.name)


def json_objects(member: Member, source: SourceSpec) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield line number, fault and object; in a list its members are numbered from 1."""
    if _is_one_list(member, source):
        with open_text(member, source.encoding) as text:
            whole = text.read(MAX_LIST + 1)
        if len(whole) > MAX_LIST:
            raise InputError(f"{member.name}: one JSON list of over {MAX_LIST >> 20} MB; save it as JSON lines")
        yield from _of_list(whole.lstrip("\ufeff"))
        return
    with open_text(member, source.encoding) as text:
        for number, line in enumerate(lines_of(text), start=1):
            if line.strip(_BLANK):
                yield (number, *_object(line.lstrip("\ufeff")))


def looked_up(cells: Any, name: str) -> Any:
    """Return a cell by its name, or by a path as via.channel; custom_fields.360001 finds the field of that id."""
    if isinstance(cells, dict) and name in cells:
        return cells[name]
    value: Any = cells
    for key in name.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list):
            members = (member for member in value if isinstance(member, dict) and as_text(member.get("id")) == key)
            value = next(members, {}).get("value")
        else:
            return None
    return value


def as_text(value: Any) -> str:
    """Return a JSON value as a cell's text; lone halves of surrogate pairs become question marks."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if value is None:
        return ""
    if isinstance(value, dict | list):
        try:
            return as_text(json.dumps(value, ensure_ascii=False))
        except RecursionError:
            return ""
    return str(value)


def _is_one_list(member: Member, source: SourceSpec) -> bool:
    """Tell a file whose values span lines from JSON lines, of which one may be a list by mistake."""
    with open_text(member, source.encoding) as text:
        lines = (line.strip(_BLANK) for line in lines_of(text))
        start = next(filter(None, lines), "")
        if not _LIST.match(start) and start not in {"{", "["}:
            return False
        return not (_object(start)[0] != NOT_AN_OBJECT or start.endswith("]")) or not any(lines)


def _row(number: int, value: dict[str, Any], source: SourceSpec) -> RawRow:
    cells = tuple(as_text(looked_up(value, name)) for name in source.wanted)
    if any(len(cell) > MAX_CELL for cell in cells):
        return RawRow(number, LONG_CELL, ())
    if "id" not in source.columns:
        cells = (*cells, content_id((as_text(key), as_text(cell)) for key, cell in value.items()))
    return RawRow(number, "", cells)


def _of_list(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the members one by one, so that only one is decoded at a time; what follows a damaged one is lost."""
    opening = _LIST.match(text)
    if not opening:  # one object over several lines
        yield (1, *_object(text))
        return
    at, number = opening.end(), 0
    while (at := _after_space(text, at)) < len(text) and text[at] != "]":
        number += 1
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield number, "the list is not JSON from here on", {}
            return
        yield (number, *_checked(value))


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _object(line: str) -> tuple[str, dict[str, Any]]:
    if TOO_LONG in line:
        return LONG_CELL, {}
    if DAMAGED in line:
        return NOT_TEXT, _object(shown(line))[1]
    try:
        return _checked(json.loads(line))
    except (ValueError, RecursionError):
        return NOT_AN_OBJECT, {}


def _checked(value: Any) -> tuple[str, dict[str, Any]]:
    return ("", value) if isinstance(value, dict) else (NOT_AN_OBJECT, {})
