"""A reset: the next pass reads the mailbox anew, compares every folder once, and downloads only what differs."""

from datetime import timedelta

import pytest

from shared.mailboxes import transitions
from shared.mailboxes.model import Status
from shared.sync.limits import Limits
from shared.sync.state.sync_state import from_notes
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    return a_settled_world(SyncHarness())


def a_settled_world(world: SyncHarness) -> SyncHarness:
    """Every folder has items, and a pass would find nothing to do."""
    mailbox = world.mailbox
    for folder in (mailbox.inbox, mailbox.archive, mailbox.calendar):
        for _ in range(4):
            mailbox.add(folder)
    for _ in range(2):
        world.sync()
        world.clock.pass_by(minutes=30)
    return world


def ask(world: SyncHarness) -> None:
    """Ask for a reset, now."""
    world.registry.change(ID, lambda mailbox: transitions.reset(mailbox, world.clock()))


def is_begun(world: SyncHarness) -> bool:
    """Whether the stored cursor notes the request."""
    return from_notes(world.present_cursor().notes).reset_at == world.stored.reset_at


def delete_unreported(world: SyncHarness, item: str) -> None:
    """Remove an item although the server never reports that."""
    del world.mailbox.mails[item]


def rewrite_unreported(world: SyncHarness, item: str) -> None:
    """Change an item's content although the server never reports that."""
    mail = world.mailbox.mails[item]
    box = world.mailbox.boxes[mail.folder_id]
    before = mail.changed, box.last, box.touched
    world.mailbox.update(item)
    mail.changed, box.last, box.touched = before


@pytest.mark.parametrize("has_tokens", [True, False])
def test_every_folder_is_compared_once_and_nothing_is_downloaded(has_tokens: bool) -> None:
    world = SyncHarness()
    world.mailbox.marks = has_tokens
    a_settled_world(world)
    items, feed = world.items(), world.feed()
    requests, downloads = world.sources.requests.copy(), world.sources.downloads.total()
    ask(world)
    world.sync()
    folders = len(world.present_cursor().folders)
    made = world.sources.requests - requests
    assert made["list"] == folders
    assert made["changes"] >= folders
    assert world.sources.downloads.total() == downloads
    assert (world.items(), world.feed()) == (items, feed)
    assert world.stored.complete_as_of == world.clock()
    world.assert_equal()


def test_reset_is_carried_out_once(world: SyncHarness) -> None:
    ask(world)
    world.sync()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.clock.pass_by(minutes=30)
    requests = world.sources.requests.copy()
    world.sync()
    assert world.sources.requests - requests == {"folders": 1}
    ask(world)
    world.sync()
    assert (world.sources.requests - requests)["list"] == len(world.present_cursor().folders)


def test_what_was_never_reported_is_found(world: SyncHarness) -> None:
    inbox = world.mailbox.in_folder(world.mailbox.inbox)
    gone, rewritten = inbox[0].id, inbox[1].id
    key = world.key(rewritten)
    delete_unreported(world, gone)
    rewrite_unreported(world, rewritten)
    world.sync()
    assert gone in world.items()
    downloads = world.sources.downloads.total()
    ask(world)
    world.sync()
    assert world.sources.downloads.total() == downloads + 1
    assert world.key(rewritten) == key
    world.assert_equal()


@pytest.mark.parametrize("write", range(1, 12))
def test_crash_at_any_write_repeats_the_reset(world: SyncHarness, write: int) -> None:
    inbox = world.mailbox.in_folder(world.mailbox.inbox)
    delete_unreported(world, inbox[0].id)
    rewrite_unreported(world, inbox[1].id)
    states = {id_: folder.state for id_, folder in world.present_cursor().folders.items()}
    ask(world)
    world.replica.crash_at(write)
    try:
        world.engine.sync(ID)
    except Crash:
        if not is_begun(world):
            assert {id_: folder.state for id_, folder in world.present_cursor().folders.items()} == states
    world.replica.calm()
    world.leases.held.clear()
    world.clock.pass_by(minutes=30)
    world.sync()
    assert is_begun(world)
    assert from_notes(world.present_cursor().notes).to_compare == ()
    world.assert_equal()


def test_reset_of_several_passes_continues_where_it_was() -> None:
    world = a_settled_world(SyncHarness(limits=Limits(budget_seconds=20, page_items=2, overlap=False)))
    delete_unreported(world, world.mailbox.in_folder(world.mailbox.archive)[0].id)
    downloads = world.sources.downloads.total()
    ask(world)
    world.clock.step = 4
    assert world.sync() > 1
    world.clock.step = 0
    assert is_begun(world)
    assert world.sources.downloads.total() == downloads
    world.assert_equal()


def test_reset_before_the_first_sync_changes_nothing() -> None:
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    ask(world)
    world.sync()
    world.assert_equal()
    assert world.sources.downloads.total() == 1


def test_reset_in_mid_pass_is_carried_out_by_the_next_one(world: SyncHarness) -> None:
    gone = world.mailbox.in_folder(world.mailbox.archive)[0].id
    delete_unreported(world, gone)
    world.sources.at(1, lambda: ask(world))
    world.sync()
    assert gone in world.items()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


def test_mailbox_that_waits_for_a_sign_in_is_read_anew_after_it(world: SyncHarness) -> None:
    delete_unreported(world, world.mailbox.in_folder(world.mailbox.archive)[0].id)
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=Status.NEEDS_SIGN_IN))
    ask(world)
    requests = world.sources.requests.copy()
    world.sync()
    assert world.sources.requests == requests
    world.registry.change(ID, lambda mailbox: transitions.after_sign_in(mailbox, "a2"))
    world.clock.pass_by(seconds=timedelta(minutes=30).total_seconds())
    world.sync()
    world.assert_equal()
