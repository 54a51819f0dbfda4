"""Time zones, compared with the zone database."""

# ruff: noqa: DTZ001 -- wall-clock times

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from exchangelib.winzone import MS_TIMEZONE_TO_IANA_MAP
from lxml import etree

from shared.sources.ews.contentlines import component
from shared.sources.ews.vtimezone import vtimezone
from shared.sources.ews.zones import RuleZone, Zone, day_of_midnight, duration, read_zone
from tests.unit.ews.answers import TYPES

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


def zone(attributes: str, inside: str = "") -> Zone | None:
    return read_zone(
        etree.fromstring(f'<t:StartTimeZone xmlns:t="{TYPES}" {attributes}>{inside}</t:StartTimeZone>'), AT
    )


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
def test_a_midnight_of_an_unknown_zone_is_told_by_its_day_wherever_people_live(name: str, month: int) -> None:
    midnight = datetime(2026, month, 15, tzinfo=ZoneInfo(name))

    assert day_of_midnight(midnight.astimezone(UTC)) == midnight.date()


def test_a_birthday_that_exchange_keeps_at_noon_stays_on_its_day() -> None:
    assert day_of_midnight(datetime(1980, 1, 15, 11, 59, tzinfo=UTC)) == date(1980, 1, 15)
