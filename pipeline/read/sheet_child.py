"""Decode a workbook or parquet file from standard input, in a process of its own; imports nothing of the project.

The libraries that decode these formats end their process on some malformed files, and take as much memory as a
file claims to need: a workbook of 5 KB whose last cell is XFD1048576 asks for 550 GB. Here that costs a child.

Output: blocks of an Arrow IPC stream, each after its length in 8 bytes; all cells are text.
"""

import io
import resource
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO

ROWS = 20_000


def main(kind: str, sheets: list[str], memory: int) -> None:
    """Write the blocks of a parquet file, or of a workbook's sheets one after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import polars as pl

    def parquet(data: bytes) -> Iterator[pl.DataFrame]:
        scan = pl.scan_parquet(io.BytesIO(data))
        schema = scan.collect_schema()
        n_rows = scan.select(pl.len()).collect().item()
        for start in range(0, max(1, n_rows), ROWS):
            block = scan.slice(start, ROWS).collect()
            yield block.select(*[as_text(name, schema[name]) for name in schema])

    def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
        column = pl.col(name)
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%d %H:%M:%S%.6fZ")
        if isinstance(dtype, pl.Struct):
            return column.struct.json_encode()
        if isinstance(dtype, pl.List | pl.Array):
            return column.cast(pl.List(pl.Utf8), strict=False).list.join("\n")
        return column.cast(pl.Utf8, strict=False)

    def workbook(data: bytes) -> Iterator[pl.DataFrame]:
        import fastexcel

        book = fastexcel.read_excel(data)
        names = [name for name in sheets if name in book.sheet_names] if sheets else book.sheet_names
        for name in names:
            sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            if sheet.visible == "visible" or sheets:
                yield sheet.to_polars()

    data = sys.stdin.buffer.read()
    for block in (parquet if kind == ".parquet" else workbook)(data):
        send(block, sys.stdout.buffer)


def send(block: object, out: BinaryIO) -> None:
    """Write one table after its length."""
    packed = io.BytesIO()
    block.write_ipc_stream(packed)  # type: ignore[attr-defined]
    out.write(struct.pack("<Q", packed.tell()))
    out.write(packed.getvalue())
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3:], int(sys.argv[2]))
