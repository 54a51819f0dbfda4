"""After a move: kinds whose contents differ are read anew at once, and settings reach what Graph does not give."""

import json

from shared.mailboxes.moves import SAFETY
from shared.replica.port import FeedKind
from shared.sources.model import ContentLevel, ItemKind, SourceName
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.fakes.moving import ask, kinds_since, mailbox_of_every_kind
from tests.fakes.sync_harness import ID, OUT, SyncHarness

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
MORE_THAN_A_DAYS_CONFIRMATIONS = Limits().confirmed_a_folder + 30


def moved_with_other_contents(world: SyncHarness) -> None:
    """A move, forced by the operator, to a source that gives other bytes for every message."""
    world.sources.contents_differ = {ItemKind.MESSAGE}
    ask(world, forced=True)
    world.sync()


def test_kind_whose_sample_differs_is_read_anew_at_once() -> None:
    world = mailbox_of_every_kind(MORE_THAN_A_DAYS_CONFIRMATIONS)
    keys, lines = {item.key for item in world.items().values()}, len(world.feed())

    moved_with_other_contents(world)

    assert world.source is GRAPH
    assert world.assumed() == []
    world.assert_equal()
    assert {item.key for item in world.items().values()} == keys
    assert kinds_since(world, lines) == {FeedKind.RESTATE, FeedKind.UPDATE}
    report = json.loads(world.replica.derived(ID, "parity"))
    assert report["samples"]["message"] == "different"


def test_only_the_kind_that_differs_is_read_anew() -> None:
    world = mailbox_of_every_kind()
    messages = {item.source_id for item in world.items().values() if item.kind is ItemKind.MESSAGE}
    lines = len(world.feed())

    moved_with_other_contents(world)

    updated = {id_ for kind, id_ in world.feed()[lines:] if kind is FeedKind.UPDATE}
    assert updated == messages


def test_reading_a_kind_anew_survives_the_end_of_every_pass() -> None:
    world = mailbox_of_every_kind(MORE_THAN_A_DAYS_CONFIRMATIONS)
    world.clock.step = 8
    moved_with_other_contents(world)
    world.clock.step = 0
    world.sync()

    assert world.source is GRAPH
    assert world.assumed() == []
    world.assert_equal()


def test_sample_that_differs_by_chance_downloads_but_changes_nothing() -> None:
    """Stored contents that turn out to be equal are confirmed, and no line of the feed says that they changed."""
    world = mailbox_of_every_kind(MORE_THAN_A_DAYS_CONFIRMATIONS)
    sampled = [mail for mail in world.mailbox.mails.values() if mail.kind is ItemKind.MESSAGE][:3]
    bodies = {mail.id: mail.body for mail in sampled}
    for mail in sampled:
        mail.body += b"!"
    ask(world, forced=True)
    world.engine.sync(ID)
    for mail in sampled:
        mail.body = bodies[mail.id]
    lines = len(world.feed())

    world.pump()

    assert world.source is GRAPH
    assert world.assumed() == []
    assert kinds_since(world, lines) <= {FeedKind.RESTATE, FeedKind.UPDATE}
    world.assert_equal()


def test_contents_that_differ_stop_a_move_nobody_forces() -> None:
    world = mailbox_of_every_kind(MORE_THAN_A_DAYS_CONFIRMATIONS)
    world.sources.contents_differ = {ItemKind.MESSAGE}
    ask(world)

    world.sync()

    assert (world.source, world.stored.move_blocked) == (EWS, SAFETY)
    world.assert_equal()


def test_way_back_after_contents_were_read_anew_reads_them_again() -> None:
    world = mailbox_of_every_kind()
    moved_with_other_contents(world)
    ask(world, EWS, forced=True)

    world.sync()

    assert world.source is EWS
    assert world.assumed() == []
    world.assert_equal()


def test_excluded_address_leaves_folders_that_graph_does_not_give() -> None:
    world = mailbox_of_every_kind()
    journal = next(box.id for box in world.mailbox.boxes.values() if box.name == "Journal")
    call = world.mailbox.add(
        journal, "With Kim", kind=ItemKind.OTHER, item_class="IPM.Activity", addresses=("kim@contoso.example",)
    )
    world.sync()
    world.clock.pass_by(hours=1)
    ask(world)
    world.sync()
    assert call in world.kept()

    world.rescope(Scope(folders_out=OUT, exclude=("kim@contoso.example",)))
    world.clock.pass_by(hours=1)
    world.sync()

    assert call not in world.items()
    assert {item.subject for id_, item in world.items().items() if id_ in world.kept()} == {"Team", "A call"}
    world.assert_equal()


def test_metadata_setting_reaches_what_graph_does_not_give() -> None:
    world = mailbox_of_every_kind()
    ask(world)
    world.sync()
    kept = world.kept()
    assert all(world.items()[id_].located is not None for id_ in kept)

    world.rescope(Scope(folders_out=OUT, content=ContentLevel.METADATA))
    world.clock.pass_by(hours=1)
    world.sync()

    assert world.kept() == kept
    assert [id_ for id_ in kept if world.items()[id_].located is not None] == []


def test_folder_that_graph_does_not_give_can_be_excluded() -> None:
    world = mailbox_of_every_kind()
    ask(world)
    world.sync()

    world.rescope(Scope(folders_out=(*OUT, "Journal")))
    world.clock.pass_by(hours=1)
    world.sync()

    assert {item.subject for id_, item in world.items().items() if id_ in world.kept()} == {"Team"}
    world.assert_equal()


def test_edit_in_the_second_of_the_read_is_found_after_a_move() -> None:
    """An edit of equal length with the same last-modified time shows in the version alone, which the origin tells."""
    world = mailbox_of_every_kind()
    edited = world.mailbox.add(world.mailbox.inbox, "written as it was read")
    world.sync()
    modified = world.mailbox.mails[edited].modified
    world.mailbox.edit(edited)
    assert world.mailbox.mails[edited].modified == modified
    ask(world)
    world.sync()

    assert world.source is GRAPH
    world.assert_equal()
    world.sweep()
    assert world.assumed() == []
    world.assert_equal()


def test_edit_in_the_second_of_the_read_is_found_though_the_origin_is_silent() -> None:
    """Then the daily comparison finds it: the content is only assumed to be the same."""
    world = mailbox_of_every_kind()
    edited = world.mailbox.add(world.mailbox.inbox, "written as it was read")
    world.sync()
    world.mailbox.edit(edited)
    world.sources.blocked = {SourceName.EWS}
    ask(world)
    world.sync()

    assert world.source is GRAPH
    assert edited in world.assumed()
    world.sweep()
    assert world.assumed() == []
    world.assert_equal()
