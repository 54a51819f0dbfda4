"""A row that only a newer version can read, in Table Storage: everything beside it goes on."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.authorization.model import Invitation
from shared.authorization.table import TableInvitations
from shared.errors import NotFound, OperatorMustAct
from shared.mailboxes.bulk.jobs import Jobs
from shared.mailboxes.bulk.model import Job, JobCommand, JobSlice, Outcome
from shared.mailboxes.bulk.table import TableJobs
from shared.mailboxes.directory.model import DirectoryQuery
from shared.mailboxes.entities import newest_first, partition, row_digest
from shared.mailboxes.groups.cache import CachedGroups
from shared.mailboxes.groups.model import Group, GroupSettings
from shared.mailboxes.groups.table import TableGroups
from shared.mailboxes.port import ItemIssue, Run
from shared.mailboxes.summary.model import ShardSummary
from shared.mailboxes.summary.table import TableSummaries
from shared.mailboxes.table import TableRegistry
from shared.sources.model import ContentLevel
from shared.webhooks.model import Delivery, Endpoint
from shared.webhooks.table import TableDeliveries, TableEndpoints
from tests.conftest import Azurite
from tests.contract.test_registry import new_mailbox
from tests.fakes.jobs import MemoryJobQueue

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class NoCommands:
    """Implements JobCommands: gives none."""

    def run(self, job: Job, targets: Sequence[str]) -> list[Outcome]:
        return [Outcome(target) for target in targets]

    def check_arguments(self, command: JobCommand, arguments: dict[str, str]) -> None:
        pass


@pytest.fixture(scope="module")
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@contextmanager
def altered(tables: TableServiceClient, table: str, keys: tuple[str, str], **values: object) -> Iterator[None]:
    """A row with other values; it is deleted afterward, because all tests share the tables."""
    client = tables.get_table_client(table)
    client.update_entity({"PartitionKey": keys[0], "RowKey": keys[1], **values})
    try:
        yield
    finally:
        client.delete_entity(*keys)


@pytest.mark.parametrize("value", [{"content": "headers"}, {"folders_in": "inbox, sent"}, {"retention_days": "ten"}])
def test_group_of_a_newer_version_stops_no_other_group(tables: TableServiceClient, value: dict[str, str]) -> None:
    store = TableGroups(tables)
    settings = GroupSettings(folders_in=("inbox",), content=ContentLevel.BODY, retention_days=3)
    newer, other = (store.add(Group(f"g-{uuid.uuid4().hex[:12]}", NOW, "op", "", settings)) for _ in range(2))
    groups = CachedGroups(store, lambda: 0.0)

    with altered(tables, "groups", ("group", newer.name), **value):
        assert groups.get(other.name) == other
        with pytest.raises(NotFound):
            groups.get(newer.name)
        with pytest.raises(OperatorMustAct) as refused:
            store.get(newer.name)
        assert refused.value.of_one
    store.delete(other)


def test_endpoint_of_a_newer_version_stops_no_other_endpoint(tables: TableServiceClient) -> None:
    store = TableEndpoints(tables)
    newer, other = (store.add(Endpoint(uuid.uuid4().hex, "https://crm.example", NOW, "op")) for _ in range(2))

    with altered(tables, "webhooks", ("endpoint", newer.id), enabled="on weekdays"):
        assert [one.id for one in store.all() if one.id in (newer.id, other.id)] == [other.id]
    store.delete(other.id)


def test_delivery_of_a_newer_version_stops_no_other_delivery(tables: TableServiceClient) -> None:
    store, endpoint = TableDeliveries(tables), uuid.uuid4().hex
    newer, other = (
        Delivery(store.id_of(event, NOW), endpoint, event, "mailbox.synced", "m1", NOW, "{}") for event in ("e1", "e2")
    )
    store.add(newer)
    store.add(other)

    with altered(tables, "deliveries", (endpoint, newer.id), status="on_the_way"):
        assert [one.id for one in store.recent(endpoint, 10)] == [other.id]
    store.forget(endpoint)


@pytest.mark.parametrize("value", [{"command": "archive"}, {"arguments": "to: graph"}, {"filter": "all"}])
def test_job_of_a_newer_version_stops_no_other_job(tables: TableServiceClient, value: dict[str, str]) -> None:
    store = TableJobs(tables)
    newer, other = (store.add(Job(store.id_of(NOW), JobCommand.PAUSE, "op", NOW, filter={})) for _ in range(2))

    with altered(tables, "jobs", ("jobs", newer.id), **value):
        assert [one.id for one in store.recent(1000) if one.id in (newer.id, other.id)] == [other.id]
    store.forget(NOW + timedelta(seconds=1))


@pytest.mark.parametrize("value", [{"failures": "none"}, {"failures": "[[]]"}, {"receipts": "[[1]]"}])
def test_slice_of_a_newer_version_concerns_its_job_alone(tables: TableServiceClient, value: dict[str, str]) -> None:
    store = TableJobs(tables)
    queue = MemoryJobQueue()
    jobs = Jobs(store, queue, NoCommands(), lambda *_: None, lambda: NOW)
    newer, other = (
        store.add(Job(store.id_of(NOW), JobCommand.PAUSE, "op", NOW, total=1, slices=1, planned_at=NOW))
        for _ in range(2)
    )
    store.put_slices([JobSlice(newer.id, 0, ("m1",))])
    store.put_slices([JobSlice(other.id, 0, ("m2",))])

    with altered(tables, "jobs", (newer.id, "000000"), **value):
        jobs.sweep()
    assert (other.id, None) in queue.messages
    assert (newer.id, None) not in queue.messages
    store.forget(NOW + timedelta(seconds=1))


def test_mailbox_of_a_newer_version_does_not_end_the_repair_of_the_directory(tables: TableServiceClient) -> None:
    registry, tenant = TableRegistry(tables, 16, lambda: NOW), uuid.uuid4().hex
    newer, other = (registry.add(new_mailbox(tenant_id=tenant)) for _ in range(2))
    listed = tables.get_table_client("directory")
    rows = list(listed.query_entities(f"mailbox_id eq '{other.id}'"))
    for row in rows:
        listed.delete_entity(row)

    with altered(tables, "mailboxes", (partition(newer.id), newer.id), status="dozing"):
        registry.repair_directory()
        found = registry.directory.page(DirectoryQuery(tenant=tenant)).entries

    assert {entry.id for entry in found} == {newer.id, other.id}
    assert len(rows) == len(list(listed.query_entities(f"mailbox_id eq '{other.id}'")))
    registry.erase(other.id)
    registry.repair_directory()


def test_erasure_record_of_a_newer_version_stops_no_other_erasure(tables: TableServiceClient) -> None:
    registry = TableRegistry(tables, 16, lambda: NOW)
    newer, other = (registry.add(new_mailbox()) for _ in range(2))
    for mailbox in (newer, other):
        registry.begin_erasure(mailbox.id)

    with altered(tables, "erasures", (partition(newer.id), newer.id), finished_at="yesterday"):
        found = {record.mailbox_id for record in registry.erasures()}
    assert found & {newer.id, other.id} == {other.id}
    for mailbox in (newer, other):
        registry.erase(mailbox.id)
        registry.forget_erasure(mailbox.id)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("issues", row_digest("item-1"), {"tries": "many"}),
        ("runs", newest_first(NOW), {"ended_at": "later"}),
    ],
)
def test_record_of_a_newer_version_hides_no_other_of_its_mailbox(
    tables: TableServiceClient, table: str, key: str, value: dict[str, str]
) -> None:
    registry, mailbox_id = TableRegistry(tables, 16, lambda: NOW), uuid.uuid4().hex
    for number in (1, 2):
        registry.put_issue(ItemIssue(mailbox_id, f"item-{number}", "folder", "item_corrupt", "", 1, NOW, NOW))
        registry.record_run(Run(mailbox_id, NOW + timedelta(hours=number - 1), NOW, "done"))

    with altered(tables, table, (mailbox_id, key), **value):
        issues, runs = registry.issues(mailbox_id), registry.runs(mailbox_id)
    assert len(issues) + len(runs) == 3
    registry.erase(mailbox_id)


def test_summary_with_a_property_of_another_type_hides_no_other_shard(tables: TableServiceClient) -> None:
    store = TableSummaries(tables, 2)
    for shard in (0, 1):
        store.put(ShardSummary(shard, NOW))

    with altered(tables, "summaries", ("of-2", "000"), part00="text"):
        assert store.get(0) is None
        assert [summary.shard for summary in store.all()] == [1]
        store.put(ShardSummary(0, NOW))
        assert [summary.shard for summary in store.all()] == [0, 1]


def test_owner_of_a_mailbox_of_a_newer_version_has_the_others(tables: TableServiceClient) -> None:
    registry, owner = TableRegistry(tables, 16, lambda: NOW), uuid.uuid4().hex
    newer, other = (registry.add(new_mailbox(owner_id=owner)) for _ in range(2))

    with altered(tables, "mailboxes", (partition(newer.id), newer.id), status="dozing"):
        found = registry.of_owner(other.tenant_id, owner, readable_only=True)
        with pytest.raises(OperatorMustAct):
            registry.of_owner(other.tenant_id, owner)
    assert [mailbox.id for mailbox in found] == [other.id]
    registry.erase(other.id)


def test_invitation_of_a_newer_version_hides_no_other(tables: TableServiceClient) -> None:
    store, ends = TableInvitations(tables), NOW + timedelta(days=1)
    newer, other = (Invitation(uuid.uuid4().hex, "sam@contoso.example", "", "", ends) for _ in range(2))
    for invitation in (newer, other):
        store.put(invitation)
    digest = hashlib.sha256(newer.id.encode()).hexdigest()

    with altered(tables, "invitations", (digest[:2], digest[2:42]), used_at="yesterday"):
        found, _ = store.recent(1000)
    assert {invitation.id for invitation in found} & {newer.id, other.id} == {other.id}
