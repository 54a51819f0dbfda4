"""What events, contacts and tasks have in common."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum


class Sensitivity(StrEnum):
    """How confidential the owner says that an item is."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Importance(StrEnum):
    """How important the sender or owner says that an item is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Body:
    """A body as plain text, as HTML, or both; each is the source's own where it gives one.

    Without `text`, the writer makes plain text of `html`.
    """

    text: str = ""
    html: str = ""


NO_BODY = Body()


@dataclass(frozen=True, slots=True)
class Person:
    """A name and a mail address; either may be empty. An address without "@" (Exchange's EX) is kept as it is."""

    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to an item.

    `data` is None when the bytes are not here: too large, not readable, or a link to another place (`url`).
    An attached item (a message within an event) is its MIME text, with the media type message/rfc822.
    """

    name: str = ""
    media_type: str = ""
    """Empty when the source does not say; the writer then uses application/octet-stream."""
    size: int = 0
    """Bytes, as the source says."""
    content_id: str = ""
    """What an HTML body refers to as "cid:..."; without angle brackets."""
    is_inline: bool = False
    data: bytes | None = field(default=None, repr=False)
    url: str = ""


Moment = datetime | date
"""A point in time: an aware UTC datetime, or a date for what has days and no times (an all-day event)."""


def is_day(moment: Moment | None) -> bool:
    """Whether this is a day and no time: every datetime is a date to Python."""
    return moment is not None and not isinstance(moment, datetime)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for "never changed" where a file must name a time."""
