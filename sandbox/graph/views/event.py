"""The event entity: a single one, a series as its master, or one occurrence of a series.

Source: learn.microsoft.com/graph/api/resources/event. Times are UTC unless the client prefers a zone; all-day events go
from midnight to midnight whatever the zone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.graph.views.attachment import expanded_attachments
from sandbox.graph.views.entity import (
    ABSENT,
    Context,
    Entity,
    extended_navigation,
    html_body,
    lower_first,
    recipient,
    stamp,
    texts,
)
from sandbox.graph.views.recurrence import recurrence
from sandbox.graph.wire import times
from sandbox.graph.wire.ids import item_id, rest_id
from sandbox.graph.wire.query import Expand, Query
from sandbox.graph.wire.request import Json
from sandbox.graph.wire.spelling import change_key, saved
from sandbox.mailboxes.calendar.events import Occurrence, pattern_of, span, zone_of
from sandbox.mailboxes.calendar.zones import from_definition
from sandbox.mailboxes.fragments import T, children, parse_fragment, text_of
from sandbox.mailboxes.items import content, mime
from sandbox.mailboxes.store import Item


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is shown; of a series perhaps one occurrence."""

    item: Item
    occurrence: Occurrence | None = None

    def fragment(self, name: str) -> str:
        """What was put there: the occurrence's own where it was changed, else the series'."""
        changed = self.occurrence.changed if self.occurrence else None
        return (changed.properties.get(name) if changed else None) or self.item.properties.get(name, "")

    def text(self, name: str, default: str = "") -> str:
        """The text of a simple property."""
        fragment = self.fragment(name)
        return text_of(fragment) if fragment else default

    @property
    def is_master(self) -> bool:
        """Whether it stands for a whole series."""
        return self.occurrence is None and "Recurrence" in self.item.properties

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When it starts and ends."""
        return (self.occurrence.start, self.occurrence.end) if self.occurrence else span(self.item)


def is_event(item: Item) -> bool:
    """Whether an item is an event."""
    return item.element == "CalendarItem"


def event_type(event: Event) -> str:
    """The member of eventType."""
    if event.occurrence is not None:
        return "exception" if event.occurrence.changed else "occurrence"
    return "seriesMaster" if event.is_master else "singleInstance"


def event_time(which: int) -> Callable[[Event, Context], Json]:
    """The start (0) or the end (1)."""

    def read(event: Event, context: Context) -> Json:
        moment = event.span[which]
        if event.text("IsAllDayEvent") == "true":
            return times.midnight(zone_of(event.item).wall(moment), context.prefer)
        return times.zoned(moment, context.prefer)

    return read


def _id(event: Event, context: Context) -> str:
    return item_id(event.item, context.immutable, event.occurrence.original if event.occurrence else None)


def _zone_name(name: str) -> Callable[[Event, Context], str]:
    def read(event: Event, context: Context) -> str:
        fragment = event.item.properties.get(name)
        return from_definition(parse_fragment(fragment)).id if fragment else zone_of(event.item).id

    return read


def _ical_uid(event: Event, context: Context) -> str:
    """The UID; an occurrence's has its date within (bytes 17 to 20 of the global object id)."""
    uid = event.item.text("UID")
    if event.occurrence is None or len(uid) < 40:
        return uid
    day = zone_of(event.item).wall(event.occurrence.original)
    return f"{uid[:32]}{day.year:04X}{day.month:02X}{day.day:02X}{uid[40:]}"


def _location(event: Event, context: Context) -> Json:
    name = event.text("Location")
    if not name:
        return {"displayName": "", "locationType": "default", "uniqueIdType": "unknown"}
    return {"displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private"}


def _locations(event: Event, context: Context) -> list[Json]:
    return [_location(event, context)] if event.text("Location") else []


_RESPONSES = {
    "Organizer": "organizer",
    "Tentative": "tentativelyAccepted",
    "Accept": "accepted",
    "Decline": "declined",
    "NoResponseReceived": "notResponded",
}
_ATTENDEES = (("RequiredAttendees", "required"), ("OptionalAttendees", "optional"), ("Resources", "resource"))


def _attendees(event: Event, context: Context) -> list[Json]:
    found = []
    for name, kind in _ATTENDEES:
        fragment = event.fragment(name)
        for attendee in children(parse_fragment(fragment)) if fragment else ():
            shown = attendee.findtext(f"{T}Mailbox/{T}Name") or ""
            address = attendee.findtext(f"{T}Mailbox/{T}EmailAddress") or ""
            response = _RESPONSES.get(attendee.findtext(f"{T}ResponseType") or "", "none")
            status = {"response": response, "time": attendee.findtext(f"{T}LastResponseTime") or times.NEVER}
            found.append({"type": kind, "status": status, **recipient(shown, address)})
    return found


def _is_meeting(event: Event) -> bool:
    return any(event.fragment(name) for name, _ in _ATTENDEES)


def _response(event: Event, context: Context) -> Json:
    own = event.text("MyResponseType") or ("Organizer" if _is_meeting(event) else "")
    return {"response": _RESPONSES.get(own, "none"), "time": event.text("AppointmentReplyTime") or times.NEVER}


