"""Decodes and validates queue messages. An invalid message raises an error and ends in the poison queue."""

import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from shared.errors import MailboxSyncError


class MessageMalformed(MailboxSyncError):
    """A queue message that this program cannot have sent."""


def required_number(message: func.QueueMessage, name: str) -> int:
    """Return a whole number that the message must carry."""
    value = _decoded(message).get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MessageMalformed(f"the message carries no number named {name}")
    return value


def optional_number(message: func.QueueMessage, name: str) -> int | None:
    """Return a whole number that the message may carry."""
    return required_number(message, name) if name in _decoded(message) else None


def time_in(message: func.QueueMessage, name: str) -> datetime | None:
    """Return a time that the message may carry, in seconds since 1970."""
    seconds = optional_number(message, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise MessageMalformed(f"the message carries no time named {name}") from exc


def has_flag(message: func.QueueMessage, name: str) -> bool:
    """Whether the message carries this flag."""
    return _decoded(message).get(name) is True


def carries(message: func.QueueMessage, name: str) -> bool:
    """Whether the message carries a value of this name."""
    return name in _decoded(message)


def mailbox_id_of(message: func.QueueMessage) -> str:
    """Return the mailbox id that the message must carry."""
    return required_id(message, "mailbox")


def required_id(message: func.QueueMessage, name: str) -> str:
    """Return an id that the message must carry."""
    value = _decoded(message).get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.replace("-", "").isalnum():
        raise MessageMalformed(f"the message carries no {name} id")
    return value


def _decoded(message: func.QueueMessage) -> dict[str, Any]:
    try:
        members = json.loads(message.get_body())
    except ValueError as error:
        raise MessageMalformed("the message is not JSON") from error
    if not isinstance(members, dict):
        raise MessageMalformed("the message is not a JSON object")
    return members
