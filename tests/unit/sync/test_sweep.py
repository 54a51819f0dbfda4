"""The daily sweep, and the repair of what was lost: each recovers by itself and ends complete."""

from dataclasses import replace
from functools import partial
from itertools import combinations

import pytest

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.mailboxes.model import SYNCED, Status
from shared.sources.model import Folder
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    """A synced mailbox of twelve items."""
    world = SyncHarness(page=5)
    for number in range(12):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive)[number % 2])
    world.sync()
    world.clock.pass_by(hours=14)
    return world


def unreported(world: SyncHarness) -> None:
    """Differences that no change ever tells of: one item gone, one come, one of another version."""
    inbox = world.mailbox.in_folder(world.mailbox.inbox)
    del world.mailbox.mails[inbox[0].id]
    inbox[1].version += 1
    come_unreported(world)


def come_unreported(world: SyncHarness) -> str:
    """An item that no change ever tells of; gives its id."""
    come = world.mailbox.add(world.mailbox.archive)
    world.mailbox.mails[come].changed = world.mailbox.mails[come].created = 0
    return come


def test_a_sweep_of_an_equal_mailbox_finds_nothing_and_says_when(world: SyncHarness) -> None:
    writes = len(world.feed())
    world.sweep()
    stored = world.stored
    assert (stored.swept_at, stored.sweep_missing, stored.sweep_extra) == (world.clock(), 0, 0)
    assert stored.complete_as_of == world.clock()
    assert len(world.feed()) == writes
    assert world.registry.runs(ID)[0].kind == "sweep"


def test_a_sweep_repairs_what_no_change_told_of_and_records_it(world: SyncHarness) -> None:
    unreported(world)
    world.sync()
    with pytest.raises(AssertionError):
        world.assert_equal()
    world.sweep()
    world.assert_equal()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (2, 1)
    world.clock.pass_by(days=1)
    world.sweep()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)


def test_a_sweep_asks_every_folder_whatever_its_mark(world: SyncHarness) -> None:
    world.sync()
    world.clock.pass_by(hours=1)
    world.sync()
    before = world.sources.requests.copy()
    world.sweep()
    asked = world.sources.requests - before
    assert asked["list"] == 2 + 2 + 1, "two pages of each folder with six items, and the empty one"
    assert asked["changes"] == 0, "nothing differs, so that no folder has to be read on"
    for folder in (world.mailbox.inbox, world.mailbox.archive):
        world.mailbox.in_folder(folder)[0].version += 1
    world.clock.pass_by(days=1)
    before = world.sources.requests.copy()
    world.sweep()
    assert (world.sources.requests - before)["changes"] == 2, "each that differs"
    world.assert_equal()


def test_a_folder_is_listed_again_only_for_the_ids_of_what_is_missing(world: SyncHarness) -> None:
    def pages() -> int:
        before = world.sources.requests["list"]
        world.sweep()
        return world.sources.requests["list"] - before

    once = pages()
    come_unreported(world)
    world.clock.pass_by(days=1)
    assert pages() == once + 2, "the two pages of the folder with one more item"
    world.clock.pass_by(days=1)
    assert pages() == once
    world.assert_equal()


def test_what_is_listed_and_gone_when_it_is_listed_again_is_not_missing(world: SyncHarness) -> None:
    world.sync()
    come = come_unreported(world)
    listings: list[str] = []

    def after_a_page(folder: Folder) -> None:
        listings.append(folder.id)
        if listings.count(world.mailbox.archive) == 2:
            world.mailbox.delete(come)

    world.sources.between_pages = after_a_page
    world.sweep()
    assert come not in world.mailbox.mails
    world.assert_equal()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)


def test_a_sweep_takes_as_many_passes_as_its_budget_makes_it_take(world: SyncHarness) -> None:
    unreported(world)
    world.limits = replace(world.limits, budget_seconds=2)
    world.engine = world.new_engine()
    world.clock.step = 1
    world.engine.sync(ID, sweep=True)
    assert world.stored.swept_at is None
    assert world.pump() > 1
    assert world.stored.swept_at is not None
    world.assert_equal()


