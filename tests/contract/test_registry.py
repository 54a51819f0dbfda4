"""The registry, the leases and the queues on Azure Storage."""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.data.tables import TableClient, TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.errors import Conflict, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes.blob import BlobLeases
from shared.mailboxes.entities import partition
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import ItemIssue, Run
from shared.mailboxes.queue import StorageSyncQueue
from shared.mailboxes.quiet_runs import with_quiet_run
from shared.mailboxes.table import TableRegistry
from tests.conftest import Azurite, Faults
from tests.fakes.clock import SteppedClock
from tests.unit.mailboxes.test_transitions import a_mailbox

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def registry(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableRegistry]:
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableRegistry(tables, 16, lambda: NOW)


@pytest.fixture
def owners(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableClient]:
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield tables.get_table_client("owners")


def new_mailbox(**changes: object) -> Mailbox:
    unique = uuid.uuid4().hex
    return a_mailbox(**{"id": unique, "owner_id": unique, "address": f"{unique}@contoso.example"} | changes)


def test_what_is_stored_comes_back_the_same(registry: TableRegistry) -> None:
    stored = registry.add(new_mailbox(due_at=NOW, status=Status.NEEDS_ADMIN, claims='{"a":"b"}', items=3))
    assert registry.get(stored.id) == stored
    assert registry.get(stored.id).due_at == NOW
    assert registry.get(stored.id).version == stored.version


def test_an_owner_has_a_mailbox_once_and_finds_it(registry: TableRegistry) -> None:
    first = registry.add(new_mailbox())
    with pytest.raises(Conflict):
        registry.add(first.with_changes(id=uuid.uuid4().hex, address=first.address.upper()))
    other = registry.add(first.with_changes(id=uuid.uuid4().hex, address="archive@contoso.example"))
    assert {mailbox.id for mailbox in registry.of_owner("t", first.owner_id)} == {first.id, other.id}
    assert registry.of_owner("another-tenant", first.owner_id) == []


class Before:
    """A service client that calls `happens` once, just before one method of the table `name` is called."""

    def __init__(self, tables: TableServiceClient, name: str, call: str, happens: Callable[[], object]) -> None:
        self._tables = tables
        self._name = name
        self._call = call
        self._happens = [happens]
        self.url, self.credential = tables.url, tables.credential

    def get_table_client(self, name: str) -> Any:
        client = self._tables.get_table_client(name)
        if name == self._name:
            plain = getattr(client, self._call)

            def called(*args: Any, **more: Any) -> Any:
                if self._happens:
                    self._happens.pop()()
                return plain(*args, **more)

            setattr(client, self._call, called)
        return client


def test_of_two_sign_ins_at_once_the_slower_one_leaves_no_second_mailbox(
    storage: Azurite, credential: DefaultAzureCredential, registry: TableRegistry
) -> None:
    first = new_mailbox()
    second = first.with_changes(id=uuid.uuid4().hex)
    with TableServiceClient(storage.table, credential=credential) as tables:
        halted = Before(tables, "mailboxes", "create_entity", lambda: registry.add(second))
        with pytest.raises(Conflict):
            TableRegistry(cast(TableServiceClient, halted), 16, lambda: NOW).add(first)
    assert [mailbox.id for mailbox in registry.of_owner("t", first.owner_id)] == [second.id]
    with pytest.raises(NotFound):
        registry.get(first.id)


def test_the_owner_can_repeat_an_erasure_that_broke_off_at_its_end(
    storage: Azurite, credential: DefaultAzureCredential, registry: TableRegistry
) -> None:
    def breaks() -> None:
        raise ServiceResponseError("the line is broken")

    mailbox = registry.add(new_mailbox())
    with TableServiceClient(storage.table, credential=credential) as tables:
        broken = Before(tables, "mailboxes", "delete_entity", breaks)
        with pytest.raises(RetryLater):
            TableRegistry(cast(TableServiceClient, broken), 16, lambda: NOW).erase(mailbox.id)
    assert [one.id for one in registry.of_owner("t", mailbox.owner_id)] == [mailbox.id]
    assert registry.erase(mailbox.id)["mailboxes"] == 1
    assert registry.of_owner("t", mailbox.owner_id) == []


def test_an_erasure_spares_what_the_same_person_connects_at_that_moment(
    storage: Azurite, credential: DefaultAzureCredential, registry: TableRegistry
) -> None:
    mailbox = registry.add(new_mailbox())
    again = mailbox.with_changes(id=uuid.uuid4().hex)
    with TableServiceClient(storage.table, credential=credential) as tables:
        halted = Before(tables, "owners", "delete_entity", lambda: registry.add(again))
        TableRegistry(cast(TableServiceClient, halted), 16, lambda: NOW).erase(mailbox.id)
    assert [one.id for one in registry.of_owner("t", mailbox.owner_id)] == [again.id]


