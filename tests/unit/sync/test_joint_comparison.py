"""A sweep compares the folders in which nothing differs together, with few requests, and repairs the others."""

from functools import partial
from itertools import combinations

import pytest

from shared.errors import Reason, RetryLater
from tests.fakes.sync_harness import ID, SyncHarness

FOLDERS = 30


@pytest.fixture
def world() -> SyncHarness:
    """A synced mailbox of many small folders."""
    world = SyncHarness()
    for number in range(FOLDERS):
        folder = world.mailbox.add_folder(f"Folder {number}")
        for _ in range(number % 3):
            world.mailbox.add(folder)
    world.sync()
    world.clock.pass_by(hours=1)
    world.sync()
    world.clock.pass_by(hours=14)
    return world


def folder_named(world: SyncHarness, name: str) -> str:
    return next(id_ for id_ in world.mailbox.boxes if world.mailbox.path(id_) == name)


def test_equal_folders_take_one_listing_for_all(world: SyncHarness) -> None:
    before = world.sources.requests.copy()
    world.sweep()
    assert world.sources.requests - before == {"folders": 1, "list": 1, "occurrences": 1, "primary_address": 1}
    assert world.stored.swept_at == world.clock()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)


def test_a_sweep_that_finds_nothing_writes_nothing_to_the_copy(world: SyncHarness) -> None:
    world.sweep()
    world.clock.pass_by(days=1)
    writes = world.replica.writes
    world.sweep()
    assert world.stored.swept_at == world.clock()
    assert world.replica.writes == writes


def test_a_folder_that_differs_is_read_on_and_repaired_alone(world: SyncHarness) -> None:
    folder = folder_named(world, "Folder 5")
    for mail in world.mailbox.in_folder(folder):
        mail.version += 1
    before = world.sources.requests.copy()
    world.sweep()
    assert world.sources.requests["changes"] - before["changes"] == 1
    assert world.stored.sweep_missing == 2
    world.assert_equal()


@pytest.mark.parametrize("where", ["Folder 0", "Folder 1", "Folder 29"])
def test_what_no_change_told_of_is_repaired_in_any_folder(world: SyncHarness, where: str) -> None:
    come = world.mailbox.add(folder_named(world, where))
    world.mailbox.mails[come].changed = world.mailbox.mails[come].created = 0
    gone = world.mailbox.in_folder(folder_named(world, "Folder 4"))[0]
    del world.mailbox.mails[gone.id]
    world.sweep()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (1, 1)
    world.assert_equal()


def test_a_folder_that_cannot_be_read_does_not_harm_the_others(world: SyncHarness) -> None:
    closed = folder_named(world, "Folder 7")
    world.mailbox.closed.add(closed)
    world.sweep()
    assert world.stored.swept_at is not None
    assert [issue.item_id for issue in world.registry.issues(ID)] == [closed]


def test_a_folder_that_chokes_the_server_becomes_an_issue(world: SyncHarness) -> None:
    choking = folder_named(world, "Folder 7")
    world.mailbox.choking.add(choking)
    world.sweep()
    for _ in range(6):
        world.clock.pass_by(hours=24)
        world.sweep()
    assert world.stored.swept_at is not None
    assert choking in {issue.item_id for issue in world.registry.issues(ID)}


@pytest.mark.parametrize("request_", range(1, 6))
def test_an_outage_at_any_request_ends_in_a_complete_sweep(world: SyncHarness, request_: int) -> None:
    come = world.mailbox.add(folder_named(world, "Folder 3"))
    world.mailbox.mails[come].changed = world.mailbox.mails[come].created = 0
    world.sources.fail_at(request_, RetryLater(Reason.UNAVAILABLE))
    world.sweep()
    assert (world.stored.swept_at, world.stored.sweep_missing) == (world.clock(), 1)
    world.assert_equal()


@pytest.mark.parametrize("immutable", [False, True])
def test_what_comes_and_goes_while_folders_are_compared_leaves_no_stray(immutable: bool) -> None:
    for comes, goes in combinations(range(1, 9), 2):
        world = SyncHarness(immutable_ids=immutable)
        for _ in range(3):
            world.mailbox.add(world.mailbox.archive)
        world.sync()
        world.clock.pass_by(hours=14)
        come: list[str] = []
        world.sources.at(comes, partial(_come, world, come))
        world.sources.at(goes, partial(_go, world, come))
        world.sweep()
        world.clock.pass_by(minutes=30)
        world.sync()
        world.assert_equal()


def _come(world: SyncHarness, come: list[str]) -> None:
    """One item arrives that no change tells of, and one that changes do tell of."""
    come += [world.mailbox.add(world.mailbox.archive), world.mailbox.add(world.mailbox.archive)]
    hidden = world.mailbox.mails[come[0]]
    hidden.changed = hidden.created = 0


def _go(world: SyncHarness, come: list[str]) -> None:
    """They leave again, one to where nothing is synced."""
    if come:
        world.mailbox.move(come[0], world.mailbox.bin)
        world.mailbox.delete(come[1])
