"""What a shard's summary counts, and how the shards are added up."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.summary.counting import ROWS_KEPT, TENANTS_KEPT, ShardCounter
from shared.mailboxes.summary.model import Concern, ShardSummary, TrendPoint, freshness_step, total
from shared.sources.model import SourceName
from tests.unit.mailboxes.test_transitions import a_mailbox

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def fresh(number: int, **changes: object) -> Mailbox:
    times = {"complete_as_of": minutes_ago(5), "last_success_at": minutes_ago(5), "created_at": minutes_ago(9000)}
    return a_mailbox(**{"id": f"m{number:04}"} | times | changes)


def summary(
    *mailboxes: Mailbox, shard: int = 0, at: datetime = NOW, before: ShardSummary | None = None
) -> ShardSummary:
    counter = ShardCounter(NOW, INTERVAL)
    for mailbox in mailboxes:
        counter.count(mailbox)
    return counter.summary(shard, at, before)


def test_every_mailbox_is_counted_by_what_can_be_filtered_by() -> None:
    counts = summary(
        fresh(1, items=5, issues=2),
        fresh(2, tenant_id="other", source=SourceName.GRAPH, status=Status.PAUSED),
        fresh(3, status=Status.NEEDS_ADMIN, reason="ews_blocked", items=7, owner_id="shared-1"),
    ).counts
    assert (counts.mailboxes, counts.synced, counts.fresh) == (3, 2, 2)
    assert (counts.items, counts.issues, counts.with_issues) == (12, 2, 1)
    assert counts.by_status == {"active": 1, "paused": 1, "needs_admin": 1}
    assert counts.by_reason == {"ews_blocked": 1}
    assert counts.by_tenant == {"t": 2, "other": 1}
    assert counts.by_source == {"ews": 2, "graph": 1}
    assert counts.by_way == {"sign_in": 2, "shared": 1}


@pytest.mark.parametrize(("minutes", "step"), [(0, 0), (35, 0), (36, 1), (66, 2), (126, 3), (1439, 4), (1441, 5)])
def test_histogram_steps_include_their_upper_bound(minutes: int, step: int) -> None:
    assert freshness_step(timedelta(minutes=minutes)) == step


def test_a_mailbox_that_was_never_complete_has_a_step_of_its_own() -> None:
    counts = summary(fresh(1, complete_as_of=None), fresh(2, complete_as_of=minutes_ago(20000))).counts
    assert counts.freshness == (0, 0, 0, 0, 0, 0, 1, 1)
    assert counts.fresh == 0


def test_attention_is_grouped_by_who_acts_and_why() -> None:
    found = summary(
        fresh(1),
        fresh(2, status=Status.NEEDS_SIGN_IN, reason="grant_revoked"),
        fresh(3, status=Status.NEEDS_SIGN_IN, reason="grant_revoked"),
        fresh(4, status=Status.NEEDS_ADMIN, reason="ews_blocked"),
        fresh(5, status=Status.SUSPENDED, reason="bad_answer"),
        fresh(6, reason="bad_answer", failures=2),
        fresh(7, last_success_at=minutes_ago(91)),
        fresh(8, move_blocked="safety"),
        fresh(9, status=Status.PAUSED),
        fresh(10, status=Status.NEEDS_SIGN_IN, reason="grant_revoked", erasing_since=NOW),
    )
    groups = total([found], 1, NOW).attention
    assert [(group.concern, group.reason, group.count) for group in groups] == [
        (Concern.SIGN_IN, "grant_revoked", 2),
        (Concern.ADMINISTRATOR, "ews_blocked", 1),
        (Concern.SUSPENDED, "bad_answer", 1),
        (Concern.FAILING, "bad_answer", 1),
        (Concern.LATE, "", 1),
        (Concern.HELD, "safety", 1),
    ]


def test_the_longest_waiting_are_named_and_all_are_counted() -> None:
    waiting = [
        fresh(n, status=Status.SUSPENDED, reason="bad_answer", last_success_at=minutes_ago((n * 7) % 200))
        for n in range(200)
    ]
    group = summary(*waiting).attention[0]
    assert group.count == 200
    assert [(NOW - row.since).total_seconds() / 60 for row in group.rows] == list(range(199, 199 - ROWS_KEPT, -1))


def test_stalest_of_all_shards_come_first() -> None:
    shards = [
        summary(*(fresh(n, complete_as_of=minutes_ago(n)) for n in range(shard, 300, 3)), shard=shard)
        for shard in range(3)
    ]
    assert [row.id for row in total(shards, 3, NOW, rows=5).stalest] == [f"m{n:04}" for n in range(299, 294, -1)]


def test_many_tenants_stay_within_bounds_and_in_the_sum() -> None:
    counts = summary(*(fresh(n, tenant_id=f"t{n}") for n in range(TENANTS_KEPT + 50))).counts
    assert len(counts.by_tenant) == TENANTS_KEPT + 1
    assert sum(counts.by_tenant.values()) == TENANTS_KEPT + 50


def test_trend_holds_one_point_a_tick_for_a_day() -> None:
    before = None
    for half_hours in range(60, -1, -1):
        before = summary(fresh(1), at=NOW - half_hours * INTERVAL, before=before)
    assert before is not None
    assert before.trend[0] == TrendPoint(NOW - 47 * INTERVAL, synced=1, fresh=1)
    assert len(before.trend) == 48
    assert summary(fresh(1), before=before).trend == before.trend


def test_what_was_counted_can_be_stored_and_read() -> None:
    """A truth value in place of a number would make a whole shard unreadable."""
    counted = summary(fresh(1), fresh(2, issues=1, moving_to=SourceName.GRAPH, move_blocked="safety"))
    assert msgspec.json.decode(msgspec.json.encode(counted), type=ShardSummary) == counted


def test_totals_add_the_shards_and_say_what_is_missing() -> None:
    shards = [summary(fresh(n), fresh(n + 1, status=Status.SUSPENDED), shard=n) for n in range(3)]
    late = summary(fresh(9), shard=3, at=NOW - timedelta(hours=25))
    totals = total([*shards, late], 5, NOW)
    assert (totals.counts.mailboxes, totals.counts.synced, totals.needing_attention) == (6, 3, 3)
    assert totals.missing == 2
    assert totals.counted_at == NOW
    assert totals.share_fresh == 1.0
    assert totals.trend == (TrendPoint(NOW, synced=3, fresh=3, attention=3),)


def test_nothing_gives_zeros_and_no_share() -> None:
    totals = total([], 16, NOW)
    assert (totals.counts.mailboxes, totals.missing, totals.share_fresh, totals.counted_at) == (0, 16, None, None)
    assert totals.counts.freshness == (0,) * 8
