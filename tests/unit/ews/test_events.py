"""Events as metadata and as iCalendar, read back by an independent reader."""

# ruff: noqa: DTZ001 -- wall-clock times

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from shared.sources.model import ContentLevel, Item, ItemKind
from tests.unit.ews.soap_samples import CALENDAR, ScriptedChannel, items, mailbox

BERLIN = '<t:StartTimeZone Id="W. Europe Standard Time" Name="(UTC+01:00) Amsterdam, Berlin"/>'
CUSTOM = (
    '<t:StartTimeZone Id="Customized Time Zone" Name="Our; own, zone"><t:Periods>'
    '<t:Period Bias="-PT90M" Name="Standard" Id="std"/><t:Period Bias="-PT150M" Name="Daylight" Id="dlt"/></t:Periods>'
    '<t:TransitionsGroups><t:TransitionsGroup Id="0">'
    '<t:RecurringDayTransition><t:To Kind="Period">dlt</t:To><t:TimeOffset>PT2H</t:TimeOffset><t:Month>4</t:Month>'
    "<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>1</t:Occurrence></t:RecurringDayTransition>"
    '<t:RecurringDayTransition><t:To Kind="Period">std</t:To><t:TimeOffset>PT3H</t:TimeOffset><t:Month>9</t:Month>'
    "<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence></t:RecurringDayTransition>"
    "</t:TransitionsGroup></t:TransitionsGroups>"
    '<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions></t:StartTimeZone>'
)
WEEKLY = (
    "<t:Recurrence><t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Monday Thursday</t:DaysOfWeek>"
    "<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>"
    "<t:EndDateRecurrence><t:StartDate>2026-03-02+01:00</t:StartDate><t:EndDate>2026-06-30+02:00</t:EndDate>"
    "</t:EndDateRecurrence></t:Recurrence>"
)


def event(*parts: str, start: str = "2026-03-02T08:00:00Z", end: str = "2026-03-02T09:00:00Z") -> str:
    return (
        '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:ItemClass>IPM.Appointment</t:ItemClass>'
        "<t:Subject>Lunch; with, Ada \\ Bo</t:Subject><t:Sensitivity>Normal</t:Sensitivity><t:Size>700</t:Size>"
        "<t:LastModifiedTime>2026-02-01T10:00:00Z</t:LastModifiedTime>"
        f"<t:Start>{start}</t:Start><t:End>{end}</t:End>{''.join(parts)}</t:CalendarItem>"
    )


def read(*elements: str, level: ContentLevel = ContentLevel.MIME) -> Item:
    (item,) = mailbox(ScriptedChannel(*(items(element) for element in elements))).fetch(CALENDAR, ["I0"], level)
    assert isinstance(item, Item)
    assert item.kind is ItemKind.EVENT
    return item


def calendar(*elements: str) -> tuple[Any, list[Any]]:
    """The calendar as an independent reader sees it, and its events."""
    content = read(*elements).content
    assert content is not None
    assert content.form == "ics"
    assert all(len(line) <= 75 for line in content.data.split(b"\r\n"))
    parsed = icalendar.Calendar.from_ical(content.data)
    events = list(parsed.walk("VEVENT"))
    assert not any(each.errors for each in (parsed, *events))
    return parsed, events


def test_metadata_tells_the_event_without_content() -> None:
    item = read(event("<t:Location>Canteen</t:Location>", BERLIN, WEEKLY), level=ContentLevel.METADATA)

    assert item.content is None
    assert item.at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert item.metadata["location"] == "Canteen"
    assert item.metadata["time_zone"] == "W. Europe Standard Time"
    assert item.metadata["recurrence"] == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=MO;UNTIL=20260630"


def test_an_event_is_written_in_its_own_time_zone() -> None:
    parsed, (written,) = calendar(event(BERLIN))

    assert written["SUMMARY"] == "Lunch; with, Ada \\ Bo"
    assert written["DTSTART"].dt.replace(tzinfo=None) == datetime(2026, 3, 2, 9)
    assert written["DTSTART"].dt == datetime(2026, 3, 2, 8, tzinfo=UTC)
    (zone,) = parsed.walk("VTIMEZONE")
    reckoned = zone.to_tz(lookup_tzid=False)
    for month in range(1, 13):
        local = datetime(2027, month, 15, 12)
        assert reckoned.utcoffset(local) == ZoneInfo("Europe/Berlin").utcoffset(local)


def test_a_zone_that_is_nobody_elses_is_written_as_it_is_defined() -> None:
    parsed, (written,) = calendar(event(CUSTOM, start="2026-05-02T08:00:00Z", end="2026-05-02T09:00:00Z"))

    assert written["DTSTART"].dt.replace(tzinfo=None) == datetime(2026, 5, 2, 10, 30)
    (zone,) = parsed.walk("VTIMEZONE")
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime(2026, 5, 2, 12)) == timedelta(minutes=150)
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime(2026, 11, 2, 12)) == timedelta(minutes=90)


