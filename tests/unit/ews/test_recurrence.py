"""Exchange's recurrence patterns as rules."""

from datetime import date

import pytest
from lxml import etree

from shared.formats.values.recurrence import Recurrence
from shared.sources.ews.recurrence import read_recurrence
from tests.unit.ews.soap_samples import TYPES

FOREVER = "<t:NoEndRecurrence><t:StartDate>2026-01-05</t:StartDate></t:NoEndRecurrence>"


def recurrence(pattern: str, extent: str = FOREVER) -> Recurrence | None:
    return read_recurrence(etree.fromstring(f'<t:Recurrence xmlns:t="{TYPES}">{pattern}{extent}</t:Recurrence>'))


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>", "FREQ=DAILY"),
        ("<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>", "FREQ=DAILY;INTERVAL=3"),
        (
            "<t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek></t:WeeklyRecurrence>",
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;WKST=SU",
        ),
        (
            "<t:AbsoluteMonthlyRecurrence><t:Interval>2</t:Interval><t:DayOfMonth>15</t:DayOfMonth>"
            "</t:AbsoluteMonthlyRecurrence>",
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15",
        ),
        (
            "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>"
            "</t:AbsoluteMonthlyRecurrence>",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        ),
        (
            "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek>"
            "<t:DayOfWeekIndex>Second</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
            "FREQ=MONTHLY;BYDAY=2TU",
        ),
        (
            "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>WeekendDay</t:DaysOfWeek>"
            "<t:DayOfWeekIndex>Last</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
            "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=-1",
        ),
        (
            "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>24</t:DayOfMonth><t:Month>December</t:Month>"
            "</t:AbsoluteYearlyRecurrence>",
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
        ),
        (
            "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>29</t:DayOfMonth><t:Month>February</t:Month>"
            "</t:AbsoluteYearlyRecurrence>",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
        ),
        (
            "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Thursday</t:DaysOfWeek><t:DayOfWeekIndex>Fourth"
            "</t:DayOfWeekIndex><t:Month>November</t:Month></t:RelativeYearlyRecurrence>",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        ),
    ],
)
def test_every_pattern_of_exchange_has_its_rule(pattern: str, rule: str) -> None:
    found = recurrence(pattern)

    assert found is not None
    assert found.plain_rule == rule
    assert found.start == date(2026, 1, 5)


def test_a_number_of_times_ends_it() -> None:
    found = recurrence(
        "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>",
        "<t:NumberedRecurrence><t:StartDate>2026-01-05Z</t:StartDate>"
        "<t:NumberOfOccurrences>12</t:NumberOfOccurrences></t:NumberedRecurrence>",
    )

    assert found is not None
    assert found.plain_rule == "FREQ=DAILY;COUNT=12"


def test_a_task_that_comes_again_after_its_completion_says_so() -> None:
    found = recurrence("<t:WeeklyRegeneration><t:Interval>2</t:Interval></t:WeeklyRegeneration>")

    assert found is not None
    assert found.regenerates
    assert found.plain_rule == "FREQ=WEEKLY;INTERVAL=2"


def test_a_pattern_that_nobody_documented_is_none() -> None:
    assert recurrence("<t:LunarRecurrence/>") is None
