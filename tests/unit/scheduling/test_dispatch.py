"""Who is sent by a tick, and when."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Reason, RetryLater
from shared.mailboxes.entities import BUCKETS, bucket_of, partition, shard_bounds
from shared.mailboxes.model import Mailbox, Status
from shared.scheduling.dispatch import PUBLISHING_TIME, Dispatch, Dispatched
from shared.scheduling.slots import spread_offset
from tests.fakes.clock import FakeClock
from tests.fakes.summaries import MemorySummaries
from tests.fakes.sync_harness import ID, SyncHarness
from tests.unit.mailboxes.test_transitions import a_mailbox

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)


class SomeMailboxes:
    """A registry with the mailboxes it was given, all in shard 0."""

    def __init__(self, *mailboxes: Mailbox) -> None:
        self.mailboxes = mailboxes
        self.published: list[str] = []

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        yield from self.mailboxes if shard == 0 else ()

    def publish_events(self, mailbox: Mailbox) -> None:
        self.published.append(mailbox.id)

    def publish_erasures(self) -> int:
        self.published.append("erasures")
        return 0


class Sent:
    """A queue that remembers."""

    def __init__(self) -> None:
        self.shards: list[tuple[int, bool]] = []
        self.mailboxes: dict[str, tuple[int, bool]] = {}
        self.scheduled: dict[str, datetime | None] = {}
        self.lives: set[int | None] = set()
        self.ticks: set[datetime | None] = set()

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        self.ticks.add(tick)
        self.lives.add(seconds_to_live)
        self.shards.append((shard, sweep))

    def send_mailbox(
        self,
        mailbox_id: str,
        *,
        delay_seconds: int = 0,
        continuation: int | None = None,
        sweep: bool = False,
        scheduled: datetime | None = None,
    ) -> None:
        assert mailbox_id not in self.mailboxes
        self.mailboxes[mailbox_id] = (delay_seconds, sweep)
        self.scheduled[mailbox_id] = scheduled


def dispatch(sent: Sent, *mailboxes: Mailbox) -> Dispatch:
    return Dispatch(SomeMailboxes(*mailboxes), sent, 16, INTERVAL, lambda: NOW, summaries=MemorySummaries())  # type: ignore[arg-type]


def test_a_tick_asks_for_every_shard_once() -> None:
    sent = Sent()
    assert dispatch(sent).tick() == 16
    assert sent.shards == [(shard, False) for shard in range(16)]


def test_failing_shard_keeps_no_other_waiting_and_fails_the_tick() -> None:
    class Busy(Sent):
        def send_shard(self, shard: int, **more: Any) -> None:
            if shard == 3:
                raise RetryLater(Reason.THROTTLED)
            super().send_shard(shard, **more)

    sent = Busy()
    with pytest.raises(RetryLater):
        dispatch(sent).tick()
    assert [shard for shard, _ in sent.shards] == [shard for shard in range(16) if shard != 3]


def test_events_that_a_crash_left_are_published() -> None:
    registry = SomeMailboxes(a_mailbox(id="told", outbox=""), a_mailbox(id="left", outbox="[]", status=Status.PAUSED))
    made = Dispatch(registry, Sent(), 16, INTERVAL, lambda: NOW, summaries=MemorySummaries())  # type: ignore[arg-type]
    made.shard(0)
    assert registry.published == ["left"]
    made.tick()
    assert registry.published == ["left", "erasures"]


def test_slow_publishing_delays_no_pass_and_gives_every_row_its_turn() -> None:
    clock, sent = FakeClock(), Sent()

    class Slow(SomeMailboxes):
        """Webhooks that do not answer: each row takes half a minute."""

        def publish_events(self, mailbox: Mailbox) -> None:
            assert len(sent.mailboxes) == len(self.mailboxes), "a pass waits"
            clock.pass_by(seconds=30)
            super().publish_events(mailbox)

    registry = Slow(*(a_mailbox(id=f"m{number}", outbox="[]") for number in range(20)))
    made = Dispatch(registry, sent, 16, INTERVAL, clock, summaries=MemorySummaries())  # type: ignore[arg-type]
    for _ in range(40):
        begun = clock()
        made.shard(0)
        assert clock() - begun <= PUBLISHING_TIME + timedelta(minutes=1)
        sent.mailboxes.clear()
    assert set(registry.published) == {f"m{number}" for number in range(20)}


def test_a_shard_sends_what_runs_and_leaves_what_rests() -> None:
    sent = Sent()
    mailboxes = [a_mailbox(id=f"m-{status}", status=status, last_success_at=NOW) for status in Status]
    later = a_mailbox(id="later", due_at=NOW + timedelta(hours=1), last_success_at=NOW)
    assert dispatch(sent, *mailboxes, later).shard(0) == Dispatched(sent=2, late=0)
    assert set(sent.mailboxes) == {"m-active", "m-needs_admin"}


def test_daily_round_sends_every_mailbox_that_has_a_copy() -> None:
    sent = Sent()
    mailboxes = [a_mailbox(id=f"m-{status}", status=status, last_pass_at=NOW) for status in Status]
    later = a_mailbox(id="later", due_at=NOW + timedelta(hours=20), last_pass_at=NOW)
    dispatch(sent, *mailboxes, later, a_mailbox(id="never read")).shard(0, sweep=True)
    assert set(sent.mailboxes) == {"later", *(f"m-{status}" for status in Status)}
    assert all(sweep for _, sweep in sent.mailboxes.values())


def test_a_mailbox_without_success_for_three_intervals_is_counted_late() -> None:
    fresh = a_mailbox(id="fresh", last_success_at=NOW - 2 * INTERVAL)
    stale = a_mailbox(id="stale", last_success_at=NOW - 4 * INTERVAL)
    paused = a_mailbox(id="paused", status=Status.PAUSED, last_success_at=NOW - 400 * INTERVAL)
    assert dispatch(Sent(), fresh, stale, paused).shard(0) == Dispatched(sent=2, late=1)


def test_mailbox_waiting_for_administrator_is_tried_seldom_without_alarm() -> None:
    blocked = a_mailbox(id="blocked", status=Status.NEEDS_ADMIN, last_success_at=NOW - 40 * INTERVAL)
    resting = blocked.with_changes(id="resting", due_at=NOW + timedelta(hours=21))
    assert dispatch(Sent(), blocked, resting).shard(0) == Dispatched(sent=1, late=0)


def test_mailboxes_are_spread_over_interval_each_at_its_own_offset() -> None:
    sent = Sent()
    mailboxes = [a_mailbox(id=f"m{number}") for number in range(4000)]
    dispatch(sent, *mailboxes).shard(0)
    delays = [delay for delay, _ in sent.mailboxes.values()]
    assert max(delays) <= INTERVAL.total_seconds() * 0.8
    per_minute = Counter(delay // 60 for delay in delays)
    assert max(per_minute.values()) < 2 * min(per_minute[minute] for minute in range(23))
    assert sent.mailboxes["m7"][0] == int(spread_offset("m7") * INTERVAL.total_seconds() * 0.8)


def test_a_single_mailbox_starts_at_once() -> None:
    sent = Sent()
    dispatch(sent, a_mailbox()).shard(0)
    assert sent.mailboxes == {"m1": (0, False)}


def test_a_ticks_messages_do_not_outlive_the_next_ticks() -> None:
    """S13."""
    sent = Sent()
    dispatch(sent).tick()
    assert (sent.lives, sent.ticks) == ({INTERVAL.total_seconds()}, {NOW})
    dispatch(sent).tick(sweep=True)
    assert sent.lives == {INTERVAL.total_seconds(), 24 * 3600}


def test_a_mailbox_is_scheduled_for_its_place_after_its_tick() -> None:
    """S13: also when the shard's message comes late."""
    sent, tick = Sent(), NOW - timedelta(minutes=25)
    mailboxes = [a_mailbox(id=f"m{number}") for number in range(50)]
    dispatch(sent, *mailboxes).shard(0, tick=tick)
    for mailbox_id, (delay, _) in sent.mailboxes.items():
        assert sent.scheduled[mailbox_id] == tick + timedelta(seconds=delay)


