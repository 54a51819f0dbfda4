"""What an operator asks for while a pass surveys, moves or restates a mailbox: the latest request counts."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Status
from shared.mailboxes.moves import without_move
from shared.sources.model import ItemKind, SourceName
from shared.sources.selection import MoveSchedule
from shared.sync.scope import Scope
from tests.fakes.moving import ask, mailbox_of_every_kind
from tests.fakes.sync_harness import ID, SyncHarness

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH


def during_the_survey(world: SyncHarness, act: Callable[[SyncHarness], None], request: int) -> None:
    """Sync, and have the operator act at this request of the pass."""
    world.sources.at(request, lambda: act(world))
    world.sync()


def cancel(world: SyncHarness) -> None:
    world.registry.change(ID, without_move)


@pytest.mark.parametrize("request_", range(1, 7))
def test_move_that_is_taken_back_during_the_survey_is_not_made(request_: int) -> None:
    world = mailbox_of_every_kind()
    ask(world)

    during_the_survey(world, cancel, request_)

    assert (world.source, world.stored.source, world.stored.moving_to) == (EWS, EWS, None)
    world.assert_equal()


@pytest.mark.parametrize("request_", range(1, 7))
def test_dry_run_that_is_asked_for_during_a_move_moves_nothing(request_: int) -> None:
    world = mailbox_of_every_kind()
    ask(world)

    during_the_survey(world, lambda world: ask(world, dry=True), request_)

    assert (world.source, world.stored.moving_to) == (EWS, None)
    assert world.stored.parity_same > 0


@pytest.mark.parametrize("request_", range(1, 7))
def test_move_that_is_asked_for_during_a_dry_run_is_made(request_: int) -> None:
    world = mailbox_of_every_kind()
    ask(world, dry=True)

    during_the_survey(world, ask, request_)
    world.clock.pass_by(minutes=30)
    world.sync()

    assert (world.source, world.stored.moving_to) == (GRAPH, None)


def test_forced_move_that_is_asked_for_during_a_blocked_one_is_made_at_once() -> None:
    world = mailbox_of_every_kind()
    world.sources.contents_differ.add(ItemKind.MESSAGE)
    ask(world)

    during_the_survey(world, lambda world: ask(world, forced=True), 3)
    world.clock.pass_by(minutes=30)
    world.sync()

    assert (world.source, world.stored.moving_to, world.stored.move_blocked) == (GRAPH, None, "")


def test_request_that_is_made_while_a_move_fails_does_not_wait() -> None:
    world = mailbox_of_every_kind()
    ask(world)
    world.sources.fail_at(3, RetryLater(Reason.UNAVAILABLE))

    during_the_survey(world, lambda world: ask(world, forced=True), 2)

    assert (world.stored.moving_to, world.stored.move_due_at, world.stored.move_blocked) == (GRAPH, None, "")


def test_way_back_that_is_asked_for_before_the_rows_are_restated_is_made() -> None:
    world = mailbox_of_every_kind()
    world.sources.versions_differ = True
    ask(world)
    world.engine.sync(ID)
    assert world.source is GRAPH
    ask(world, EWS)

    world.pump()
    world.clock.pass_by(minutes=30)
    world.sync()

    assert (world.source, world.stored.source, world.stored.moving_to) == (EWS, EWS, None)
    world.assert_equal()


@pytest.mark.parametrize("had_folders", [False, True])
def test_mailbox_without_a_folder_in_scope_is_moved_when_ews_is_blocked(*, had_folders: bool) -> None:
    world = SyncHarness(None if had_folders else Scope(folders_in=("Nowhere",)), moves=True)
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.rescope(Scope(folders_in=("Nowhere",)))
    world.clock.pass_by(hours=1)
    world.sync()
    world.sources.blocked.add(EWS)
    world.clock.pass_by(hours=1)

    world.sync()

    assert (world.source, world.stored.source, world.stored.status) == (GRAPH, GRAPH, Status.ACTIVE)


def test_forced_move_stays_forced_when_ews_is_blocked_during_a_sweep() -> None:
    world = mailbox_of_every_kind()
    world.sources.contents_differ.add(ItemKind.MESSAGE)
    ask(world, forced=True)
    world.sources.blocked.add(EWS)

    world.sweep()

    assert (world.source, world.stored.move_blocked) == (GRAPH, "")


def test_move_that_is_asked_for_during_an_access_test_does_not_wait() -> None:
    world = mailbox_of_every_kind()
    world.schedule = MoveSchedule(world.clock() + timedelta(days=10), days=1)
    world.engine = world.new_engine()
    world.sources.blocked.add(GRAPH)

    during_the_survey(world, ask, 1)

    assert (world.stored.moving_to, world.stored.move_due_at, world.stored.move_blocked) == (GRAPH, None, "")


def test_mailbox_that_was_moved_to_ews_before_its_first_sync_returns_when_ews_is_blocked() -> None:
    world = SyncHarness(moves=True)
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(source=GRAPH))
    world.mailbox.add(world.mailbox.inbox)
    ask(world, EWS)
    world.engine.sync(ID)
    assert world.source is EWS
    world.sources.blocked.add(EWS)

    world.pump(most=20)

    assert (world.source, world.stored.source) == (GRAPH, GRAPH)
    world.assert_equal()


def test_dry_run_that_waits_does_not_hold_back_the_move_when_ews_is_blocked() -> None:
    world = mailbox_of_every_kind()
    world.sources.blocked.add(GRAPH)
    ask(world, dry=True)
    world.sync()
    assert (world.source, bool(world.stored.move_blocked)) == (EWS, True)
    world.sources.blocked = {EWS}
    world.clock.pass_by(minutes=30)

    world.sync()

    assert (world.source, world.stored.status, world.stored.moving_to) == (GRAPH, Status.ACTIVE, None)
