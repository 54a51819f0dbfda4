"""The typed value of an event: an appointment, a meeting, or a series with its changed occurrences."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.formats.values.common import NO_BODY, Attachment, Body, Importance, Moment, Person, Sensitivity, is_day
from shared.formats.values.recurrence import Recurrence
from shared.formats.values.zone import TimeZone


class BusyStatus(StrEnum):
    """How the owner's calendar shows the time of an event to others."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out_of_office"
    WORKING_ELSEWHERE = "working_elsewhere"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """The role in which an attendee was invited."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class Response(StrEnum):
    """The response to an invitation."""

    NONE = "none"
    ORGANIZER = "organizer"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Attendee:
    """A person or a resource that was invited."""

    person: Person
    role: Role = Role.REQUIRED
    response: Response = Response.NONE
    responded: datetime | None = None
    """The time of the response, UTC."""


@dataclass(frozen=True, slots=True)
class Event:
    """One calendar item.

    All moments of an all-day event are dates; those of any other event are aware UTC datetimes. `end` is exclusive. A
    changed occurrence in `exceptions` may differ from its series in this.
    """

    uid: str = ""
    """The UID that all copies of a meeting share (EWS: UID, Graph: iCalUId); empty if the source has none."""
    start: Moment | None = None
    end: Moment | None = None
    start_zone: TimeZone | None = None
    """The zone in which the start was entered; None if it is UTC or unknown."""
    end_zone: TimeZone | None = None
    """The zone of the end; None if it is that of the start."""
    subject: str = ""
    body: Body = NO_BODY
    locations: tuple[str, ...] = ()
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    is_meeting: bool = False
    """Whether others were invited. Only then does the organizer expect responses."""
    is_canceled: bool = False
    response: Response | None = None
    """The response of the mailbox's owner."""
    sensitivity: Sensitivity = Sensitivity.NORMAL
    importance: Importance = Importance.NORMAL
    busy: BusyStatus | None = None
    """None if the source has no status."""
    categories: tuple[str, ...] = ()
    reminder_minutes: int | None = None
    """Minutes before the start; negative after it ("9 AM on the day" of an all-day event); None if no reminder."""
    join_url: str = ""
    """The link to join an online meeting."""
    attachments: tuple[Attachment, ...] = ()
    sequence: int = 0
    created: datetime | None = None
    modified: datetime | None = None
    recurrence: Recurrence | None = None
    exceptions: tuple["Event", ...] = ()
    """The changed occurrences of a series, each with its `original_start`."""
    canceled_occurrences: tuple[Moment, ...] = ()
    """The starts by the pattern of deleted occurrences."""
    original_start: Moment | None = None
    """The start by the pattern, for a single occurrence of a series; None for other events.

    It is set in `exceptions`, and in a separate event if somebody was invited to this one occurrence only.
    """

    @property
    def is_all_day(self) -> bool:
        """Whether the event has dates without times."""
        return is_day(self.start)