def _organizer(event: Event, context: Context) -> Json | None:
    found = mime.people(event.fragment("Organizer"))
    return recipient(*found[0]) if found else None


_BUSY = {
    "Free": "free",
    "Tentative": "tentative",
    "Busy": "busy",
    "OOF": "oof",
    "WorkingElsewhere": "workingElsewhere",
}


def _bodies(event: Event) -> tuple[str, str]:
    return content.bodies(event.item, event.fragment("Body"))


def _body(event: Event, context: Context) -> Json:
    plain, html = _bodies(event)
    return html_body(html, plain, context.prefer)


def _online(event: Event, context: Context) -> Json | None:
    url = event.text("JoinOnlineMeetingUrl")
    return {"joinUrl": url} if url else None


def _master_id(event: Event, context: Context) -> str | None:
    return item_id(event.item, context.immutable) if event.occurrence else None


def _original_start(event: Event, context: Context) -> Any:
    return stamp(event.occurrence.original) if event.occurrence else ABSENT


def _cancelled(event: Event, context: Context) -> Any:
    """The days that were taken out of a series, as `OID.{master's id}.{day in the zone of the series}`."""
    if not event.is_master:
        return ABSENT
    zone, master = zone_of(event.item), item_id(event.item, context.immutable)
    return [f"OID.{master}.{zone.wall(moment):%Y-%m-%d}" for moment in sorted(event.item.deleted)]


def _exceptions(event: Event, context: Context, expand: Expand) -> Any:
    """The occurrences of a series that were changed."""
    if not event.is_master:
        return ABSENT
    options = [(name, value) for name, value in expand.options.items() if name in ("$select", "$expand")]
    shape, found = EVENT.shape(Query(options)), sorted(event.item.exceptions.items())
    changed = [Occurrence(original, one.start, one.end, one) for original, one in found]
    return [shape.show(Event(event.item, one), context) for one in changed]


EVENT: Entity[Event] = Entity(
    name="event",
    properties={
        "id": _id,
        "createdDateTime": lambda event, context: stamp(event.item.created),
        "lastModifiedDateTime": lambda event, context: stamp(saved(event.item.modified)),
        "changeKey": lambda event, context: change_key(event.item.change_key),
        "categories": lambda event, context: texts(event.fragment("Categories")),
        "transactionId": lambda event, context: None,
        "originalStartTimeZone": _zone_name("StartTimeZone"),
        "originalEndTimeZone": _zone_name("EndTimeZone"),
        "iCalUId": _ical_uid,
        "reminderMinutesBeforeStart": lambda event, context: int(event.text("ReminderMinutesBeforeStart", "0")),
        "isReminderOn": lambda event, context: event.text("ReminderIsSet") == "true",
        "hasAttachments": lambda event, context: any(not one.is_inline for one in event.item.attachments),
        "subject": lambda event, context: event.text("Subject"),
        "bodyPreview": lambda event, context: _bodies(event)[0][:255],
        "importance": lambda event, context: lower_first(event.text("Importance", "Normal")),
        "sensitivity": lambda event, context: lower_first(event.text("Sensitivity", "Normal")),
        "isAllDay": lambda event, context: event.text("IsAllDayEvent") == "true",
        "isCancelled": lambda event, context: event.text("IsCancelled") == "true",
        "isOrganizer": lambda event, context: event.text("IsOrganizer", "true") == "true",
        "responseRequested": lambda event, context: event.text("IsResponseRequested", "true") == "true",
        "seriesMasterId": _master_id,
        "showAs": lambda event, context: _BUSY.get(event.text("LegacyFreeBusyStatus", "Busy"), "unknown"),
        "type": lambda event, context: event_type(event),
        "webLink": lambda event, context: f"https://outlook.office365.com/owa/?itemid={rest_id(event.item.id)}",
        "onlineMeetingUrl": lambda event, context: None,
        "isOnlineMeeting": lambda event, context: event.text("IsOnlineMeeting") == "true",
        "onlineMeetingProvider": lambda event, context: (
            "teamsForBusiness" if event.text("IsOnlineMeeting") == "true" else "unknown"
        ),
        "allowNewTimeProposals": lambda event, context: event.text("AllowNewTimeProposal", "true") == "true",
        "isDraft": lambda event, context: False,
        "hideAttendees": lambda event, context: False,
        "originalStart": _original_start,
        "recurrence": lambda event, context: (
            recurrence(pattern_of(event.item), zone_of(event.item).id) if event.is_master else None
        ),
        "responseStatus": _response,
        "body": _body,
        "start": event_time(0),
        "end": event_time(1),
        "location": _location,
        "locations": _locations,
        "attendees": _attendees,
        "organizer": _organizer,
        "onlineMeeting": _online,
        "cancelledOccurrences": _cancelled,
    },
    navigation={
        "attachments": lambda event, context, expand: expanded_attachments(event.item, context, expand),
        "exceptionOccurrences": _exceptions,
        **extended_navigation(lambda event, asked: asked.of_item(event.item)),
    },
    hidden=frozenset({"cancelledOccurrences"}),
    etag=lambda event: change_key(event.item.change_key),
)
