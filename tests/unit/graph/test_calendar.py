"""Events: times in the zones that they were made in, series with their occurrences, attachments, and the view."""

import base64
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from shared.errors import Reason
from shared.formats.values.zone import PeriodsZone, RuleZone, YearlyChange
from shared.sources.graph.calendar.windows_time_zones import defined_zone
from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, Item, ItemFailure, ItemKind
from tests.unit.graph.service import Answer, Service, error, mailbox_of, page, removed

CALENDAR = Folder("C1", "", "Calendar", "Calendar", FolderKind.CALENDAR, FolderRole.CALENDAR, None)
SERIES = "/events/E1?$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences"


def event(identifier: str = "E1", **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@odata.etag": f'W/"CK-{identifier}"',
        "id": identifier,
        "changeKey": f"CK-{identifier}",
        "type": "singleInstance",
        "createdDateTime": "2026-11-01T09:00:00.1234567Z",
        "lastModifiedDateTime": "2026-11-02T09:00:00.7654321Z",
        "categories": ["Blue"],
        "subject": "Planning",
        "body": {"contentType": "html", "content": "<p>Agenda</p>"},
        "start": {"dateTime": "2026-12-01T08:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-01T09:00:00.0000000", "timeZone": "UTC"},
        "isAllDay": False,
        "showAs": "busy",
        "location": {"displayName": "Room 5"},
        "locations": [{"displayName": "Room 5"}],
        "attendees": [
            {
                "type": "required",
                "status": {"response": "accepted", "time": "2026-11-02T09:00:00Z"},
                "emailAddress": {"name": "Ada", "address": "ada@x.example"},
            },
            {"type": "resource", "status": {"response": "none"}, "emailAddress": {"address": "room5@x.example"}},
        ],
        "isCancelled": False,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "organizer": {"emailAddress": {"name": "Alex", "address": "alex@contoso.example"}},
        "iCalUId": "UID-1",
        "importance": "normal",
        "sensitivity": "normal",
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "W. Europe Standard Time",
        "hasAttachments": False,
        "isDraft": False,
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "recurrence": None,
        "onlineMeeting": {"joinUrl": "https://meet.example/1"},
        "singleValueExtendedProperties": [
            {"id": "Binary 0x300b", "value": "AAECAw=="},
            {"id": "String 0x1a", "value": "IPM.Appointment"},
            {"id": "Integer 0xe08", "value": "4096"},
            {"id": "Integer {00062002-0000-0000-c000-000000000046} Id 0x8201", "value": "2"},
        ],
    }
    return {**told, **changes}


WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday", "month": 0},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5, "endDate": "0001-01-01"},
}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.script["/mailFolders/inbox"] = page()
    return service


def fetch(service: Service, level: ContentLevel = ContentLevel.MIME, *ids: str) -> Item | ItemFailure:
    (found,) = mailbox_of(service).fetch(CALENDAR, ids or ["E1"], level)
    return found


def item(found: Item | ItemFailure) -> Item:
    assert isinstance(found, Item)
    return found


def components(found: Item | ItemFailure) -> list[Any]:
    content = item(found).content
    assert content is not None
    assert content.form == "ics"
    return list(icalendar.Calendar.from_ical(content.data).walk("VEVENT"))


def test_event_becomes_an_item_with_the_metadata_that_ews_gives(service: Service) -> None:
    service.script["/events/E1"] = Answer(event())

    found = item(fetch(service, ContentLevel.METADATA))

    assert (found.kind, found.version, found.size, found.move_key) == (ItemKind.EVENT, "CK-E1", 4096, "00010203")
    assert found.at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert found.content is None
    assert found.metadata == {
        "sensitivity": "Normal",
        "categories": ["Blue"],
        "importance": "Normal",
        "has_attachments": False,
        "draft": False,
        "created": "2026-11-01T09:00:00Z",
        "modified": "2026-11-02T09:00:00Z",
        "start": "2026-12-01T08:00:00Z",
        "end": "2026-12-01T09:00:00Z",
        "all_day": False,
        "busy": "Busy",
        "location": "Room 5",
        "meeting": True,
        "cancelled": False,
        "recurring": False,
        "type": "Single",
        "response": "Organizer",
        "organizer": {"name": "Alex", "address": "alex@contoso.example"},
        "required": [{"name": "Ada", "address": "ada@x.example", "response": "Accept"}],
        "resources": [{"address": "room5@x.example"}],
        "sequence": 2,
        "uid": "UID-1",
        "reminder": True,
        "reminder_minutes": 15,
        "time_zone": "W. Europe Standard Time",
        "join_url": "https://meet.example/1",
    }