@pytest.mark.parametrize("fails", [False, True])
def test_ticks_that_piled_up_make_one_pass(fails: bool) -> None:
    """S13: three ticks while nothing consumed, each with its message for the mailbox."""
    world = SyncHarness()
    world.sync()
    before = len(world.registry.runs(ID))
    for _ in range(3):
        world.clock.pass_by(minutes=30)
        Dispatch(world.registry, world.queue, 1, INTERVAL, world.clock, summaries=MemorySummaries()).shard(
            0, tick=world.clock()
        )
    assert len(world.queue.mailboxes) == 3
    if fails:
        world.sources.fail_at(1, RetryLater(Reason.UNAVAILABLE))
    world.pump()
    assert len(world.registry.runs(ID)) == before + 1 + fails


def test_daily_ticks_that_piled_up_make_one_sweep() -> None:
    """S13."""
    world = SyncHarness()
    world.sync()
    for _ in range(3):
        world.clock.pass_by(days=1)
        Dispatch(world.registry, world.queue, 1, INTERVAL, world.clock, summaries=MemorySummaries()).shard(
            0, sweep=True, tick=world.clock()
        )
    world.pump()
    assert [run.kind for run in world.registry.runs(ID)].count("sweep") == 1


def test_a_message_without_a_time_is_carried_out_as_before() -> None:
    """Those of the version before are still in the queue after an upgrade."""
    world = SyncHarness()
    world.sync()
    world.engine.sync(ID)
    assert len(world.registry.runs(ID)) == 2


def test_a_shard_that_no_longer_exists_sends_nothing() -> None:
    sent = Sent()
    assert dispatch(sent, a_mailbox()).shard(200) == Dispatched(0, 0)
    assert sent.mailboxes == {}


def test_shards_cover_every_partition_once_however_many_there_are() -> None:
    for shards in (1, 3, 16, 255, 256):
        bounds = [shard_bounds(shard, shards) for shard in range(shards)]
        for bucket in range(BUCKETS):
            assert sum(first <= f"{bucket:02x}" < past for first, past in bounds) == 1
    assert partition("m1") == f"{bucket_of('m1'):02x}"


def test_dispatch_writes_the_summary_of_what_it_reads() -> None:
    summaries, tick = MemorySummaries(), NOW - timedelta(seconds=5)
    registry = SomeMailboxes(a_mailbox(), a_mailbox(id="m2", status=Status.PAUSED))
    for _ in range(2):
        Dispatch(registry, Sent(), 16, INTERVAL, lambda: NOW, summaries=summaries).shard(0, tick=tick)  # type: ignore[arg-type]
    assert summaries.by_shard[0].counts.by_status == {"active": 1, "paused": 1}
    assert [point.at for point in summaries.by_shard[0].trend] == [tick]


def test_a_summary_that_cannot_be_written_stops_no_dispatch() -> None:
    summaries, sent = MemorySummaries(), Sent()
    summaries.failure = RetryLater(Reason.UNAVAILABLE)
    registry = SomeMailboxes(a_mailbox())
    Dispatch(registry, sent, 16, INTERVAL, lambda: NOW, summaries=summaries).shard(0)  # type: ignore[arg-type]
    assert list(sent.mailboxes) == ["m1"]
