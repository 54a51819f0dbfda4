"""Every kind of change, and that it costs no more than it must."""

import pytest

from shared.errors import Reason, RetryLater
from shared.replica.port import FeedKind
from shared.sources.model import ContentLevel
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    """A synced mailbox of twelve items whose marks have settled."""
    world = SyncHarness()
    for number in range(12):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive)[number % 2])
    world.sync()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.clock.pass_by(minutes=30)
    return world


def changes_of(world: SyncHarness) -> list[FeedKind]:
    """One more pass, checked: the kinds it adds to the feed."""
    before = len(world.feed())
    world.sync()
    world.assert_equal()
    return [kind for kind, _ in world.feed()[before:]]


def an_item(world: SyncHarness, number: int = 0) -> str:
    return world.mailbox.in_folder(world.mailbox.inbox)[number].id


def test_a_new_item_is_one_line_and_three_requests(world: SyncHarness) -> None:
    world.mailbox.add(world.mailbox.inbox)
    before = world.sources.requests.total()
    assert changes_of(world) == [FeedKind.CREATE]
    assert world.sources.requests.total() - before == 3


def test_a_rewritten_item_is_downloaded_once_more(world: SyncHarness) -> None:
    item = an_item(world)
    world.mailbox.update(item)
    assert changes_of(world) == [FeedKind.UPDATE]
    assert world.sources.downloads[world.mailbox.mails[item].move_key, 1] == 1


def test_a_category_costs_no_download(world: SyncHarness) -> None:
    downloads = world.sources.downloads.total()
    world.mailbox.categorize(an_item(world), ("red",))
    assert changes_of(world) == [FeedKind.UPDATE]
    assert world.sources.downloads.total() == downloads


def test_a_read_flag_costs_no_fetch_at_all(world: SyncHarness) -> None:
    fetched = world.sources.requests["fetch"]
    world.mailbox.set_read(an_item(world))
    assert changes_of(world) == [FeedKind.READ_FLAG]
    assert world.sources.requests["fetch"] == fetched


def test_a_deletion_is_one_line(world: SyncHarness) -> None:
    world.mailbox.delete(an_item(world))
    assert changes_of(world) == [FeedKind.DELETE]


def test_a_move_keeps_the_items_identity_and_downloads_nothing(world: SyncHarness) -> None:
    item = an_item(world)
    key, downloads = world.key(item), world.sources.downloads.total()
    moved = world.mailbox.move(item, world.mailbox.archive)
    assert changes_of(world) == [FeedKind.MOVE]
    assert world.key(moved) == key
    assert world.sources.downloads.total() == downloads


def test_a_move_there_and_back_between_two_passes_keeps_it_too(world: SyncHarness) -> None:
    item = an_item(world)
    key = world.key(item)
    back = world.mailbox.move(world.mailbox.move(item, world.mailbox.archive), world.mailbox.inbox)
    assert changes_of(world) == [FeedKind.MOVE]
    assert world.key(back) == key


def test_moved_and_rewritten_item_keeps_identity_and_gets_new_content(world: SyncHarness) -> None:
    item = an_item(world)
    key = world.key(item)
    moved = world.mailbox.move(item, world.mailbox.archive)
    world.mailbox.update(moved, b"rewritten")
    assert changes_of(world) == [FeedKind.MOVE]
    assert world.key(moved) == key
    assert world.content(moved) == b"mimerewritten"


def test_a_move_into_a_new_folder_downloads_nothing(world: SyncHarness) -> None:
    downloads = world.sources.downloads.total()
    folder = world.mailbox.add_folder("Done")
    for number in (0, 1, 2):
        world.mailbox.move(an_item(world, number), folder)
    assert changes_of(world) == [FeedKind.MOVE] * 3
    assert world.sources.downloads.total() == downloads


def test_a_move_whose_two_sides_come_in_different_passes_keeps_identity(world: SyncHarness) -> None:
    """To the deleted items, out of scope, and back an hour later."""
    item = an_item(world)
    key, downloads = world.key(item), world.sources.downloads.total()
    binned = world.mailbox.move(item, world.mailbox.bin)
    assert changes_of(world) == [FeedKind.DELETE]
    world.clock.pass_by(hours=1)
    back = world.mailbox.move(binned, world.mailbox.inbox)
    assert changes_of(world) == [FeedKind.CREATE]
    assert world.key(back) == key
    assert world.sources.downloads.total() == downloads


