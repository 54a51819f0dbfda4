"""A row that only a newer version can read, in Table Storage: everything beside it goes on."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.errors import NotFound, OperatorMustAct
from shared.mailboxes.groups.cache import CachedGroups
from shared.mailboxes.groups.model import Group, GroupSettings
from shared.mailboxes.groups.table import TableGroups
from shared.sources.model import ContentLevel
from tests.conftest import Azurite

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


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
