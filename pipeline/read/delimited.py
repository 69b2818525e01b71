"""Rows of csv and tsv files, read as a stream; the delimiter is found by the configured columns.

Row numbers are a spreadsheet's: the first record is row 1, a record whose cell holds line breaks is one row.
"""

import csv
from collections.abc import Iterator
from itertools import chain, islice

from pipeline.read.archives import Member
from pipeline.read.contract import MAX_CELL, RawRow, SourceSpec
from pipeline.read.decoding import DAMAGED, TOO_LONG, lines_of, open_text, shown
from pipeline.read.header import LOOKED_AT, Header, Pick, find_header, n_found, picker

DELIMITERS = ",\t;|"
UNCLOSED = "a quotation mark is opened and never closed"
LONG_CELL = f"a cell is longer than {MAX_CELL:,} characters"
NOT_TEXT = "bytes that are not text in the file's encoding"
_HEAD_LINES = 4 * LOOKED_AT
_LOOKED_INTO = 200  # lines of a record


def delimited_rows(member: Member, source: SourceSpec) -> Iterator[RawRow]:
    """Yield the rows below the header; their cells are those of `picker`."""
    csv.field_size_limit(MAX_CELL)
    with open_text(member, source.encoding) as text:
        lines = lines_of(text)
        head = list(islice(lines, _HEAD_LINES))
        delimiter, header = _layout(head, source)
        width = len(header.names)
        pick = picker(header.names, source, member.name)
        for number, (cells, fault) in enumerate(records(chain(head, lines), delimiter, width), start=1):
            if number > header.n_rows and (fault or "".join(cells).strip()):
                yield _row(number, cells, fault, width, pick)


def records(lines: Iterator[str], delimiter: str, width: int) -> Iterator[tuple[list[str], str]]:
    """Yield each record's cells and its fault.

    A quotation mark that is never closed swallows the lines below it: to the end of the file, or to the next
    quotation mark. Then only the line it stands in is lost, and reading goes on below that line.
    """
    while True:
        taken: list[str] = []
        open_lines = _Lines(lines, taken)
        try:
            for cells in csv.reader(open_lines, delimiter=delimiter):
                if len(taken) > 1 and _swallowed(taken, cells, delimiter, width, open_lines.ended):
                    break
                yield cells, ""
                taken.clear()
            else:
                return
            yield [], UNCLOSED
            lines = chain(taken[1:], lines)
        except csv.Error:  # the cell is over csv.field_size_limit
            if _holds_rows(taken[1:], delimiter, width):
                yield [], UNCLOSED
                lines = chain(taken[1:], lines)
                continue
            yield [], LONG_CELL
            if sum(line.count('"') for line in taken) % 2:
                lines = _below_cell(lines)


class _Lines:
    """Lines on their way to the csv module, those of the open record kept."""

    def __init__(self, lines: Iterator[str], taken: list[str]) -> None:
        self._lines, self._taken, self.ended = lines, taken, False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            line = next(self._lines)
        except StopIteration:
            self.ended = True
            raise
        self._taken.append(line)
        return line


def _swallowed(taken: list[str], cells: list[str], delimiter: str, width: int, ended: bool) -> bool:
    if ended and sum(line.count('"') for line in taken) % 2:
        return True
    return len(cells) != width and _holds_rows(taken[1:], delimiter, width)


def _holds_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Tell whether some of the lines are rows by themselves; with two columns, words with a comma would be."""
    rows = (next(csv.reader([line], delimiter=delimiter), []) for line in lines[:_LOOKED_INTO])
    return width > 2 and any(len(cells) == width for cells in rows)


def _below_cell(lines: Iterator[str]) -> Iterator[str]:
    """Drop the rest of an enormous cell: up to the line that closes its quotation mark."""
    for line in lines:
        if line.count('"') % 2:
            break
    return lines


def _layout(head: list[str], source: SourceSpec) -> tuple[str, Header]:
    """Return the delimiter by which the header has most of the configured columns."""
    best: tuple[tuple[int, int], str, Header] | None = None
    for delimiter in source.delimiter or DELIMITERS:
        rows = [cells for cells, _ in islice(records(iter(head), delimiter, 0), LOOKED_AT)]
        header = find_header(rows, source)
        rank = (n_found(header, source), len(header.names))
        if best is None or rank > best[0]:
            best = rank, delimiter, header
    assert best is not None
    return best[1], best[2]


def _row(number: int, cells: list[str], fault: str, width: int, pick: Pick) -> RawRow:
    if fault:
        return RawRow(number, fault, ())
    if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
        long = any(TOO_LONG in cell for cell in cells)
        fault = LONG_CELL if long else f"the row has {len(cells)} cells, the header {width}"
        return RawRow(number, fault, ())
    line = "".join(cells)
    if len(line) > MAX_CELL and any(len(cell) > MAX_CELL for cell in cells):
        return RawRow(number, LONG_CELL, ())
    if line.isascii() or (DAMAGED not in line and TOO_LONG not in line):
        return RawRow(number, "", pick(cells))
    return RawRow(number, LONG_CELL if TOO_LONG in line else NOT_TEXT, pick([shown(cell) for cell in cells]))

