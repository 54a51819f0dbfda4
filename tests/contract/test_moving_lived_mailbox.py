"""A mailbox with a past moves from EWS to Graph: what the two sources give differently is no change."""

from collections.abc import Collection

import pytest

from sandbox.mailboxes import deletion
from sandbox.mailboxes.fragments import tag
from sandbox.mailboxes.item_parts import Attachment, ChecklistItem
from sandbox.mailboxes.samples import item_samples
from sandbox.mailboxes.store import Item
from shared.replica.port import FeedKind
from shared.sources.graph.ids import graph_id
from shared.sync.scope import Scope
from tests.contract import test_moving_to_graph as moving
from tests.fakes.sync_harness import ID

world = moving.world

TASKS = 30
"""More than a twentieth of the mailbox, so that the safety stop would block the move if all of them were read again."""


def test_tasks_with_steps_and_private_tasks_keep_their_files(world: moving.World) -> None:
    """Graph alone has a task's steps and EWS alone its sensitivity, percentage and regeneration."""
    world.fill(messages=40)
    tasks = world.exchange.distinguished["tasks"]
    for number in range(TASKS):
        sensitivity = "Private" if number % 2 else "Normal"
        task = item_samples.item("Task", Subject=f"Task {number}", Sensitivity=sensitivity, PercentComplete="50")
        world.exchange.insert(tasks, task)
    for number, task in enumerate(tasks.items.values()):
        task.checklist = [ChecklistItem(f"Step {step}", is_checked=step == 0) for step in range(number % 3)]

    _moves_without_a_change(world)

    assert world.report()["samples"]["task"] == "fields_lost"


def test_contact_whose_subject_is_not_its_name_moves_with_its_photo(world: moving.World) -> None:
    world.behavior.own_change_keys = True
    world.fill(messages=10)
    for number, contact in enumerate(_contacts(world)):
        contact.properties["Subject"] = tag("Subject", f"{contact.text('DisplayName')} (Company {number})")
        contact.properties["HasPicture"] = tag("HasPicture", "true")
        contact.attachments = [Attachment("ContactPicture.jpg", "image/jpeg", b"\xff\xd8" * 300, is_photo=True)]
        contact.size = 0
        world.exchange.touch(contact)

    _moves_without_a_change(world)

    assert world.report()["samples"]["contact"] == "same"


@pytest.mark.parametrize("is_ews_blocked", [False, True])
def test_items_move_although_graph_counts_their_bytes_differently(world: moving.World, is_ews_blocked: bool) -> None:
    """The sizes of all items are other ones, and there are no change keys to compare."""
    world.behavior.own_change_keys = world.behavior.own_sizes = True
    world.exchange.clock = world.clock
    world.fill(messages=60)
    world.clock.pass_by(hours=1)
    world.sync()
    inbox = world.exchange.distinguished["inbox"].items.values()
    messages = [item for item in inbox if item.item_class == "IPM.Note"][:20]
    for message in messages:
        world.exchange.set_read(message, not message.is_read)
    world.clock.pass_by(hours=1)
    world.sync()
    if is_ews_blocked:
        world.exchange.ews_block = (403, "EWS is blocked", {})

    _moves_without_a_change(world, confirmed={message.id for message in messages} if is_ews_blocked else set())


def test_items_move_although_graph_gives_other_last_modified_times(world: moving.World) -> None:
    """EWS still has the replica's versions, so nobody has saved the items."""
    world.behavior.own_change_keys = world.behavior.own_times = True
    world.exchange.clock = world.clock
    world.fill(messages=30)
    world.clock.pass_by(hours=1)
    world.sync()

    _moves_without_a_change(world)

    assert world.report()["samples"]["message"] == "same"


def test_deleted_events_contacts_and_tasks_stay_in_the_copy(world: moving.World) -> None:
    """Graph's message API does not give what is no message, in Deleted Items or any other mail folder."""
    world.rescope(Scope(folders_out=(), private_items=True))
    world.exchange.clock = world.clock
    world.fill(messages=20)
    for role in ("calendar", "contacts", "tasks"):
        for item in list(world.exchange.distinguished[role].items.values())[:4]:
            deletion.delete_item(item, "MoveToDeletedItems")
    world.clock.pass_by(hours=1)

    _moves_without_a_change(world)

    deleted = set(map(graph_id, _ids_in(world, "deleteditems")))
    assert len(deleted) == 12
    assert deleted <= set(map(graph_id, world.kept()))
    world.move(moving.EWS)
    world.clock.pass_by(hours=25)
    world.sweep()
    assert world.stored.source is moving.EWS
    assert world.kept() == set()
    assert set(_ids_in(world, "deleteditems")) <= set(world.items())


def _ids_in(world: moving.World, role: str) -> list[str]:
    return [item.id for item in world.exchange.distinguished[role].items.values()]


def _contacts(world: moving.World) -> list[Item]:
    items = world.exchange.distinguished["contacts"].items.values()
    return [item for item in items if item.element == "Contact"]


def _moves_without_a_change(world: moving.World, *, confirmed: Collection[str] = ()) -> None:
    """Sync over EWS, move, and sweep: every content stays as it was read over EWS, and the feed says nothing new.

    The items with the ids `confirmed` are likely the same, so the sweep confirms them.
    """
    if world.exchange.ews_block is None:
        world.sync()
    contents, lines = {key: world.replica.content(ID, item) for key, item in world.rows().items()}, len(world.feed())

    world.move()

    total = world.report()["total"]
    assert world.stored.source is moving.GRAPH, world.report()
    assert (total["changed"], total["new"], total["gone"]) == (0, 0, 0)
    assert set(confirmed) == set(world.assumed())
    world.clock.pass_by(hours=25)
    world.sweep()
    assert {key: world.replica.content(ID, item) for key, item in world.rows().items()} == contents
    assert {id_ for kind, id_ in world.feed()[lines:] if kind is not FeedKind.RESTATE} == set(confirmed)
