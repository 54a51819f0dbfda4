"""Sample items other than mail: events of every kind, contacts, lists, tasks, notes; the same in every run.

Times are close to the moment of creation, so that a window of occurrences is not empty.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.mailboxes.calendar.events import occurrences
from sandbox.mailboxes.calendar.zones import ZONES, Turn, Zone, definition, short
from sandbox.mailboxes.fragments import escape, tag, when
from sandbox.mailboxes.item_classes import ITEM_CLASSES
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.items.completion import complete
from sandbox.mailboxes.items.mime import mailbox as mailbox_fragment
from sandbox.mailboxes.store import Item

_PEOPLE = (
    ("Ada", "Moreau", "Moreau & Filles", "Directrice"),
    ("Björn", "Ångström", "Nordljus AB", "Ingenjör"),
    ("Chiara", "D’Angelo", "Studio D’Angelo", "Architetto"),
    ("Dmitri", "Соколов", "Северный Ветер", "Инженер"),
    ("Eun-ji", "김", "한빛", "Researcher"),
    ("Fatima", "al-Zahra", "Qasr Consulting", "Partner"),
    ("Grace", "O'Neill", "O'Neill; Sons, Ltd.", "Buyer"),
    ("Hiroshi", "山田", "山田製作所", "Manager"),
)

_CUSTOM = Zone("tzone://Microsoft/Custom", "Ship's time", 225, 285, Turn(4, 2, 5, 1, 30), Turn(9, 3, 1, 23))
"""A custom zone: 3 hours 45 minutes ahead of UTC, with its own daylight saving time."""


def item(element: str, item_class: str = "", **properties: str) -> Item:
    """An item with the given properties; a value that is XML already stays unchanged."""
    made = Item(element, item_class or ITEM_CLASSES[element], {})
    for name, value in properties.items():
        inside = value if value.startswith("<t:") else escape(value)
        made.properties[name] = value if value.startswith(f"<t:{name}") else f"<t:{name}>{inside}</t:{name}>"
    complete(made)
    return made


def body(text: str) -> str:
    """A plain-text body."""
    return f'<t:Body BodyType="Text">{escape(text)}</t:Body>'


# Events


def event(subject: str, start: datetime, minutes: int, zone: Zone = ZONES["UTC"], **more: str) -> Item:
    """An event that starts at a local time in a zone."""
    first = zone.utc(start)
    write = short if zone.id in ZONES else definition
    return item(
        "CalendarItem",
        Subject=subject,
        Start=when(first),
        End=when(first + timedelta(minutes=minutes)),
        StartTimeZone=write(zone, "StartTimeZone"),
        EndTimeZone=write(zone, "EndTimeZone"),
        UID=_uid(subject, start),
        **more,
    )


def _uid(subject: str, start: datetime) -> str:
    return "040000008200E00074C5B7101A82E008" + hashlib.sha256(f"{subject}{start}".encode()).hexdigest().upper()


def _every(pattern: str, start: datetime, extent: str = "NoEndRecurrence", more: str = "") -> str:
    """A Recurrence with a pattern, starting on a day."""
    begins = tag("StartDate", start.date().isoformat())
    return f"<t:Recurrence>{pattern}<t:{extent}>{begins}{more}</t:{extent}></t:Recurrence>"


def _weekly(days: str, interval: int = 1) -> str:
    inside = tag("Interval", str(interval)) + tag("DaysOfWeek", days)
    return f"<t:WeeklyRecurrence>{inside}</t:WeeklyRecurrence>"


_STANDUP = _weekly("Monday Tuesday Wednesday Thursday Friday")
_DAILY = f"<t:DailyRecurrence>{tag('Interval', '3')}</t:DailyRecurrence>"
_MONTHLY = (
    f"<t:RelativeMonthlyRecurrence>{tag('Interval', '1')}{tag('DaysOfWeek', 'Thursday')}"
    f"{tag('DayOfWeekIndex', 'Last')}</t:RelativeMonthlyRecurrence>"
)
_LAST_DAY = (
    f"<t:AbsoluteMonthlyRecurrence>{tag('Interval', '1')}{tag('DayOfMonth', '31')}</t:AbsoluteMonthlyRecurrence>"
)


def events(now: datetime) -> list[Item]:
    """A calendar with an event of every kind, around a moment."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return [*_singles(today), *_all_day(today), *_series(today), *_odd_zones(today)]


