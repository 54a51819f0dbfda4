"""Contract suites of the API's stores and of the change log: the fakes, and Azure Storage."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.api.errors import Refused
from shared.api.port import IdempotencyStore, ReaderLimits, ReaderStore, StoredAnswer
from shared.api.stores.table import TableIdempotency, TableReaders
from shared.replica.change_log.port import ChangeLog, entry_key
from shared.replica.change_log.table import TableChangeLog
from tests.conftest import Azurite
from tests.fakes.api import FakeIdempotency, FakeReaders
from tests.fakes.change_log import FakeChangeLog
from tests.fakes.clock import FakeClock

ANSWER = StoredAnswer(201, b'{"id":"\xc3\xbc"}', "application/json")


@pytest.fixture(scope="module")
def tables(request: pytest.FixtureRequest) -> Iterator[TableServiceClient]:
    storage: Azurite = request.getfixturevalue("storage")
    credential: DefaultAzureCredential = request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["fake", "azure"])
def readers(request: pytest.FixtureRequest, clock: FakeClock) -> ReaderStore:
    if request.param == "fake":
        return FakeReaders()
    return TableReaders(request.getfixturevalue("tables"), clock.monotonic)


@pytest.fixture(params=["fake", "azure"])
def idempotency(request: pytest.FixtureRequest, clock: FakeClock) -> IdempotencyStore:
    return (
        FakeIdempotency(clock)
        if request.param == "fake"
        else TableIdempotency(request.getfixturevalue("tables"), clock)
    )


@pytest.fixture(params=["fake", "azure"])
def log(request: pytest.FixtureRequest, clock: FakeClock) -> ChangeLog:
    return FakeChangeLog(clock) if request.param == "fake" else TableChangeLog(request.getfixturevalue("tables"), clock)


def test_limits_are_stored_changed_and_removed(readers: ReaderStore) -> None:
    reader = str(uuid.uuid4())
    assert readers.get(reader) is None
    limits = ReaderLimits(reader, frozenset({"t1", "t2"}), frozenset({"m1"}))
    readers.put(limits)
    assert readers.get(reader) == limits
    assert limits in readers.all()
    readers.put(ReaderLimits(reader))
    assert readers.get(reader) == ReaderLimits(reader)
    readers.delete(reader)
    readers.delete(reader)
    assert readers.get(reader) is None


def test_limits_of_another_instance_are_seen_after_a_minute(tables: TableServiceClient, clock: FakeClock) -> None:
    one, other, reader = TableReaders(tables, clock.monotonic), TableReaders(tables, clock.monotonic), uuid.uuid4().hex
    assert other.get(reader) is None
    one.put(ReaderLimits(reader))
    clock.pass_by(seconds=61)
    assert other.get(reader) == ReaderLimits(reader)


def test_repeated_request_gets_the_first_answer(idempotency: IdempotencyStore) -> None:
    caller, key = uuid.uuid4().hex, "key/with odd # characters?"
    assert idempotency.begin(caller, key, "request") is None
    idempotency.finish(caller, key, ANSWER)
    assert idempotency.begin(caller, key, "request") == ANSWER
    assert idempotency.begin(uuid.uuid4().hex, key, "request") is None


def test_key_is_refused_for_another_request_and_while_in_use(idempotency: IdempotencyStore) -> None:
    caller = uuid.uuid4().hex
    idempotency.begin(caller, "key", "request")
    with pytest.raises(Refused) as refused:
        idempotency.begin(caller, "key", "request")
    assert refused.value.code == "idempotency_key_in_use"
    idempotency.finish(caller, "key", ANSWER)
    with pytest.raises(Refused) as refused:
        idempotency.begin(caller, "key", "another")
    assert refused.value.code == "idempotency_key_reused"


def test_key_of_a_request_that_failed_or_died_is_free(idempotency: IdempotencyStore, clock: FakeClock) -> None:
    caller = uuid.uuid4().hex
    idempotency.begin(caller, "failed", "request")
    idempotency.abandon(caller, "failed")
    assert idempotency.begin(caller, "failed", "request") is None
    idempotency.begin(caller, "died", "request")
    clock.pass_by(minutes=32)
    assert idempotency.begin(caller, "died", "request") is None


def test_old_keys_are_forgotten(idempotency: IdempotencyStore, clock: FakeClock) -> None:
    caller = uuid.uuid4().hex
    idempotency.begin(caller, "old", "request")
    idempotency.finish(caller, "old", ANSWER)
    clock.pass_by(hours=25)
    idempotency.begin(caller, "new", "request")
    assert idempotency.forget(clock() - timedelta(hours=24)) >= 1
    assert idempotency.begin(caller, "old", "another") is None
    with pytest.raises(Refused):
        idempotency.begin(caller, "new", "request")


def test_entries_are_read_in_order_once_they_are_settled(log: ChangeLog, clock: FakeClock) -> None:
    clock.pass_by(days=uuid.uuid4().int % 3_000)
    start = entry_key(clock())
    clock.pass_by(seconds=1)
    names = [uuid.uuid4().hex for _ in range(3)]
    for number, name in enumerate(names):
        log.append(name, "tenant", number, number + 2)
        clock.pass_by(minutes=59)
    log.append(names[0], "tenant", 2, 3)
    log.append(names[0], "tenant", 3, 4)
    assert [entry.mailbox_id for entry in log.read(start, 10)] == names
    clock.pass_by(seconds=31)
    entries = log.read(start, 10)
    assert [(entry.mailbox_id, entry.known, entry.sequence) for entry in entries] == [
        *((name, number, number + 2) for number, name in enumerate(names)),
        (names[0], 2, 3),
        (names[0], 3, 4),
    ]
    assert {entry.tenant_id for entry in entries} == {"tenant"}
    assert log.read(start, 2) == entries[:2]
    assert log.read(entries[1].key, 10) == entries[2:]


def test_old_entries_are_forgotten(log: ChangeLog, clock: FakeClock) -> None:
    start = entry_key(clock())
    clock.pass_by(seconds=1)
    log.append(uuid.uuid4().hex, "tenant", 0, 1)
    clock.pass_by(hours=2)
    kept = uuid.uuid4().hex
    log.append(kept, "tenant", 0, 1)
    assert log.forget(clock()) >= 1
    clock.pass_by(minutes=1)
    assert [entry.mailbox_id for entry in log.read(start, 10)] == [kept]
    log.forget(clock() + timedelta(hours=2))
