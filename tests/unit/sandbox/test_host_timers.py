"""The timers of the local host, with a clock that moves only when somebody waits."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.host.timers import Timer, TimerStatus
from shared.scheduling.ncrontab import Schedule

START = datetime(2026, 11, 23, 10, 7, 30, tzinfo=UTC)
EVERY_HALF_HOUR = Schedule.parse("0 */30 * * * *")


class Enough(Exception):
    """The test has seen enough ticks."""


class World:
    """A clock, and a function that takes some time and remembers when it was fired."""

    def __init__(self, *, takes: timedelta = timedelta(0), ticks: int = 3) -> None:
        self.now = START
        self.takes = takes
        self.ticks = ticks
        self.fired: list[tuple[datetime, bool]] = []
        self.longest_nap = 0.0

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.longest_nap = max(self.longest_nap, seconds)
        self.now += timedelta(seconds=seconds)

    async def fire(self, information: dict[str, object]) -> None:
        self.fired.append((self.now, bool(information["IsPastDue"])))
        self.now += self.takes
        if len(self.fired) == self.ticks:
            raise Enough


def timer_in(world: World, status: TimerStatus | None = None) -> Timer:
    return Timer("tick", EVERY_HALF_HOUR, world.fire, status or TimerStatus(None), clock=world.clock, sleep=world.sleep)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


async def test_a_timer_fires_at_every_tick_and_looks_at_the_clock_in_between() -> None:
    world = World()
    with pytest.raises(Enough):
        await timer_in(world).run()
    assert world.fired == [(at(10, 30), False), (at(11, 0), False), (at(11, 30), False)]
    assert world.longest_nap <= 30


async def test_a_tick_missed_by_a_long_run_fires_once_late() -> None:
    world = World(takes=timedelta(minutes=70))
    with pytest.raises(Enough):
        await timer_in(world).run()
    assert world.fired == [(at(10, 30), False), (at(11, 40), True), (at(12, 50), True)]


async def test_ticks_missed_while_the_host_was_down_fire_once_late(tmp_path: Path) -> None:
    status = TimerStatus(tmp_path / "timers.json")
    status.record("tick", START - timedelta(hours=5))
    world = World(ticks=2)
    with pytest.raises(Enough):
        await timer_in(world, TimerStatus(tmp_path / "timers.json")).run()
    assert world.fired == [(START, True), (at(10, 30), False)]


async def test_a_status_that_cannot_be_read_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "timers.json").write_text("{half")
    world = World(ticks=1)
    with pytest.raises(Enough):
        await timer_in(world, TimerStatus(tmp_path / "timers.json")).run()
    assert world.fired == [(at(10, 30), False)]


async def test_a_timer_fired_by_hand_waits_for_the_run_under_way() -> None:
    running = 0
    most = 0

    async def fire(_information: dict[str, object]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    timer = Timer("tick", EVERY_HALF_HOUR, fire, TimerStatus(None))
    await asyncio.gather(timer.fire(), timer.fire(), timer.fire())
    assert most == 1