def test_file_has_local_times_and_everybody(service: Service) -> None:
    service.script["/events/E1"] = Answer(event())

    (written,) = components(fetch(service))

    assert written["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert written["DTSTART"].dt.replace(tzinfo=None) == datetime(2026, 12, 1, 9)  # noqa: DTZ001 -- local
    assert written["UID"] == "UID-1"
    assert {str(each) for each in written["ATTENDEE"]} == {"mailto:ada@x.example", "mailto:room5@x.example"}


def test_series_brings_its_changed_and_canceled_occurrences(service: Service) -> None:
    service.script["/events/E1"] = Answer(event(type="seriesMaster", recurrence=WEEKLY))
    changed = event(
        "X1",
        type="exception",
        seriesMasterId="E1",
        subject="Planning, moved",
        originalStart="2026-12-08T08:00:00Z",
        start={"dateTime": "2026-12-09T10:00:00.0000000", "timeZone": "UTC"},
        end={"dateTime": "2026-12-09T11:00:00.0000000", "timeZone": "UTC"},
        singleValueExtendedProperties=None,
    )
    service.script[SERIES] = Answer(
        {"id": "E1", "cancelledOccurrences": ["OID.E1.x.2026-12-15"], "exceptionOccurrences": [changed]}
    )

    found = fetch(service)
    master, exception = components(found)

    assert str(master["RRULE"].to_ical(), "ascii") == "FREQ=WEEKLY;COUNT=5;BYDAY=TU;WKST=MO"
    assert master["EXDATE"].dts[0].dt.astimezone(UTC) == datetime(2026, 12, 15, 8, tzinfo=UTC)
    assert exception["RECURRENCE-ID"].dt.astimezone(UTC) == datetime(2026, 12, 8, 8, tzinfo=UTC)
    assert exception["SUMMARY"] == "Planning, moved"
    assert item(found).metadata["deleted_occurrences"] == ["2026-12-15T08:00:00Z"]
    assert item(found).metadata["modified_occurrences"] == [
        {
            "id": "X1",
            "start": "2026-12-09T10:00:00Z",
            "end": "2026-12-09T11:00:00Z",
            "original_start": "2026-12-08T08:00:00Z",
        }
    ]


def test_all_day_event_has_days(service: Service) -> None:
    service.script["/events/E1"] = Answer(
        event(
            isAllDay=True,
            start={"dateTime": "2026-12-01T00:00:00.0000000", "timeZone": "UTC"},
            end={"dateTime": "2026-12-03T00:00:00.0000000", "timeZone": "UTC"},
        )
    )

    found = item(fetch(service))
    (written,) = components(found)

    assert (written["DTSTART"].dt, written["DTEND"].dt) == (date(2026, 12, 1), date(2026, 12, 3))
    assert (found.metadata["start_date"], found.metadata["end_date"]) == ("2026-12-01", "2026-12-03")
    assert found.metadata["start"] == "2026-11-30T23:00:00Z"


def system_time(month: int, weekday: int, nth: int, hour: int) -> bytes:
    return struct.pack("<8H", 0, month, weekday, nth, hour, 0, 0, 0)


def definition(*years: int) -> bytes:
    """A zone an hour east of UTC by the rules of Nuuk's kind: summer time from the last Saturday of March on."""
    name = "Own zone".encode("utf-16-le")
    head = struct.pack("<HH", 2, len(name) // 2) + name
    rules = b"".join(
        struct.pack("<BBHHH14xiii", 2, 1, 0x3E, 2, year, -60, 0, -60 if number == 0 else -120)
        + system_time(10, 6, 5, 23)
        + system_time(3, 6, 5, 22)
        for number, year in enumerate(years)
    )
    return b"\x02\x01" + struct.pack("<H", len(head)) + head + struct.pack("<H", len(years)) + rules


def test_zone_of_the_persons_own_is_read_from_its_definition(service: Service) -> None:
    value = base64.b64encode(definition(1601)).decode()
    properties = [{"id": "Binary {00062002-0000-0000-c000-000000000046} Id 0x825e", "value": value}]
    service.script["/events/E1"] = Answer(
        event(originalStartTimeZone="tzone://Microsoft/Custom", singleValueExtendedProperties=properties)
    )

    (written,) = components(fetch(service))

    assert written["DTSTART"].params["TZID"].startswith("Own zone")
    assert written["DTSTART"].dt.replace(tzinfo=None) == datetime(2026, 12, 1, 9)  # noqa: DTZ001 -- local


def zone_struct() -> bytes:
    """The older form ([MS-OXOCAL] PidLidTimeZoneStruct): an hour east of UTC, with summer time; it has no name."""
    biases = struct.pack("<iiiH", -60, 0, -60, 0)
    return biases + system_time(10, 0, 5, 3) + struct.pack("<H", 0) + system_time(3, 0, 5, 2)


def properties(**values: bytes) -> list[dict[str, str]]:
    """Extended properties of appointments by their number."""
    appointment = "{00062002-0000-0000-c000-000000000046}"
    return [
        {"id": f"Binary {appointment} Id {number.replace('x', '0x')}", "value": base64.b64encode(value).decode()}
        for number, value in values.items()
    ]


def test_end_has_the_zone_of_its_own_definition(service: Service) -> None:
    told = properties(x825e=definition(1601), x825f=definition(1601).replace(b"O\0w\0n\0", b"T\0w\0o\0"))
    service.script["/events/E1"] = Answer(
        event(
            originalStartTimeZone="tzone://Microsoft/Custom",
            originalEndTimeZone="tzone://Microsoft/Custom",
            singleValueExtendedProperties=told,
        )
    )

    (written,) = components(fetch(service))

    assert written["DTSTART"].params["TZID"].startswith("Own zone")
    assert written["DTEND"].params["TZID"].startswith("Two zone")


def test_older_form_of_a_zone_serves_where_there_is_no_definition(service: Service) -> None:
    told = properties(x8233=zone_struct())
    service.script["/events/E1"] = Answer(
        event(originalStartTimeZone="tzone://Microsoft/Custom", singleValueExtendedProperties=told)
    )

    (written,) = components(fetch(service))

    assert written["DTSTART"].dt.replace(tzinfo=None) == datetime(2026, 12, 1, 9)  # noqa: DTZ001 -- local
    assert "TZID" in written["DTSTART"].params


@pytest.mark.parametrize("value", [b"", b"\x00" * 10, b"\xff" * 48])
def test_zone_that_makes_no_sense_leaves_utc(service: Service, value: bytes) -> None:
    told = properties(x825e=value, x825f=value, x8233=value)
    service.script["/events/E1"] = Answer(
        event(originalStartTimeZone="tzone://Microsoft/Custom", singleValueExtendedProperties=told)
    )

    (written,) = components(fetch(service))

    assert written["DTSTART"].dt.astimezone(UTC) == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_definition_may_have_rules_by_year() -> None:
    zone = defined_zone(definition(1601, 2020), b"", "")

    assert zone is not None
    assert isinstance(zone.rules, PeriodsZone)
    first, second = zone.rules.periods
    assert second[0] == datetime(2020, 1, 1)  # noqa: DTZ001 -- local
    hour = timedelta(hours=1)
    assert first[1] == RuleZone(hour, 2 * hour, YearlyChange(3, 22 * hour, 5, -1), YearlyChange(10, 23 * hour, 5, -1))


@pytest.mark.parametrize("cut", [0, 1, 5, 20, 60])
def test_definition_that_is_cut_short_is_none(cut: int) -> None:
    assert defined_zone(definition(1601)[:cut], b"", "") is None


def test_attachments_are_within_the_file(service: Service) -> None:
    service.script["/events/E1"] = Answer(event(hasAttachments=True))
    service.script["/events/E1/attachments"] = page(
        {"@odata.type": "#microsoft.graph.fileAttachment", "id": "A1", "name": "a.txt", "contentType": "text/plain",
         "size": 3, "isInline": False},
        {"@odata.type": "#microsoft.graph.itemAttachment", "id": "A2", "name": "Mail", "size": 9, "isInline": False},
        {"@odata.type": "#microsoft.graph.fileAttachment", "id": "A3", "name": "gone", "size": 1, "isInline": False},
    )  # fmt: skip
    service.script["/events/E1/attachments/A1"] = Answer({"id": "A1", "contentBytes": "YWJj", "contentId": "<c1>"})
    service.script["/events/E1/attachments/A2/$value"] = Answer(b"Subject: x\r\n\r\n")
    service.script["/events/E1/attachments/A3"] = error(404, "ErrorItemNotFound")

    found = item(fetch(service))

    assert found.content is not None
    assert "/events/E1/attachments/A2/$value" in service.paths()
    assert found.lacking == ItemFailure("E1", Reason.ITEM_UNREADABLE, "ErrorItemNotFound")
    assert found.metadata["original"] is False


def test_event_that_is_gone_or_makes_no_sense_is_a_failure(service: Service) -> None:
    service.script["/events/E2"] = Answer(event("E2", start=7))
    service.script["/events/E3"] = Answer(event("E3"))

    found = list(mailbox_of(service).fetch(CALENDAR, ["E1", "E2", "E3"], ContentLevel.METADATA))

    assert [each.reason if isinstance(each, ItemFailure) else each.id for each in found] == [
        Reason.ITEM_GONE,
        Reason.ITEM_UNREADABLE,
        "E3",
    ]


def test_calendar_changes_are_requested_without_options_or_items(service: Service) -> None:
    service.script["/calendars/C1/events/delta"] = page(
        {"@odata.etag": 'W/"CK-1"', "id": "E1", "type": "singleInstance"},
        removed("E2"),
        delta="/calendars/C1/events/delta?$deltatoken=1",
    )

    found = mailbox_of(service).changes(CALENDAR, None)

    assert service.asked[0].path == "/calendars/C1/events/delta"
    assert [(change.item_id, change.version) for change in found.changes] == [("E1", "CK-1"), ("E2", "")]
    assert found.items == {}


def test_view_expands_series_page_by_page(service: Service) -> None:
    first, second = event("O1", type="occurrence"), event("O2", type="occurrence")
    service.script["/calendars/C1/calendarView"] = page(first, following="/calendars/C1/calendarView?$skip=1")
    service.script["/calendars/C1/calendarView?$skip=1"] = page(first, second)

    start = datetime(2026, 12, 1, tzinfo=UTC)
    found = list(mailbox_of(service).occurrences(CALENDAR, start, start + timedelta(days=30)))

    assert [(each.id, each.metadata["type"]) for each in found] == [("O1", "Occurrence"), ("O2", "Occurrence")]
    assert "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z" in service.asked[0].path