def test_a_copy_is_an_item_of_its_own(world: SyncHarness) -> None:
    item = an_item(world)
    copied = world.mailbox.copy(item, world.mailbox.archive)
    assert changes_of(world) == [FeedKind.CREATE]
    assert world.key(copied) != world.key(item)


def test_of_a_copy_and_a_deletion_one_becomes_the_other_once_only(world: SyncHarness) -> None:
    item = an_item(world)
    world.mailbox.copy(item, world.mailbox.archive)
    world.mailbox.copy(item, world.mailbox.archive)
    world.mailbox.delete(item)
    assert sorted(changes_of(world)) == [FeedKind.CREATE, FeedKind.MOVE]


def test_a_renamed_folder_changes_paths_and_no_item(world: SyncHarness) -> None:
    world.mailbox.rename_folder(world.mailbox.archive, "Old projects")
    assert changes_of(world) == []
    assert world.replica.load(ID).folders[world.mailbox.archive].path == "Old projects"


def test_a_folder_moved_below_another_changes_paths_and_no_item(world: SyncHarness) -> None:
    world.mailbox.move_folder(world.mailbox.archive, world.mailbox.inbox)
    assert changes_of(world) == []
    assert world.replica.load(ID).folders[world.mailbox.archive].path == "Inbox/Projects"


def test_a_folder_moved_to_the_deleted_items_takes_its_items_out(world: SyncHarness) -> None:
    world.mailbox.move_folder(world.mailbox.archive, world.mailbox.bin)
    assert changes_of(world) == [FeedKind.DELETE] * 6
    assert world.mailbox.archive not in world.replica.load(ID).folders


def test_deleted_folder_takes_items_along_but_not_those_moved_out(world: SyncHarness) -> None:
    downloads = world.sources.downloads.total()
    rescued = world.mailbox.in_folder(world.mailbox.archive)[0].id
    key = world.key(rescued)
    rescued = world.mailbox.move(rescued, world.mailbox.inbox)
    world.mailbox.delete_folder(world.mailbox.archive)
    assert sorted(changes_of(world)) == [FeedKind.DELETE] * 5 + [FeedKind.MOVE]
    assert world.key(rescued) == key
    assert world.sources.downloads.total() == downloads


def test_an_emptied_folder_is_emptied_in_the_replica(world: SyncHarness) -> None:
    world.mailbox.empty_folder(world.mailbox.archive)
    assert changes_of(world) == [FeedKind.DELETE] * 6


