"""Rows over Table Storage's REST interface, with azure-data-tables as the judge of both directions."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.data.tables import TableClient, TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.errors import Conflict, NotFound, OperatorMustAct, RetryLater
from shared.storage.table_rest import ETAG, TableRest, quoted
from tests.conftest import Azurite, Faults

TABLE = "runs"
ROW: dict[str, Any] = {
    "text": 'it\'s é, "quoted"\n',
    "number": 7,
    "large": (2**40, "Edm.Int64"),
    "yes": True,
    "at": datetime(2026, 11, 23, 12, 0, 0, 123456, UTC),
    "whole": datetime(2026, 11, 23, 12, tzinfo=UTC),
}


@pytest.fixture
def keys() -> dict[str, str]:
    return {"PartitionKey": uuid.uuid4().hex, "RowKey": "it's a key, with é & a space"}


@pytest.fixture
def rest(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableRest]:
    client = TableRest(storage.table, credential)
    yield client
    client.close()


@pytest.fixture
def sdk(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableClient]:
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield tables.get_table_client(TABLE)


def plain(row: Any) -> dict[str, Any]:
    """A row with comparable values: the SDK gives large ints with their type, and datetimes of its own."""
    return {
        name: value[0]
        if isinstance(value, tuple)
        else (datetime.fromtimestamp(value.timestamp(), UTC) if isinstance(value, datetime) else value)
        for name, value in row.items()
        if name not in (ETAG, "Timestamp", "odata.metadata")
    }


def test_what_rest_writes_the_sdk_reads(rest: TableRest, sdk: TableClient, keys: dict[str, str]) -> None:
    rest.upsert(TABLE, keys | ROW)
    assert plain(sdk.get_entity(keys["PartitionKey"], keys["RowKey"])) == plain(keys | ROW)


def test_what_the_sdk_writes_rest_reads(rest: TableRest, sdk: TableClient, keys: dict[str, str]) -> None:
    written = sdk.create_entity(keys | ROW)
    row = rest.get(TABLE, keys["PartitionKey"], keys["RowKey"])
    assert plain(row) == plain(keys | ROW)
    assert row[ETAG] == written["etag"]
    (found,) = rest.query(TABLE, f"PartitionKey eq {quoted(keys['PartitionKey'])}")
    assert (plain(found), found[ETAG]) == (plain(row), row[ETAG])
    condition = f"RowKey eq {quoted(keys['RowKey'])} and PartitionKey eq {quoted(keys['PartitionKey'])}"
    (some,) = rest.query(TABLE, condition, only=("number", "absent"))
    assert plain(some) == {"number": 7}


def test_a_row_is_replaced_only_under_its_etag(rest: TableRest, sdk: TableClient, keys: dict[str, str]) -> None:
    first = sdk.create_entity(keys | ROW)["etag"]
    second = rest.replace(TABLE, keys | {"number": 8}, first)
    assert plain(rest.get(TABLE, keys["PartitionKey"], keys["RowKey"])) == keys | {"number": 8}
    with pytest.raises(Conflict):
        rest.replace(TABLE, keys | {"number": 9}, first)
    assert rest.get(TABLE, keys["PartitionKey"], keys["RowKey"])[ETAG] == second
    sdk.delete_entity(keys["PartitionKey"], keys["RowKey"])
    with pytest.raises(Conflict):
        rest.replace(TABLE, keys | {"number": 9}, second)
    with pytest.raises(NotFound):
        rest.get(TABLE, keys["PartitionKey"], keys["RowKey"])


def test_a_query_goes_on_after_a_thousand_rows(rest: TableRest, sdk: TableClient) -> None:
    partition = uuid.uuid4().hex
    for first in range(0, 1100, 100):
        rows = ({"PartitionKey": partition, "RowKey": f"{first + number:06d}"} for number in range(100))
        sdk.submit_transaction([("create", row) for row in rows])
    found = [row["RowKey"] for row in rest.query(TABLE, f"PartitionKey eq {quoted(partition)}", only=("RowKey",))]
    assert found == [f"{number:06d}" for number in range(1100)]


def test_a_missing_table_is_the_operators(rest: TableRest, keys: dict[str, str]) -> None:
    """If it counted as a missing row, every mailbox would count as gone."""
    for ask in (
        lambda: rest.get("nothere", keys["PartitionKey"], keys["RowKey"]),
        lambda: rest.replace("nothere", keys, "W/\"datetime'2026-11-28T19%3A29%3A23.0848908Z'\""),
        lambda: rest.upsert("nothere", keys),
        lambda: list(rest.query("nothere", "PartitionKey eq 'a'")),
    ):
        with pytest.raises(OperatorMustAct):
            ask()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_broken_connection_is_tried_again_at_once(
    rest: TableRest, faults: Faults, keys: dict[str, str], method: str
) -> None:
    rest.upsert(TABLE, keys | ROW)
    rule = faults.add("table", {"kind": "reset", "handled": True}, match={"method": method, "path": TABLE}, times=2)
    if method == "GET":
        assert rest.get(TABLE, keys["PartitionKey"], keys["RowKey"])["number"] == 7
    else:
        rest.upsert(TABLE, keys | {"number": 8})
    assert faults.hits(rule) == 2
    faults.add("table", {"kind": "reset"}, match={"method": method, "path": TABLE}, times=3)
    with pytest.raises(RetryLater):
        rest.get(TABLE, keys["PartitionKey"], keys["RowKey"]) if method == "GET" else rest.upsert(TABLE, keys)
