"""Files that are one row each: a conversation as txt, a mail as eml."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipeline.read.archives import Member
from pipeline.read.contract import MAX_CELL, InputError, RawRow, SourceSpec
from pipeline.read.decoding import DAMAGED, open_text, shown
from pipeline.read.delimited import LONG_CELL, NOT_TEXT
from pipeline.read.header import content_id
from pipeline.read.mail import MAX_MAIL, parsed_mail

SINGLE_ROLES = ("id", "text", "received_at", "customer")
_DAY = re.compile(
    r"(?<!\d)(20\d{2})[-_]?([01]\d)[-_]?([0-3]\d)(?:[T_-]?([0-2]\d)[-_]?([0-5]\d)(?:[-_]?([0-5]\d))?)?(?!\d)"
)


def is_single(member: Member, source: SourceSpec) -> bool:
    """Tell whether a file is one row: mails always, texts where a source holds conversations or mails."""
    return member.kind == ".eml" or (member.kind == ".txt" and source.kind in {"transcript", "email"})


def single_row(member: Member, source: SourceSpec) -> Iterator[RawRow]:
    """Yield the one row of a file: the values of SINGLE_ROLES, then blank segments.

    The id is the file's name without suffix; the date is the mail's own, else the one in the name.
    """
    blank = ("",) * len(source.segments)
    stem = PurePosixPath(member.name).stem
    if member.kind == ".eml":
        yield _mail_row(member, stem, blank)
        return
    with open_text(member, source.encoding) as text:
        words = text.read(MAX_CELL + 1)
    fault = LONG_CELL if len(words) > MAX_CELL else NOT_TEXT if DAMAGED in words else ""
    yield RawRow(1, fault, (stem, "" if fault else shown(words), _date_in(stem), "", *blank))


def _mail_row(member: Member, stem: str, blank: tuple[str, ...]) -> RawRow:
    with member.open() as stream:
        data = stream.read(MAX_MAIL + 1)
    if not data.strip():
        raise InputError(f"{member.name}: the file is empty; expected a mail")
    if len(data) > MAX_MAIL:
        return RawRow(1, f"the mail is larger than {MAX_MAIL >> 20} MB", (stem, "", "", "", *blank))
    try:
        mail = parsed_mail(data)
    except ValueError as error:
        return RawRow(1, str(error), (stem, "", "", "", *blank))
    identity = content_id([("Message-ID", mail.message_id)]) if mail.message_id else stem
    text = mail.text.encode("utf-8", "replace").decode()
    fault = LONG_CELL if len(text) > MAX_CELL else ""
    return RawRow(1, fault, (identity, "" if fault else text, mail.date or _date_in(stem), mail.sender, *blank))


def _date_in(stem: str) -> str:
    found = _DAY.search(stem)
    return "{}-{}-{} {}:{}:{}".format(*found.groups("00")) if found else ""
