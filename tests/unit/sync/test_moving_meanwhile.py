"""What happens to a mailbox in the middle of its move: renames, moves, deletions, arrivals, and a source that ends."""

import json
from collections.abc import Callable

import pytest

from shared.errors import AdministratorMustAct, Reason
from shared.replica.port import FeedKind
from shared.sources.model import FolderKind, ItemKind, SourceName
from shared.sync.moving.survey import DOCUMENT
from tests.fakes.foreign_ids import PREFIX, ForeignIdSources
from tests.fakes.moving import ask, kinds_since, mailbox_of_every_kind, parity
from tests.fakes.sync_harness import ID, SyncHarness

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH


def rename_folder(world: SyncHarness) -> None:
    world.mailbox.rename_folder(world.mailbox.archive, "Old projects")


def move_folder(world: SyncHarness) -> None:
    world.mailbox.move_folder(world.mailbox.archive, world.mailbox.inbox)


def move_items(world: SyncHarness) -> None:
    for mail in world.mailbox.in_folder(world.mailbox.inbox)[:2]:
        world.mailbox.move(mail.id, world.mailbox.archive)


def delete_items(world: SyncHarness) -> None:
    for mail in world.mailbox.in_folder(world.mailbox.inbox)[-2:]:
        world.mailbox.delete(mail.id)


def update_and_add(world: SyncHarness) -> None:
    world.mailbox.update(world.mailbox.in_folder(world.mailbox.inbox)[5].id)
    world.mailbox.add(world.mailbox.inbox, "came in the middle")


def forget_states(world: SyncHarness) -> None:
    world.mailbox.invalidate(world.mailbox.inbox)


ACTS = [rename_folder, move_folder, move_items, delete_items, update_and_add, forget_states]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("page", [512, 7])
def test_mailbox_that_changes_in_mid_move_is_followed(act: Callable[[SyncHarness], None], page: int) -> None:
    for request in range(1, 9):
        world = mailbox_of_every_kind()
        world.sources.page = page
        keys = {id_: item.key for id_, item in world.items().items()}
        ask(world)
        world.sources.at(request, lambda world=world: act(world))  # type: ignore[misc]

        world.sync()
        world.clock.pass_by(hours=25)
        world.sync()

        assert world.source is GRAPH, request
        world.assert_equal()
        after = {id_: item.key for id_, item in world.items().items()}
        assert after == {id_: keys.get(id_, after[id_]) for id_ in after}, "an item that stayed has another key"


@pytest.mark.parametrize("act", [move_items, delete_items], ids=lambda act: act.__name__)
def test_only_what_really_changed_is_told(act: Callable[[SyncHarness], None]) -> None:
    for request in range(1, 9):
        world = mailbox_of_every_kind()
        lines, keys = len(world.feed()), {item.key for item in world.items().values()}
        ask(world)
        world.sources.at(request, lambda world=world: act(world))  # type: ignore[misc]

        world.sync()
        world.clock.pass_by(hours=25)
        world.sync()

        told = [id_ for kind, id_ in world.feed()[lines:] if kind is not FeedKind.RESTATE]
        assert 2 <= len(told) <= 4, request
        gone = keys - {item.key for item in world.items().values()}
        assert len(gone) == (2 if act is delete_items else 0), "a message that was moved has another key"


def test_folder_that_was_renamed_is_matched_by_its_id() -> None:
    world = mailbox_of_every_kind()
    rename_folder(world)
    lines = len(world.feed())
    ask(world)

    world.sync()

    assert (parity(world)["gone"], parity(world)["new"]) == (0, 0)
    assert kinds_since(world, lines) <= {FeedKind.RESTATE}
    world.assert_equal()


def foreign_world() -> tuple[SyncHarness, ForeignIdSources]:
    """A mailbox that Graph knows under other ids, so that only a translation tells them."""
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
    return world, sources


def test_translated_items_that_changed_meanwhile_keep_their_keys() -> None:
    world, _ = foreign_world()
    mails = world.mailbox.in_folder(world.mailbox.inbox)
    world.mailbox.update(mails[0].id)
    world.mailbox.delete(mails[1].id)
    arrived = world.mailbox.add(world.mailbox.inbox, "new")
    key = world.key(mails[0].id)
    ask(world)

    world.sync()
    world.clock.pass_by(hours=25)
    world.sync()

    assert world.source is GRAPH
    assert world.key(PREFIX + mails[0].id) == key
    assert PREFIX + arrived in world.items()
    assert (parity(world)["changed"], parity(world)["new"], parity(world)["gone"]) == (1, 1, 1)
    assert world.content(PREFIX + mails[0].id) == b"mime" + world.mailbox.mails[mails[0].id].body
    assert world.replayed() == {item.key: item for item in world.replica.items(ID)}


def test_ids_are_translated_a_thousand_at_a_time_and_no_metadata_is_asked_twice() -> None:
    world, sources = foreign_world()
    before = sources.requests.copy()
    ask(world)

    world.sync()

    spent = sources.requests - before
    assert spent["translate"] <= 1 + 3
    assert spent["fetch"] <= 3 * 2
    assert sources.translated <= len(world.items()) + len(world.mailbox.boxes)


def test_mailbox_with_translated_ids_goes_back_to_its_old_ones() -> None:
    world, _ = foreign_world()
    ids, lines = set(world.items()), len(world.feed())
    ask(world)
    world.sync()
    ask(world, EWS)

    world.sync()

    assert world.source is EWS
    assert set(world.items()) == ids
    assert kinds_since(world, lines) == {FeedKind.RESTATE}
    world.assert_equal()


