"""A mailbox moves from one source to the other: nothing is downloaded, deleted or created for what stays."""

from datetime import datetime, timedelta

import pytest

from shared.errors import AdministratorMustAct, NotFound, Reason, RetryLater
from shared.replica.port import FeedKind
from shared.sources.model import FolderKind, SourceName
from shared.sources.selection import MoveSchedule
from tests.fakes.foreign_ids import PREFIX, ForeignIdSources
from tests.fakes.moving import ask, kinds_since, mailbox_of_every_kind, parity
from tests.fakes.sync_harness import ID, SyncHarness

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH


@pytest.fixture
def world() -> SyncHarness:
    return mailbox_of_every_kind()


def test_mailbox_moves_without_a_download_or_a_change(world: SyncHarness) -> None:
    keys = {id_: item.key for id_, item in world.items().items()}
    downloads, lines = world.sources.downloads.copy(), len(world.feed())
    ask(world)

    world.sync()

    assert world.stored.source is GRAPH
    assert world.source is GRAPH
    assert {id_: item.key for id_, item in world.items().items()} == keys
    assert kinds_since(world, lines) <= {FeedKind.RESTATE}
    assert (world.sources.downloads - downloads).total() <= 3 * 4
    world.assert_equal()
    assert parity(world) == {"same": 43, "changed": 0, "new": 0, "gone": 0, "not_given": 2, "fields_lost": 0}


def test_what_graph_does_not_give_is_kept_and_marked(world: SyncHarness) -> None:
    ask(world)
    world.sync()

    subjects = {item.subject for id_, item in world.items().items() if id_ in world.kept()}
    assert subjects == {"Team", "A call"}
    world.clock.pass_by(hours=24)
    world.sweep()
    assert {item.subject for id_, item in world.items().items() if id_ in world.kept()} == subjects


def test_mailbox_moves_back_and_is_tracked_whole_again(world: SyncHarness) -> None:
    ask(world)
    world.sync()
    lines = len(world.feed())
    ask(world, EWS)

    world.sync()

    assert world.stored.source is EWS
    assert world.kept() == set()
    assert kinds_since(world, lines) <= {FeedKind.RESTATE}
    world.assert_equal()


def test_versions_that_differ_are_restated(world: SyncHarness) -> None:
    world.sources.versions_differ = True
    downloads, lines = world.sources.downloads.copy(), len(world.feed())
    ask(world)

    world.sync()
    world.clock.pass_by(hours=24)
    world.sweep()

    assert kinds_since(world, lines) == {FeedKind.RESTATE}
    assert (world.sources.downloads - downloads).total() <= 3 * 4
    world.assert_equal()


def scheduled(world: SyncHarness, ends: datetime, days: int = 14, offset: float = 0.5) -> None:
    """The deployment's mailboxes leave EWS on this day; ours at its own place among the days."""
    world.schedule = MoveSchedule(ends, days)
    world.offset = offset
    world.engine = world.new_engine()


def test_mailbox_moves_on_its_own_day_after_ews_ends(world: SyncHarness) -> None:
    scheduled(world, world.clock())
    world.sync()
    world.clock.pass_by(hours=24 * 6)
    world.sync()
    assert world.source is EWS

    world.clock.pass_by(hours=24 * 2)
    world.sync()

    assert world.source is GRAPH
    world.assert_equal()


def test_missing_permission_is_told_before_ews_ends(world: SyncHarness) -> None:
    scheduled(world, world.clock() + timedelta(days=60))
    world.sources.blocked.add(GRAPH)
    world.sync()
    assert world.stored.move_blocked == ""

    world.clock.pass_by(hours=24 * 20)
    world.sync()
    assert (world.source, world.stored.move_blocked) == (EWS, Reason.EWS_BLOCKED)
    asked = world.sources.requests["check"]
    world.clock.pass_by(hours=1)
    world.sync()
    assert world.sources.requests["check"] == asked

    world.sources.blocked.clear()
    world.clock.pass_by(hours=24)
    world.sync()
    assert (world.source, world.stored.move_blocked) == (EWS, "")


def test_ids_that_are_not_spelled_alike_are_translated() -> None:
    world = SyncHarness(moves=True)
    sources = ForeignIdSources()
    sources.mailboxes = world.sources.mailboxes
    world.sources = sources
    world.engine = world.new_engine()
    for number in range(40):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive, world.mailbox.calendar)[number % 3])
    world.clock.pass_by(hours=1)
    world.sync()
    world.clock.pass_by(hours=1)
    keys, lines = {item.key for item in world.items().values()}, len(world.feed())
    downloads = sources.downloads.total()
    ask(world)

    world.sync()
    world.clock.pass_by(hours=25)
    world.sweep()

    assert world.source is GRAPH
    assert kinds_since(world, lines) == {FeedKind.RESTATE}
    assert {item.key for item in world.items().values()} == keys
    assert all(id_.startswith(PREFIX) and item.folder_id.startswith(PREFIX) for id_, item in world.items().items())
    assert set(world.replica.load(ID).folders) == {f"{PREFIX}{id_}" for id_ in world.scope.folders(world.boxes())}
    assert sources.downloads.total() - downloads <= 3 * 2
    assert world.replayed() == {item.key: item for item in world.replica.items(ID)}


