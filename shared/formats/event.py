"""An event: an appointment, a meeting, or a whole series with its changed occurrences."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.formats.common import NO_BODY, Attachment, Body, Importance, Moment, Person, Sensitivity, is_day
from shared.formats.recurrence import Recurrence
from shared.formats.zone import TimeZone


class BusyStatus(StrEnum):
    """What the owner's calendar shows to others."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out_of_office"
    WORKING_ELSEWHERE = "working_elsewhere"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What an attendee was invited as."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class Response(StrEnum):
    """What somebody answered to an invitation."""

    NONE = "none"
    ORGANIZER = "organizer"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody, or something, that was invited."""

    person: Person
    role: Role = Role.REQUIRED
    response: Response = Response.NONE
    responded: datetime | None = None
    """When they answered, UTC."""


@dataclass(frozen=True, slots=True)
class Event:
    """One calendar item.

    All moments of an event are dates when it is an all-day event, and aware UTC datetimes when it is not; `end` is the
    first moment after it. A changed occurrence within `exceptions` may differ from its series in this.
    """

    uid: str = ""
    """The UID that all copies of a meeting share (EWS: UID, Graph: iCalUId); empty when the source has none."""
    start: Moment | None = None
    end: Moment | None = None
    start_zone: TimeZone | None = None
    """The zone in which the start was entered; None: UTC, or not known."""
    end_zone: TimeZone | None = None
    """The zone of the end; None: that of the start."""
    subject: str = ""
    body: Body = NO_BODY
    locations: tuple[str, ...] = ()
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    is_meeting: bool = False
    """Others were invited: only then is the organizer somebody to be answered."""
    is_canceled: bool = False
    response: Response | None = None
    """What the mailbox's owner answered."""
    sensitivity: Sensitivity = Sensitivity.NORMAL
    importance: Importance = Importance.NORMAL
    busy: BusyStatus | None = None
    """None: the source does not say."""
    categories: tuple[str, ...] = ()
    reminder_minutes: int | None = None
    """Minutes before the start; negative: after it ("9 AM on the day" of an all-day event); None: no reminder."""
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
    """The starts, by the pattern, of occurrences that were deleted."""
    original_start: Moment | None = None
    """In a single occurrence of a series: the start that it has by the pattern.

    It is set in `exceptions`, and in an event of its own when somebody was invited to that one occurrence only.
    """

    @property
    def is_all_day(self) -> bool:
        """Whether it has days and no times."""
        return is_day(self.start)