def test_way_back_while_graph_refuses_to_translate_is_held_by_the_safety_stop() -> None:
    world, sources = foreign_world()
    for number in range(60):
        world.mailbox.add(world.mailbox.inbox, f"more {number}")
    world.clock.pass_by(hours=1)
    world.sync()
    ask(world)
    world.sync()
    world.clock.pass_by(hours=1)
    sources.refuses_to_translate = AdministratorMustAct(Reason.ACCESS_DENIED)
    ask(world, EWS)

    world.sync()

    assert (world.source, world.stored.move_blocked) == (GRAPH, "safety")


def test_kind_that_graph_gives_nothing_of_stays_as_it_is() -> None:
    world = mailbox_of_every_kind()
    kept = {id_ for id_, item in world.items().items() if item.kind in (ItemKind.LIST, ItemKind.OTHER)}
    journal = next(box.id for box in world.mailbox.boxes.values() if box.kind is FolderKind.OTHER)
    ask(world)
    world.sources.at(2, lambda: world.mailbox.rename_folder(journal, "Diary"))

    world.sync()

    assert world.kept() == kept


def incomplete(document: bytes) -> bytes:
    """The survey of a worker that had come less far."""
    survey = json.loads(document)
    for folder in survey["folders"].values():
        folder["restated"], folder["not_given"] = {}, []
    return json.dumps(survey).encode()


LOST = {"lost": lambda _: b"", "unreadable": lambda _: b"{}", "replaced": incomplete}


@pytest.mark.parametrize("how", list(LOST))
@pytest.mark.parametrize("versions_differ", [False, True])
def test_move_whose_survey_is_lost_after_the_switch_keeps_all_items(how: str, *, versions_differ: bool) -> None:
    world = mailbox_of_every_kind()
    world.sources.versions_differ = versions_differ
    keys, lines = {id_: item.key for id_, item in world.items().items()}, len(world.feed())
    downloads = world.sources.downloads.total()
    ask(world)
    world.engine.sync(ID)
    assert world.source is GRAPH

    world.replica.put_derived(ID, DOCUMENT, LOST[how](world.replica.derived(ID, DOCUMENT)))
    world.pump()
    world.clock.pass_by(hours=25)
    world.sweep()

    assert {id_: item.key for id_, item in world.items().items()} == keys
    assert {world.items()[id_].subject for id_ in world.kept()} == {"Team", "A call"}
    assert kinds_since(world, lines) == {FeedKind.RESTATE} | ({FeedKind.UPDATE} if versions_differ else set())
    assert world.sources.downloads.total() - downloads <= 3 * 4
    world.assert_equal(but_assumed=True)


def test_survey_of_another_direction_restates_nothing_on_the_way_back() -> None:
    world = mailbox_of_every_kind()
    ask(world)
    world.engine.sync(ID)
    of_the_way_there = world.replica.derived(ID, DOCUMENT)
    world.pump()
    ask(world, EWS)
    world.engine.sync(ID)
    assert world.source is EWS

    world.replica.put_derived(ID, DOCUMENT, of_the_way_there)
    world.pump()

    assert world.kept() == set()
    world.assert_equal()


@pytest.mark.parametrize("is_ended", [False, True], ids=["ews answers", "ews has ended"])
def test_folder_that_took_the_name_of_a_deleted_one_is_not_taken_for_both(*, is_ended: bool) -> None:
    world, sources = foreign_world()
    other = world.mailbox.add_folder("Old projects")
    for _ in range(12):
        world.mailbox.add(other)
    world.sync()
    world.clock.pass_by(hours=1)
    keys = {item.key for item in world.items().values() if item.folder_id == other}
    world.mailbox.delete_folder(world.mailbox.archive)
    world.mailbox.rename_folder(other, "Projects")
    if is_ended:
        sources.blocked.add(EWS)
    ask(world, forced=True)

    for _ in range(3):
        world.sync()
        world.clock.pass_by(hours=25)

    assert world.source is GRAPH
    assert {item.key for item in world.items().values() if item.folder_id == PREFIX + other} == keys
    assert len(world.items()) == len(world.mailbox.mails)


def test_new_folder_with_the_path_of_one_in_the_archive_is_not_taken_for_it() -> None:
    world = SyncHarness(moves=True)
    old = world.mailbox.add_folder("2024", archive=True)
    archived = {world.mailbox.add(old) for _ in range(3)}
    for _ in range(40):
        world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.sources.blocked.add(EWS)
    arrived = world.mailbox.add(world.mailbox.add_folder("2024"))
    world.clock.pass_by(hours=1)

    for _ in range(3):
        world.sync()
        world.clock.pass_by(hours=25)
        world.sweep()

    assert world.source is GRAPH
    assert world.kept() == archived
    assert arrived in world.items()
    world.assert_equal()


@pytest.mark.parametrize("is_gone", [False, True], ids=["closed", "gone"])
@pytest.mark.parametrize("request_", range(1, 12))
def test_folder_that_can_no_longer_be_read_in_mid_move_stops_neither_move_nor_passes(
    request_: int, *, is_gone: bool
) -> None:
    world = mailbox_of_every_kind()
    folder = world.mailbox.inbox

    def close() -> None:
        (world.mailbox.ghosts if is_gone else world.mailbox.closed).add(folder)

    ask(world)
    world.sources.at(request_, close)

    for _ in range(3):
        world.sync()
        world.clock.pass_by(minutes=30)

    assert world.source is GRAPH
    assert world.stored.failures == 0
