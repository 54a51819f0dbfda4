"""Turns among tenants, and ticks that come late."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.scheduling.dispatch import Dispatch
from shared.scheduling.ncrontab import Schedule
from shared.scheduling.slots import in_turn, spread_offset
from tests.fakes.clock import FakeClock
from tests.fakes.summaries import MemorySummaries
from tests.unit.mailboxes.test_transitions import a_mailbox
from tests.unit.scheduling.test_dispatch import INTERVAL, Sent, SomeMailboxes

TICK = datetime(2026, 11, 23, 12, tzinfo=UTC)
HALF_HOURLY = Schedule.parse("0 */30 * * * *")


def of(tenant: str, number: int) -> list[tuple[str, str]]:
    return [(tenant, f"{tenant}-{each}") for each in range(number)]


def test_a_tenant_of_50000_makes_one_of_5_wait_for_no_more_than_its_turns() -> None:
    due = [*of("large", 50_000), *of("small", 5)]
    order = [mailbox_id for _, mailbox_id in in_turn(due)]
    small = [order.index(mailbox_id) for _, mailbox_id in of("small", 5)]
    assert max(small) < 20
    assert all(share <= 10 / 50_005 for share, mailbox_id in in_turn(due) if mailbox_id.startswith("small"))


def test_a_small_tenant_waits_for_none_of_the_others_mailboxes_beyond_its_own_number() -> None:
    due = [*of("a", 4000), *of("b", 400), *of("c", 40), *of("d", 4)]
    shares = {mailbox_id: share for share, mailbox_id in in_turn(due)}
    for tenant, number in (("b", 400), ("c", 40), ("d", 4)):
        before = sum(min(number, other) for other in (4000, 400, 40, 4))
        assert max(shares[mailbox_id] for _, mailbox_id in of(tenant, number)) <= before / 4444


@pytest.mark.parametrize("sizes", [[2000], [500] * 4, [5] * 400, [1] * 2000, [1500, 300, 100, 50, 30, 10, 5, 5]])
def test_starts_come_at_an_even_rate_whatever_the_tenants_are(sizes: list[int]) -> None:
    due = [pair for number, size in enumerate(sizes) for pair in of(f"t{number}", size)]
    per_tenth = Counter(int(share * 10) for share, _ in in_turn(due))
    assert set(per_tenth) == set(range(10))
    assert max(per_tenth.values()) < 1.35 * sum(sizes) / 10


def test_a_tenant_by_itself_keeps_its_constant_offsets() -> None:
    for share, mailbox_id in in_turn(of("only", 300)):
        assert share == pytest.approx(spread_offset(mailbox_id))


class Waiting(Sent):
    """A queue whose clock advances with every message."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    def send_mailbox(self, mailbox_id: str, **more: object) -> None:
        super().send_mailbox(mailbox_id, **more)  # type: ignore[arg-type]
        self._clock.pass_by(seconds=self._seconds)


def shard_of(count: int, clock: FakeClock, sent: Sent) -> Dispatch:
    mailboxes = [a_mailbox(id=f"m{number}") for number in range(count)]
    return Dispatch(
        SomeMailboxes(*mailboxes),  # type: ignore[arg-type]
        sent,
        1,
        INTERVAL,
        clock,
        summaries=MemorySummaries(),
        next_tick=HALF_HOURLY.next_after,
    )


def starts(count: int, tick: datetime) -> list[datetime]:
    sent = Sent()
    shard_of(count, FakeClock(tick), sent).shard(0, tick=tick)
    return [moment for moment in sent.scheduled.values() if moment is not None]


def test_a_missed_tick_is_caught_up_without_a_burst() -> None:
    """The app was down for the tick at 12:00; the host catches up on it at 12:17, before the one at 12:30."""
    usual = Counter(moment.minute for moment in starts(4000, TICK))
    late = starts(4000, TICK + timedelta(minutes=17))
    following = starts(4000, TICK + timedelta(minutes=30))
    assert 0 < len(late) < 4000
    assert len(following) == 4000
    per_minute = Counter(moment.replace(second=0) for moment in [*late, *following])
    assert max(per_minute.values()) <= max(usual.values())
    assert max(late) < TICK + timedelta(minutes=30)


def test_a_missed_tick_of_a_small_deployment_is_caught_up_whole() -> None:
    assert len(starts(100, TICK + timedelta(minutes=17))) == 100


def test_a_tick_that_is_a_moment_late_leaves_nothing_out() -> None:
    assert len(starts(4000, TICK + timedelta(seconds=40))) == 4000


def test_a_message_sent_late_is_delayed_less() -> None:
    clock = FakeClock(TICK)
    sent = Waiting(clock, 0.2)
    shard_of(4000, clock, sent).shard(0, tick=TICK)
    order = list(sent.mailboxes)
    for number, mailbox_id in enumerate(order):
        scheduled = sent.scheduled[mailbox_id]
        assert scheduled is not None
        arrives = TICK + timedelta(seconds=int(number * 0.2) + sent.mailboxes[mailbox_id][0])
        assert abs((arrives - max(scheduled, TICK + timedelta(seconds=int(number * 0.2)))).total_seconds()) <= 1
