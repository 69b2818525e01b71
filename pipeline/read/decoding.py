"""Bytes of a text file to lines, in the encodings that Japanese exports come in.

A damaged byte becomes a mark that no text can hold, so it is told from a U+FFFD that an earlier program wrote.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import TextIO

from pipeline.read.archives import Member
from pipeline.read.contract import InputError

DAMAGED = "\udcff"
TOO_LONG = "\udcfe"
MAX_LINE = 16 * 1024 * 1024  # characters
_SAMPLE = 4 << 20  # bytes
_BLOCK = 1 << 20
_HANDLER = "pipeline.read.damaged"
codecs.register_error(_HANDLER, lambda error: (DAMAGED, error.end if isinstance(error, UnicodeDecodeError) else 0))

# CP932 is Shift_JIS as Windows writes it, with ① and ㈱; EUC_JIS-2004 is EUC-JP with them.
_SUPERSETS = {"shift_jis": "cp932", "utf_8": "utf_8_sig", "euc_jp": "euc_jis_2004"}
_CANDIDATES = ("utf_8_sig", "cp932", "euc_jp", "euc_jis_2004")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
_HALF_KANA = re.compile(r"[\uff61-\uff9f]")
_NOT_ASCII = re.compile(r"[^\0-\x7f]")
_NOT_ASCII_BYTE = re.compile(rb"[\x80-\xff]")


def open_text(member: Member, declared: str | None = None) -> TextIO:
    """Return a file's text, line ends as they are, damaged bytes marked.

    Raises
    ------
    InputError
        If the file is empty or its bytes are text in no known encoding, or not in the declared one.
    """
    encoding = codecs.lookup(declared).name.replace("-", "_") if declared else _find_encoding(member)
    encoding = _SUPERSETS.get(encoding, encoding)
    if declared:
        _check_declared(member, encoding, declared)
    return io.TextIOWrapper(member.open(), encoding=encoding, errors=_HANDLER, newline="")


def lines_of(text: TextIO) -> Iterator[str]:
    """Yield line by line; one of more than MAX_LINE characters comes as a mark alone."""
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            while (rest := text.readline(MAX_LINE)) and rest[-1] not in "\r\n":
                pass
            line = TOO_LONG + "\n"
        yield line


def shown(text: str) -> str:
    """Return text with the marks of damage as the usual replacement character."""
    return text if text.isascii() else text.replace(DAMAGED, "\ufffd").replace(TOO_LONG, "\ufffd")


def _find_encoding(member: Member) -> str:
    with member.open() as stream:
        head = stream.read(4096)
    if not head.strip() and not _has_text(member):
        raise InputError(f"{member.name}: the file is empty; expected a header row and responses")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if wide := _utf_16_without_bom(head):
        return wide
    valid, sample = _utf_8_or_sample(member)
    if valid:
        return "iso2022_jp_ext" if b"\x1b$" in sample else "utf_8_sig"
    return _likeliest(sample, member.name)


def _has_text(member: Member) -> bool:
    with member.open() as stream:
        return any(block.strip() for block in iter(lambda: stream.read(_BLOCK), b""))


def _utf_16_without_bom(head: bytes) -> str | None:
    """Every second byte of ASCII, digits and commas too, is NUL; Japanese alone would not show it."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 8 or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf_16_le" if odd > even else "utf_16_be"


def _utf_8_or_sample(member: Member) -> tuple[bool, bytes]:
    """Tell whether all of the file is UTF-8, and give up to 4 MB from its first byte beyond ASCII on."""
    decoder = codecs.getincrementaldecoder("utf_8")()
    valid, sample = True, b""
    with member.open() as stream:
        while block := stream.read(_BLOCK):
            if len(sample) < _SAMPLE and (sample or _NOT_ASCII_BYTE.search(block) or b"\x1b$" in block):
                sample += block
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                valid = False
            if not valid and len(sample) >= _SAMPLE:
                break
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        valid = False
    return valid, sample


def _likeliest(sample: bytes, name: str) -> str:
    texts = {encoding: _decoded(sample, encoding) for encoding in _CANDIDATES}
    japanese = texts["cp932"]
    # EUC-JP read as CP932 is legal and comes out as half-width kana.
    if DAMAGED not in japanese and len(_HALF_KANA.findall(japanese)) <= 0.8 * len(_NOT_ASCII.findall(japanese)):
        return "cp932"
    faults = {
        encoding: text.count(DAMAGED) + len(_HALF_KANA.findall(text)) for encoding, text in texts.items()
    }
    best = min(_CANDIDATES, key=faults.__getitem__)
    if texts[best].count(DAMAGED) > 0.05 * len(texts[best]):
        raise InputError(
            f"{name}: text in none of UTF-8, CP932, EUC-JP and UTF-16; save the export as UTF-8 or set encoding"
        )
    return best


def _check_declared(member: Member, encoding: str, declared: str) -> None:
    with member.open() as stream:
        sample = stream.read(_SAMPLE)
    if not sample.strip() and not _has_text(member):
        raise InputError(f"{member.name}: the file is empty; expected a header row and responses")
    text = _decoded(sample, encoding)
    if text.count(DAMAGED) > 0.05 * len(text):
        raise InputError(f"{member.name}: not text in {declared}; correct or remove encoding")


def _decoded(sample: bytes, encoding: str) -> str:
    try:
        return sample.decode(encoding, _HANDLER)
    except UnicodeError:  # UTF-16 and UTF-32 without their mark
        return DAMAGED