def test_changes_at_once_are_all_counted(registry: TableRegistry) -> None:
    mailbox = registry.add(new_mailbox())

    def count() -> None:
        registry.change(mailbox.id, lambda before: before.with_changes(failures=before.failures + 1))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.get(mailbox.id).failures == 6


def test_every_mailbox_is_in_just_one_shard(registry: TableRegistry) -> None:
    added = {registry.add(new_mailbox()).id for _ in range(8)}
    found = [mailbox.id for shard in range(16) for mailbox in registry.in_shard(shard) if mailbox.id in added]
    assert sorted(found) == sorted(added)


def test_runs_come_newest_first_and_issues_one_an_item(registry: TableRegistry) -> None:
    mailbox_id = uuid.uuid4().hex
    for minute in range(5):
        started = NOW + timedelta(minutes=minute)
        registry.record_run(Run(mailbox_id, started, started + timedelta(seconds=9), "done", created=minute))
    assert [run.created for run in registry.runs(mailbox_id, limit=3)] == [4, 3, 2]
    for tries in (1, 2):
        registry.put_issue(ItemIssue(mailbox_id, "AAMk/+=#?", "f", "item_corrupt", "x", tries, NOW, NOW))
    assert [issue.tries for issue in registry.issues(mailbox_id)] == [2]
    registry.drop_issue(mailbox_id, "AAMk/+=#?")
    registry.drop_issue(mailbox_id, "AAMk/+=#?")
    assert registry.issues(mailbox_id) == []


@pytest.mark.parametrize("written", [2**31 - 1, 2**31, 5 * 2**40])
def test_a_pass_that_wrote_gigabytes_is_remembered_like_any_other(registry: TableRegistry, written: int) -> None:
    run = Run(uuid.uuid4().hex, NOW, NOW, "done", bytes=written)
    registry.record_run(run)
    assert registry.runs(run.mailbox_id) == [run]


def test_old_runs_are_forgotten_and_later_ones_kept(registry: TableRegistry) -> None:
    mailbox_id = uuid.uuid4().hex
    for day in range(5):
        registry.record_run(Run(mailbox_id, NOW + timedelta(days=day), NOW, "done", created=day))
    assert registry.forget_runs(mailbox_id, NOW + timedelta(days=2)) == 2
    assert [run.created for run in registry.runs(mailbox_id)] == [4, 3, 2]


