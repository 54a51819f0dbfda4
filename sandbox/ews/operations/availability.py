"""GetUserAvailability: when people are busy, in the time zone of the request."""

from datetime import UTC, datetime, timedelta

from lxml import etree

from sandbox.ews.call import Call
from sandbox.ews.refusals import Refused
from sandbox.mailboxes.calendar.events import between, pattern_of
from sandbox.mailboxes.calendar.zones import Turn, Zone
from sandbox.mailboxes.fragments import T, escape, flag, read_when
from sandbox.mailboxes.store import Item, Mailbox

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIGITS = {"Free": "0", "Tentative": "1", "Busy": "2", "OOF": "3", "WorkingElsewhere": "4"}

type _Busy = tuple[datetime, datetime, str, Item]
"""Start, end, and busy type of one event, and the event."""


def get_user_availability(call: Call) -> str:
    """One response for each mailbox; one that does not exist has an error of its own."""
    answered = "".join(_response(call, data) for data in call.each("MailboxDataArray"))
    return (
        f"<m:GetUserAvailabilityResponse><m:FreeBusyResponseArray>{answered}</m:FreeBusyResponseArray>"
        "</m:GetUserAvailabilityResponse>"
    )


def _response(call: Call, data: etree._Element) -> str:
    address = data.findtext(f"{T}Email/{T}Address") or ""
    try:
        mailbox = call.store.find(address)
        if mailbox is None:
            raise Refused("ErrorMailRecipientNotFound")
        message, view = _message("Success", "NoError"), _view(call, mailbox)
    except Refused as refused:
        message = _message("Error", refused.code, f"<m:MessageText>{escape(refused.text)}</m:MessageText>")
        view = "<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView>"
    return f"<m:FreeBusyResponse>{message}{view}</m:FreeBusyResponse>"


def _message(kind: str, code: str, text: str = "") -> str:
    return (
        f'<m:ResponseMessage ResponseClass="{kind}">{text}<m:ResponseCode>{code}</m:ResponseCode></m:ResponseMessage>'
    )


def _view(call: Call, mailbox: Mailbox) -> str:
    """The mailbox's calendar in the requested window; details for the mailbox's own person only."""
    options = call.request.find(f"{T}FreeBusyViewOptions")
    if options is None:
        raise Refused("ErrorInvalidFreeBusyViewType")
    zone = _zone(call.request.find(f"{T}TimeZone"))
    start, end = (
        _moment(options.findtext(f"{T}TimeWindow/{T}{name}") or "", zone) for name in ("StartTime", "EndTime")
    )
    view = options.findtext(f"{T}RequestedView") or "FreeBusy"
    if mailbox is not call.mailbox:
        view = view.replace("Detailed", "FreeBusy")
    busy = _busy(mailbox, start, end)
    inside = f"<t:FreeBusyViewType>{view}</t:FreeBusyViewType>"
    if "Merged" in view:
        minutes = int(options.findtext(f"{T}MergedFreeBusyIntervalInMinutes") or 30)
        inside += f"<t:MergedFreeBusy>{_merged(busy, start, end, timedelta(minutes=minutes))}</t:MergedFreeBusy>"
    if view != "MergedOnly" and busy:
        events = "".join(_event(one, zone, detailed="Detailed" in view) for one in busy)
        inside += f"<t:CalendarEventArray>{events}</t:CalendarEventArray>"
    return f"<m:FreeBusyView>{inside}</m:FreeBusyView>"


def _busy(mailbox: Mailbox, start: datetime, end: datetime) -> list[_Busy]:
    found = [
        (one.start, one.end, item.text("LegacyFreeBusyStatus", "Busy"), item)
        for item in mailbox.distinguished["calendar"].items.values()
        if "Start" in item.properties
        for one in between(item, start, end)
    ]
    return sorted(found, key=lambda one: one[:2])


def _merged(busy: list[_Busy], start: datetime, end: datetime, step: timedelta) -> str:
    """One digit for each interval: the busiest of its events."""
    digits = ""
    while start < end:
        kinds = [kind for begins, ends, kind, _ in busy if begins < start + step and ends > start]
        digits += max((_DIGITS.get(kind, "4") for kind in kinds), default="0")
        start += step
    return digits


def _event(one: _Busy, zone: Zone, *, detailed: bool) -> str:
    start, end, kind, item = one
    times = f"<t:StartTime>{_wall(start, zone)}</t:StartTime><t:EndTime>{_wall(end, zone)}</t:EndTime>"
    details = ""
    if detailed:
        flags = {
            "IsMeeting": "RequiredAttendees" in item.properties,
            "IsRecurring": pattern_of(item) is not None,
            "IsException": False,
            "IsReminderSet": item.text("ReminderIsSet") == "true",
            "IsPrivate": item.text("Sensitivity") == "Private",
        }
        told = f"<t:Subject>{escape(item.text('Subject'))}</t:Subject>"
        told += "".join(f"<t:{name}>{flag(value)}</t:{name}>" for name, value in flags.items())
        details = f"<t:CalendarEventDetails>{told}</t:CalendarEventDetails>"
    return f"<t:CalendarEvent>{times}<t:BusyType>{kind}</t:BusyType>{details}</t:CalendarEvent>"


def _wall(moment: datetime, zone: Zone) -> str:
    return f"{zone.wall(moment):%Y-%m-%dT%H:%M:%S}"


def _moment(text: str, zone: Zone) -> datetime:
    """A time of the window: local to the zone of the request unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return zone.utc(moment) if moment.tzinfo is None else read_when(text).astimezone(UTC)


def _zone(element: etree._Element | None) -> Zone:
    """The zone of the request; UTC without one. Biases are minutes that are added to local time to get UTC."""
    if element is None:
        return Zone("", "", 0)
    bias = int(element.findtext(f"{T}Bias") or 0)
    standard, daylight = (element.find(f"{T}{name}") for name in ("StandardTime", "DaylightTime"))
    if standard is None or daylight is None or standard.findtext(f"{T}Month") in (None, "0"):
        return Zone("", "", -bias)
    offsets = [-(bias + int(one.findtext(f"{T}Bias") or 0)) for one in (standard, daylight)]
    return Zone("", "", offsets[0], offsets[1], _turn(daylight), _turn(standard))


def _turn(element: etree._Element) -> Turn:
    hour, minute = (element.findtext(f"{T}Time") or "00:00:00").split(":")[:2]
    order, day = int(element.findtext(f"{T}DayOrder") or 1), element.findtext(f"{T}DayOfWeek") or "Sunday"
    month = int(element.findtext(f"{T}Month") or 1)
    return Turn(month, -1 if order == 5 else order, _DAYS.index(day), int(hour), int(minute))
