"""Contract suite for the lists of revoked sessions, in memory and in Table Storage."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.authorization.port import RevokedSessions
from shared.authorization.revoked_sessions.table import REMEMBERED_SECONDS, TableRevokedSessions
from shared.authorization.table import TableFlows
from tests.conftest import Azurite
from tests.fakes.authorization import MemoryRevokedSessions
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "table"])
def revoked(request: pytest.FixtureRequest, clock: FakeClock) -> RevokedSessions:
    if request.param == "memory":
        return MemoryRevokedSessions()
    return TableRevokedSessions(request.getfixturevalue("tables"), clock, clock.monotonic)


def test_an_ended_session_is_known_at_once_and_no_other(revoked: RevokedSessions, clock: FakeClock) -> None:
    """S14: the list contains a session as soon as it is revoked."""
    ended, other = uuid.uuid4().hex, uuid.uuid4().hex
    assert not revoked.contains(ended)
    for _ in range(2):
        revoked.add(ended, clock() + timedelta(minutes=30))
    assert revoked.contains(ended)
    assert not revoked.contains(other)


def test_another_instance_knows_within_seconds(tables: TableServiceClient, clock: FakeClock) -> None:
    """S14: other instances know it until the session ends, even after an hour, without one read per request."""
    here, there = (TableRevokedSessions(tables, clock, clock.monotonic) for _ in range(2))
    session = uuid.uuid4().hex
    assert not there.contains(session)
    here.add(session, clock() + timedelta(hours=2))
    assert not there.contains(session), "from memory"
    clock.pass_by(seconds=REMEMBERED_SECONDS + 1)
    assert there.contains(session)
    clock.pass_by(minutes=119)
    assert TableRevokedSessions(tables, clock, clock.monotonic).contains(session)


def test_the_list_names_no_session_and_is_swept(tables: TableServiceClient, clock: FakeClock) -> None:
    session = uuid.uuid4().hex
    TableRevokedSessions(tables, clock, clock.monotonic).add(session, clock())
    table = tables.get_table_client("revocations")
    assert session not in str(list(table.list_entities()))
    TableFlows(tables, clock).sweep(clock() + timedelta(days=3650))
    assert list(table.list_entities()) == []
