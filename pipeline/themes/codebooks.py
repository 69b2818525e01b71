"""Codebooks: a team's own themes, in TOML or Excel, read with every problem named in one line, and written.

A theme's permanent id comes from the file, or else from its name, so that it is the same in every night and
in every store; to rename a theme and keep its history, give its ``id``.
"""

import difflib
import hashlib
import json
import string
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from models.codebook import CodebookTheme
from pipeline.read import InputError
from pipeline.themes.naming import MAX_LENGTH

KEYS = ("id", "name", "description", "examples", "parent")
HEADINGS = {"ID": "id", "テーマ": "name", "説明": "description", "例": "examples", "親テーマ": "parent"}
MAX_THEMES = 200
MAX_TEXT = 300  # characters of a description or an example


class CodebookError(InputError):
    """The codebook cannot be used; the message names the file, the theme and the rule."""


@dataclass(frozen=True)
class Codebook:
    """Named themes, matched before anything is discovered."""

    title: str
    themes: tuple[CodebookTheme, ...]


def read_codebook(path: str | Path) -> Codebook:
    """Return the checked codebook of a .toml or .xlsx file.

    Raises
    ------
    CodebookError
        If the file is missing or a theme in it cannot be used.
    """
    path = Path(path)
    readers = {".toml": _read_toml, ".xlsx": _read_excel}
    if path.suffix.lower() not in readers:
        raise CodebookError(f"{path.name}: a codebook is a .toml or .xlsx file")
    try:
        title, rows = readers[path.suffix.lower()](path)
    except FileNotFoundError:
        raise CodebookError(f"{path}: no such file; set themes.codebook to a .toml or .xlsx file") from None
    if not rows:
        raise CodebookError(f"{path.name}: a codebook needs at least one theme ([[themes]] with a name)")
    if len(rows) > MAX_THEMES:
        raise CodebookError(f"{path.name}: a codebook holds at most {MAX_THEMES} themes; got {len(rows)}")
    themes = [_checked(row, f"{path.name} theme {number}") for number, row in enumerate(rows, start=1)]
    _check_together(themes, path.name)
    return Codebook(title, tuple(themes))


def permanent_id(theme: CodebookTheme) -> str:
    """Return the theme's id: its own, or one made of its name.

    Examples
    --------
    >>> permanent_id(CodebookTheme("配送", theme_id="T0007"))
    'T0007'
    >>> permanent_id(CodebookTheme("配送")) == permanent_id(CodebookTheme("配送", "届くまでの日数"))
    True
    """
    return theme.theme_id or name_id(theme.name)


def name_id(name: str) -> str:
    """Return "C-" and eight letters made of a name; no digits, which number the themes that are discovered."""
    number = int.from_bytes(hashlib.sha256(_folded(name).encode()).digest()[:8], "big")
    letters = []
    for _ in range(8):
        number, place = divmod(number, 26)
        letters.append(string.ascii_lowercase[place])
    return "C-" + "".join(letters)


def to_toml(codebook: Codebook) -> bytes:
    """Return the codebook as TOML."""
    lines = [f"title = {_quoted(codebook.title)}"]
    for theme in codebook.themes:
        lines += ["", "[[themes]]"]
        lines += [f"{key} = {_quoted(value)}" for key, value in _row(theme).items() if value and key != "examples"]
        if theme.examples:
            lines.append(f"examples = [{', '.join(map(_quoted, theme.examples))}]")
    return ("\n".join(lines) + "\n").encode()