def test_ids_that_survive_moves_are_understood_as_well() -> None:
    world = SyncHarness(immutable_ids=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    downloads = world.sources.downloads.total()
    world.mailbox.move(item, world.mailbox.archive)
    assert changes_of(world) == [FeedKind.MOVE]
    assert world.sources.downloads.total() == downloads


def test_expanded_occurrences_follow_the_calendar(world: SyncHarness) -> None:
    world.mailbox.add(world.mailbox.calendar, "Standup")
    world.mailbox.add(world.mailbox.calendar, "Doctor", private=True)
    world.sync()
    lines = world.replica.derived(ID, "occurrences").decode().splitlines()
    assert len(lines) == 4
    assert all("Standup" in line for line in lines)
    world.mailbox.empty_folder(world.mailbox.calendar)
    world.sync()
    assert world.replica.derived(ID, "occurrences") == b""


def test_occurrences_that_a_paused_worker_has_put_back_are_replaced_within_a_day(world: SyncHarness) -> None:
    event = world.mailbox.add(world.mailbox.calendar)
    world.sync()
    earlier = world.replica.derived(ID, "occurrences")
    world.mailbox.delete(event)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.replica.put_derived(ID, "occurrences", earlier)

    world.clock.pass_by(hours=20)
    world.sweep()

    assert world.occurring() == set()
    writes = world.replica.writes
    world.clock.pass_by(hours=24)
    world.sweep()
    assert world.replica.writes <= writes + 1, "only the cursor"


def test_occurrences_go_with_their_calendar(world: SyncHarness) -> None:
    world.mailbox.add(world.mailbox.calendar, "Standup")
    world.sync()
    world.mailbox.move_folder(world.mailbox.calendar, world.mailbox.bin)
    world.sync()
    assert world.replica.derived(ID, "occurrences") == b""


@pytest.mark.parametrize("write", range(1, 8))
def test_occurrences_whose_pass_died_at_any_write_go_with_their_event(write: int) -> None:
    """The event goes before any pass has committed it: nothing but the cursor's note tells of the document."""
    world = SyncHarness()
    event = world.mailbox.add(world.mailbox.calendar)
    world.replica.fail_at(write, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID)
    world.replica.calm()
    world.mailbox.delete(event)
    world.queue.mailboxes.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()
    assert world.occurring() == set()


@pytest.mark.parametrize("request_", range(1, 7))
def test_occurrences_go_with_event_that_came_and_went_between_reads(request_: int) -> None:
    """It comes at any moment of a pass, also after its calendar was read and before it is expanded."""
    world = SyncHarness()
    stays, passing = world.mailbox.add(world.mailbox.calendar), list[str]()
    world.sources.at(request_, lambda: passing.append(world.mailbox.add(world.mailbox.calendar)))
    world.sync()
    world.clock.pass_by(minutes=30)
    world.mailbox.delete(passing.pop())
    world.sync()
    world.assert_equal()
    assert world.occurring() == {stays}


def test_occurrences_that_a_lost_cursor_knew_of_go_with_their_event(world: SyncHarness) -> None:
    event = world.mailbox.add(world.mailbox.calendar, "Standup")
    world.sync()
    world.replica.lose_cursor(ID)
    world.mailbox.delete(event)
    world.sync()
    assert world.replica.derived(ID, "occurrences") == b""


def test_copy_does_not_take_key_of_item_that_went_out_of_scope(world: SyncHarness) -> None:
    """It comes back one day, under the id that its key was made from."""
    item = an_item(world)
    everything = world.scope
    world.rescope(Scope(folders_in=("projects",)))
    copied = world.mailbox.copy(item, world.mailbox.archive)
    world.sync()
    assert copied in world.items()
    world.rescope(everything)
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()
    assert world.key(item) != world.key(copied)


def test_item_moved_under_own_id_while_settings_changed_is_kept() -> None:
    world = SyncHarness(immutable_ids=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.rescope(Scope(folders_out=world.scope.folders_out, content=ContentLevel.BODY))
    world.mailbox.move(item, world.mailbox.archive)
    assert changes_of(world) == [FeedKind.MOVE]


@pytest.mark.parametrize("known", [True, False], ids=["known before", "new"])
def test_item_moving_while_both_folders_are_read_is_in_the_later_one(known: bool) -> None:
    """A round ends between the page on which it arrives in one folder and the one that says it has left the other."""
    world = SyncHarness(limits=Limits(overlap=False, round_changes=4), page=2, immutable_ids=True)
    moving = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    if known:
        world.mailbox.update(moving)
    else:
        moving = world.mailbox.add(world.mailbox.inbox)
    for folder in (world.mailbox.inbox, world.mailbox.inbox, world.mailbox.archive):
        world.mailbox.add(folder)
    world.sources.at(3, lambda: world.mailbox.move(moving, world.mailbox.archive))
    world.sync()
    assert world.items()[moving].folder_id == world.mailbox.archive
    world.quiet()
    world.assert_equal()
    assert [source_id for _, source_id in world.feed()].count(moving) == (2 if known else 1)


def test_item_moving_before_it_is_fetched_is_left_to_its_new_folder() -> None:
    world = SyncHarness(immutable_ids=True)
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    moving = world.mailbox.add(world.mailbox.inbox)
    asked = world.sources.requests.total()
    world.sources.at(5, lambda: world.mailbox.move(moving, world.mailbox.archive))
    world.sync()
    assert world.sources.requests.total() == asked + 5, "it moves just before it is fetched"
    assert moving not in world.items()
    world.sync()
    assert [kind for kind, source_id in world.feed() if source_id == moving] == [FeedKind.CREATE]
    world.assert_equal()


def test_items_on_pages_save_the_request_for_their_metadata() -> None:
    world = SyncHarness(carries_items=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    downloads, fetched = world.sources.downloads.copy(), world.sources.requests["fetch"]
    world.mailbox.categorize(item, ("red",))
    world.sync()
    world.assert_equal()
    assert world.sources.requests["fetch"] == fetched
    assert world.sources.downloads == downloads


def test_a_read_flag_on_a_carried_item_is_told_as_such() -> None:
    world = SyncHarness(carries_items=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    fetched = world.sources.requests["fetch"]
    world.mailbox.set_read(item)
    world.sync()
    world.assert_equal()
    assert world.feed() == [(FeedKind.CREATE, item), (FeedKind.READ_FLAG, item)]
    assert world.sources.requests["fetch"] == fetched


def test_a_carried_item_whose_content_changed_is_downloaded() -> None:
    world = SyncHarness(carries_items=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.update(item)
    world.mailbox.set_read(item)
    world.sync()
    world.assert_equal()


def test_a_carried_item_that_is_left_out_is_never_asked_for() -> None:
    world = SyncHarness(carries_items=True)
    world.mailbox.add(world.mailbox.inbox, private=True)
    world.sync()
    assert world.sources.requests["fetch"] == 0
    assert world.items() == {}


def test_a_moved_item_carried_on_its_page_keeps_its_identity() -> None:
    world = SyncHarness(carries_items=True)
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    key, downloads = world.key(item), world.sources.downloads.copy()
    moved = world.mailbox.move(item, world.mailbox.archive)
    world.sync()
    world.assert_equal()
    assert world.key(moved) == key
    assert world.sources.downloads == downloads


@pytest.mark.parametrize("edited_first", [False, True])
def test_two_items_of_one_move_key_that_move_together_keep_their_keys(world: SyncHarness, edited_first: bool) -> None:
    """An original and its edited copy: each removal goes to the arrival with its own content."""
    item = an_item(world)
    copied = world.mailbox.copy(item, world.mailbox.inbox)
    world.mailbox.update(item if edited_first else copied)
    world.sync()
    keys, downloads = [world.key(item), world.key(copied)], world.sources.downloads.total()
    moved = [world.mailbox.move(copied, world.mailbox.archive), world.mailbox.move(item, world.mailbox.archive)]
    assert changes_of(world) == [FeedKind.MOVE] * 2
    assert [world.key(each) for each in reversed(moved)] == keys
    assert world.sources.downloads.total() == downloads


def test_a_removal_that_a_failed_arrival_claimed_is_there_for_the_next() -> None:
    """An item that came back cannot be read; its copy in the folder that is read later has its key."""
    world = SyncHarness(limits=Limits(overlap=False, round_changes=1))
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    key = world.key(item)
    binned = world.mailbox.move(item, world.mailbox.bin)
    world.sync()
    world.clock.pass_by(hours=1)
    copied = world.mailbox.copy(binned, world.mailbox.archive)
    back = world.mailbox.move(binned, world.mailbox.inbox)
    world.mailbox.update(back)
    world.mailbox.bad_content[back] = Reason.ITEM_UNREADABLE
    world.sync()
    assert world.key(copied) == key


@pytest.mark.parametrize("edited_first", [False, True])
def test_two_items_of_one_move_key_that_come_back_have_their_keys(world: SyncHarness, edited_first: bool) -> None:
    """Both were in the deleted items for an hour: each takes what is remembered of its own content."""
    item = an_item(world)
    copied = world.mailbox.copy(item, world.mailbox.inbox)
    world.mailbox.update(item if edited_first else copied)
    world.sync()
    keys, downloads = [world.key(item), world.key(copied)], world.sources.downloads.total()
    binned = [world.mailbox.move(each, world.mailbox.bin) for each in (item, copied)]
    assert changes_of(world) == [FeedKind.DELETE] * 2
    world.clock.pass_by(hours=1)
    back = [world.mailbox.move(each, world.mailbox.inbox) for each in reversed(binned)]
    assert changes_of(world) == [FeedKind.CREATE] * 2
    assert [world.key(each) for each in reversed(back)] == keys
    assert world.sources.downloads.total() == downloads
