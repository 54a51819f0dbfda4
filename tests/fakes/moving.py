"""A mailbox with every kind of item that is read over EWS, and what tests of its move to Graph ask for."""

import json

from shared.mailboxes.moves import asked_to_move
from shared.mailboxes.outbox.outbox import Outbox
from shared.replica.port import FeedKind
from shared.sources.model import FolderKind, FolderRole, ItemKind, SourceName
from shared.sync.scope import Scope
from tests.fakes.sync_harness import ID, SyncHarness


def mailbox_of_every_kind(
    messages: int = 40, scope: Scope | None = None, *, outbox: Outbox | None = None
) -> SyncHarness:
    """45 items of every kind, synced over EWS; the next dispatch is due."""
    world = SyncHarness(scope, moves=True, outbox=outbox)
    mailbox = world.mailbox
    contacts = mailbox.add_folder("Contacts", kind=FolderKind.CONTACTS, role=FolderRole.CONTACTS)
    journal = mailbox.add_folder("Journal", kind=FolderKind.OTHER, role=FolderRole.JOURNAL)
    for number in range(messages):
        mailbox.add(mailbox.inbox, f"letter {number}")
    for folder in (mailbox.archive, mailbox.calendar):
        mailbox.add(folder)
    mailbox.add(contacts, "Sam", kind=ItemKind.CONTACT, item_class="IPM.Contact")
    mailbox.add(contacts, "Team", kind=ItemKind.LIST, item_class="IPM.DistList")
    mailbox.add(journal, "A call", kind=ItemKind.OTHER, item_class="IPM.Activity")
    world.clock.pass_by(hours=1)
    world.sync()
    world.clock.pass_by(hours=1)
    return world


def ask(world: SyncHarness, target: SourceName = SourceName.GRAPH, *, dry: bool = False, forced: bool = False) -> None:
    """Ask for a move, as an operator does."""
    world.registry.change(ID, lambda mailbox: asked_to_move(mailbox, target, "operator", dry=dry, forced=forced))


def parity(world: SyncHarness) -> dict[str, int]:
    """The numbers of the last parity report."""
    return dict(json.loads(world.replica.derived(ID, "parity"))["total"])


def kinds_since(world: SyncHarness, before: int) -> set[FeedKind]:
    """What the lines of the feed after that number say."""
    return {kind for kind, _ in world.feed()[before:]}
