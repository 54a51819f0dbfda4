"""Contract suite for the store of bulk jobs, in memory and in Table Storage."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueServiceClient

from shared.errors import Conflict, NotFound
from shared.mailboxes.bulk.model import SLICE, Job, JobCommand, JobSlice, Outcome, after_batch
from shared.mailboxes.bulk.port import JobStore
from shared.mailboxes.bulk.queue import StorageJobQueue
from shared.mailboxes.bulk.table import TableJobs
from shared.mailboxes.erasures.erasing import ErasureReceipt
from tests.conftest import Azurite
from tests.fakes.jobs import MemoryJobs
from tests.fakes.registry import NOW


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> Iterator[JobStore]:
    if request.param == "memory":
        yield MemoryJobs()
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableJobs(tables)


def a_job(store: JobStore, **changes: object) -> Job:
    made = Job("", JobCommand.MOVE, "op", NOW, {"to": "graph"}).with_changes(**changes)
    return store.add(made.with_changes(id=store.id_of(made.created_at)))


def test_job_comes_back_as_it_was_stored_and_is_changed(store: JobStore) -> None:
    listed = a_job(store, total=3, slices=1, planned_at=NOW)
    selected = a_job(store, filter={"status": "suspended"}, created_at=NOW + timedelta(minutes=1))
    everything = a_job(store, filter={}, created_at=NOW + timedelta(minutes=2))
    assert [store.get(job.id) for job in (listed, selected, everything)] == [listed, selected, everything]
    assert (store.get(listed.id).filter, store.get(everything.id).filter) == (None, {})
    ours = [job.id for job in store.recent(1000) if job.id in {listed.id, selected.id, everything.id}]
    assert ours == [everything.id, selected.id, listed.id]
    changed = store.change(selected.id, lambda job: job.with_changes(canceled_at=NOW, total=9))
    assert store.get(selected.id) == changed
    with pytest.raises(NotFound):
        store.get("none")


def test_slices_are_replaced_as_they_were_read(store: JobStore) -> None:
    job = a_job(store)
    store.put_slices([JobSlice(job.id, n, (f"m{n}", "Ann, Smith", "b@contoso.example")) for n in range(120)])
    assert [one.number for one in store.slices(job.id)] == list(range(120))
    first = store.get_slice(job.id, 7)
    assert first.targets == ("m7", "Ann, Smith", "b@contoso.example")
    outcomes = [Outcome("m7"), Outcome("Ann, Smith", "unknown_name", "E1"), Outcome("b@contoso.example", skipped=True)]
    after = store.replace_slice(after_batch(first, outcomes, NOW))
    assert store.get_slice(job.id, 7) == after
    assert (after.position, after.done, after.skipped, after.ended_at) == (3, 1, 1, NOW)
    assert (after.failures, after.targets) == ((outcomes[1],), ())
    with pytest.raises(Conflict):
        store.replace_slice(first)
    assert store.replace_slice(after) == after
    part = store.replace_slice(after_batch(store.get_slice(job.id, 8), outcomes[:2], NOW))
    assert (part.position, part.ended_at, len(part.targets)) == (2, None, 3)
    with pytest.raises(NotFound):
        store.get_slice(job.id, 999)


def test_receipts_of_a_whole_slice_come_back(store: JobStore) -> None:
    """With the longest addresses, they have to fit in one property."""
    job, ids = a_job(store, command=JobCommand.ERASE), [f"{n:032x}" for n in range(SLICE)]
    erased = {"packs": 9_999, "pages": 99_999, "items": 999_999, "runs": 9_999, "issues": 999, "mailboxes": 1}
    receipts = [
        ErasureReceipt(one, f"{'a' * 304}@contoso.example", NOW, erased, NOW if n % 2 else None, n == 2, n == 3)
        for n, one in enumerate(ids)
    ]
    store.put_slices([JobSlice(job.id, 0, tuple(ids))])
    outcomes = [Outcome(one.mailbox_id, receipt=one) for one in receipts]
    store.replace_slice(after_batch(store.get_slice(job.id, 0), outcomes, NOW))
    assert store.get_slice(job.id, 0).receipts == tuple(receipts)


def test_old_jobs_are_forgotten_with_their_slices(store: JobStore) -> None:
    old, new = a_job(store, created_at=NOW - timedelta(days=4000)), a_job(store)
    for job in (old, new):
        store.put_slices([JobSlice(job.id, n, ("m",)) for n in range(3)])
    assert store.forget(NOW - timedelta(days=3000)) == 1
    with pytest.raises(NotFound):
        store.get(old.id)
    assert list(store.slices(old.id)) == []
    assert len(list(store.slices(store.get(new.id).id))) == 3


def test_messages_are_queued_as_the_trigger_expects(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with QueueServiceClient(storage.queue, credential=credential) as queues:
        job_id, client = uuid.uuid4().hex, queues.get_queue_client("jobs")
        client.clear_messages()
        StorageJobQueue(queues).send(job_id)
        StorageJobQueue(queues).send(job_id, 0)
        found = [json.loads(base64.b64decode(message.content)) for message in client.peek_messages(max_messages=32)]
        assert [message for message in found if message["job"] == job_id] == [
            {"job": job_id},
            {"job": job_id, "slice": 0},
        ]


def test_slice_of_long_foreign_names_that_all_fail_is_stored(store: JobStore) -> None:
    job, names = a_job(store), tuple("名" * 316 + f"{n:04d}" for n in range(SLICE))
    store.put_slices([JobSlice(job.id, 0, names)])
    outcomes = [Outcome(name, "our_configuration", "ErrorNonExistentMailbox") for name in names]
    stored = store.replace_slice(after_batch(store.get_slice(job.id, 0), outcomes, NOW))
    assert [failure.target for failure in stored.failures] == list(names)


def test_slice_is_added_once(store: JobStore) -> None:
    job = a_job(store, filter={})
    store.add_slice(JobSlice(job.id, 0, ("m1",)))
    with pytest.raises(Conflict):
        store.add_slice(JobSlice(job.id, 0, ("m2",)))
    assert store.get_slice(job.id, 0).targets == ("m1",)
