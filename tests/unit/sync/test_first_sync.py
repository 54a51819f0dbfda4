"""The first sync of a mailbox: everything arrives, in as many passes as it takes."""

from collections.abc import Callable, Sequence

import pytest

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.replica.port import FeedKind, ReplicaItem
from shared.sync.limits import Limits
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


def a_full_mailbox(items: int = 40, **how: object) -> SyncHarness:
    world = SyncHarness(**how)  # type: ignore[arg-type]
    for number in range(items):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive, world.mailbox.calendar)[number % 3])
    return world


def test_everything_in_scope_is_copied_and_the_mailbox_says_so() -> None:
    world = a_full_mailbox()
    world.mailbox.add(world.mailbox.junk)
    world.sync()
    world.assert_equal()
    stored = world.stored
    assert (stored.items, stored.in_scope, stored.first_sync_done) == (40, 40, True)
    assert stored.complete_as_of == stored.last_success_at == world.clock()
    assert stored.syncing_since is None


def test_an_empty_mailbox_is_complete_too() -> None:
    world = SyncHarness()
    world.sync()
    assert world.stored.first_sync_done
    assert world.feed() == []


def test_the_inbox_comes_first() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, page_items=4))
    world.sync()
    first = next(iter(world.replica.feed(ID)))
    assert {change.item.folder_id for change in first.changes} == {world.mailbox.inbox}


def test_a_first_sync_does_not_ask_what_the_replica_has() -> None:
    """Nothing of it can be there: the fake would count every look-up that a real table has to answer."""
    world = a_full_mailbox()
    looked_up: list[str] = []
    find = world.replica.find

    def noting(mailbox_id: str, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        looked_up.extend(source_ids)
        return find(mailbox_id, source_ids)

    world.replica.find = noting  # type: ignore[method-assign]
    world.sync()
    assert looked_up == []


def test_an_item_that_comes_again_on_a_later_page_is_created_once() -> None:
    """Fewer items are kept than the folder has, so that counting them would not tell that one came twice."""
    world = a_full_mailbox(24, limits=Limits(overlap=False, page_items=2), page=4)
    (first, private, *_) = world.mailbox.in_folder(world.mailbox.inbox)
    world.mailbox.update(private.id, private=True)
    world.sources.at(4, lambda: world.mailbox.update(first.id))
    world.sync()
    told = [kind for kind, source_id in world.feed() if source_id == first.id]
    assert told == [FeedKind.CREATE, FeedKind.UPDATE]
    world.assert_equal()


def test_item_changing_between_passes_of_first_sync_is_created_once() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, budget_seconds=8, page_items=4), page=5)
    world.clock.step = 1
    world.engine.sync(ID)
    (changed, *_) = world.items()
    world.mailbox.update(changed)
    world.pump()
    told = [kind for kind, source_id in world.feed() if source_id == changed]
    assert told == [FeedKind.CREATE, FeedKind.UPDATE]
    world.assert_equal()


def test_item_moved_to_folder_not_yet_read_is_moved_not_created() -> None:
    world = a_full_mailbox(24, limits=Limits(overlap=False, page_items=4), page=4, immutable_ids=True)
    (moved, *_) = world.mailbox.in_folder(world.mailbox.inbox)
    (private, *_) = world.mailbox.in_folder(world.mailbox.archive)
    world.mailbox.update(private.id, private=True)
    world.sources.at(8, lambda: world.mailbox.move(moved.id, world.mailbox.archive))
    world.sync()
    told = [kind for kind, source_id in world.feed() if source_id == moved.id]
    assert told == [FeedKind.CREATE, FeedKind.MOVE]
    assert world.sources.downloads[moved.move_key, moved.content] == 1
    world.quiet()
    world.assert_equal()


def test_a_spent_budget_commits_asks_for_the_continuation_and_ends() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, budget_seconds=8, page_items=4), page=5)
    world.clock.step = 1
    world.engine.sync(ID)
    assert not world.stored.first_sync_done
    assert world.stored.syncing_since is not None
    assert 0 < world.stored.items < 40
    assert world.stored.complete_as_of is None
    (message,) = world.queue.mailboxes
    assert message.continuation == world.replica.load(ID).sequence
    assert ID not in world.leases.held
    world.pump()
    world.assert_equal()
    assert world.registry.runs(ID)[0].outcome == "done"
    assert {run.outcome for run in world.registry.runs(ID)[1:]} == {"continues"}


@pytest.mark.parametrize("write", [2, 3])
def test_pass_that_cannot_be_recorded_is_followed_by_continuation(write: int) -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, budget_seconds=8, page_items=4, progress_seconds=900), page=5)
    world.clock.step = 1
    # The first write is that of the figures for the person's page.
    world.registry.fail_at(write, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID)
    (message,) = world.queue.mailboxes
    assert message.continuation == world.replica.load(ID).sequence
    world.pump()
    world.assert_equal()
    assert world.stored.first_sync_done


