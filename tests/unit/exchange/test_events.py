"""Events and series: when they happen, in whatever zone, and what is told of them."""

from datetime import UTC, date, datetime

import icalendar
import pytest
from dateutil.rrule import rrulestr
from lxml import etree

from sandbox.mailboxes.calendar.events import between, occurrences, pattern_of
from sandbox.mailboxes.calendar.ical import calendar
from sandbox.mailboxes.calendar.recurrence import Pattern, ical_rule, read
from sandbox.mailboxes.calendar.zones import ZONES, Zone, definition, from_definition
from sandbox.mailboxes.fragments import TYPES, parse_fragment
from sandbox.mailboxes.items.extended_properties import item_value
from sandbox.mailboxes.samples import item_samples
from sandbox.mailboxes.store import Item
from tests.unit.exchange.bench import START, Bench, T, codes, get, ids


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        ("W. Europe Standard Time", "2026-03-28T09:00", "2026-03-28T08:00Z"),
        ("W. Europe Standard Time", "2026-03-30T09:00", "2026-03-30T07:00Z"),
        ("Eastern Standard Time", "2026-11-02T09:00", "2026-11-02T14:00Z"),
        ("Lord Howe Standard Time", "2026-01-05T12:00", "2026-01-05T01:00Z"),
        ("Lord Howe Standard Time", "2026-07-05T12:00", "2026-07-05T01:30Z"),
        ("Chatham Islands Standard Time", "2026-01-05T12:00", "2026-01-04T22:15Z"),
        ("Nepal Standard Time", "2026-01-05T12:00", "2026-01-05T06:15Z"),
    ],
)
def test_a_wall_clock_s_time_is_a_moment(zone: str, wall: str, utc: str) -> None:
    assert ZONES[zone].utc(at(wall)) == at(utc)
    assert ZONES[zone].wall(at(utc)) == at(wall)


@pytest.mark.parametrize("zone", list(ZONES.values()), ids=lambda zone: zone.id)
def test_a_zone_survives_its_own_definition(zone: Zone) -> None:
    custom = Zone("Custom", zone.name, zone.standard, zone.daylight, zone.to_daylight, zone.to_standard)
    again = from_definition(parse_fragment(definition(custom, "StartTimeZone")))
    assert (again.standard, again.daylight, again.to_daylight, again.to_standard) == (
        zone.standard,
        zone.daylight,
        zone.to_daylight,
        zone.to_standard,
    )


def days(pattern: Pattern, count: int = 5) -> list[str]:
    return [day.isoformat() for day, _ in zip(pattern.dates(), range(count), strict=False)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Pattern("DailyRecurrence", date(2026, 12, 30), 3), ["2026-12-30", "2027-01-02", "2027-01-05"]),
        (Pattern("WeeklyRecurrence", date(2026, 11, 25), 2, (0, 4)), ["2026-11-27", "2026-12-07", "2026-12-11"]),
        (Pattern("AbsoluteMonthlyRecurrence", date(2026, 12, 31), day=31), ["2026-12-31", "2027-01-31", "2027-02-28"]),
        (Pattern("RelativeMonthlyRecurrence", date(2026, 11, 1), weekdays=(3,), week=-1), ["2026-11-26", "2026-12-31"]),
        (Pattern("AbsoluteYearlyRecurrence", date(2024, 2, 29), month=2, day=29), ["2024-02-29", "2025-02-28"]),
        (Pattern("RelativeYearlyRecurrence", date(2026, 1, 1), weekdays=(6,), month=5, week=1), ["2026-05-10"]),
    ],
)
def test_patterns_fall_on_their_days(pattern: Pattern, expected: list[str]) -> None:
    assert days(pattern, len(expected)) == expected


def test_a_series_ends_on_its_day_or_after_its_number() -> None:
    assert len(list(Pattern("DailyRecurrence", date(2026, 1, 1), until=date(2026, 1, 9)).dates())) == 9
    assert len(list(Pattern("DailyRecurrence", date(2026, 1, 1), times=4).dates())) == 4


