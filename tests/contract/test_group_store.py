"""Contract suite for the store of groups, in memory and in Table Storage."""

import uuid
from collections.abc import Iterator

import pytest
from azure.data.tables import TableServiceClient

from shared.errors import Conflict, NotFound
from shared.mailboxes.groups.model import Group, GroupSettings
from shared.mailboxes.groups.port import GroupStore
from shared.mailboxes.groups.table import TableGroups
from shared.sources.model import ContentLevel
from tests.fakes.groups import MemoryGroups
from tests.fakes.registry import NOW


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> Iterator[GroupStore]:
    if request.param == "memory":
        yield MemoryGroups()
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableGroups(tables)


def a_group(**changes: object) -> Group:
    return Group(f"g-{uuid.uuid4().hex[:12]}", NOW, "op").with_changes(**changes)


EVERYTHING = GroupSettings(
    folders_in=("inbox", "Projects/2026, final"),
    folders_out=(),
    mail_days=0,
    content=ContentLevel.BODY,
    largest_item_mb=25,
    private_items=False,
    exclude=("@fabrikam.example", "kim@contoso.example"),
    retention_days=30,
)


@pytest.mark.parametrize("settings", [GroupSettings(), EVERYTHING, GroupSettings(private_items=True)])
def test_group_comes_back_as_it_was_stored(store: GroupStore, settings: GroupSettings) -> None:
    added = store.add(a_group(description="Legal, for matter 7", settings=settings))
    assert store.get(added.name) == added
    assert added in store.all()
    with pytest.raises(Conflict):
        store.add(added)
    with pytest.raises(NotFound):
        store.get("none")


def test_groups_come_in_the_order_of_their_names(store: GroupStore) -> None:
    names = [store.add(a_group()).name for _ in range(3)]
    assert [group.name for group in store.all() if group.name in names] == sorted(names)


def test_changed_setting_goes_back_to_the_deployment(store: GroupStore) -> None:
    added = store.add(a_group(settings=EVERYTHING, deleting_since=NOW))
    changed = store.change(
        added.name, lambda group: group.with_changes(settings=GroupSettings(mail_days=9), deleting_since=None)
    )
    assert store.get(added.name) == changed
    assert changed.settings.own() == {"mail_days": 9}
    assert changed.deleting_since is None
    with pytest.raises(NotFound):
        store.change("none", lambda group: group)


def test_group_that_changed_since_it_was_read_is_not_deleted(store: GroupStore) -> None:
    added = store.add(a_group())
    changed = store.change(added.name, lambda group: group.with_changes(description="other"))
    with pytest.raises(Conflict):
        store.delete(added)
    store.delete(changed)
    store.delete(changed)
    with pytest.raises(NotFound):
        store.get(added.name)
