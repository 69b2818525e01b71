"""Rows of workbooks and parquet files, decoded in a child process with bounded memory and time."""

import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

from pipeline.read.archives import Member
from pipeline.read.contract import MAX_CELL, InputError, RawRow, SourceSpec
from pipeline.read.delimited import LONG_CELL
from pipeline.read.header import LOOKED_AT, Pick, find_header, n_found, picker

MAX_MEMORY = 4 << 30  # bytes of the child's address space
MAX_SECONDS = 1800
MAX_UNPACKED = 2 << 30  # bytes of a workbook's parts together; a million rows need some 500 MB
MAX_RATIO = 400  # a sheet of equal rows packs to a hundredth
_CHILD = Path(__file__).with_name("sheet_child.py")
_QUIET = {"RUST_BACKTRACE": "0", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def workbook_rows(member: Member, source: SourceSpec) -> Iterator[RawRow]:
    """Yield the rows of the first sheet that has the configured columns; row numbers are the sheet's."""
    with tempfile.TemporaryFile() as decoded:
        best: tuple[int, pl.DataFrame] | None = None
        for sheet in _blocks(member, decoded, [source.sheet] if source.sheet else []):
            n = n_found(find_header(_texts(sheet.head(LOOKED_AT)), source), source)
            if best is None or n > best[0]:
                best = n, sheet
    if best is None:
        missing = f"no sheet {source.sheet!r}" if source.sheet else "no visible sheet"
        raise InputError(f"{member.name}: {missing} in this workbook")
    yield from _sheet_rows(best[1], member.name, source)


def parquet_rows(member: Member, source: SourceSpec) -> Iterator[RawRow]:
    """Yield the rows of a parquet file; the names count as row 1."""
    with tempfile.TemporaryFile() as decoded:
        number, pick = 2, None
        for block in _blocks(member, decoded, []):
            pick = pick or picker([name.strip() for name in block.columns], source, member.name)
            yield from _rows(block, number, pick)
            number += block.height


def _sheet_rows(sheet: pl.DataFrame, name: str, source: SourceSpec) -> Iterator[RawRow]:
    header = find_header(_texts(sheet.head(LOOKED_AT)), source)
    if not header.names:
        raise InputError(f"{name}: the sheet is empty; expected a header row and responses")
    pick = picker(header.names, source, name)
    yield from _rows(sheet.slice(header.n_rows), header.n_rows + 1, pick)


def _rows(table: pl.DataFrame, first: int, pick: Pick) -> Iterator[RawRow]:
    for number, values in enumerate(table.iter_rows(), start=first):
        cells = ["" if value is None else value for value in values]
        line = "".join(cells)
        if len(line) > MAX_CELL and any(len(cell) > MAX_CELL for cell in cells):
            yield RawRow(number, LONG_CELL, ())
        elif line.strip():
            yield RawRow(number, "", pick(cells))


def _texts(table: pl.DataFrame) -> list[list[str]]:
    return [["" if value is None else value for value in row] for row in table.iter_rows()]


# --- the child -------------------------------------------------------------------------------------------------------


def _blocks(member: Member, decoded: BinaryIO, sheets: list[str]) -> Iterator[pl.DataFrame]:
    with tempfile.TemporaryFile() as packed:
        with member.open() as stream:
            shutil.copyfileobj(stream, packed, 1 << 20)
        packed.seek(0)
        if member.kind != ".parquet":
            _check_workbook(cast(BinaryIO, packed), member.name)
            packed.seek(0)
        command = [sys.executable, "-I", str(_CHILD), member.kind, str(MAX_MEMORY), *sheets]
        try:
            done = subprocess.run(
                command,
                stdin=packed,
                stdout=decoded,
                stderr=subprocess.DEVNULL,
                env=os.environ | _QUIET,
                timeout=MAX_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"{member.name}: not decoded in {MAX_SECONDS} seconds; save it as CSV") from None
    if done.returncode:
        raise InputError(
            f"{member.name}: not a readable {member.kind[1:]} file, or one that needs more than "
            f"{MAX_MEMORY >> 30} GB; open it and save it again, or as CSV"
        )
    decoded.seek(0)
    while length := decoded.read(8):
        yield pl.read_ipc_stream(io.BytesIO(decoded.read(struct.unpack("<Q", length)[0])))


def _check_workbook(packed: BinaryIO, name: str) -> None:
    size = packed.seek(0, io.SEEK_END)
    try:
        with zipfile.ZipFile(packed) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise InputError(f"{name}: not a readable xlsx file; the file is damaged or incomplete") from None
    if unpacked > min(MAX_UNPACKED, max(MAX_RATIO * size, 64 << 20)):
        raise InputError(f"{name}: a workbook that unpacks to {unpacked >> 20:,} MB; save it as CSV")
