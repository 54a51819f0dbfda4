"""The summaries of shards, on the fake and on Table Storage."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueServiceClient

from shared.mailboxes.queue import StorageSyncQueue
from shared.mailboxes.summary.model import (
    AttentionGroup,
    AttentionRow,
    Concern,
    Counts,
    ShardSummary,
    TrendPoint,
    total,
)
from shared.mailboxes.summary.port import SummaryStore
from shared.mailboxes.summary.table import TableSummaries
from shared.mailboxes.table import TableRegistry
from shared.scheduling.dispatch import Dispatch
from tests.conftest import Azurite
from tests.contract.test_registry import new_mailbox
from tests.fakes.summaries import MemorySummaries

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
SHARDS = 7


@pytest.fixture(params=["fake", "azure"])
def summaries(request: pytest.FixtureRequest) -> Iterator[SummaryStore]:
    if request.param == "fake":
        yield MemorySummaries()
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableSummaries(tables, SHARDS)


def a_summary(shard: int, tenants: int = 2) -> ShardSummary:
    rows = tuple(AttentionRow(f"{n:032x}", NOW - timedelta(hours=n)) for n in range(25))
    return ShardSummary(
        shard=shard,
        at=NOW,
        counts=Counts(mailboxes=9, by_status={"active": 9}, by_tenant={f"tenant-{n:029}": n for n in range(tenants)}),
        attention=tuple(AttentionGroup(concern, "r", 30, rows) for concern in Concern),
        stalest=rows,
        trend=tuple(TrendPoint(NOW - timedelta(minutes=n), n, n, n) for n in range(48)),
    )


@pytest.mark.parametrize("tenants", [0, 200, 4000])
def test_what_is_stored_comes_back_the_same(summaries: SummaryStore, tenants: int) -> None:
    summaries.put(a_summary(1, tenants=4001))
    summaries.put(a_summary(1, tenants))
    assert summaries.get(1) == a_summary(1, tenants)


def test_all_are_read_together_and_a_missing_one_is_none(summaries: SummaryStore) -> None:
    for shard in (0, 3, 6):
        summaries.put(a_summary(shard))
    assert {0, 3, 6} <= {summary.shard for summary in summaries.all()}
    assert summaries.get(5) is None


def test_summary_of_another_version_or_number_of_shards_is_none(
    storage: Azurite, credential: DefaultAzureCredential
) -> None:
    with TableServiceClient(storage.table, credential=credential) as tables:
        summaries, others = TableSummaries(tables, 3), TableSummaries(tables, 4)
        summaries.put(a_summary(0))
        assert others.all() == []
        tables.get_table_client("summaries").upsert_entity(
            {"PartitionKey": "of-3", "RowKey": "000", "part00": b'{"shard":"new"}'}
        )
        assert summaries.get(0) is None
        assert summaries.all() == []


def test_a_dispatch_counts_the_rows_of_the_registry(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with (
        TableServiceClient(storage.table, credential=credential) as tables,
        QueueServiceClient(storage.queue, credential=credential) as queues,
    ):
        registry, summaries = TableRegistry(tables, 3, lambda: NOW), TableSummaries(tables, 3)
        mailbox = registry.add(new_mailbox(tenant_id="counted", items=7, moved_at=NOW, parity_same=5))
        queue = StorageSyncQueue(queues)
        dispatch = Dispatch(registry, queue, 3, timedelta(minutes=30), lambda: NOW, summaries=summaries)
        for shard in range(3):
            dispatch.shard(shard)
        totals = total(summaries.all(), 3, NOW)
        queues.get_queue_client("sync-mailboxes").clear_messages()
    assert totals.counts.by_tenant["counted"] == 1
    assert totals.counts.mailboxes >= 1
    assert mailbox.id in totals.moves


def test_every_dispatch_counts_a_shard_that_holds_mailboxes(
    storage: Azurite, credential: DefaultAzureCredential
) -> None:
    """Fresh, failing, and blocked ones: each flag of a mailbox is counted, and the next dispatch reads it again."""
    now = [NOW]
    with (
        TableServiceClient(storage.table, credential=credential) as tables,
        QueueServiceClient(storage.queue, credential=credential) as queues,
    ):
        registry, summaries = TableRegistry(tables, 5, lambda: now[0]), TableSummaries(tables, 5)
        for changes in ({"issues": 3}, {"complete_as_of": NOW, "last_success_at": NOW}, {"move_blocked": "safety"}):
            registry.add(new_mailbox(tenant_id="twice", first_sync_done=True, **changes))
        dispatch = Dispatch(registry, StorageSyncQueue(queues), 5, INTERVAL, lambda: now[0], summaries=summaries)
        for at in (NOW, NOW + INTERVAL):
            now[0] = at
            for shard in range(5):
                dispatch.shard(shard)
            totals = total(summaries.all(), 5, at)
            assert (totals.missing, totals.counts.by_tenant["twice"]) == (0, 3)
            assert totals.counts.with_issues >= 1
            assert totals.counts.moves.blocked >= 1
        queues.get_queue_client("sync-mailboxes").clear_messages()
    assert [point.at for point in totals.trend] == [NOW, NOW + INTERVAL]