def test_erasing_leaves_nothing_and_frees_the_address(registry: TableRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    for minute in range(130):
        registry.record_run(Run(mailbox.id, NOW + timedelta(minutes=minute), NOW, "done"))
    assert registry.erase(mailbox.id) == {"runs": 130, "issues": 0, "mailboxes": 1}
    assert registry.erase(mailbox.id) == {"runs": 0, "issues": 0, "mailboxes": 0}
    with pytest.raises(NotFound):
        registry.get(mailbox.id)
    again = registry.add(mailbox.with_changes(id=uuid.uuid4().hex))
    assert [found.id for found in registry.of_owner("t", mailbox.owner_id)] == [again.id]


def test_erasing_a_renamed_persons_mailbox_frees_both_addresses(registry: TableRegistry, owners: TableClient) -> None:
    mailbox = registry.add(new_mailbox())
    registry.change(mailbox.id, lambda before: before.with_changes(address=f"new-{before.address}"))
    registry.erase(mailbox.id)
    assert list(owners.query_entities(f"PartitionKey eq 't_{mailbox.owner_id}'")) == []
    assert rows_of(owners, mailbox) == []


def test_a_row_of_a_newer_version_does_not_block_its_shard(
    registry: TableRegistry, storage: Azurite, credential: DefaultAzureCredential
) -> None:
    strange, known = registry.add(new_mailbox()), registry.add(new_mailbox())
    with TableServiceClient(storage.table, credential=credential) as tables:
        mailboxes = tables.get_table_client("mailboxes")
        row = {"PartitionKey": partition(strange.id), "RowKey": strange.id}
        mailboxes.update_entity(row | {"status": "hibernating"})
        ids = {mailbox.id for mailbox in registry.all()}
        mailboxes.delete_entity(row["PartitionKey"], row["RowKey"])
    assert known.id in ids
    assert strange.id not in ids


def test_a_row_that_cannot_be_read_counts_as_in_use(
    registry: TableRegistry, storage: Azurite, credential: DefaultAzureCredential
) -> None:
    """S6: it counts whatever its status is, and cannot be read by its id."""
    names = [uuid.uuid4().hex for _ in range(4)]
    strange, active, gone, strange_too = (registry.add(new_mailbox(authorization_id=name)) for name in names)
    registry.change(gone.id, lambda found: found.with_changes(status=Status.DISCONNECTED))
    with TableServiceClient(storage.table, credential=credential) as tables:
        rows = [{"PartitionKey": partition(one.id), "RowKey": one.id} for one in (strange, strange_too)]
        mailboxes = tables.get_table_client("mailboxes")
        mailboxes.update_entity(rows[0] | {"status": "quarantined"})
        mailboxes.update_entity(rows[1] | {"status": "disconnected", "created_at": "in a newer form"})
        in_use = registry.authorizations_in_use()
        for one in (strange, strange_too):
            with pytest.raises(OperatorMustAct) as caught:
                registry.get(one.id)
            assert caught.value.of_one
            mailboxes.delete_entity(partition(one.id), one.id)
    assert [in_use[name] for name in names] == [1, 1, 0, 1]
    assert active.authorization_id in in_use


def rows_of(owners: TableClient, mailbox: Mailbox) -> list[Any]:
    """The index entries of a mailbox: the owner's entry and the claim of its address."""
    return list(owners.query_entities("mailbox_id eq @mailbox", parameters={"mailbox": mailbox.id}))


def test_a_repeated_erasure_leaves_the_owners_next_mailbox_alone(registry: TableRegistry, owners: TableClient) -> None:
    mailbox = registry.add(new_mailbox())
    for row in rows_of(owners, mailbox):
        owners.delete_entity(row)
    next_one = registry.add(mailbox.with_changes(id=uuid.uuid4().hex))
    assert registry.erase(mailbox.id)["mailboxes"] == 1
    assert [found.id for found in registry.of_owner("t", mailbox.owner_id)] == [next_one.id]


def test_a_claim_left_by_a_crash_does_not_lock_the_address_for_ever(registry: TableRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    registry._mailboxes.delete_entity(f"{mailbox.shard:02x}", mailbox.id)
    again = registry.add(mailbox.with_changes(id=uuid.uuid4().hex))
    assert [found.id for found in registry.of_owner("t", mailbox.owner_id)] == [again.id]


def test_a_change_of_a_known_mailbox_that_is_out_of_date_starts_from_the_stored_one(registry: TableRegistry) -> None:
    known = registry.add(new_mailbox())
    first = registry.change(known.id, lambda found: found.with_changes(items=found.items + 1), known)
    again = registry.change(known.id, lambda found: found.with_changes(items=found.items + 1), known)
    assert (first.items, again.items) == (1, 2)
    assert registry.get(known.id) == again
    registry.erase(known.id)
    with pytest.raises(NotFound):
        registry.change(known.id, lambda found: found.with_changes(items=7), again)


def test_a_quiet_run_is_among_the_runs_and_has_no_row(registry: TableRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    registry.record_run(Run(mailbox.id, NOW - timedelta(hours=2), NOW - timedelta(hours=1), "done", created=3))
    registry.change(mailbox.id, lambda found: with_quiet_run(found, NOW, NOW + timedelta(seconds=1), requests=1))
    registry.change(mailbox.id, lambda found: with_quiet_run(found, NOW, NOW + timedelta(seconds=2), requests=1))
    quiet, other = registry.runs(mailbox.id)
    assert (quiet.started_at, quiet.ended_at, quiet.outcome, quiet.requests) == (
        NOW,
        NOW + timedelta(seconds=2),
        "done",
        1,
    )
    assert other.created == 3
    assert registry.runs(mailbox.id, limit=1) == [quiet]


def test_the_audit_trail_keeps_acts_of_one_moment_apart(registry: TableRegistry) -> None:
    mailbox_id = uuid.uuid4().hex
    for act in ("paused", "started"):
        registry.record_audit(mailbox_id, "operator", act)
    rows = registry._audit.query_entities("PartitionKey eq @m", parameters={"m": mailbox_id})
    assert {row["act"] for row in rows} == {"paused", "started"}


def test_one_lease_a_mailbox_until_it_is_given_back(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with BlobServiceClient(storage.blob, credential) as blobs:
        leases, mailbox_id = BlobLeases(blobs), uuid.uuid4().hex
        held = leases.acquire(mailbox_id)
        assert held is not None
        assert leases.acquire(mailbox_id) is None
        assert not held.lost()
        held.release()
        again = leases.acquire(mailbox_id)
        assert again is not None
        again.release()


def test_a_lease_is_the_same_to_the_sdk(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with BlobServiceClient(storage.blob, credential) as blobs:
        leases, mailbox_id = BlobLeases(blobs), uuid.uuid4().hex
        blob = blobs.get_blob_client("leases", mailbox_id)
        held = leases.acquire(mailbox_id)
        assert held is not None
        assert blob.get_blob_properties().lease.state == "leased"
        held.release()
        assert blob.get_blob_properties().lease.state == "available"
        theirs = blob.acquire_lease(lease_duration=15)
        assert leases.acquire(mailbox_id) is None
        theirs.release()
        leases.forget(mailbox_id)
        leases.forget(mailbox_id)
        assert not blob.exists()


@pytest.mark.parametrize("code", ["ContainerBeingDeleted", "LeaseAlreadyPresent"])
def test_lease_on_a_container_being_deleted_is_nobodys(
    storage: Azurite, credential: DefaultAzureCredential, faults: Faults, code: str
) -> None:
    """M12: if this counted as a held lease, the message would end without any record."""
    fault = {"kind": "status", "status": 409, "headers": {"x-ms-error-code": code}}
    faults.add("blob", fault, match={"method": "PUT", "path": "/leases/"}, times=None)
    with BlobServiceClient(storage.blob, credential) as blobs:
        leases = BlobLeases(blobs)
        if code == "LeaseAlreadyPresent":
            assert leases.acquire("m") is None
            return
        with pytest.raises(OperatorMustAct) as caught:
            leases.acquire("m")
    assert (caught.value.reason, caught.value.support) == (Reason.OUR_STORAGE, code)


def test_a_lease_is_renewed_while_it_is_held(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with BlobServiceClient(storage.blob, credential) as blobs:
        clock = SteppedClock()
        leases, mailbox_id = BlobLeases(blobs, monotonic=clock.monotonic, wait=clock.wait), uuid.uuid4().hex
        held = leases.acquire(mailbox_id, seconds=15)
        assert held is not None
        clock.pass_by(17)
        assert leases.acquire(mailbox_id) is None
        assert not held.lost()
        held.release()


def test_a_lease_that_cannot_be_renewed_is_lost(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with BlobServiceClient(storage.blob, credential) as blobs:
        clock = SteppedClock()
        leases, mailbox_id = BlobLeases(blobs, monotonic=clock.monotonic, wait=clock.wait), uuid.uuid4().hex
        held = leases.acquire(mailbox_id, seconds=15)
        assert held is not None
        blobs.get_blob_client("leases", mailbox_id).delete_blob(lease=held._lease)
        clock.pass_by(15)
        assert held.lost()
        held.release()


def test_messages_arrive_as_the_trigger_expects_them(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with QueueServiceClient(storage.queue, credential=credential) as queues:
        sender, mailbox_id = StorageSyncQueue(queues), uuid.uuid4().hex
        sender.send_mailbox(mailbox_id, continuation=7)
        sender.send_mailbox(mailbox_id, delay_seconds=600, sweep=True)
        sender.send_shard(3, sweep=True)
        sender.send_mailbox(mailbox_id, scheduled=NOW)
        sender.send_shard(4, tick=NOW, seconds_to_live=300)
        received = [
            json.loads(base64.b64decode(message.content))
            for name in ("sync-mailboxes", "sync-shards")
            for message in queues.get_queue_client(name).receive_messages(max_messages=32)
        ]
    assert {"mailbox": mailbox_id, "continuation": 7} in received
    assert {"shard": 3, "sweep": True} in received
    seconds = int(NOW.timestamp())
    assert {"mailbox": mailbox_id, "scheduled": seconds} in received
    assert {"shard": 4, "tick": seconds} in received
    assert {"mailbox": mailbox_id, "sweep": True} not in received


def test_pages_hold_every_mailbox_once_in_the_registrys_order(registry: TableRegistry) -> None:
    """S7: each page begins where the one before ended, and reads nothing before that."""
    added = {registry.add(new_mailbox()).id for _ in range(5)}
    for limit in (1, 3, 1_000):
        found, after = list[str](), ""
        while page := registry.page(after, limit):
            found += [mailbox.id for mailbox in page]
            after = found[-1]
        assert found == sorted(set(found), key=lambda one: (partition(one), one))
        assert added <= set(found)
    gone = found[len(found) // 2]
    registry.erase(gone)
    assert registry.page(gone, 1)[0].id == found[len(found) // 2 + 1]


def test_the_audit_trail_is_read_newest_first_and_by_pages(registry: TableRegistry) -> None:
    subject = uuid.uuid4().hex
    for number in range(3):
        registry.record_audit(subject, f"actor-{number}", "pause")
    everything = registry.audit_trail(subject)
    assert {entry.actor for entry in everything} == {"actor-0", "actor-1", "actor-2"}
    assert everything == registry.audit_trail(subject, "", 2) + registry.audit_trail(subject, everything[1].key, 2)
    assert everything[0].at == NOW
