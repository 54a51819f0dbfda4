"""A pass uses the scope of its mailbox's group; a changed group acts as a changed setting of the deployment does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.errors import OperatorMustAct
from shared.mailboxes import transitions
from shared.mailboxes.groups.cache import CachedGroups
from shared.mailboxes.groups.model import Group, GroupSettings, ScopeSettings
from shared.mailboxes.model import Mailbox
from shared.sources.model import ContentLevel
from shared.sync.group_scopes import GroupScopes, scope_from
from shared.sync.scope import Scope
from tests.fakes.groups import MemoryGroups
from tests.fakes.sync_harness import ID, OUT, SyncHarness

DEPLOYMENT = ScopeSettings(folders_out=OUT)


class GroupHarness(SyncHarness):
    """A mailbox that can be put into groups."""

    def __init__(self) -> None:
        self.groups = MemoryGroups()
        super().__init__(scope_from(DEPLOYMENT))

    def scope_of(self) -> Callable[[Mailbox], Scope]:
        """The scope of the group, as a process knows it that starts now."""
        return GroupScopes(DEPLOYMENT, CachedGroups(self.groups, self.clock.monotonic).get)

    def put(self, name: str, **settings: object) -> None:
        """Make or change a group, and put the mailbox into it."""
        group = Group(name, self.clock(), settings=replace(GroupSettings(), **settings))  # type: ignore[arg-type]
        if name in {each.name for each in self.groups.all()}:
            self.groups.change(name, lambda before: group.with_changes(version=before.version))
        else:
            self.groups.add(group)
        self.assign(name)
        self.scope = scope_from(group.settings.in_deployment(DEPLOYMENT))

    def assign(self, name: str) -> None:
        """Put the mailbox into a group by name alone."""
        self.registry.change(ID, lambda before: before.with_changes(group=name))


@pytest.fixture
def world() -> GroupHarness:
    world = GroupHarness()
    world.mailbox.add(world.mailbox.inbox)
    world.mailbox.add(world.mailbox.inbox, private=True)
    world.mailbox.add(world.mailbox.archive)
    world.sync()
    world.assert_equal()
    assert len(world.items()) == 2
    return world


def test_mailbox_follows_its_group_with_the_next_pass(world: GroupHarness) -> None:
    world.put("legal", private_items=True)
    world.sync()
    world.assert_equal()
    assert len(world.items()) == 3
    world.put("short", folders_out=("Projects",), content=ContentLevel.METADATA)
    world.sync()
    world.assert_equal()
    assert len(world.items()) == 1
    world.assign("")
    world.scope = scope_from(DEPLOYMENT)
    world.sync()
    world.assert_equal()
    assert len(world.items()) == 2


def test_changed_group_acts_within_a_minute(world: GroupHarness) -> None:
    world.put("legal", private_items=True)
    world.sync()
    world.put("legal", private_items=False)
    world.clock.pass_by(minutes=1)
    world.sync()
    world.assert_equal()
    assert len(world.items()) == 2


def test_group_like_the_deployment_changes_nothing(world: GroupHarness) -> None:
    world.clock.pass_by(hours=2)
    world.sync()
    world.clock.pass_by(hours=2)
    requests, writes = world.sources.requests.copy(), world.replica.writes
    world.put("same")
    world.sync()
    assert world.sources.requests - requests == {"folders": 1}
    assert world.replica.writes == writes


def test_idle_passes_read_the_groups_once_a_minute_and_without_one_never(world: GroupHarness) -> None:
    reads = world.groups.reads
    world.sync()
    assert world.groups.reads == reads
    world.put("legal")
    reads = world.groups.reads
    for _ in range(20):
        world.engine.sync(ID)
    assert world.groups.reads == reads + 1


def test_items_that_left_stay_while_the_group_is_unknown(world: GroupHarness) -> None:
    world.put("legal", retention_days=1)
    world.mailbox.delete(next(iter(world.items())))
    world.clock.pass_by(minutes=30)
    world.sync()
    assert len(world.left()) == 1
    world.registry.change(ID, transitions.paused)
    world.assign("gone")
    world.clock.pass_by(hours=72)
    world.sweep()
    assert len(world.left()) == 1
    world.put("legal")
    world.sweep()
    assert world.left() == {}


def test_mailbox_of_an_unknown_group_is_not_synced(world: GroupHarness) -> None:
    world.assign("gone")
    world.mailbox.add(world.mailbox.inbox, private=True)
    feed = world.feed()
    with pytest.raises(OperatorMustAct) as error:
        world.engine.sync(ID)
    assert (error.value.support, error.value.of_one) == ("GroupNotFound", True)
    assert world.feed() == feed
    assert world.stored.status.value == "active"
    world.put("gone")
    world.sync()
    world.assert_equal()
