"""An item is recovered under its old id after its copy has taken its key: both stay, whatever else happens."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from shared.errors import Reason
from shared.replica.port import FeedKind, item_key
from shared.sync.scope import Scope
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import OUT, SyncHarness


class Recovery:
    """A mailbox with ids that survive moves, and an item whose copy has taken its key."""

    def __init__(self, *, restored: bool = False, retention: int = 0) -> None:
        self.world = SyncHarness(Scope(folders_out=OUT, retention_days=retention), immutable_ids=True)
        mailbox = self.world.mailbox
        mailbox.add(mailbox.inbox, "report")
        self.world.sync()
        if restored:
            # The key is then not that of the item's own id.
            mailbox.recreate()
            self._sync()
        [self.item] = mailbox.in_folder(mailbox.inbox)
        self.key = self.world.key(self.item.id)
        assert (self.key == item_key(self.item.id)) is not restored
        self.copy = mailbox.copy(self.item.id, mailbox.archive)
        mailbox.delete(self.item.id)
        self._sync()
        assert self.world.key(self.copy) == self.key

    def recover(self, meanwhile: Callable[["Recovery"], None] = lambda _: None) -> None:
        """Recover the item, and sync."""
        self.world.mailbox.recover(self.item, self.world.mailbox.inbox)
        meanwhile(self)
        self._sync()

    def _sync(self) -> None:
        self.world.clock.pass_by(hours=1)
        self.world.sync()


def nothing(_: Recovery) -> None:
    pass


def move_the_copy(recovery: Recovery) -> None:
    recovery.world.mailbox.move(recovery.copy, recovery.world.mailbox.inbox)


def read_the_copy(recovery: Recovery) -> None:
    recovery.world.mailbox.set_read(recovery.copy)


def edit_the_copy(recovery: Recovery) -> None:
    recovery.world.mailbox.update(recovery.copy, b"another text")


def delete_the_copys_folder(recovery: Recovery) -> None:
    move_the_copy(recovery)
    recovery.world.mailbox.delete_folder(recovery.world.mailbox.archive)


MEANWHILE = [nothing, move_the_copy, read_the_copy, edit_the_copy, delete_the_copys_folder]


@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("restored", [False, True])
def test_recovered_item_and_its_copy_have_a_key_each(meanwhile: Callable[[Recovery], None], *, restored: bool) -> None:
    recovery = Recovery(restored=restored)
    world = recovery.world

    recovery.recover(meanwhile)

    assert set(world.items()) == {recovery.item.id, recovery.copy}
    assert world.key(recovery.item.id) == item_key(recovery.item.id)
    assert world.key(recovery.copy) == (recovery.key if restored else item_key(recovery.copy))
    world.assert_equal()
    world.clock.pass_by(hours=25)
    world.sweep()
    lines = len(world.feed())
    world.clock.pass_by(hours=25)
    world.sweep()
    assert len(world.feed()) == lines
    world.assert_equal()


@pytest.mark.parametrize("restored", [False, True])
def test_deleting_either_leaves_the_other(*, restored: bool) -> None:
    for which in ("item", "copy"):
        recovery = Recovery(restored=restored)
        recovery.recover()
        gone = recovery.item.id if which == "item" else recovery.copy

        recovery.world.mailbox.delete(gone)
        recovery.world.clock.pass_by(hours=1)
        recovery.world.sync()

        assert set(recovery.world.items()) == {recovery.item.id, recovery.copy} - {gone}
        recovery.world.assert_equal()


@pytest.mark.parametrize("restored", [False, True])
def test_copy_that_cannot_be_fetched_at_the_time_keeps_its_row(*, restored: bool) -> None:
    recovery = Recovery(restored=restored)

    recovery.recover(lambda one: one.world.mailbox.bad.update({one.copy: Reason.ITEM_CORRUPT}))

    assert set(recovery.world.items()) == {recovery.item.id, recovery.copy}
    recovery.world.mailbox.bad.clear()
    recovery.world.assert_equal()


def test_item_recovered_after_its_copy_is_gone_takes_its_key_back() -> None:
    recovery = Recovery()
    lines = len(recovery.world.feed())

    recovery.recover(lambda one: one.world.mailbox.delete(one.copy))

    assert recovery.world.key(recovery.item.id) == recovery.key
    assert [kind for kind, _ in recovery.world.feed()[lines:]] == [FeedKind.MOVE]
    recovery.world.assert_equal()


@pytest.mark.parametrize("restored", [False, True])
def test_crash_at_any_write_of_the_separation_loses_neither(*, restored: bool) -> None:
    for write in range(1, 12):
        recovery = Recovery(restored=restored, retention=30)
        world = recovery.world
        world.limits = replace(world.limits, page_items=1)
        world.engine = world.new_engine()
        world.replica.crash_at(write)

        with suppress(Crash):
            recovery.recover()
        world.replica.calm()
        world.leases.held.clear()
        for _ in range(2):
            world.clock.pass_by(hours=25)
            world.sync()
            world.sweep()

        assert set(world.items()) == {recovery.item.id, recovery.copy}, write
        world.assert_equal()
