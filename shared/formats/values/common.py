"""The types that events, contacts and tasks share."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum


class Sensitivity(StrEnum):
    """How confidential an item is, according to its owner."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Importance(StrEnum):
    """How important an item is, according to its sender or owner."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Body:
    """A body as plain text, as HTML, or both, as the source provides it.

    If `text` is empty, the writer converts `html` to plain text.
    """

    text: str = ""
    html: str = ""


NO_BODY = Body()


@dataclass(frozen=True, slots=True)
class Person:
    """A name and a mail address; either may be empty. An address without "@" (Exchange's EX) stays unchanged."""

    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an item.

    `data` is None if the bytes are not available: too large, not readable, or only a link (`url`). The data of an
    attached item (a message within an event) is its MIME text, with the media type message/rfc822.
    """

    name: str = ""
    media_type: str = ""
    """Empty if the source has none; the writer then uses application/octet-stream."""
    size: int = 0
    """The size in bytes according to the source."""
    content_id: str = ""
    """The id that an HTML body refers to as "cid:...", without angle brackets."""
    is_inline: bool = False
    data: bytes | None = field(default=None, repr=False)
    url: str = ""


Moment = datetime | date
"""A point in time: an aware UTC datetime, or a date if there is no time of day (an all-day event)."""


def is_day(moment: Moment | None) -> bool:
    """Whether this is a date without a time. In Python every datetime is a date too."""
    return moment is not None and not isinstance(moment, datetime)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Means "never changed" where a file requires a time."""