def test_duplicates_and_items_without_a_move_key_stay_apart(world: SyncHarness) -> None:
    mailbox = world.mailbox
    first = mailbox.add(mailbox.inbox, "twin")
    for _ in range(3):
        mailbox.copy(first, mailbox.inbox)
    mailbox.add(mailbox.inbox, "keyless", move_key="")
    world.sync()
    world.clock.pass_by(hours=1)
    world.sources.versions_differ = True
    lines = len(world.feed())
    ask(world)

    world.sync()

    assert world.source is GRAPH
    assert kinds_since(world, lines) == {FeedKind.RESTATE}
    world.assert_equal()


def test_dry_run_reports_and_moves_nothing(world: SyncHarness) -> None:
    ask(world, dry=True)
    world.sync()

    assert world.source is EWS
    assert world.stored.moving_to is None
    assert world.stored.parity_same == 43
    assert parity(world)["not_given"] == 2


def test_changes_of_meanwhile_are_repaired_after_the_switch(world: SyncHarness) -> None:
    mailbox = world.mailbox
    first, second, third = [mail.id for mail in mailbox.in_folder(mailbox.inbox)[:3]]
    mailbox.update(first)
    mailbox.delete(second)
    mailbox.move(third, mailbox.archive)
    mailbox.add(mailbox.inbox)
    mailbox.rename_folder(mailbox.archive, "Old projects")
    world.sources.blocked.add(EWS)

    world.sync()

    assert world.source is GRAPH
    world.assert_equal()
    assert parity(world)["changed"] == 1


def test_verdict_on_ews_moves_the_mailbox_instead_of_stopping_it(world: SyncHarness) -> None:
    world.sources.blocked.add(EWS)

    world.sync()

    assert world.stored.source is GRAPH
    assert world.stored.reason == ""
    assert world.stored.move_asked_by == ""
    world.assert_equal()


def test_safety_stop_leaves_the_mailbox_where_it_is(world: SyncHarness) -> None:
    for mail in world.mailbox.in_folder(world.mailbox.inbox)[:10]:
        world.mailbox.update(mail.id)
    ask(world)

    world.engine.sync(ID)

    assert world.source is EWS
    assert world.stored.move_blocked == "safety"
    assert parity(world)["changed"] == 10
    world.pump()
    world.assert_equal()

    world.clock.pass_by(hours=25)
    world.sync()
    assert world.source is GRAPH


def test_operator_overrules_the_safety_stop(world: SyncHarness) -> None:
    world.mailbox.empty_folder(world.mailbox.inbox)
    world.sources.blocked.add(EWS)
    world.sync()
    assert world.source is EWS

    ask(world, forced=True)
    for _ in range(4):
        world.clock.pass_by(hours=25)
        world.sync()

    assert world.source is GRAPH
    world.assert_equal()


def test_mailbox_goes_on_over_ews_while_graph_refuses(world: SyncHarness) -> None:
    world.sources.blocked.add(GRAPH)
    world.mailbox.add(world.mailbox.inbox)
    ask(world)

    world.sync()

    assert world.source is EWS
    assert world.stored.move_blocked == Reason.EWS_BLOCKED
    world.assert_equal()


def test_missing_permission_asks_the_administrator_and_moves_nothing(world: SyncHarness) -> None:
    world.sources.withheld.add(FolderKind.CONTACTS)
    ask(world)

    world.sync()

    assert world.source is EWS
    assert world.stored.move_blocked == Reason.ACCESS_DENIED
    assert world.stored.reason == ""
    world.assert_equal()


@pytest.mark.parametrize("fault", [RetryLater(Reason.THROTTLED), AdministratorMustAct(Reason.ACCESS_DENIED)])
def test_fault_at_any_request_of_a_move_loses_nothing(world: SyncHarness, fault: Exception) -> None:
    downloads, lines = world.sources.downloads.total(), len(world.feed())
    for request in range(1, 12):
        ask(world)
        world.sources.fail_at(request, fault)
        world.sync()
        world.sources.calm()
        world.clock.pass_by(hours=25)
        ask(world, EWS if world.source is GRAPH else GRAPH)
        world.sync()
        world.clock.pass_by(hours=25)

    world.assert_equal()
    assert kinds_since(world, lines) <= {FeedKind.RESTATE}
    assert world.sources.downloads.total() - downloads <= 3 * 4 * 24


def test_mailbox_without_a_report_has_none(world: SyncHarness) -> None:
    with pytest.raises(NotFound):
        world.replica.derived(ID, "parity")
