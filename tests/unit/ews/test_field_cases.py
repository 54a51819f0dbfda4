"""Kinds of fault that were met in the field, rows C1 to C13: what is written, read back by independent readers."""

import base64
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.sources.model import ContentLevel, Item
from tests.unit.ews.field_cases import HERE, calendar, case, component, elements, lines, read, starts, utc, written
from tests.unit.ews.test_events import BERLIN, WEEKLY, event

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import vobject

ALL = sorted(path.stem for path in HERE.glob("*.xml"))
FLAWED = [name for name in ALL if name.startswith("m") and "MimeContent" in (HERE / f"{name}.xml").read_text()]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


def in_july(item: Item) -> list[datetime | date]:
    return starts(item, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", ALL)
def test_every_file_is_opened_by_independent_readers(name: str) -> None:
    item = read(*elements(name), files={"A1": PNG})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (found,) = vobject.readComponents(written(item).decode())
    if found.name == "VCALENDAR":
        assert calendar(item).walk("VEVENT") or calendar(item).walk("VTODO")


@pytest.mark.parametrize("level", [ContentLevel.BODY, ContentLevel.MIME])
@pytest.mark.parametrize("name", FLAWED)
def test_the_servers_own_icalendar_is_never_used(name: str, level: ContentLevel) -> None:
    """C1: attendees missing, all-day as times, cut off, NUL in a TZID, CID without a part, TRIGGER:P."""
    (element,) = elements(name)
    without = element[: element.index("<t:MimeContent")] + element[element.index("</t:MimeContent>") + 16 :]

    assert written(read(element, level=level)) == written(read(without, level=level))
    assert calendar(read(element)).walk("VEVENT")


def test_what_the_server_left_out_of_its_icalendar_is_there() -> None:
    """C1: m1, m2 and m8, from what the element says."""
    people = component(case("m1_attendees_missing"))["ATTENDEE"]
    alarm = component(case("m8_trigger_p"), "VALARM")

    assert [person.params["PARTSTAT"] for person in people] == ["ACCEPTED", "DECLINED"]
    assert component(case("m2_allday_as_times"))["DTSTART"].dt == date(2026, 7, 6)
    assert alarm["TRIGGER"].dt == timedelta(0)


def test_no_mime_is_asked_of_an_event() -> None:
    """C1."""
    from shared.sources.ews.fetching.shapes import Shape

    assert not any("IncludeMimeContent" in Shape.EVENT.request(level) for level in ContentLevel)


@pytest.mark.parametrize(
    ("name", "due", "start"),
    [
        ("k1_due_only", date(2026, 3, 10), None),
        ("k1_same_day", date(2026, 3, 10), date(2026, 3, 10)),
        ("k1_next_day", date(2026, 3, 11), date(2026, 3, 10)),
        ("k1_start_only", None, date(2026, 3, 10)),
        ("k1_due_before", date(2026, 3, 5), None),
    ],
)
def test_a_task_is_due_on_its_due_day(name: str, due: date | None, start: date | None) -> None:
    """C3."""
    found = component(case(name), "VTODO")

    assert (found["DUE"].dt if "DUE" in found else None) == due
    assert (found["DTSTART"].dt if "DTSTART" in found else None) == start
    assert "DURATION" not in found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task: Any = vobject.readOne(written(case(name)).decode()).vtodo
    assert (task.due.value if due else None) == due


def two_zones() -> Item:
    """A series in a custom zone, with one occurrence that was moved in another custom zone of the same name."""
    (series,) = elements("r11_two_custom_zones")
    (pacific,) = elements("r11b_pacific")
    moved = (
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1"/><t:Start>2026-04-14T23:00:00Z</t:Start>'
        "<t:End>2026-04-15T00:00:00Z</t:End><t:OriginalStart>2026-04-14T07:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences><t:StartTimeZone"
    )
    exception = pacific.replace('Id="I0"', 'Id="O1"').replace("2026-07-05T10:00:00Z", "2026-04-14T23:00:00Z")
    exception = exception.replace("2026-07-05T11:00:00Z", "2026-04-15T00:00:00Z")
    return read(series.replace("<t:StartTimeZone", moved, 1), exception)


def test_two_zones_of_one_name_are_kept_apart_in_a_series() -> None:
    """C4: r11."""
    found = starts(two_zones(), datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))

    assert found == [
        datetime(2026, 4, 8, 7, tzinfo=UTC),
        datetime(2026, 4, 10, 7, tzinfo=UTC),
        datetime(2026, 4, 12, 7, tzinfo=UTC),
        datetime(2026, 4, 14, 23, tzinfo=UTC),
        datetime(2026, 4, 16, 7, tzinfo=UTC),
    ]