def to_excel(codebook: Codebook) -> bytes:
    """Return the codebook as a workbook of one sheet; examples stand one a line in their cell."""
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("コードブック")
        wrapped, bold = book.add_format({"text_wrap": True, "valign": "top"}), book.add_format({"bold": True})
        for column, heading in enumerate(HEADINGS):
            sheet.write_string(0, column, heading, bold)
        for line, theme in enumerate(codebook.themes, start=1):
            row = _row(theme) | {"examples": "\n".join(theme.examples)}
            for column, key in enumerate(HEADINGS.values()):
                sheet.write_string(line, column, row[key] or "", wrapped)
        for column, width in enumerate((12, 24, 60, 60, 16)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        book.set_properties({"title": codebook.title})
    return buffer.getvalue()


def _read_toml(path: Path) -> tuple[str, list[dict[str, Any]]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CodebookError(f"{path.name}: cannot be read as TOML: {error}") from None
    for key in data:
        if key not in ("title", "themes"):
            raise CodebookError(f"{path.name}: unknown key {key!r}; a codebook has title and [[themes]]")
    rows, title = data.get("themes", []), data.get("title", path.stem)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not isinstance(title, str):
        raise CodebookError(f"{path.name}: title must be a text, and themes must be written as [[themes]]")
    return title, rows


def _read_excel(path: Path) -> tuple[str, list[dict[str, Any]]]:
    data = path.read_bytes()
    try:
        table = pl.read_excel(BytesIO(data), infer_schema_length=0, drop_empty_rows=True)
    except Exception as error:  # the reader raises classes of its own for each kind of damage
        raise CodebookError(f"{path.name}: cannot be read as an Excel workbook: {type(error).__name__}") from None
    table = table.rename({name: HEADINGS.get(name.strip(), name.strip()) for name in table.columns})
    if "name" not in table.columns:
        raise CodebookError(f"{path.name}: the first row must hold the headings {', '.join(HEADINGS)}")
    rows = []
    for row in table.iter_rows(named=True):
        filled = {key: str(value).strip() for key, value in row.items() if value is not None and str(value).strip()}
        examples = [line.strip() for line in filled.pop("examples", "").splitlines() if line.strip()]
        rows.append(filled | {"examples": examples})
    return path.stem, rows


def _checked(row: dict[str, Any], where: str) -> CodebookTheme:
    for key in row:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.4)
            remedy = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(KEYS)}"
            raise CodebookError(f"{where}: unknown key {key!r}; {remedy}")
    name = row.get("name", "")
    if not isinstance(name, str) or not name.strip():
        raise CodebookError(f"{where}: name must be a text that is not empty")
    name = name.strip()
    where = f"{where} 「{name}」"
    if len(name) > MAX_LENGTH:
        raise CodebookError(f"{where}: name must be {MAX_LENGTH} characters at most; got {len(name)}")
    for key in ("id", "description", "parent"):
        if not isinstance(row.get(key, ""), str):
            raise CodebookError(f"{where}: {key} must be a text; got {row[key]!r}")
    examples = row.get("examples", [])
    if not isinstance(examples, list) or not all(isinstance(text, str) and text.strip() for text in examples):
        raise CodebookError(f"{where}: examples must be a list of texts that are not empty")
    for text in (row.get("description", ""), *examples):
        if len(text) > MAX_TEXT:
            raise CodebookError(f"{where}: description and examples must be {MAX_TEXT} characters at most")
    theme_id = row.get("id", "").strip() or None
    if theme_id and not (theme_id.isascii() and theme_id.replace("-", "").isalnum()):
        raise CodebookError(f"{where}: id must be letters, digits and -, such as T0007; got {theme_id!r}")
    description = " ".join(row.get("description", "").split())
    parent = row.get("parent", "").strip() or None
    return CodebookTheme(name, description, tuple(text.strip() for text in examples), parent, theme_id)


def _check_together(themes: Sequence[CodebookTheme], file: str) -> None:
    """Check what only all themes together can break."""
    names: dict[str, int] = {}
    ids: dict[str, int] = {}
    for number, theme in enumerate(themes, start=1):
        where = f"{file} theme {number} 「{theme.name}」"
        if _folded(theme.name) in names:
            raise CodebookError(f"{where}: each theme needs its own name; theme {names[_folded(theme.name)]} has it")
        if permanent_id(theme) in ids:
            raise CodebookError(f"{where}: each theme needs its own id; theme {ids[permanent_id(theme)]} has it")
        names[_folded(theme.name)] = ids[permanent_id(theme)] = number
    for number, theme in enumerate(themes, start=1):
        if theme.parent and _folded(theme.parent) in names:
            raise CodebookError(
                f"{file} theme {number} 「{theme.name}」: parent must be the name of a group, "
                f"not of theme {names[_folded(theme.parent)]}"
            )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _row(theme: CodebookTheme) -> dict[str, str]:
    row = {"id": theme.theme_id, "name": theme.name, "description": theme.description, "parent": theme.parent}
    return {key: value or "" for key, value in row.items()}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
