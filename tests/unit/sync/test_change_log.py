"""What passes tell the change log: every feed page, whatever ends a pass."""

from datetime import timedelta

import pytest

from shared.errors import OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    return world


def test_pass_with_changes_is_told_once(world: SyncHarness) -> None:
    world.assert_logged()
    before = len(world.change_log.entries)
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_logged()
    assert len(world.change_log.entries) == before + 1


def test_idle_pass_tells_nothing(world: SyncHarness) -> None:
    before = dict(world.change_log.entries)
    for _ in range(3):
        world.clock.pass_by(hours=1)
        world.sync()
    assert world.change_log.entries == before


@pytest.mark.parametrize("write", range(1, 9))
def test_pages_of_a_crashed_pass_are_told_by_the_next_one(write: int) -> None:
    world = SyncHarness()
    world.sync()
    for _ in range(3):
        world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.replica.crash_at(write)
    try:
        world.engine.sync(ID)
    except Crash:
        world.leases.held.clear()
    world.replica.calm()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_logged()


@pytest.mark.parametrize(
    "error",
    [RetryLater(Reason.UNAVAILABLE), PersonMustSignIn(Reason.GRANT_REVOKED), OperatorMustAct(Reason.OUR_CREDENTIAL)],
    ids=lambda error: type(error).__name__,
)
def test_failing_pass_tells_what_a_crash_has_left(world: SyncHarness, error: Exception) -> None:
    """The registry could not be written after the pages were; then nobody lets the mailbox be read."""
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(logged_sequence=0))
    world.change_log.entries.clear()
    world.tokens.error = error
    world.clock.pass_by(minutes=30)
    try:
        world.engine.sync(ID)
    except OperatorMustAct:
        assert isinstance(error, OperatorMustAct)
    world.assert_logged()


def test_number_is_stored_after_the_entry(world: SyncHarness) -> None:
    """The log cannot be written: the pass is not recorded, and the next one tells of its pages."""
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    known = world.stored.logged_sequence

    def fail() -> None:
        world.change_log.entries.popitem()
        raise RetryLater(Reason.THROTTLED)

    world.change_log._written = fail
    with pytest.raises(RetryLater):
        world.engine.sync(ID)
    assert world.stored.logged_sequence == known
    world.change_log._written = lambda: None
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_logged()
    assert world.stored.last_pass_at is not None
    assert world.stored.last_pass_at >= world.clock() - timedelta(minutes=1)
