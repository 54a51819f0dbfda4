"""NCRONTAB schedules: their ticks, and how often a mailbox is due by them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scheduling.ncrontab import Schedule, ScheduleInvalid

MONDAY = datetime(2026, 11, 23, 10, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 */30 * * * *", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        ("*/10 * * * * *", datetime(2026, 11, 23, 10, 7, 40, tzinfo=UTC)),
        ("0 15 2 * * *", datetime(2026, 11, 24, 2, 15, tzinfo=UTC)),
        ("0 0 9-17 * * MON-FRI", datetime(2026, 11, 23, 11, 0, tzinfo=UTC)),
        ("0 0 0 * * Sunday", datetime(2026, 11, 29, 0, 0, tzinfo=UTC)),
        ("0 5,8 * * * *", datetime(2026, 11, 23, 10, 8, tzinfo=UTC)),
        ("0 5/20 * * * *", datetime(2026, 11, 23, 10, 25, tzinfo=UTC)),
        ("0 0 0 1 JAN *", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 23, 10, 10, tzinfo=UTC)),
        ("0 0 0 13 * FRI", datetime(2027, 8, 13, tzinfo=UTC)),
    ],
)
def test_a_schedule_names_its_next_tick(expression: str, expected: datetime) -> None:
    assert Schedule.parse(expression).next_after(MONDAY) == expected


def test_a_tick_is_never_the_moment_itself() -> None:
    tick = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    assert Schedule.parse("0 */30 * * * *").next_after(tick) == tick + timedelta(minutes=30)


def test_another_zone_is_read_as_utc() -> None:
    paris = timezone(timedelta(hours=1))
    assert Schedule.parse("0 0 10 * * *").next_after(datetime(2026, 11, 23, 10, 30, tzinfo=paris)) == datetime(
        2026, 11, 23, 10, 0, tzinfo=UTC
    )


def test_a_day_that_never_comes_has_no_tick() -> None:
    assert Schedule.parse("0 0 0 30 2 *").next_after(MONDAY) is None


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "60 * * * * *", "* * * * * 7", "* * 24 * * *", "0 9-5 * * * *", "x * * * * *", "*/0 * * * * *"],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleInvalid):
        Schedule.parse(expression)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- the strategy adds the zone
    st.sampled_from(["0 */30 * * * *", "15 0 */6 * * *", "0 0 0 * * MON", "0 59 23 31 * *"]),
)
def test_no_tick_lies_between_a_moment_and_its_next(moment: datetime, expression: str) -> None:
    schedule = Schedule.parse(expression)
    tick = schedule.next_after(moment)
    assert tick is not None
    assert tick > moment
    assert schedule.next_after(tick - timedelta(seconds=1)) == tick
    assert schedule.next_after(moment + (tick - moment) / 2) == tick


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("0 */30 * * * *", 30),
        ("0 * * * * *", 1),
        ("*/10 * * * * *", 1),
        ("0 0 */2 * * *", 120),
        ("0 */15 9-17 * * MON-FRI", 15),
        ("0 0 0 * * SUN", 24 * 60),
        ("0 0 0 30 2 *", 24 * 60),
    ],
)
def test_a_mailbox_is_due_as_often_as_the_shortest_gap(expression: str, minutes: int) -> None:
    assert Schedule.parse(expression).interval() == timedelta(minutes=minutes)
