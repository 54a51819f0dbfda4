"""Lives of a mailbox up to a moment, whose stores the previous version wrote: tests/unit/sync/stored/*.json.

Each life leaves other parts of the sync's state in the cursor. They were run by the code of commit 4decee5 over
`MemoryBlobs` and `MemoryRows`, which were then written to the files as they stood.
"""

from collections.abc import Callable
from contextlib import suppress

from shared.errors import Reason
from shared.sync.limits import Limits
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness

LIMITS = Limits(
    budget_seconds=20,
    page_items=4,
    page_bytes=200,
    round_changes=12,
    remembered_deletions=5,
    plenty=6,
    compared_together=0,
    overlap=False,
)
"""Small, so that a few items already take several pages, rounds and passes; and a sweep in that version's order."""


def everyday(world: SyncHarness) -> None:
    """Passes that ended, with an issue, deletions that are remembered and a mark that is not settled."""
    mailbox = world.mailbox
    for number in range(5):
        mailbox.add(mailbox.inbox, private=number == 4)
    event, bad = mailbox.add(mailbox.calendar), mailbox.add(mailbox.archive)
    mailbox.bad[bad] = Reason.ITEM_CORRUPT
    world.sync()
    world.clock.pass_by(minutes=30)
    mailbox.set_read(event)
    mailbox.delete(mailbox.in_folder(mailbox.inbox)[0].id)
    mailbox.move(mailbox.in_folder(mailbox.inbox)[0].id, mailbox.archive)
    world.sync()


def interrupted(world: SyncHarness) -> None:
    """A pass whose time ran out: folders read so far, items whose folder's state does not know them."""
    mailbox = world.mailbox
    for _ in range(6):
        mailbox.add(mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    for number in range(14):
        mailbox.add((mailbox.archive, mailbox.calendar)[number % 2])
    world.sources.at(2, lambda: mailbox.invalidate(mailbox.inbox))
    world.sources.at(8, lambda: world.clock.pass_by(seconds=30))
    world.engine.sync(ID)


def sweeping(world: SyncHarness) -> None:
    """A daily sweep under way, which found much of a folder gone though nobody reported a deletion."""
    mailbox = world.mailbox
    for number in range(8):
        mailbox.add(mailbox.inbox, private=number == 7)
        mailbox.add(mailbox.archive, private=number == 7)
    world.sync()
    world.clock.pass_by(hours=25)
    for item in [mail.id for mail in mailbox.in_folder(mailbox.inbox)][:6]:
        del mailbox.mails[item]
    world.sources.at(5, lambda: world.clock.pass_by(seconds=30))
    world.engine.sync(ID, sweep=True)


def held(world: SyncHarness) -> None:
    """The mailbox answers as if it were empty: deletions are held back."""
    mailbox = world.mailbox
    for _ in range(8):
        mailbox.add(mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    mailbox.blank = True
    world.sync()


def crashed(world: SyncHarness) -> None:
    """A page was committed, its rows were not written: the cursor stands before it."""
    mailbox = world.mailbox
    for _ in range(3):
        mailbox.add(mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    mailbox.add(mailbox.archive)
    world.replica.crash_at(3)
    with suppress(Crash):
        world.engine.sync(ID)


LIVES: dict[str, Callable[[SyncHarness], None]] = {
    life.__name__: life for life in (everyday, interrupted, sweeping, held, crashed)
}
