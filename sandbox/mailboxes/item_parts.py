"""Parts of items besides their properties: changed occurrences, files, checklist steps, corruption."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class ChangedOccurrence:
    """One changed occurrence of a series: its own start and end, and the properties that differ."""

    start: datetime
    end: datetime
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an item. `is_photo`: the photo of a contact."""

    name: str
    content_type: str
    content: bytes
    is_inline: bool = False
    content_id: str = ""
    is_photo: bool = False


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One step of a task."""

    name: str
    is_checked: bool = False


@dataclass(slots=True)
class Corruption:
    """The error that GetItem gives for an unreadable item; `times` None means forever."""

    code: str
    times: int | None = None
