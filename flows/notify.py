"""Tell a chat room or a webhook what a night found, through a notification block of Prefect.

A night that cannot tell is published all the same: what was not delivered is told by the next run.
"""

from datetime import date
from typing import Any
from uuid import UUID

from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.blocks.fields import SecretDict
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from flows.config import Notify
from pipeline.cache import text_key
from pipeline.report import Event, Message, Night, render_message
from pipeline.store import Store

_TEXT: dict[str, dict[str, Any]] = {
    "slack": {"text": "*{{subject}}*\n{{body}}"},
    "teams": {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {"type": "TextBlock", "weight": "Bolder", "wrap": True, "text": "{{subject}}"},
                        {"type": "TextBlock", "wrap": True, "text": "{{body}}"},
                    ],
                },
            }
        ],
    },
    "generic": {"subject": "{{subject}}", "body": "{{body}}"},
}


class NotifyError(RuntimeError):
    """A message was not delivered; the text is one line, without the address, which is a secret."""


def notification_block(settings: Notify) -> NotificationBlock:
    """Return the block that delivers: the one named, loaded from the server, or one made for the webhook.

    Raises
    ------
    NotifyError
        If the server has no such block, or it cannot notify.
    """
    if settings.block is None:
        assert settings.webhook
        return CustomWebhookNotificationBlock(
            name="kikitori",
            url="{{address}}",
            json_data=_TEXT[settings.format],
            headers=None,
            cookies=None,
            secrets=SecretDict({"address": settings.webhook.get_secret_value()}),
        )
    try:
        block = Block.load(settings.block)
    except ValueError:
        raise NotifyError(f"notify.block: Prefect knows no block {settings.block}; make it in its UI") from None
    if not isinstance(block, NotificationBlock):
        raise NotifyError(f"notify.block: {settings.block} cannot notify; name a notification block")
    return block


def notify_night(night: Night, link: str, settings: Notify, store: Store, secret: bytes) -> Message | None:
    """Send what is new of a night, once; return it, or None where there was nothing to tell.

    Parameters
    ----------
    link : str
        Address of its report.

    Raises
    ------
    NotifyError
        If it was not delivered; it then counts as not told.
    """
    day = date.fromisoformat(night.business_date)
    known = store.told(day)
    message = render_message(
        night,
        link=link,
        quotes=settings.quotes,
        silent_days=settings.silent_days,
        told=lambda event: event_key(event, secret) in known,
    )
    if message is not None:
        deliver(notification_block(settings), message.subject, message.body, settings.format)
        store.tell(day, (event_key(event, secret) for event in message.events))
    return message


def deliver(block: NotificationBlock, subject: str, body: str, form: str = "generic") -> None:
    """Send a message.

    Raises
    ------
    NotifyError
        If nobody answered, or not with success.
    """
    try:
        with block.raise_on_failure():
            block.notify(subject=_written(subject, form), body=_written(body, form))  # type: ignore[unused-coroutine]
    except Exception as error:  # blocks differ in what they raise, and its text may hold the address
        status = getattr(getattr(error, "response", None), "status_code", None)
        answer = f"the webhook answered {status}" if status else type(error).__name__
        raise NotifyError(f"notify: the message was not delivered ({answer})") from None


def announced_block(settings: Notify, name: str) -> UUID:
    """Return the id of the block on the server; one made for a webhook is saved there, in the place of an earlier one.

    Raises
    ------
    NotifyError
        If the server has no such block.
    """
    block = notification_block(settings)
    if settings.block is None:
        block.save(name, overwrite=True)
    assert block._block_document_id
    return block._block_document_id


def event_key(event: Event, secret: bytes) -> str:
    """Return the keyed hash under which an event is remembered."""
    return text_key("\0".join(event), secret)


def _written(text: str, form: str) -> str:
    """Return the text so that the receiver shows it as it is."""
    if form == "slack":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\n", "\n\n") if form == "teams" else text
