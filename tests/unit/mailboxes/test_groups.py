"""Groups of mailboxes: their settings, and what an operator does with them."""

from dataclasses import fields

import pytest

from shared.errors import NotFound
from shared.mailboxes.groups.cache import CACHED_SECONDS, CachedGroups
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.errors import GroupInUse, GroupInvalid, GroupUnknown
from shared.mailboxes.groups.model import SETTING_NAMES, Group, GroupSettings, ScopeSettings, is_name
from shared.settings import Settings
from shared.sources.model import ContentLevel
from tests.fakes.groups import MemoryGroups
from tests.fakes.registry import NOW, FakeDirectory, FakeRegistry
from tests.unit.mailboxes.test_transitions import a_mailbox


class World:
    """Groups and one mailbox."""

    def __init__(self) -> None:
        self.store = MemoryGroups()
        self.registry = FakeRegistry()
        self.commands = GroupCommands(
            self.store, self.registry, FakeDirectory(self.registry), ScopeSettings(mail_days=365), lambda: NOW
        )
        self.mailbox = self.registry.add(a_mailbox())

    def group_of(self) -> str:
        return self.registry.get(self.mailbox.id).group


@pytest.fixture
def world() -> World:
    return World()


def test_settings_of_a_group_are_settings_of_the_deployment() -> None:
    names = {declared.name: declared.metadata["name"] for declared in fields(Settings)}
    assert {name: names[name] for name in SETTING_NAMES} == SETTING_NAMES
    assert [each.name for each in fields(GroupSettings)] == [each.name for each in fields(ScopeSettings)]
    assert [each.name for each in fields(GroupSettings)] == list(SETTING_NAMES)


def test_group_replaces_only_the_settings_it_has_of_its_own() -> None:
    deployment = ScopeSettings(folders_out=("junkemail",), mail_days=365, private_items=True)
    group = GroupSettings(folders_out=(), content=ContentLevel.BODY, private_items=False)
    assert group.in_deployment(deployment) == ScopeSettings(mail_days=365, content=ContentLevel.BODY)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        *[(name, True) for name in ("legal", "a", "board-2026", "7")],
        *[(name, False) for name in ("default", "", "Legal", "-legal", "legal-", "a b", "a/b", "é", "a" * 41)],
    ],
)
def test_names_are_short_and_plain(name: str, *, valid: bool) -> None:
    assert is_name(name) is valid


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (GroupSettings(folders_in=("",)), "folders_in"),
        (GroupSettings(folders_out=("a\nb",)), "folders_out"),
        (GroupSettings(exclude=("a",) * 201), "exclude"),
        (GroupSettings(mail_days=-1), "mail_days"),
        (GroupSettings(largest_item_mb=0), "largest_item_mb"),
        (GroupSettings(retention_days=3651), "retention_days"),
    ],
)
def test_wrong_setting_is_named_and_nothing_is_stored(world: World, settings: GroupSettings, wrong: str) -> None:
    with pytest.raises(GroupInvalid) as refused:
        world.commands.put("legal", "", settings, "op")
    assert refused.value.field == wrong
    with pytest.raises(GroupInvalid):
        world.commands.put("default", "", GroupSettings(), "op")
    with pytest.raises(GroupInvalid):
        world.commands.put("legal", "two\nlines", GroupSettings(), "op")
    assert world.commands.all() == []


def test_mailbox_is_put_into_a_group_and_back(world: World) -> None:
    world.commands.put("legal", "Matter 7", GroupSettings(mail_days=0), "op")
    assert world.commands.assign(world.mailbox.id, "legal", "op").group == "legal"
    assert world.commands.mailboxes_in("legal").number == 1
    assert world.commands.assign(world.mailbox.id, "default", "op").group == ""
    assert world.registry.audit == [
        ("group-legal", "op", "put_group"),
        (world.mailbox.id, "op", "set_group"),
        (world.mailbox.id, "op", "set_group"),
    ]


def test_unknown_group_is_refused_with_what_to_do(world: World) -> None:
    for name in ("legal", "", "no such name"):
        with pytest.raises(GroupUnknown, match="make it first"):
            world.commands.assign(world.mailbox.id, name, "op")
    with pytest.raises(NotFound):
        world.commands.assign("none", "default", "op")
    assert world.group_of() == ""


def test_group_in_use_is_not_deleted_and_stays_usable(world: World) -> None:
    world.commands.put("legal", "", GroupSettings(), "op")
    world.commands.assign(world.mailbox.id, "legal", "op")
    with pytest.raises(GroupInUse, match="mailboxes in it: 1") as refused:
        world.commands.delete("legal", "op")
    assert (refused.value.values, refused.value.code) == ({"mailboxes": 1}, "group_in_use")
    world.commands.assign(world.mailbox.id, "legal", "op")
    world.commands.assign(world.mailbox.id, "default", "op")
    world.commands.delete("legal", "op")
    with pytest.raises(NotFound):
        world.commands.get("legal")
    assert world.registry.audit[-1] == ("group-legal", "op", "delete_group")


def test_deletion_and_mailbox_that_comes_meanwhile_exclude_each_other(world: World) -> None:
    world.commands.put("legal", "", GroupSettings(), "op")

    def comes() -> None:
        world.store.after_change = lambda: None
        with pytest.raises(GroupUnknown):
            world.commands.assign(world.mailbox.id, "legal", "op")

    world.store.after_change = comes
    world.commands.delete("legal", "op")
    assert world.group_of() == ""


def test_mailbox_leaves_a_group_that_was_deleted_while_it_came(world: World) -> None:
    world.commands.put("legal", "", GroupSettings(), "op")
    change = world.registry.change

    def slow_change(*given: object, **more: object) -> object:
        world.registry.change = change  # type: ignore[method-assign]
        world.commands.delete("legal", "op")
        return change(*given, **more)  # type: ignore[arg-type]

    world.registry.change = slow_change  # type: ignore[assignment, method-assign]
    with pytest.raises(GroupUnknown):
        world.commands.assign(world.mailbox.id, "legal", "op")
    assert world.group_of() == ""


def test_mailbox_taken_back_from_a_deleted_group_stays_where_another_put_it(world: World) -> None:
    for name in ("legal", "board"):
        world.commands.put(name, "", GroupSettings(), "op")
    read = world.store.get
    reads = 0

    def read_late(name: str) -> Group:
        nonlocal reads
        reads += 1
        if reads == 2:
            world.store.get = read  # type: ignore[method-assign]
            world.commands.assign(world.mailbox.id, "board", "other-op")
            world.commands.delete("legal", "op")
        return read(name)

    world.store.get = read_late  # type: ignore[method-assign]
    with pytest.raises(GroupUnknown):
        world.commands.assign(world.mailbox.id, "legal", "op")
    assert world.group_of() == "board"


def test_groups_are_read_at_most_once_a_minute() -> None:
    store, now = MemoryGroups(), [0.0]
    cached = CachedGroups(store, lambda: now[0])
    store.add(Group("legal", NOW))
    assert cached.get("legal").settings.own() == {}
    store.change("legal", lambda group: group.with_changes(settings=GroupSettings(mail_days=7)))
    reads = store.reads
    now[0] = CACHED_SECONDS - 1
    assert cached.get("legal").settings.own() == {}
    assert store.reads == reads
    now[0] = CACHED_SECONDS
    assert cached.get("legal").settings.own() == {"mail_days": 7}
    store.add(Group("new", NOW))
    assert cached.get("new").name == "new"
    with pytest.raises(NotFound):
        cached.get("none")