def _singles(today: datetime) -> list[Item]:
    berlin = ZONES["W. Europe Standard Time"]
    people = "".join(f"<t:Attendee>{mailbox_fragment(*who)}</t:Attendee>" for who in _guests())
    html = '<t:Body BodyType="HTML">&lt;p&gt;Bring &lt;b&gt;figures&lt;/b&gt;, &amp;c.&lt;/p&gt;</t:Body>'
    planned = [
        event(f"Planning {week}", today + timedelta(weeks=week, hours=10), 60, berlin, Location=f"Room {week % 5}")
        for week in range(-20, 21, 2)
    ]
    return [
        *planned,
        event(
            "Review with guests", today + timedelta(days=3, hours=14), 90, berlin, RequiredAttendees=people, Body=html
        ),
        event("Called off", today + timedelta(days=5, hours=9), 30, berlin, IsCancelled="true", AppointmentState="4"),
        event("Doctor", today + timedelta(days=6, hours=8), 45, berlin, Sensitivity="Private"),
        event("", today + timedelta(days=7, hours=8), 0, berlin, LegacyFreeBusyStatus="Free"),
    ]


def _guests() -> list[tuple[str, str]]:
    return [
        (f"{first} {last}", f"guest{number}@guests.example") for number, (first, last, *_) in enumerate(_PEOPLE[:3])
    ]


def _all_day(today: datetime) -> list[Item]:
    tokyo, yearly = ZONES["Tokyo Standard Time"], today.replace(month=2, day=28, year=today.year - 3)
    birthday = (
        f"<t:AbsoluteYearlyRecurrence>{tag('DayOfMonth', '28')}{tag('Month', 'February')}</t:AbsoluteYearlyRecurrence>"
    )
    return [
        event("Fair in 東京", today + timedelta(days=20), 3 * 1440, tokyo, IsAllDayEvent="true"),
        event("Holiday", today - timedelta(days=40), 1440, ZONES["GMT Standard Time"], IsAllDayEvent="true"),
        event("Ada’s birthday", yearly, 1440, Recurrence=_every(birthday, yearly), IsAllDayEvent="true"),
    ]


def _series(today: datetime) -> list[Item]:
    berlin, monday = ZONES["W. Europe Standard Time"], today - timedelta(days=today.weekday() + 28)
    standup = event("Stand-up", monday + timedelta(hours=9), 15, berlin, Recurrence=_every(_STANDUP, monday))
    _change_some(standup)
    fortnightly = _every(_weekly("Friday", 2), monday)
    numbered = _every(_DAILY, monday, "NumberedRecurrence", tag("NumberOfOccurrences", "12"))
    ending = _every(
        _MONTHLY, monday, "EndDateRecurrence", tag("EndDate", (today + timedelta(days=200)).date().isoformat())
    )
    return [
        standup,
        event("Course", monday + timedelta(hours=18), 120, berlin, Recurrence=numbered),
        event("Board", monday + timedelta(hours=15), 180, berlin, Recurrence=ending),
        event("Closing of the books", monday + timedelta(hours=17), 30, berlin, Recurrence=_every(_LAST_DAY, monday)),
        event("Sauna", monday + timedelta(hours=19), 60, berlin, Recurrence=fortnightly, Sensitivity="Private"),
    ]


def _change_some(series: Item) -> None:
    """Delete two occurrences of a series, move one and rename another."""
    days = [one for one, _ in zip(occurrences(series), range(30), strict=False)]
    series.deleted += [days[4].original, days[22].original]
    moved, renamed = days[6], days[24]
    series.exceptions[moved.original] = ChangedOccurrence(
        moved.start + timedelta(hours=5), moved.end + timedelta(hours=5), {"Location": tag("Location", "Canteen")}
    )
    series.exceptions[renamed.original] = ChangedOccurrence(
        renamed.start, renamed.end, {"Subject": tag("Subject", "Stand-up, with cake")}
    )