def test_old_and_new_rules_of_a_zone_are_kept_apart() -> None:
    """C4: r15. Mexico gave up summer time; the series was made before, one occurrence was moved since."""
    found = in_july(read(*elements("r15_series_definition_changed")))

    assert found == [datetime(2026, 7, day, hour, tzinfo=UTC) for day, hour in ((6, 14), (13, 18), (20, 14), (27, 14))]


def test_zones_of_one_name_in_two_files_are_kept_apart() -> None:
    """C4: r11b, by a reader that keeps zones by their TZID as long as it runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            vobject.readOne(written(case(name)).decode()).vevent.dtstart.value
            for name in ("r11b_berlin", "r11b_pacific")
        ]

    assert [utc(at) for at in found] == [datetime(2026, 7, 5, 10, tzinfo=UTC)] * 2


def test_rules_that_hold_for_ever_are_written_alike_whatever_the_year() -> None:
    """C4: readers keep a zone as they first saw it."""
    (element,) = elements("r11b_berlin")
    zones = [
        calendar(read(element.replace("2026", year))).walk("VTIMEZONE")[0].to_ical()
        for year in ("1999", "2026", "2031")
    ]

    assert len(set(zones)) == 1


def test_a_zone_that_is_known_is_written_by_its_known_name() -> None:
    """C5: z5."""
    start = component(case("z5_real_definition"))["DTSTART"]

    assert start.params["TZID"] == "Europe/Berlin"
    assert utc(start.dt) == datetime(2026, 7, 5, 10, tzinfo=UTC)


def test_utc_is_utc_though_it_is_defined() -> None:
    """C5: z4."""
    assert component(case("z4_utc_defined"))["DTSTART"].to_ical() == b"20260705T100000Z"
    assert not calendar(case("z4_utc_defined")).walk("VTIMEZONE")


def test_a_reminder_after_the_start_stays_after_it() -> None:
    """C6."""
    item = case("l1_negative")

    assert "TRIGGER:PT540M" in lines(item)
    assert component(item, "VALARM")["TRIGGER"].dt == timedelta(hours=9)
    assert item.metadata["reminder_minutes"] == -540


def test_a_birthday_without_a_year_has_none() -> None:
    """C7: the year 1604 stands for it."""
    assert {"BDAY:--0509", "ANNIVERSARY:--0509"} <= set(lines(case("c1_1604")))


def test_a_placeholder_for_no_date_is_no_date() -> None:
    """C7."""
    assert not any(line.startswith(("BDAY", "ANNIVERSARY")) for line in lines(case("c1_4501")))


@pytest.mark.parametrize("day", ["4501-01-01T00:00:00Z", "4500-12-31T23:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_placeholder_for_no_due_date_is_no_due_date(day: str) -> None:
    """C7: the same placeholders stand in tasks."""
    (element,) = elements("k1_same_day")
    found = component(read(element.replace("2026-03-10T00:00:00Z", day)), "VTODO")

    assert "DUE" not in found
    assert "DTSTART" not in found


def test_a_recurring_task_without_a_start_keeps_its_rule() -> None:
    """C8."""
    found = component(case("k4_recurring_without_start"), "VTODO")

    assert found["RRULE"].to_ical() == b"FREQ=MONTHLY;BYMONTHDAY=10"
    assert found["DTSTART"].dt == date(2026, 3, 10)
    assert found["DUE"].dt == date(2026, 3, 10)


def test_a_recurring_task_due_before_its_start_keeps_rule_and_due_day() -> None:
    """C8 with C3."""
    (element,) = elements("k4_recurring_without_start")
    found = component(
        read(element.replace("</t:DueDate>", "</t:DueDate><t:StartDate>2026-03-12T00:00:00Z</t:StartDate>")), "VTODO"
    )

    assert found["DUE"].dt == date(2026, 3, 10)
    assert "RRULE" in found


def test_a_contacts_photo_is_in_its_card() -> None:
    """C9."""
    (photo,) = [line for line in lines(read(*elements("c9_photo"), files={"A1": PNG})) if line.startswith("PHOTO")]

    assert photo == f"PHOTO:data:image/jpeg;base64,{base64.b64encode(PNG).decode()}"


@pytest.mark.parametrize("element", ["m7_attachment_ours", "task"])
def test_an_attachment_is_in_the_file(element: str) -> None:
    """C9: of an event and of a task."""
    (source,) = elements("m7_attachment_ours")
    if element == "task":
        source = source.replace("CalendarItem", "Task")
    item = read(source, files={"A1": PNG})
    attached = component(item, "VTODO" if element == "task" else "VEVENT")["ATTACH"]

    assert attached.params["FILENAME"] == "deck.pptx"
    assert attached.params["FMTTYPE"] == "application/vnd.ms-powerpoint"
    assert base64.b64decode(attached.to_ical()) == PNG
    assert "attachments" not in item.metadata


def test_an_attachment_of_a_changed_occurrence_is_with_that_occurrence() -> None:
    """C9."""
    series = event(
        BERLIN,
        WEEKLY,
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1"/><t:Start>2026-03-05T13:00:00Z</t:Start>'
        "<t:End>2026-03-05T14:00:00Z</t:End><t:OriginalStart>2026-03-05T08:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences>",
    )
    (source,) = elements("m7_attachment_ours")
    item = read(series, source.replace('Id="I0"', 'Id="O1"'), files={"A1": PNG})
    master, changed = calendar(item).walk("VEVENT")

    assert "ATTACH" not in master
    assert base64.b64decode(changed["ATTACH"].to_ical()) == PNG


def test_a_link_to_a_file_elsewhere_is_kept_as_a_link() -> None:
    """C9: nothing is fetched for it."""
    (source,) = elements("m7_attachment_ours")
    link = "<t:AttachLongPathName>https://files.example/deck one</t:AttachLongPathName></t:ReferenceAttachment>"
    source = source.replace("FileAttachment", "ReferenceAttachment").replace("</t:ReferenceAttachment>", link)

    assert component(read(source))["ATTACH"] == "https://files.example/deck%20one"


def test_an_attachment_beyond_the_largest_item_is_named_and_not_fetched() -> None:
    """C9: nobody takes the file for all there is."""
    (source,) = elements("m7_attachment_ours")
    found = component(read(source.replace("<t:Size>4000</t:Size>", "<t:Size>1048577</t:Size>")))

    assert "ATTACH" not in found
    assert found["X-MISSING-ATTACHMENT"] == "deck.pptx"


def test_a_series_in_a_zone_that_nobody_knows_keeps_its_weekdays() -> None:
    """C10: written in UTC it would take place on Tuesdays, once more than it does."""
    item = case("r13_named_zone_unknown")
    found = starts(item, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))

    assert found == [datetime(2026, 3, 1, 23, 30, tzinfo=UTC) + timedelta(weeks=week) for week in range(6)]
    local = component(item)["DTSTART"].dt
    assert (local.weekday(), local.hour, local.minute) == (0, 0, 30)


def test_names_of_people_are_written_as_rfc_6868_says() -> None:
    """C11: a1."""
    people = component(case("a1_names"))["ATTENDEE"]

    assert [person.params["CN"] for person in people] == [
        'Dr. "Bob" O\'Hara, PhD; CEO',
        "Ünal Çelik 山田",
        "a^nb ^^ ^'c",
        "two\nlines",
    ]


def test_a_tentative_event_is_tentative() -> None:
    """C11: a5."""
    assert component(case("a5_Tentative"))["STATUS"] == "TENTATIVE"


def test_an_all_day_event_within_a_day_has_no_end() -> None:
    """C11: e1. DTEND would be DTSTART."""
    found = component(case("e1_allday_short"))

    assert found["DTSTART"].dt == date(2026, 7, 5)
    assert "DTEND" not in found


def test_odd_addresses_are_uris() -> None:
    """C11: a7, by RFC 6068."""
    assert [str(person) for person in component(case("a7_odd_addresses"))["ATTENDEE"]] == [
        "mailto:a+b%25c@x.example",
        "mailto:%22john%20doe%22@x.example",
        "mailto:m%C3%BCller@b%C3%BCcher.example",
        "mailto:a%3Fb%26c@x.example",
    ]


def test_an_event_that_ends_in_another_zone_keeps_both() -> None:
    """C12: a flight."""
    tokyo = '<t:EndTimeZone Id="Tokyo Standard Time"/>'
    item = read(event(BERLIN, tokyo, end="2026-03-02T20:00:00Z"))
    found = component(item)

    assert found["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert found["DTEND"].params["TZID"] == "Asia/Tokyo"
    assert utc(found["DTEND"].dt) == datetime(2026, 3, 2, 20, tzinfo=UTC)
    assert {str(zone["TZID"]) for zone in calendar(item).walk("VTIMEZONE")} == {"Europe/Berlin", "Asia/Tokyo"}


def test_phonetic_names_are_kept() -> None:
    """C12: c5."""
    assert {"X-PHONETIC-FIRST-NAME:たろう", "X-PHONETIC-LAST-NAME:やまだ"} <= set(lines(case("c5_phonetic")))


def test_office_file_as_and_preferred_address_are_kept() -> None:
    """C12: c2."""
    (element,) = elements("c2_contact")
    found = lines(read(element.replace("<t:DisplayName>", "<t:FileAs>Lovelace, Ada</t:FileAs><t:DisplayName>")))

    assert "X-EVOLUTION-OFFICE:B12\\, 3rd floor" in found
    assert "X-EVOLUTION-FILE-AS:Lovelace\\, Ada" in found
    assert any(line.startswith("ADR;TYPE=work;PREF=1:") for line in found)


def test_an_assistants_number_is_not_the_contacts_own() -> None:
    """C12: c2."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = vobject.readOne(written(case("c2_contact")).decode())

    assert "+1 555 0100" not in [each.value for each in found.contents["tel"]]
    assert found.contents["x-assistant-phone"][0].value == "+1 555 0100"