@pytest.mark.parametrize("xml", ["<t:Recurrence/>", "<t:Recurrence><t:A/><t:B/></t:Recurrence>"])
def test_a_recurrence_of_nothing_is_refused(xml: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read(parse_fragment(xml))


def test_every_sample_s_icalendar_says_the_same_as_its_occurrences() -> None:
    for event in item_samples.events(START):
        parsed = icalendar.Calendar.from_ical(calendar(event))
        found = parsed.walk("VEVENT")
        assert len(found) == 1 + len(event.exceptions)
        assert len(parsed.walk("VTIMEZONE")) == 1
        for part in parsed.walk("VEVENT"):  # X4: a single event names its zone too
            start = part["DTSTART"]
            assert start.params.get("VALUE") == "DATE" or start.params["TZID"] == parsed.walk("VTIMEZONE")[0]["TZID"]
        if "Recurrence" not in event.properties and event.text("IsAllDayEvent") != "true":
            assert found[0].decoded("dtstart") == next(occurrences(event)).start


def test_every_series_rule_in_icalendar_falls_on_the_same_days() -> None:
    for event in item_samples.events(START):
        pattern = pattern_of(event)
        if pattern is not None:
            first = datetime(pattern.start.year, pattern.start.month, pattern.start.day)  # noqa: DTZ001 -- a wall clock's
            rule = rrulestr(ical_rule(pattern, f"{pattern.until:%Y%m%d}" if pattern.until else ""), dtstart=first)
            expected = [day.date().isoformat() for day, _ in zip(rule, range(40), strict=False)]
            assert days(pattern, 40) == expected


def test_a_changed_day_is_seen_where_it_went_and_a_deleted_one_nowhere() -> None:
    series = next(item for item in item_samples.events(START) if item.exceptions)
    (moved, change), *_ = sorted(series.exceptions.items())
    seen = between(series, START.replace(year=2026, month=1), START.replace(year=2027))
    assert change.start in [one.start for one in seen]
    assert moved not in [one.start for one in seen]
    assert not {one.original for one in seen} & set(series.deleted)


def view(start: str, end: str) -> str:
    return (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>'
        f'<m:CalendarView StartDate="{start}" EndDate="{end}"/>'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )


def test_a_calendar_view_expands_series_and_its_ids_open_the_occurrence() -> None:
    bench = Bench()
    for event in item_samples.events(START):
        bench.mailbox.insert(bench.folder("calendar"), event)
    answer = bench.ask(view("2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"))
    starts = [str(element.text) for element in answer.iter(f"{T}Start")]
    assert starts == sorted(starts)
    assert len(starts) > 5
    occurrence = ids(answer)[starts.index("2026-11-24T08:00:00Z")]
    opened = bench.ask(get(occurrence, base="AllProperties"))
    assert opened.findtext(f".//{T}Start") == "2026-11-24T08:00:00Z"
    assert opened.findtext(f".//{T}CalendarItemType") == "Occurrence"
    assert opened.find(f".//{T}Recurrence") is None
    master = bench.ask(
        get().replace("<m:ItemIds>", f'<m:ItemIds><t:RecurringMasterItemId OccurrenceId="{occurrence}"/>')
    )
    assert codes(master) == ["NoError"]


def test_a_view_must_be_a_stretch_of_time_and_not_too_long() -> None:
    bench = Bench()
    assert codes(bench.ask(view("2026-11-30T00:00:00Z", "2026-11-23T00:00:00Z")))[0].startswith("ErrorCalendarEnd")
    assert codes(bench.ask(view("2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z")))[0].startswith("ErrorCalendarView")


def test_a_series_names_its_exceptions() -> None:
    bench = Bench()
    series = bench.mailbox.insert(bench.folder("calendar"), next(x for x in item_samples.events(START) if x.exceptions))
    answer = bench.ask(get(series.id, base="AllProperties"))
    assert answer.findtext(f".//{T}CalendarItemType") == "RecurringMaster"
    assert len(answer.findall(f".//{T}ModifiedOccurrences/{T}Occurrence")) == 2
    assert len(answer.findall(f".//{T}DeletedOccurrences/{T}DeletedOccurrence")) == 2
    assert answer.find(f".//{T}LastOccurrence") is None


def test_server_time_zones_are_told_with_their_rules() -> None:
    bench = Bench()
    answer = bench.ask("<m:GetServerTimeZones><m:Ids><t:Id>Nepal Standard Time</t:Id></m:Ids></m:GetServerTimeZones>")
    (zone,) = answer.findall(".//{*}TimeZoneDefinition")
    assert from_definition(zone).utcoffset(datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() == 5.75 * 3600
    assert etree.QName(zone).namespace == TYPES


def test_what_other_clients_ask_of_events_and_messages_is_there() -> None:
    """X3: without these they see no messages, and no recurring events."""
    single, series = Item("CalendarItem", "IPM.Appointment", {}), Item("CalendarItem", "IPM.Appointment", {})
    series.properties["Recurrence"] = "<t:Recurrence><t:WeeklyRecurrence></t:WeeklyRecurrence></t:Recurrence>"
    recurring = 'DistinguishedPropertySetId="Appointment" PropertyId="33315" PropertyType="Boolean"'
    kind = 'DistinguishedPropertySetId="Appointment" PropertyId="33329" PropertyType="Integer"'
    assert [item_value(item, recurring) for item in (single, series)] == ["false", "true"]
    assert [item_value(item, kind) for item in (single, series)] == ["0", "2"]
    message = Item("Message", "IPM.Note", {})
    message.number = 7
    assert item_value(message, 'PropertyTag="0xe23" PropertyType="Integer"') == "7"
    assert item_value(message, 'PropertyTag="0xff9" PropertyType="Binary"')
    assert item_value(message, recurring) == ""
