"""Zendesk tickets: what the requester wrote in public, and how they rated the answer."""

from collections.abc import Iterator
from typing import Any

from pipeline.mask import NO_WORDS, WordList, mask_messages
from pipeline.read.archives import Member
from pipeline.read.contract import MAX_CELL, RawRow, SourceSpec
from pipeline.read.delimited import LONG_CELL
from pipeline.read.json_rows import as_text, json_objects, looked_up
from pipeline.read.mail import own_words, text_of_html

TICKET_ROLES = ("id", "text", "score", "received_at", "customer")


def ticket_roles(source: SourceSpec) -> tuple[str, ...]:
    """Return the roles of a ticket's cells: the fixed ones, and those the config adds."""
    return tuple(dict.fromkeys((*TICKET_ROLES, *source.columns)))


def ticket_rows(member: Member, source: SourceSpec, words: WordList = NO_WORDS) -> Iterator[RawRow]:
    """Yield a row for every ticket: the values of `ticket_roles`, then the segments.

    The thread is masked whole, by pattern and dialogue, before the agents' comments are left out.
    """
    roles = ticket_roles(source)
    for number, fault, ticket in json_objects(member, source):
        values = _values(ticket, source, words)
        cells = (*(values.get(role, "") for role in roles), *(as_text(looked_up(ticket, s)) for s in source.segments))
        too_long = any(len(cell) > MAX_CELL for cell in cells)
        yield RawRow(number, fault or (LONG_CELL if too_long else ""), () if too_long else cells)


def _values(ticket: dict[str, Any], source: SourceSpec, words: WordList) -> dict[str, str]:
    requester = ticket.get("requester_id", looked_up(ticket, "requester.id"))
    values = {
        "id": ticket.get("id"),
        "text": _words(ticket, requester, words),
        "received_at": ticket.get("created_at"),
        "customer": requester,
        "score": looked_up(ticket, f"custom_fields.{source.score_field}") if source.score_field else None,
    }
    mapped = {role: looked_up(ticket, column) for role, column in source.columns.items() if role != "text"}
    return {role: as_text(value).strip() for role, value in (values | mapped).items()}


def _words(ticket: dict[str, Any], requester: Any, words: WordList) -> str:
    comments = ticket.get("comments")
    comments = [c for c in comments if isinstance(c, dict)] if isinstance(comments, list) else []
    own = [_is_own(comment, requester) for comment in comments]
    bodies = [_body(comment) for comment in comments]
    submitter = ticket.get("submitter_id", requester)
    if not comments and as_text(submitter) == as_text(requester):  # the description is the first comment
        own, bodies = [True], [own_words(as_text(ticket.get("description")))]
    rating = as_text(looked_up(ticket, "satisfaction_rating.comment"))
    masked = mask_messages([*bodies, rating], words)
    said = [body for body, is_own in zip(masked, [*own, True], strict=True) if is_own]
    return "\n".join(filter(None, map(str.strip, said)))


def _is_own(comment: dict[str, Any], requester: Any) -> bool:
    public = comment.get("public", True) in (True, "true")
    return public and requester is not None and as_text(comment.get("author_id")) == as_text(requester)


def _body(comment: dict[str, Any]) -> str:
    written = comment.get("plain_body") or comment.get("body")
    return own_words(as_text(written) if written else text_of_html(as_text(comment.get("html_body"))))
