"""Time zones, compared with the zone database."""

# ruff: noqa: DTZ001 -- wall-clock times

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from exchangelib.winzone import MS_TIMEZONE_TO_IANA_MAP
from lxml import etree

from shared.formats.contentlines import component
from shared.formats.values.zone import RuleZone
from shared.formats.zones.resolving import ResolvedZone, day_of_midnight, resolve
from shared.formats.zones.vtimezone import vtimezone
from shared.formats.zones.windows_zones import WINDOWS_ZONES
from shared.sources.ews.zones import duration, read_zone
from tests.unit.ews.soap_samples import TYPES

AT = datetime(2026, 3, 1, tzinfo=UTC)
CHANGING = (
    "Pacific Standard Time",
    "W. Europe Standard Time",
    "Russian Standard Time",
    "Central Standard Time (Mexico)",
    "E. South America Standard Time",
    "Morocco Standard Time",
    "Iran Standard Time",
    "Venezuela Standard Time",
)
"""In these, other rules held within the last thirty years."""


def zone(attributes: str, inside: str = "") -> ResolvedZone | None:
    element = f'<t:StartTimeZone xmlns:t="{TYPES}" {attributes}>{inside}</t:StartTimeZone>'
    return resolve(read_zone(etree.fromstring(element)))


@pytest.mark.parametrize("since", [1995, 2005, 2026])
@pytest.mark.parametrize("name", sorted({*sorted(set(MS_TIMEZONE_TO_IANA_MAP) - {"UTC"})[::9], *CHANGING}))
def test_a_written_zone_reckons_as_the_zone_database_does(name: str, since: int) -> None:
    """Every ninth of Microsoft's zones and those that are known to have changed their rules, from a series' first year
    on for many years; hours beside a change are left out. The reader must not know the zone by its name."""
    found = zone(f'Id="{name}"')
    assert found is not None
    (parsed,) = icalendar.Calendar.from_ical(
        component("VCALENDAR", ["VERSION:2.0\r\n", "PRODID:x\r\n", vtimezone(found, since)])
    ).walk("VTIMEZONE")
    reckoned = parsed.to_tz(lookup_tzid=False)

    for day in range(0, (2040 - since) * 366, 10):
        local = datetime(since, 1, 1, 12) + timedelta(days=day)
        assert reckoned.utcoffset(local) == found.rules.utcoffset(local), (name, local)


def test_windows_names_are_those_that_other_programs_know() -> None:
    assert {**WINDOWS_ZONES, "tzone://Microsoft/Utc": "UTC"} == MS_TIMEZONE_TO_IANA_MAP


def test_an_iana_name_is_taken_as_it_is() -> None:
    found = zone('Id="Asia/Tokyo"')

    assert found is not None
    assert found.rules == ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize("identifier", ["UTC", "tzone://Microsoft/Utc", "", "../../etc/passwd", "No Such Zone"])
def test_utc_and_names_that_nobody_knows_are_no_zone(identifier: str) -> None:
    assert zone(f'Id="{identifier}"') is None


def test_a_definition_without_changes_is_one_offset() -> None:
    found = zone(
        'Id="Ours" Name="Ours"',
        '<t:Periods><t:Period Bias="PT210M" Name="Standard" Id="p"/></t:Periods><t:TransitionsGroups>'
        '<t:TransitionsGroup Id="0"><t:Transition><t:To Kind="Period">p</t:To></t:Transition></t:TransitionsGroup>'
        '</t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>',
    )

    assert found is not None
    assert found.local(AT).utcoffset() == timedelta(minutes=-210)
    assert isinstance(found.rules, RuleZone)


@pytest.mark.parametrize(
    ("text", "minutes"), [("PT2H", 120), ("-PT90M", -90), ("PT7200.000S", 120), ("P1DT1H", 1500), ("PT0S", 0)]
)
def test_durations_are_read(text: str, minutes: int) -> None:
    assert duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", None, "2 hours", "PT", "P999999D"])
def test_what_is_no_duration_is_none_or_nothing(text: str | None) -> None:
    assert duration(text) in (None, timedelta(0))


