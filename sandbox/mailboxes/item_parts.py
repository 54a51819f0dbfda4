"""What items hold besides their properties: changed occurrences, files, steps, and what is wrong with them."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class ChangedOccurrence:
    """One occurrence of a series that was changed: its own start and end, and the properties that differ."""

    start: datetime
    end: datetime
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an item. `is_photo`: the picture of a contact."""

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
    """What GetItem answers for an item that cannot be read; `times` None means for ever."""

    code: str
    times: int | None = None