def test_a_sweep_interrupted_by_a_fault_goes_on_where_it_was(world: SyncHarness) -> None:
    unreported(world)
    world.sources.fail_at(5, RetryLater(Reason.UNAVAILABLE))
    world.sweep()
    assert world.stored.swept_at is not None
    world.assert_equal()


@pytest.mark.parametrize("request_", range(1, 25))
def test_sweep_of_several_passes_keeps_figures_whatever_request_fails(world: SyncHarness, request_: int) -> None:
    """Also that which expands occurrences, when every folder has been compared."""
    world.mailbox.add(world.mailbox.calendar)
    world.sync()
    world.clock.pass_by(hours=14)
    unreported(world)
    world.limits = replace(world.limits, budget_seconds=2)
    world.engine = world.new_engine()
    world.clock.step = 1
    world.sources.fail_at(request_, RetryLater(Reason.UNAVAILABLE))
    world.sweep()
    assert (world.stored.swept_at, world.stored.sweep_missing, world.stored.sweep_extra) == (world.clock(), 2, 1)
    world.assert_equal()


def test_a_sweep_drops_the_bytes_of_deleted_items(world: SyncHarness) -> None:
    gone = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    item = world.items()[gone]
    world.mailbox.delete(gone)
    world.sync()
    assert world.replica.content(ID, item)
    world.sweep()
    assert not [pack for pack in world.replica._of(ID).packs.values() if f"{item.key}.eml" in pack]


@pytest.mark.parametrize("status", sorted(set(Status) - SYNCED))
def test_stopped_mailbox_is_compacted_and_its_server_left_alone(world: SyncHarness, status: Status) -> None:
    gone = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    item = world.items()[gone]
    world.mailbox.delete(gone)
    world.sync()
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=status))
    requests = world.sources.requests.total()
    world.sweep()
    assert not [pack for pack in world.replica._of(ID).packs.values() if f"{item.key}.eml" in pack]
    assert world.sources.requests.total() == requests
    assert world.stored.swept_at is None
    assert ID not in world.leases.held


def test_the_bytes_of_deleted_items_go_though_the_server_lets_nobody_in(world: SyncHarness) -> None:
    gone = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    item = world.items()[gone]
    world.mailbox.delete(gone)
    world.sync()
    world.sources.fail_at(1, AdministratorMustAct(Reason.EWS_BLOCKED))
    world.sweep()
    assert world.stored.status is Status.NEEDS_ADMIN
    assert not [pack for pack in world.replica._of(ID).packs.values() if f"{item.key}.eml" in pack]
    requests = world.sources.requests.total()
    world.sweep()
    assert world.sources.requests.total() == requests, "it is not due yet"


def test_a_compaction_that_fails_is_tried_again_with_its_sweep(world: SyncHarness) -> None:
    world.mailbox.delete(world.mailbox.in_folder(world.mailbox.inbox)[0].id)
    world.sync()
    world.replica.fail_at(1, RetryLater(Reason.THROTTLED))
    world.engine.sync(ID, sweep=True)
    assert [message.sweep for message in world.queue.mailboxes] == [True]
    world.pump()
    assert world.stored.swept_at is not None
    assert sum(len(pack) for pack in world.replica._of(ID).packs.values()) == 11


def test_item_slipping_between_pages_of_a_listing_is_not_deleted(world: SyncHarness) -> None:
    """Deleting the first item while the listing is between its pages shifts the others by one."""
    first = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    shifted = world.mailbox.in_folder(world.mailbox.inbox)[5].id

    def delete_when_listing(folder: Folder) -> None:
        if folder.id == world.mailbox.inbox and first in world.mailbox.mails:
            world.mailbox.delete(first)

    world.sources.between_pages = delete_when_listing
    world.sweep()
    assert shifted in world.items()
    world.sources.between_pages = None
    world.sync()
    world.assert_equal()