@pytest.mark.parametrize("month", [1, 7])
@pytest.mark.parametrize(
    "name",
    [
        "Pacific/Auckland",
        "Pacific/Tongatapu",
        "Australia/Adelaide",
        "Asia/Kolkata",
        "Europe/London",
        "America/St_Johns",
        "America/Anchorage",
        "Pacific/Honolulu",
    ],
)
def test_a_midnight_of_an_unknown_zone_keeps_its_day(name: str, month: int) -> None:
    midnight = datetime(2026, month, 15, tzinfo=ZoneInfo(name))

    assert day_of_midnight(midnight.astimezone(UTC)) == midnight.date()


def test_a_birthday_that_exchange_keeps_at_noon_stays_on_its_day() -> None:
    assert day_of_midnight(datetime(1980, 1, 15, 11, 59, tzinfo=UTC)) == date(1980, 1, 15)


def definition(periods: dict[str, int], groups: dict[str, str], transitions: str) -> str:
    """A zone's definition: offsets of periods in minutes, groups of changes, and when each group begins."""
    return (
        "<t:Periods>"
        + "".join(f'<t:Period Bias="PT{-offset}M" Name="x" Id="{key}"/>' for key, offset in periods.items())
        + "</t:Periods><t:TransitionsGroups>"
        + "".join(f'<t:TransitionsGroup Id="{key}">{inside}</t:TransitionsGroup>' for key, inside in groups.items())
        + f"</t:TransitionsGroups><t:Transitions>{transitions}</t:Transitions>"
    )


def change(to: str, month: int, nth: int) -> str:
    return (
        f'<t:RecurringDayTransition><t:To Kind="Period">{to}</t:To><t:TimeOffset>PT2H</t:TimeOffset>'
        f"<t:Month>{month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>{nth}</t:Occurrence>"
        "</t:RecurringDayTransition>"
    )


FIRST_GROUP = '<t:Transition><t:To Kind="Group">0</t:To></t:Transition>'
EASTERN = definition(
    {"std": -300, "dlt": -240},
    {
        "0": change("dlt", 4, 1) + change("std", 10, -1),
        "1": change("dlt", 3, 2) + change("std", 11, 1),
    },
    FIRST_GROUP + '<t:AbsoluteDateTransition><t:To Kind="Group">1</t:To><t:DateTime>2007-01-01T00:00:00</t:DateTime>'
    "</t:AbsoluteDateTransition>",
)


@pytest.mark.parametrize("since", [2004, 2006, 2007, 2026])
def test_a_zone_defined_in_several_periods_applies_each_in_its_time(since: int) -> None:
    """Exchange writes even well-known zones so, as Outlook knew them when an event was made."""
    found = zone('Id="Eastern Standard Time"', EASTERN)
    assert found is not None
    (parsed,) = icalendar.Calendar.from_ical(
        component("VCALENDAR", ["VERSION:2.0\r\n", "PRODID:x\r\n", vtimezone(found, since)])
    ).walk("VTIMEZONE")
    reckoned, real = parsed.to_tz(lookup_tzid=False), ZoneInfo("America/New_York")

    for day in range(0, (2040 - since) * 366, 3):
        local = datetime(since, 1, 1, 12) + timedelta(days=day)
        assert reckoned.utcoffset(local) == real.utcoffset(local), local
        moment = local.replace(tzinfo=UTC)
        assert found.local(moment).replace(tzinfo=None) == moment.astimezone(real).replace(tzinfo=None)


PARTLY = definition({"std": -480}, {"0": change("dlt", 3, 2) + change("std", 11, 1)}, FIRST_GROUP)


@pytest.mark.parametrize(
    ("name", "summer"), [("America/Los_Angeles", -420), ("Pacific Standard Time", -420), ("", -480)]
)
def test_an_incomplete_definition_counts_only_where_there_is_no_name(name: str, summer: int) -> None:
    """Exchange Online writes such ones for events from elsewhere."""
    found = zone(f'Id="{name}"', PARTLY)

    assert found is not None
    assert found.local(datetime(2026, 7, 1, tzinfo=UTC)).utcoffset() == timedelta(minutes=summer)
    assert found.local(datetime(2026, 1, 1, tzinfo=UTC)).utcoffset() == timedelta(minutes=-480)