@pytest.mark.parametrize(
    "zone", ["", '<t:StartTimeZone Id="UTC"/>', '<t:StartTimeZone Id="Nowhere Standard Time"/>', "<t:StartTimeZone/>"]
)
def test_an_event_of_no_known_zone_is_written_in_utc(zone: str) -> None:
    parsed, (written,) = calendar(event(zone))

    assert written["DTSTART"].to_ical() == b"20260302T080000Z"
    assert not parsed.walk("VTIMEZONE")


def test_a_series_ends_where_its_last_start_may_be() -> None:
    _, (written,) = calendar(event(BERLIN, WEEKLY))

    assert written["RRULE"].to_ical() == b"FREQ=WEEKLY;UNTIL=20260630T070000Z;INTERVAL=2;BYDAY=MO,TH;WKST=MO"


def test_deleted_and_changed_occurrences_stand_beside_their_series() -> None:
    series = event(
        BERLIN,
        WEEKLY,
        "<t:DeletedOccurrences><t:DeletedOccurrence><t:Start>2026-04-13T07:00:00Z</t:Start></t:DeletedOccurrence>"
        "</t:DeletedOccurrences>",
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1"/><t:Start>2026-03-05T13:00:00Z</t:Start>'
        "<t:End>2026-03-05T14:00:00Z</t:End><t:OriginalStart>2026-03-05T08:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences>",
    )
    changed = event(BERLIN, start="2026-03-05T13:00:00Z", end="2026-03-05T14:00:00Z").replace("Lunch", "Late lunch")

    _, (master, exception) = calendar(series, changed)

    assert [each.dt for each in master["EXDATE"].dts] == [datetime(2026, 4, 13, 7, tzinfo=UTC)]
    assert exception["UID"] == master["UID"]
    assert exception["RECURRENCE-ID"].dt == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert exception["DTSTART"].dt == datetime(2026, 3, 5, 13, tzinfo=UTC)
    assert exception["SUMMARY"].startswith("Late lunch")
    assert "RRULE" not in exception


TOKYO = '<t:StartTimeZone Id="Tokyo Standard Time" Name="(UTC+09:00) Osaka, Sapporo, Tokyo"/>'


@pytest.mark.parametrize("all_day", ["", "<t:IsAllDayEvent>true</t:IsAllDayEvent>"])
def test_an_occurrence_that_was_moved_to_another_time_zone_brings_its_zone(all_day: str) -> None:
    series = event(
        BERLIN,
        WEEKLY,
        all_day,
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1"/><t:Start>2026-03-05T13:00:00Z</t:Start>'
        "<t:End>2026-03-05T14:00:00Z</t:End><t:OriginalStart>2026-03-05T08:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences>",
    )
    changed = event(TOKYO, start="2026-03-05T13:00:00Z", end="2026-03-05T14:00:00Z")

    parsed, (_, exception) = calendar(series, changed)

    assert exception["DTSTART"].params["TZID"] == "Asia/Tokyo"
    zones = {str(zone["TZID"]) for zone in parsed.walk("VTIMEZONE")}
    assert zones == ({"Asia/Tokyo"} if all_day else {"Asia/Tokyo", "Europe/Berlin"})


@pytest.mark.parametrize("end", ["2026-03-01T23:00:00Z", "2026-03-01T22:00:00Z"])
@pytest.mark.parametrize("all_day", ["", "<t:IsAllDayEvent>true</t:IsAllDayEvent>"])
def test_an_event_of_no_length_is_still_a_valid_one(end: str, all_day: str) -> None:
    """Exchange keeps them; RFC 5545 wants an end after the start, or none."""
    _, (written,) = calendar(event(BERLIN, all_day, start="2026-03-01T23:00:00Z", end=end))

    assert "DTEND" not in written


@pytest.mark.parametrize("zone", [BERLIN, ""])
def test_an_all_day_event_is_written_by_its_days(zone: str) -> None:
    item = read(
        event("<t:IsAllDayEvent>true</t:IsAllDayEvent>", zone, start="2026-07-04T22:00:00Z", end="2026-07-06T22:00:00Z")
    )
    assert item.content is not None
    (written,) = icalendar.Calendar.from_ical(item.content.data).walk("VEVENT")

    assert written["DTSTART"].dt == date(2026, 7, 5)
    assert written["DTEND"].dt == date(2026, 7, 7)
    assert item.metadata["start_date"] == "2026-07-05"