@pytest.mark.parametrize("immutable", [False, True])
def test_what_comes_and_goes_at_any_moments_of_a_sweep_leaves_no_stray(immutable: bool) -> None:
    for comes, goes in combinations(range(1, 14), 2):
        world = SyncHarness(page=2, immutable_ids=immutable)
        for _ in range(3):
            world.mailbox.add(world.mailbox.archive)
        world.sync()
        world.clock.pass_by(hours=14)
        come = [come_unreported(world)]
        world.sources.at(comes, partial(come_too, world, come))
        world.sources.at(goes, partial(go, world, come))
        world.sweep()
        world.clock.pass_by(minutes=30)
        world.sync()
        world.assert_equal()


def come_too(world: SyncHarness, come: list[str]) -> None:
    """Another item arrives."""
    come.append(world.mailbox.add(world.mailbox.archive))


def go(world: SyncHarness, come: list[str]) -> None:
    """One is moved to where nothing is synced, the other deleted."""
    world.mailbox.move(come[0], world.mailbox.bin)
    world.mailbox.delete(come[1])


@pytest.mark.parametrize("request_", range(1, 10))
def test_a_state_lost_at_any_moment_of_a_sweep_hides_no_deletion(world: SyncHarness, request_: int) -> None:
    gone = world.mailbox.in_folder(world.mailbox.archive)[2].id

    def lose() -> None:
        world.mailbox.delete(gone)
        world.mailbox.invalidate(world.mailbox.archive)

    world.sources.at(request_, lose)
    world.sweep()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


def test_mailbox_never_complete_is_not_swept_and_keeps_its_lease() -> None:
    world = SyncHarness()
    world.leases.acquire(ID)
    world.engine.sync(ID, sweep=True)
    assert world.sources.requests.total() == 0
    assert not world.queue.mailboxes, "who finds the lease taken comes again"


def test_lost_sync_state_is_read_anew_without_download(world: SyncHarness) -> None:
    world.mailbox.invalidate(world.mailbox.inbox)
    gone = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    world.mailbox.delete(gone)
    come = world.mailbox.add(world.mailbox.inbox)
    downloads = world.sources.downloads.total()
    world.sync()
    world.assert_equal()
    assert gone not in world.items()
    assert come in world.items()
    assert world.sources.downloads.total() == downloads + 1


def test_item_gone_unreported_goes_though_server_says_so_late(world: SyncHarness) -> None:
    """The folder's state is lost, so nobody reports the deletion; asked by its id, the server passes over the item."""
    gone = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    world.mailbox.invalidate(world.mailbox.inbox)
    world.mailbox.delete(gone)
    world.mailbox.silent.add(gone)
    world.sync()
    assert gone in world.items()
    assert [issue.item_id for issue in world.registry.issues(ID)] == [gone]
    world.mailbox.silent.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    assert world.registry.issues(ID) == []
    world.assert_equal()


def test_folder_vanishing_while_it_is_read_is_handled_in_same_pass(world: SyncHarness) -> None:
    world.mailbox.add(world.mailbox.archive)
    world.sources.at(2, lambda: world.mailbox.delete_folder(world.mailbox.archive))
    world.sync()
    world.assert_equal()


def test_a_restored_mailbox_is_complete_after_the_second_look(world: SyncHarness) -> None:
    world.mailbox.recreate()
    for _ in range(3):
        world.sync()
        world.clock.pass_by(minutes=30)
    world.assert_equal()


def test_more_held_than_the_source_counts_is_noticed_at_once(world: SyncHarness) -> None:
    """G4: the changes have come to an end, and not all deletions were among them."""
    for mail in world.mailbox.in_folder(world.mailbox.inbox)[:3]:
        del world.mailbox.mails[mail.id]
    world.mailbox.set_read(world.mailbox.in_folder(world.mailbox.inbox)[0].id)
    world.sync()
    world.assert_equal()


def test_source_that_counts_too_few_is_compared_once(world: SyncHarness) -> None:
    """G4: its counts are not ours to mend."""
    for mail in world.mailbox.in_folder(world.mailbox.inbox):
        world.mailbox.uncounted.add(mail.id)
    listings = []
    for _ in range(3):
        before = world.sources.requests["list"]
        world.mailbox.set_read(world.mailbox.in_folder(world.mailbox.inbox)[0].id)
        world.clock.pass_by(minutes=30)
        world.sync()
        listings.append(world.sources.requests["list"] > before)
    assert listings == [True, False, False]
    world.assert_equal()
