"""Timers: one run at a time. A missed tick fires once, late, and is marked as past due."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.scheduling.ncrontab import Schedule

LONGEST_NAP = 30.0
"""Seconds between looks at the clock, which may be adjusted while we wait."""

log = logging.getLogger("host.timers")

Fire = Callable[[dict[str, object]], Coroutine[Any, Any, object]]
"""Runs the function with the timer's information in the worker's format."""


class TimerStatus:
    """When each timer last fired, kept across restarts in a file (the real host keeps it in a blob)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._last: dict[str, str] = {}
        if file and file.exists():
            try:
                self._last = json.loads(file.read_text())
            except ValueError:
                log.warning("The timers' status cannot be read and starts anew")

    def last(self, name: str) -> datetime | None:
        """When the timer last fired, if known."""
        return datetime.fromisoformat(self._last[name]) if name in self._last else None

    def record(self, name: str, moment: datetime) -> None:
        """Record that the timer fired."""
        self._last[name] = moment.isoformat()
        if self._file:
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps(self._last))
            draft.replace(self._file)


class Timer:
    """One timer function."""

    def __init__(
        self,
        name: str,
        schedule: Schedule,
        fire: Fire,
        status: TimerStatus,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self._schedule = schedule
        self._fire = fire
        self._status = status
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Fire at every tick; returns only when the schedule has no further tick."""
        last = self._status.last(self.name)
        if last is None:
            last = self._clock()
            self._status.record(self.name, last)
        while (due := self._schedule.next_after(last)) is not None:
            past_due = due < self._clock()
            await self._until(due)
            last = max(due, self._clock())
            await self.fire(past_due=past_due, last=last)
        log.warning("Timer %s has no further tick", self.name)

    async def fire(self, *, past_due: bool = False, last: datetime | None = None) -> None:
        """Run the function now, after any run in progress."""
        async with self._turn:
            last = last or self._clock()
            following = self._schedule.next_after(last)
            self._status.record(self.name, last)
            information = {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {
                    "Last": last.isoformat(),
                    "Next": following.isoformat() if following else None,
                    "LastUpdated": last.isoformat(),
                },
                "IsPastDue": past_due,
            }
            # Shielded: when the host stops, the timer ends at once and the invocation is drained.
            await asyncio.shield(self._fire(information))

    async def _until(self, due: datetime) -> None:
        while (left := (due - self._clock()).total_seconds()) > 0:
            await self._sleep(min(left, LONGEST_NAP))