def test_the_link_to_an_online_meeting_is_kept() -> None:
    """C12: a8, by RFC 7986."""
    found = component(case("a8_online"))["CONFERENCE"]

    assert str(found) == "https://teams.example/join/1"
    assert found.params["VALUE"] == "URI"


def test_an_html_body_is_kept_beside_its_text() -> None:
    """C12: b2."""
    found = component(case("b2_html"))

    assert "<b>bold</b>" in found["X-ALT-DESC"]
    assert found["X-ALT-DESC"].params["FMTTYPE"] == "text/html"
    assert found["DESCRIPTION"] == "Hello bold join <https://x.example/j>"


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "9999-12-31T22:00:00Z"])
@pytest.mark.parametrize("all_day", ["", "<t:IsAllDayEvent>true</t:IsAllDayEvent>"])
@pytest.mark.parametrize("zone", ["", BERLIN, '<t:StartTimeZone Id="Tokyo Standard Time"/>'])
def test_an_event_until_the_end_of_the_calendar_is_kept(zone: str, all_day: str, end: str) -> None:
    """C13: the date is left out where there is none."""
    found = component(read(event(all_day, zone, start="2026-03-01T23:00:00Z", end=end)))

    assert utc(found["DTSTART"].dt) in (date(2026, 3, 2), datetime(2026, 3, 1, 23, tzinfo=UTC))


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "0001-01-01T10:00:00Z", "0999-05-05T00:00:00Z"])
@pytest.mark.parametrize("all_day", ["", "<t:IsAllDayEvent>true</t:IsAllDayEvent>"])
def test_years_have_four_digits(start: str, all_day: str) -> None:
    """C13."""
    element = event(all_day, '<t:StartTimeZone Id="Eastern Standard Time"/>', start=start, end="2026-01-01T00:00:00Z")
    found = lines(read(element.replace("2026-02-01T10:00:00Z", start)))

    assert any(line.startswith(f"DTSTAMP:{start[:4]}0") for line in found)


@pytest.mark.parametrize("day", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T11:00:00Z"])
@pytest.mark.parametrize("name", ["c1_1604", "k1_due_only"])
def test_days_at_the_ends_of_the_calendar_are_left_out(name: str, day: str) -> None:
    """C13: birthdays and due dates."""
    (element,) = elements(name)
    for real in ("1604-05-09T00:00:00Z", "2026-03-10T00:00:00Z"):
        element = element.replace(real, day)

    assert not any(line.startswith(("BDAY", "DUE")) for line in lines(read(element)))