def _odd_zones(today: datetime) -> list[Item]:
    names = (
        "Nepal Standard Time",
        "Chatham Islands Standard Time",
        "Lord Howe Standard Time",
        "Newfoundland Standard Time",
    )
    zones = [*(ZONES[name] for name in names), _CUSTOM]
    start, weekly = today - timedelta(days=14), _weekly("Wednesday")
    found = [event(f"Call at noon, {zone.name}", start + timedelta(hours=12), 30, zone) for zone in zones]
    watch = event("Watch", start + timedelta(hours=4), 240, _CUSTOM, Recurrence=_every(weekly, start))
    return [*found, watch]


# Contacts, lists, tasks, notes


def contacts(count: int) -> list[Item]:
    """Contacts with names in many languages; some are private."""
    return [_contact(number) for number in range(count)]


def _contact(number: int) -> Item:
    first, last, company, title = _PEOPLE[number % len(_PEOPLE)]
    given = first if number < len(_PEOPLE) else f"{first} {number}"
    address = f"contact{number}@partners.example"
    emails = f'<t:Entry Key="EmailAddress1" Name="{escape(given)}" RoutingType="SMTP">{address}</t:Entry>'
    phones = f'<t:Entry Key="BusinessPhone">+49 30 {number:07}</t:Entry>'
    phones += f'<t:Entry Key="MobilePhone">+49 170 {number:07}</t:Entry>'
    place = (
        tag("Street", f"Hauptstraße {number}\nHinterhaus")
        + tag("City", "Berlin")
        + tag("CountryOrRegion", "Deutschland")
    )
    return item(
        "Contact",
        Subject=f"{given} {last}",
        Sensitivity="Private" if number % 17 == 16 else "Normal",
        Body=body(f"Met in {2000 + number % 20}."),
        FileAs=f"{last}, {given}",
        DisplayName=f"{given} {last}",
        GivenName=given,
        CompanyName=company,
        EmailAddresses=f"<t:EmailAddresses>{emails}</t:EmailAddresses>",
        PhysicalAddresses=f'<t:PhysicalAddresses><t:Entry Key="Business">{place}</t:Entry></t:PhysicalAddresses>',
        PhoneNumbers=f"<t:PhoneNumbers>{phones}</t:PhoneNumbers>",
        Birthday=f"19{50 + number % 50}-0{1 + number % 9}-11T00:00:00Z",
        JobTitle=title,
        Surname=last,
    )


def distribution_list(name: str, members: int = 4) -> Item:
    """A personal distribution list."""
    inside = "".join(
        f'<t:Member Key="{number}">{mailbox_fragment(f"Member {number}", f"member{number}@partners.example")}'
        "<t:Status>Normal</t:Status></t:Member>"
        for number in range(members)
    )
    return item("DistributionList", DisplayName=name, FileAs=name, Members=f"<t:Members>{inside}</t:Members>")


def tasks(now: datetime) -> list[Item]:
    """Open, completed and recurring tasks."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    repeated = _every(_weekly("Monday"), day, "NumberedRecurrence", tag("NumberOfOccurrences", "10"))
    again = _every(f"<t:DailyRegeneration>{tag('Interval', '5')}</t:DailyRegeneration>", day)
    soon, before = when(day + timedelta(days=30)), when(day - timedelta(days=3))
    return [
        item("Task", Subject="Renew passport", DueDate=soon, Importance="High", PercentComplete="50"),
        item("Task", Subject="File taxes", Status="Completed", CompleteDate=before, Body=body("At last.")),
        item("Task", Subject="Water the plants", StartDate=when(day), DueDate=when(day), Recurrence=repeated),
        item("Task", Subject="Descale the kettle", StartDate=when(day), Recurrence=again),
        item("Task", Subject="Call the lawyer", Sensitivity="Private"),
    ]


def note(text: str) -> Item:
    """A sticky note."""
    return item("Message", "IPM.StickyNote", Subject=text.partition("\n")[0], Body=body(text))


MAKERS: dict[str, Callable[[datetime], Item]] = {
    "event": lambda now: event("Appointment", now.replace(tzinfo=None, microsecond=0) + timedelta(days=1), 60),
    "series": lambda now: _series(now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None))[0],
    "contact": lambda now: _contact(3),
    "list": lambda now: distribution_list("Friends"),
    "task": lambda now: tasks(now)[0],
    "note": lambda now: note("Remember\nthe milk"),
}
"""One item of each kind, for the control port."""