def test_nothing_is_downloaded_twice_however_often_the_budget_is_spent() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, budget_seconds=3, page_items=4), page=5)
    world.clock.step = 1
    assert world.sync() > 3
    assert max(world.sources.downloads.values()) == 1
    world.assert_equal()


def test_a_crash_at_any_write_of_a_first_sync_loses_and_doubles_nothing() -> None:
    writes = 1
    while True:
        world = a_full_mailbox(12, limits=Limits(overlap=False, page_items=5), page=4)
        world.replica.fail_at(writes, Crash())
        try:
            world.sync()
        except Crash:
            writes += 1
        else:
            break
        world.sync()
        world.assert_equal()
    assert writes > 10


def test_a_fault_at_any_request_of_a_first_sync_is_waited_out() -> None:
    request = 1
    while True:
        world = a_full_mailbox(12, limits=Limits(overlap=False, page_items=5), page=4)
        world.sources.fail_at(request, RetryLater(Reason.UNAVAILABLE))
        world.sync()
        world.assert_equal()
        if world.sources.requests.total() < request:
            break
        is_optional = world.sources.failed == "primary_address"
        assert world.registry.runs(ID)[-1].outcome == ("done" if is_optional else "unavailable")
        request += 1
    assert request > 8


def test_what_was_fetched_before_a_fault_is_kept() -> None:
    world = a_full_mailbox(30)
    world.sources.fail_at(4, RetryLater(Reason.THROTTLED))
    world.engine.sync(ID)
    assert world.stored.items == 10


def test_item_deleted_before_a_broken_page_is_repeated_leaves_no_stray() -> None:
    world = a_full_mailbox(12, limits=Limits(overlap=False, page_items=2), page=4)
    world.sources.fail_at(4, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID)
    assert world.items()
    for source_id in world.items():
        world.mailbox.delete(source_id)
    world.pump()
    world.assert_equal()


def test_a_lost_cursor_is_recovered_without_a_download() -> None:
    world = a_full_mailbox()
    world.sync()
    downloads = world.sources.downloads.total()
    world.replica.lose_cursor(ID)
    world.sync()
    world.assert_equal()
    assert world.sources.downloads.total() == downloads


def test_fetching_and_writing_side_by_side_gives_the_same() -> None:
    world = a_full_mailbox(400, overlap=True, page=64)
    world.sync()
    world.assert_equal()
    assert [kind for kind, _ in world.feed()] == [FeedKind.CREATE] * 400


def test_write_failing_beside_fetching_ends_pass_and_is_made_good() -> None:
    world = a_full_mailbox(400, limits=Limits(page_items=20), page=64)
    world.replica.fail_at(9, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID)
    assert world.registry.runs(ID)[0].outcome == "unavailable"
    world.pump()
    world.assert_equal()


def test_the_person_sees_figures_while_the_first_sync_is_under_way() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, page_items=4))
    seen: list[tuple[int, bool]] = []
    world.sources.at(6, lambda: seen.append((world.stored.items, world.stored.syncing_since is not None)))
    world.sync()
    assert seen
    assert seen[0][0] > 0
    assert seen[0][1]


def test_a_first_sync_under_way_says_how_much_of_how_much_is_there() -> None:
    world = a_full_mailbox(limits=Limits(overlap=False, page_items=4))
    said: list[tuple[int, int]] = []
    original = world.registry.change

    def noting(mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        after = original(mailbox_id, change, known)
        said.append((after.items, after.in_scope))
        return after

    world.registry.change = noting  # type: ignore[method-assign]
    world.sync()
    assert said == [(4, 40), (40, 40)]


def test_first_sync_that_is_killed_early_every_time_gets_further() -> None:
    """G6: it committed after 250 items, and a process that lived for fewer began again at the same place."""
    world = SyncHarness()
    for _ in range(200):
        world.mailbox.add(world.mailbox.inbox)
    held = []
    for _ in range(4):
        world.sources.at(6, _killed)
        with pytest.raises(Crash):
            world.engine.sync(ID)
        world.leases.held.clear()
        held.append(len(world.items()))
    assert held == sorted(set(held))
    assert held[0] > 0
    world.sync()
    world.assert_equal()


def _killed() -> None:
    raise Crash


def test_pages_of_a_first_sync_grow_and_later_ones_are_large() -> None:
    world = SyncHarness()
    for _ in range(800):
        world.mailbox.add(world.mailbox.inbox)
    world.sync()
    assert [len(page.changes) for page in world.replica.feed(ID) if page.changes] == [25, 50, 100, 200, 250, 175]
    for _ in range(300):
        world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.sync()
    assert [len(page.changes) for page in world.replica.feed(ID) if page.changes][6:] == [250, 50]