@pytest.mark.parametrize("hour", ["05", "06", "07"])
def test_an_all_day_event_keeps_its_day_though_its_zone_changed(hour: str) -> None:
    """Mexico gave up summer time in 2022: what was entered before still lies at the midnights of then."""
    mexico = '<t:StartTimeZone Id="Central Standard Time (Mexico)"/>'
    item = read(
        event(
            "<t:IsAllDayEvent>true</t:IsAllDayEvent>",
            mexico,
            start=f"2026-07-05T{hour}:00:00Z",
            end=f"2026-07-06T{hour}:00:00Z",
        )
    )

    assert (item.metadata["start_date"], item.metadata["end_date"]) == ("2026-07-05", "2026-07-06")


ONE_MORE_HOUR = '<t:StartTimeZone Id="Eastern Standard Time"/>'


@pytest.mark.parametrize("zone", [ONE_MORE_HOUR, CUSTOM])
def test_the_repeated_hour_is_unambiguous(zone: str) -> None:
    """RFC 5545 takes a local time that comes twice for the first of them."""
    change = "2026-11-01T06:00:00Z" if zone == ONE_MORE_HOUR else "2026-09-27T00:30:00Z"
    around = [datetime.fromisoformat(change) + timedelta(minutes=minutes) for minutes in (-90, -30, 0, 30, 59, 61)]

    for at in around:
        _, (written,) = calendar(event(zone, start=told(at), end=told(at + timedelta(hours=2))))
        if written["DTSTART"].to_ical().endswith(b"Z") or zone != CUSTOM:
            assert written["DTSTART"].dt.astimezone(UTC) == at
        else:
            offset = timedelta(minutes=150 if at < datetime.fromisoformat(change) else 90)
            assert written["DTSTART"].dt.replace(tzinfo=UTC) == at + offset


def told(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_one_occurrence_of_a_series_that_is_not_here_says_which_it_is() -> None:
    """Who is invited to two of them has two events of one UID: without it the second would replace the first."""
    _, (written,) = calendar(
        event(BERLIN, "<t:UID>the-series</t:UID><t:RecurrenceId>2026-03-02T08:00:00Z</t:RecurrenceId>")
    )

    assert written["UID"] == "the-series"
    assert written["RECURRENCE-ID"].dt == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_an_all_day_series_ends_on_a_day() -> None:
    _, (written,) = calendar(
        event("<t:IsAllDayEvent>true</t:IsAllDayEvent>", BERLIN, WEEKLY, start="2026-03-01T23:00:00Z")
    )

    assert b"UNTIL=20260630;" in written["RRULE"].to_ical() + b";"


def test_a_meeting_tells_its_people_and_their_answers() -> None:
    def person(name: str) -> str:
        return f'<t:Mailbox><t:Name>{name}, "x"</t:Name><t:EmailAddress>{name}@X.example</t:EmailAddress></t:Mailbox>'

    item = read(
        event(
            "<t:IsMeeting>true</t:IsMeeting><t:IsCancelled>true</t:IsCancelled>",
            f"<t:Organizer>{person('ada')}</t:Organizer>",
            f"<t:RequiredAttendees><t:Attendee>{person('bo')}<t:ResponseType>Accept</t:ResponseType></t:Attendee>"
            "</t:RequiredAttendees>",
            f"<t:Resources><t:Attendee>{person('room')}</t:Attendee></t:Resources>",
        )
    )
    assert item.content is not None
    (written,) = icalendar.Calendar.from_ical(item.content.data).walk("VEVENT")

    assert set(item.addresses) == {"ada@x.example", "bo@x.example", "room@x.example"}
    assert written["ORGANIZER"] == "mailto:ada@X.example"
    bo, room = written["ATTENDEE"]
    assert (bo.params["PARTSTAT"], bo.params["CN"]) == ("ACCEPTED", 'bo, "x"')
    assert room.params["CUTYPE"] == "RESOURCE"
    assert written["STATUS"] == "CANCELLED"


def test_a_private_event_is_marked_so_and_a_confidential_one_is_not() -> None:
    private = read(event().replace("Normal", "Private"))
    confidential = read(event().replace("Normal", "Confidential"))

    assert private.private
    assert not confidential.private
    assert confidential.content is not None
    assert b"CLASS:CONFIDENTIAL" in confidential.content.data


def test_words_from_outside_cannot_add_lines_to_a_calendar() -> None:
    _, (written,) = calendar(event("<t:Location>Room\r\nATTENDEE:mailto:x@y.example\nEND:VEVENT</t:Location>"))

    assert "ATTENDEE" not in written
    assert "END:VEVENT" in written["LOCATION"]


def test_long_words_in_any_script_are_folded_between_characters() -> None:
    place = "Zürich 東京 Семья 😀 " * 40
    _, (written,) = calendar(event(f"<t:Location>{place}</t:Location>"))

    assert written["LOCATION"] == place
