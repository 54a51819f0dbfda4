"""Contract suite for the stores of pending sign-in flows, in memory and in Table Storage."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import cast

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.authorization.ended_rows import table as ended_rows
from shared.authorization.errors import FlowExpired, FlowReplayed, FlowUnknown, OtherBrowser
from shared.authorization.model import PendingFlow
from shared.authorization.port import FlowStore, StartCounter
from shared.authorization.table import TableFlows, TableStartCounter
from tests.conftest import Azurite
from tests.contract.test_registry import Before
from tests.fakes.authorization import MemoryFlows, MemoryStartCounter
from tests.fakes.clock import FakeClock

type Counted = tuple[TableServiceClient, list[str]]


@pytest.fixture(scope="module")
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "table"])
def flows(request: pytest.FixtureRequest, clock: FakeClock) -> FlowStore:
    if request.param == "memory":
        return MemoryFlows(clock)
    return TableFlows(request.getfixturevalue("tables"), clock)


def pending(clock: FakeClock, minutes: int = 15) -> PendingFlow:
    state = uuid.uuid4().hex
    ends = clock() + timedelta(minutes=minutes)
    return PendingFlow(state, "digest", {"state": state, "code_verifier": "v", "scope": ["a", "b"]}, {"act": "x"}, ends)


def test_a_flow_comes_back_whole_and_once(flows: FlowStore, clock: FakeClock) -> None:
    put = pending(clock)
    flows.put(put)
    assert flows.take(put.state, "digest") == put
    with pytest.raises(FlowReplayed):
        flows.take(put.state, "digest")


def test_a_flow_is_taken_by_its_own_browser_alone(flows: FlowStore, clock: FakeClock) -> None:
    put = pending(clock)
    flows.put(put)
    for binding in ("", "other"):
        with pytest.raises(OtherBrowser):
            flows.take(put.state, binding)
    assert flows.take(put.state, "digest") == put


@pytest.mark.parametrize("state", ["", "invented", "a/b#c?d", "x" * 2000, "\u00e4\x00"])
def test_a_state_that_is_not_there_is_unknown(flows: FlowStore, state: str) -> None:
    with pytest.raises(FlowUnknown):
        flows.take(state, "digest")


def test_a_flow_ends(flows: FlowStore, clock: FakeClock) -> None:
    put = pending(clock)
    flows.put(put)
    clock.pass_by(minutes=15)
    with pytest.raises(FlowExpired):
        flows.take(put.state, "digest")


def test_exactly_one_of_many_takers_gets_it(flows: FlowStore, clock: FakeClock) -> None:
    put = pending(clock)
    flows.put(put)
    gate = threading.Barrier(6)

    def take(_: int) -> bool:
        gate.wait(10)
        try:
            return bool(flows.take(put.state, "digest"))
        except FlowReplayed:
            return False

    if isinstance(flows, MemoryFlows):
        assert [take_alone(flows, put), take_alone(flows, put)] == [True, False]
        return
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]


def test_a_taker_who_was_slower_by_a_moment_gets_nothing(tables: TableServiceClient, clock: FakeClock) -> None:
    """S15: a deterministic race, unlike one between threads: another caller takes the flow between read and write."""
    put, flows = pending(clock), TableFlows(tables, clock)
    flows.put(put)
    taken: list[PendingFlow] = []
    halted = Before(tables, "flows", "update_entity", lambda: taken.append(flows.take(put.state, "digest")))
    with pytest.raises(FlowReplayed):
        TableFlows(cast(TableServiceClient, halted), clock).take(put.state, "digest")
    assert taken == [put]


def take_alone(flows: FlowStore, put: PendingFlow) -> bool:
    try:
        return bool(flows.take(put.state, "digest"))
    except FlowReplayed:
        return False


def test_ended_flows_are_swept_and_those_nobody_came_back_from_are_counted(flows: FlowStore, clock: FakeClock) -> None:
    flows.sweep(clock() + timedelta(days=3650))
    lapsed, taken, standing = pending(clock), pending(clock), pending(clock, minutes=60 * 48)
    for put in (lapsed, taken, standing):
        flows.put(put)
    flows.take(taken.state, "digest")
    assert flows.sweep(clock() + timedelta(days=1, hours=1)) == 1
    for gone in (lapsed, taken):
        with pytest.raises(FlowUnknown):
            flows.take(gone.state, "digest")
    assert flows.take(standing.state, "digest") == standing


@pytest.fixture
def requests_made(
    storage: Azurite, credential: DefaultAzureCredential
) -> Iterator[tuple[TableServiceClient, list[str]]]:
    """A client, and the methods of the requests that it sends."""
    made: list[str] = []
    with TableServiceClient(
        storage.table, credential=credential, raw_request_hook=lambda request: made.append(request.http_request.method)
    ) as client:
        yield client, made


def test_lapsed_flows_are_deleted_a_partition_at_a_time(requests_made: Counted, clock: FakeClock) -> None:
    """S8: one request for each partition and each hundred flows, not one for each flow."""
    client, made = requests_made
    flows, table = TableFlows(client, clock), client.get_table_client("flows")
    flows.sweep(clock() + timedelta(days=3650))
    for partition, count in (("p1", 130), ("p2", 1)):
        rows = [
            {"PartitionKey": partition, "RowKey": f"{number}", "binding_digest": "d", "expires_at": clock()}
            for number in range(count)
        ]
        for start in range(0, count, 100):
            table.submit_transaction([("create", row) for row in rows[start : start + 100]])
    made.clear()
    assert flows.sweep(clock() + timedelta(days=2)) == 131
    assert len([method for method in made if method != "GET"]) == 3
    assert list(table.query_entities("PartitionKey eq 'p1'")) == []


def test_a_row_that_is_gone_already_spoils_no_sweep(tables: TableServiceClient, clock: FakeClock) -> None:
    table = tables.get_table_client("flows")
    rows = [{"PartitionKey": "p3", "RowKey": str(number), "expires_at": clock()} for number in range(3)]
    table.submit_transaction([("create", row) for row in rows])
    ended_rows._delete(table, (*rows, {"PartitionKey": "p3", "RowKey": "never there"}))
    assert list(table.query_entities("PartitionKey eq 'p3'")) == []


def test_a_sweep_ends_in_time_and_the_next_goes_on(tables: TableServiceClient, clock: FakeClock) -> None:
    """S8: a sweep has a time limit."""
    table, plain = tables.get_table_client("flows"), TableFlows(tables, clock)
    plain.sweep(clock() + timedelta(days=3650))
    for partition in ("p4", "p5", "p6"):
        row = {"PartitionKey": partition, "RowKey": "1", "binding_digest": "d", "expires_at": clock()}
        table.create_entity(row)
    moments = (clock() + timedelta(minutes=3 * number) for number in range(100))
    later = clock() + timedelta(days=2)
    assert TableFlows(tables, lambda: next(moments)).sweep(later) == 1
    assert plain.sweep(later) == 2


def test_starts_are_added_up_over_instances(tables: TableServiceClient, clock: FakeClock) -> None:
    counters: list[StartCounter] = [TableStartCounter(tables), MemoryStartCounter()]
    for counter in counters:
        assert counter.add(clock(), "one", 25) == 25
        assert counter.add(clock(), "two", 25) == 50
        assert counter.add(clock(), "one", 50) == 75
        assert counter.add(clock() + timedelta(minutes=5), "one", 25) == 25
    TableFlows(tables, clock).sweep(clock() + timedelta(days=2))
    assert list(tables.get_table_client("flows").query_entities("PartitionKey gt 'starts'")) == []


def test_a_taken_flow_leaves_nothing_of_use_in_the_table(tables: TableServiceClient, clock: FakeClock) -> None:
    flows = TableFlows(tables, clock)
    put = pending(clock)
    flows.put(put)
    rows = [row for row in tables.get_table_client("flows").list_entities() if row.get("binding_digest")]
    assert all(put.state not in str(row["RowKey"]) for row in rows)
    flows.take(put.state, "digest")
    left = [str(dict(row)) for row in tables.get_table_client("flows").list_entities()]
    assert not any(put.state in row for row in left)
