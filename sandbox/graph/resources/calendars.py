"""Calendars and events: lists, single events, the delta of a calendar, and what happens between two times.

Sources: learn.microsoft.com/graph/api/user-list-calendars, /event-get, /event-delta, /calendar-list-calendarview.
"""

from datetime import timedelta

from sandbox.graph.call import Call
from sandbox.graph.changes import DeltaResource, Options
from sandbox.graph.delta import Tracked
from sandbox.graph.resources import attachments
from sandbox.graph.resources.messages import fail_if_corrupt
from sandbox.graph.views.calendar import CALENDAR, is_calendar
from sandbox.graph.views.entity import Shape, stamp
from sandbox.graph.views.event import EVENT, Event, is_event
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import GraphError, not_found, parse_error
from sandbox.graph.wire.filters import compile_filter, order
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.graph.wire.times import read_moment
from sandbox.mailboxes.calendar.events import between
from sandbox.mailboxes.store import Folder, Item

LARGEST_VIEW = timedelta(days=1825)

_LIST_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count")
_CALENDAR_FILTERS = {"name": lambda folder: folder.name, "id": lambda folder: ids.rest_id(folder.id)}
_EVENT_FILTERS = {
    "subject": lambda event: event.text("Subject"),
    "iCalUId": lambda event: event.item.text("UID"),
    "start/dateTime": lambda event: stamp(event.span[0]).removesuffix("Z"),
    "end/dateTime": lambda event: stamp(event.span[1]).removesuffix("Z"),
    "createdDateTime": lambda event: stamp(event.item.created),
    "lastModifiedDateTime": lambda event: stamp(event.item.modified),
}


def list_calendars(call: Call) -> GraphResponse:
    """Every calendar of the person."""
    call.query.allow(*_LIST_OPTIONS)
    found = [folder for folder in call.mailbox.top().below() if is_calendar(folder) and not _is_deleted(folder)]
    fits = compile_filter(call.query.text("$filter"), _CALENDAR_FILTERS, "calendar")
    found = order([one for one in found if fits(one)], call.query.text("$orderby"), _CALENDAR_FILTERS, "calendar")
    shape = CALENDAR.shape(call.query)
    return call.listing("calendars", "calendars", found, lambda folder: shape.show(folder, call.context))


def _is_deleted(folder: Folder) -> bool:
    return folder.is_within(folder.mailbox.distinguished["deleteditems"])


def get_calendar(call: Call, calendar: str = "") -> GraphResponse:
    """One calendar, without an id the default one."""
    call.query.allow("$select", "$expand")
    return call.entity("calendars", CALENDAR.shape(call.query).show(_calendar(call, calendar), call.context))


def _calendar(call: Call, named: str) -> Folder:
    folder = call.folder(named or "calendar")
    if not is_calendar(folder):
        raise not_found()
    return folder


def _path(folder: Folder) -> str:
    return f"calendars('{ids.rest_id(folder.id)}')/events"


# Events


def list_events(call: Call, calendar: str = "") -> GraphResponse:
    """Single events and masters of series."""
    call.query.allow(*_LIST_OPTIONS)
    folder = _calendar(call, calendar)
    found = [Event(item) for item in folder.items.values() if is_event(item)]
    return _list(call, _path(folder), found, "start/dateTime desc")


def _list(call: Call, path: str, found: list[Event], default_order: str) -> GraphResponse:
    shape = EVENT.shape(call.query)
    if shape.select and {"cancelledOccurrences", "exceptionOccurrences"} & set(shape.select):
        raise parse_error("Occurrences can be selected of a single series master only.")
    fits = compile_filter(call.query.text("$filter"), _EVENT_FILTERS, "event")
    wanted = call.query.text("$orderby") or default_order
    found = order([event for event in found if fits(event)], wanted, _EVENT_FILTERS, "event")
    return call.listing(path, path, found, lambda event: shape.show(event, call.context))


def get_event(call: Call, item: str, calendar: str = "") -> GraphResponse:
    """One event: single, a series, or an occurrence of one."""
    call.query.allow("$select", "$expand")
    event = _event(call, item, calendar)
    fail_if_corrupt(event.item)
    shape = EVENT.shape(call.query)
    if "exceptionOccurrences" in shape.expand and "exceptionOccurrences" not in (shape.select or ()):
        raise parse_error("exceptionOccurrences must be selected to be expanded.")
    return call.entity("events", shape.show(event, call.context))


