"""What every step of one pass works with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import ItemUnusable, NotFound, Reason
from shared.replica.port import Replica, ReplicaItem
from shared.sources.port import NO_ITEMS, ContentLevel, Folder, FolderUnreadable, Item, ItemFailure, MailSource
from shared.sync import moves
from shared.sync.budget import Budget
from shared.sync.issues import Issues
from shared.sync.ledger import Ledger
from shared.sync.limits import Limits
from shared.sync.scope import LeftOut, Scope
from shared.sync.writer import PageWriter

LEFT_OUT = "left_out"
"""In the cursor's notes: how many items were met that do not belong in the replica, by reason. Counts, nothing else."""


@dataclass(slots=True)
class Desk:
    """One pass's tools. For the pass's own thread."""

    mailbox_id: str
    source: MailSource
    replica: Replica
    scope: Scope
    limits: Limits
    budget: Budget
    ledger: Ledger
    writer: PageWriter
    issues: Issues
    remembered: moves.Remembered
    clock: Callable[[], datetime]
    not_found: set[str] = field(default_factory=set)
    """Folders with an item that they list and that is not found: what became of it, they may tell."""
    stuck: bool = False
    """Whether passes have failed again and again."""
    isolates_failures: bool = False
    """Whether the source was opened so."""
    in_scope: int | None = None
    """How many items the source reports in the folders in scope; None before the first look."""

    def find(self, source_ids: list[str]) -> dict[str, ReplicaItem]:
        """What the replica has under these ids, everything handed over so far included."""
        if not source_ids:
            return {}
        self.writer.flush()
        return self.replica.find(self.mailbox_id, source_ids)

    def item(self, key: str) -> ReplicaItem | None:
        """One item of the replica, if it is still there."""
        self.writer.flush()
        try:
            return self.replica.item(self.mailbox_id, key)
        except NotFound:
            return None

    def has_stored(self, item: ReplicaItem) -> bool:
        """Whether an item's content can still be read."""
        if item.located is None:
            return True
        try:
            return bool(self.replica.content(self.mailbox_id, item)) or item.located.length == 0
        except (NotFound, ItemUnusable):
            return False

    def items(self, folder_id: str) -> Iterator[ReplicaItem]:
        """A folder's items in the replica, everything handed over so far included."""
        self.writer.flush()
        return self.replica.items(self.mailbox_id, folder_id)

    def source_ids(self) -> Iterator[str]:
        """The source ids of all that the replica has, everything handed over so far included."""
        self.writer.flush()
        return self.replica.source_ids(self.mailbox_id)

    def fetch(
        self, folder: Folder, ids: Iterable[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Each of these items once, as an Item or a failure: what a source passes over in silence has failed.

        In a pass that is stuck, an item whose issue is to wait is not asked: it may be what holds up all the others.
        """
        missing = dict.fromkeys(ids)
        for failure in filter(None, map(self.issues.repeated, list(missing) if self.stuck else ())):
            del missing[failure.item_id]
            yield failure
        results = self.source.fetch(folder, list(missing), level, known)
        try:
            for result in results:
                id_ = result.id if isinstance(result, Item) else result.item_id
                if id_ in missing:
                    del missing[id_]
                    yield result
        finally:
            if close := getattr(results, "close", None):
                close()
        for id_ in missing:
            yield ItemFailure(id_, Reason.ITEM_UNREADABLE, "no answer")

    def cure(self, item_id: str, folder_id: str | None = None) -> list[str]:
        """Whose issue to drop with the next page: this item's, if it has one (in that folder)."""
        return self.issues.cured(item_id, folder_id)

    def failed(self, folder_id: str, failure: ItemFailure) -> None:
        """Write a failure down. What was cured before may have failed again."""
        if failure.reason is Reason.ITEM_GONE:
            self.not_found.add(folder_id)
        self.writer.keep_issue(failure.item_id)
        self.issues.failed(folder_id, failure)

    def unreadable(self, folder: Folder, error: FolderUnreadable) -> None:
        """Write down that a folder cannot be read."""
        self.failed(folder.id, ItemFailure(folder.id, error.reason, error.support))

    def keep_remembered(self) -> None:
        """Write the remembered deletions down with the next page."""
        self.ledger.note(moves.NOTE, self.remembered.note())

    def count_left_out(self, reason: LeftOut) -> None:
        """One more item that does not belong in the replica."""
        add_left_out(self.ledger, LEFT_OUT, reason, 1)


def add_left_out(ledger: Ledger, note: str, reason: LeftOut, number: int) -> None:
    """Count in one of the cursor's notes."""
    counted = left_out_counts(ledger.notes.get(note))
    ledger.note(note, {**counted, reason.value: counted.get(reason.value, 0) + number})


def left_out_counts(note: object) -> dict[str, int]:
    """The counts that such a note holds."""
    return {str(reason): int(number) for reason, number in note.items()} if isinstance(note, dict) else {}
