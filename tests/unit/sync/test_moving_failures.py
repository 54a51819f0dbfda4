"""A move while the other source fails: on some items whatever is asked of them, or once in the middle."""

import contextlib

import pytest

from shared.errors import Reason, RetryLater
from shared.mailboxes.outbox.events import EventType, MailboxEvent
from shared.mailboxes.outbox.outbox import Outbox
from shared.sources.model import Access, ChangePage, Folder, FolderRole, SourceName
from shared.sources.port import StateInvalid
from shared.sync.moving.folder_survey import SAMPLES
from tests.fakes.moving import ask, mailbox_of_every_kind, parity
from tests.fakes.replica import Crash
from tests.fakes.source import FakeSource, FakeSources
from tests.fakes.sync_harness import ID, SyncHarness

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
ALL_SAME = {"same": 43, "changed": 0, "new": 0, "gone": 0, "not_given": 2, "fields_lost": 0}


@pytest.mark.parametrize("has_ended", [False, True], ids=["ews answers", "ews has ended"])
def test_samples_that_graph_never_finishes_writing_do_not_stop_a_move(*, has_ended: bool) -> None:
    world = mailbox_of_every_kind()
    world.mailbox.choking.update(mail.id for mail in world.mailbox.in_folder(world.mailbox.inbox)[:SAMPLES])
    if has_ended:
        world.sources.blocked.add(EWS)
    ask(world)

    for _ in range(4):
        world.sync()
        world.clock.pass_by(minutes=30)

    assert world.source is GRAPH
    assert parity(world) == ALL_SAME


@pytest.mark.parametrize("has_ended", [False, True], ids=["graph answers", "graph has ended"])
@pytest.mark.parametrize("many", [1, 5])
def test_items_that_ews_never_finishes_writing_do_not_stop_the_way_back(many: int, *, has_ended: bool) -> None:
    """They are requested alone after the first failure, and each try needs to find only those that are left."""
    world = moved_world(200)
    keys = {id_: item.key for id_, item in world.items().items()}
    world.sources.patience = 2
    choking = [mail.id for mail in world.mailbox.in_folder(world.mailbox.inbox)[20 : 20 + many]]
    world.mailbox.choking.update(choking)
    if has_ended:
        world.sources.blocked.add(GRAPH)
    ask(world, EWS)

    for _ in range(8):
        world.sync()
        world.clock.pass_by(minutes=30)

    assert world.source is EWS
    assert parity(world) == ALL_SAME | {"same": 205 - many, "changed": many, "not_given": 0}
    assert {id_: item.key for id_, item in world.items().items()} == keys
    world.mailbox.choking.clear()
    for _ in range(3):
        world.clock.pass_by(hours=25)
        world.sync()
    world.assert_equal(but_assumed=True)
    assert world.registry.issues(ID) == []


@pytest.mark.parametrize("versions_differ", [False, True])
def test_fault_in_the_middle_of_a_survey_counts_no_item_twice(*, versions_differ: bool) -> None:
    for request in range(1, 30):
        world = moved_world(40)
        world.sources.page = 7
        world.sources.versions_differ = versions_differ
        world.sources.blocked.add(GRAPH)
        edited = [mail.id for mail in world.mailbox.in_folder(world.mailbox.inbox)[4:40:6]]
        for id_ in edited:
            world.mailbox.update(id_, b"x" * 40)
        ask(world, EWS, dry=True)
        world.sources.fail_at(request, RetryLater(Reason.UNAVAILABLE))

        world.sync()
        world.sources.calm()
        world.clock.pass_by(hours=1)
        world.sync()

        numbers = {"same": 45 - len(edited), "changed": len(edited), "not_given": 0}
        assert parity(world) == ALL_SAME | numbers, request


@pytest.mark.parametrize("fault", [Crash(), RetryLater(Reason.UNAVAILABLE)], ids=["crash", "outage"])
@pytest.mark.parametrize("store", ["replica", "registry"])
def test_fault_at_any_write_of_a_move_does_not_lose_its_record(store: str, fault: BaseException) -> None:
    for write in range(1, 14):
        told: list[MailboxEvent] = []
        world = mailbox_of_every_kind(messages=10, outbox=Outbox(lambda _kind, _tenant: True, told.extend))
        world.sources.versions_differ = True
        ask(world)
        getattr(world, store).fail_at(write, fault)

        with contextlib.suppress(Crash, RetryLater):
            world.sync()
        world.replica.calm()
        world.registry.calm()
        world.leases.held.clear()
        for _ in range(3):
            world.clock.pass_by(minutes=30)
            world.sync()

        stored = world.stored
        assert (world.source, stored.source, stored.moving_to, stored.parity_same) == (GRAPH, GRAPH, None, 13), write
        assert stored.moved_at is not None
        assert [event.type for event in told].count(EventType.MOVED_TO_GRAPH) == 1, write


@pytest.mark.parametrize("request_", range(1, 10))
def test_defect_in_a_survey_does_not_stop_the_passes(request_: int) -> None:
    world = mailbox_of_every_kind(messages=10)
    arrived = world.mailbox.add(world.mailbox.inbox)
    ask(world)
    world.sources.fail_at(request_, ZeroDivisionError())

    world.sync()

    assert (world.source, world.stored.move_blocked, world.stored.failures) == (EWS, Reason.INTERNAL, 0)
    assert arrived in world.items()
    world.clock.pass_by(hours=24)
    world.sync()
    assert (world.source, world.stored.move_blocked) == (GRAPH, "")


class LosingSource(FakeSource):
    """A mailbox of whose inbox Graph loses the state after each page, or gives the same page without an end."""

    is_endless = False

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        page = super().changes(folder, state)
        if self.name is EWS or folder.role is not FolderRole.INBOX:
            return page
        if state is not None and not self.is_endless:
            raise StateInvalid("lost again")
        return page if state is None else ChangePage((), state, complete=False)


class EndlessSource(LosingSource):
    is_endless = True


class LosingSources(FakeSources):
    kind: type[LosingSource] = LosingSource

    def open(self, access: Access, *, isolate_failures: bool = False) -> FakeSource:
        mailbox = self.mailboxes[access.address]
        return self.kind(self, mailbox, access.source, isolate_failures=isolate_failures, address=access.address)


def losing_world(kind: type[LosingSource]) -> SyncHarness:
    world = mailbox_of_every_kind()
    sources = LosingSources(page=7)
    sources.kind, sources.mailboxes = kind, world.sources.mailboxes
    world.sources = sources
    world.engine = world.new_engine()
    return world


@pytest.mark.parametrize("kind", [LosingSource, EndlessSource])
def test_folder_that_never_ends_keeps_no_mailbox_from_being_synced(kind: type[LosingSource]) -> None:
    world = losing_world(kind)
    ask(world)
    arrived = world.mailbox.add(world.mailbox.inbox, "came in the meantime")

    world.sync()

    assert (world.source, world.stored.move_blocked) == (EWS, Reason.BAD_ANSWER)
    assert arrived in world.items()


def test_folder_whose_state_is_always_lost_does_not_stop_a_move() -> None:
    world = losing_world(LosingSource)
    ask(world)

    for _ in range(3):
        if world.source is EWS:
            world.clock.pass_by(minutes=30)
            world.engine.sync(ID)

    assert world.source is GRAPH


def moved_world(messages: int) -> SyncHarness:
    """A mailbox that is read over Graph; the next dispatch is due."""
    world = mailbox_of_every_kind(messages)
    world.sources.versions_differ = True
    ask(world)
    world.sync()
    assert world.source is GRAPH
    world.clock.pass_by(hours=1)
    return world