def _event(call: Call, named: str, calendar: str = "") -> Event:
    item, occurrence = call.occurrence(named, is_event)
    if calendar and item.folder is not _calendar(call, calendar):
        raise not_found()
    return Event(item, occurrence)


def list_instances(call: Call, item: str) -> GraphResponse:
    """The occurrences of a series between two times."""
    event = _event(call, item)
    if not event.is_master:
        raise GraphError(400, "ErrorInvalidRequest", "The event is not the master of a series.")
    return _between(call, f"events('{item}')/instances", [event.item])


def calendar_view(call: Call, calendar: str = "") -> GraphResponse:
    """What happens in a calendar between two times: series as their occurrences."""
    folder = _calendar(call, calendar)
    items = [item for item in folder.items.values() if is_event(item)]
    return _between(call, f"calendars('{ids.rest_id(folder.id)}')/calendarView", items)


def _between(call: Call, path: str, items: list[Item]) -> GraphResponse:
    call.query.allow(*_LIST_OPTIONS, "startDateTime", "endDateTime")
    start, end = (read_moment(call.query.text(name), name) for name in ("startDateTime", "endDateTime"))
    if end < start:
        text = "The end date is earlier than the start date."
        raise GraphError(400, "ErrorCalendarEndDateIsEarlierThanStartDate", text)
    if end - start > LARGEST_VIEW:
        text = f"The range of a calendar view cannot exceed {LARGEST_VIEW.days} days."
        raise GraphError(400, "ErrorCalendarViewRangeTooBig", text)
    found = [
        Event(item, one if "Recurrence" in item.properties else None)
        for item in items
        for one in between(item, start, end)
    ]
    return _list(call, path, found, "start/dateTime")


# Delta


def delta(call: Call, calendar: str = "") -> GraphResponse:
    """One page of what changed in a calendar: ids, types and times only; no options but a beginning.

    Evolution sends `$select=id`, which the service takes. Pages that are too big answer 503 without a body.
    """
    folder, largest = _calendar(call, calendar), call.behavior.largest_events_page
    if largest and (call.request.prefer.page_size or 10) > largest:
        raise GraphError(503, "UnknownError", empty=True)

    def show(item: Item, options: Options) -> Json:
        shape = _ID if options.get("$select") == "id" else _DELTA
        return shape.show(Event(item), call.context)

    resource: DeltaResource[Item] = DeltaResource(
        path=f"{_path(folder)}/delta",
        kind=_path(folder),
        what="Events",
        allowed=("$select", "startDateTime"),
        tracked=lambda options: _tracked(call, folder, options),
        show=show,
        gone_id=lambda ews_id, item: ids.immutable_id(item) if call.context.immutable else ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: _check_first(call))


_DELTA = Shape(EVENT, ("type", "start", "end"), {})
_ID = Shape(EVENT, (), {})


def _check_first(call: Call) -> None:
    if call.query.text("$select") not in ("", "id"):
        text = "The following parameters are not supported with change tracking over the 'Events' resource: '$select'."
        raise GraphError(400, "ErrorInvalidUrlQuery", text)
    if "startDateTime" in call.query:
        read_moment(call.query.text("startDateTime"), "startDateTime")


def _tracked(call: Call, folder: Folder, options: Options) -> Tracked[Item]:
    start = read_moment(options["startDateTime"], "startDateTime") if "startDateTime" in options else None

    def shown(item: Item) -> bool:
        return is_event(item) and (start is None or "Recurrence" in item.properties or Event(item).span[1] >= start)

    return Tracked(
        scope=f"events {folder.id}",
        mailbox=folder.mailbox,
        log=folder.log,
        shown=shown,
        key=lambda item: "",
        identity=(lambda item: item.immutable_key) if call.context.immutable else None,
    )


# Attachments


def list_attachments(call: Call, item: str) -> GraphResponse:
    """An event's attachments."""
    return attachments.list_attachments(call, _event(call, item).item, f"events('{item}')/attachments")


def get_attachment(call: Call, item: str, attachment: str) -> GraphResponse:
    """One attachment of an event."""
    return attachments.get_attachment(call, _event(call, item).item, f"events('{item}')/attachments", attachment)


def get_attachment_content(call: Call, item: str, attachment: str) -> GraphResponse:
    """The bytes of an attachment of an event."""
    return attachments.get_content(call, _event(call, item).item, attachment)
