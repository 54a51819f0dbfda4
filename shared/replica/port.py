"""The replica's port: what a pass writes and in which order, what a reader can ask.

The feed is the redo log. `commit` writes pack → feed page → item entities → cursor; the feed page, created only if
absent under the cursor's next number, is the commit point. `load` finishes what a crash left between.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.sources.port import Content, FolderKind, FolderRole, ItemKind


def item_key(source_id: str) -> str:
    """The key of an item that is first seen under this source id: 32 letters and digits, safe as a table key.

    Source ids are case-sensitive and table filters are not to be trusted with their characters, hence a digest.
    """
    return base64.b32encode(hashlib.sha256(source_id.encode()).digest()[:20]).decode().lower()


@dataclass(frozen=True, slots=True)
class ContentLocation:
    """Where an item's content lies: pack blob name, offset and length of the stored member in it, its form, SHA-256."""

    pack: str
    offset: int
    length: int
    form: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ReplicaItem:
    """The replica's present knowledge of one item.

    `key` is ours and stays for the item's life, moves included: `item_key` of the first source id, opaque.
    `path` is not kept here: the cursor's folder map names the folder. `aliases` are the digests of the last source ids
    it had after moves, kept by the replica: carry them along with `with_changes`, never set them.
    """

    key: str
    source_id: str
    version: str
    folder_id: str
    kind: ItemKind
    item_class: str
    move_key: str = ""
    content_key: str = ""
    subject: str = ""
    size: int = 0
    is_read: bool | None = None
    at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    located: ContentLocation | None = None
    aliases: tuple[str, ...] = ()

    def with_changes(self, **changes: object) -> "ReplicaItem":
        """The same item with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class FeedKind(StrEnum):
    """What a line of the feed says of an item."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    READ_FLAG = "read_flag"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FeedChange:
    """One change to apply: the item as it is afterward (on DELETE: as it was), and new content if there is any.

    With `content` None and `item.located` set, the content already stored stays where it is.
    """

    kind: FeedKind
    item: ReplicaItem
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class FolderState:
    """What the cursor knows of one folder. JSON-serializable as it stands (times as ISO strings)."""

    id: str
    path: str
    parent_id: str = ""
    kind: FolderKind = FolderKind.OTHER
    role: FolderRole = FolderRole.NONE
    archive: bool = False
    state: str | None = None
    """The source's sync state; None: to be read from the beginning."""
    mark: str | None = None
    """The folder's mark when it was last read to the end; None: ask it in any case."""
    seeded: bool = False
    """Whether it has been read to its end once; until then its items may already be in the table."""
    items: int = 0
    """How many items of it the replica holds."""
    total: int = 0
    """How many items the source says it has."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox's replica has got. `etag` is of the stored cursor, empty before the first write.

    `notes` is the sync's own memory between passes (scope digest, held deletions, a safety stop...), JSON.
    """

    sequence: int = 0
    folders: Mapping[str, FolderState] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of the feed as a reader gets it: its number, the changes in order, the cursor that follows."""

    sequence: int
    changes: tuple[FeedChange, ...]
    cursor: Cursor


class Replica(Protocol):
    """One operator's store of mailbox copies. Safe to use from several threads for different mailboxes."""

    def load(self, mailbox_id: str) -> Cursor:
        """The mailbox's cursor, after redoing a feed page that was committed but not fully applied.

        A cursor blob that is lost or cannot be read is rebuilt from the feed. A new mailbox gives an empty cursor.
        """
        ...

    def commit(self, mailbox_id: str, cursor: Cursor, changes: Sequence[FeedChange], following: Cursor) -> Cursor:
        """Write one page of changes and move the cursor to `following` (its sequence and etag are set here).

        Without changes only the cursor is replaced, under its ETag, and no feed page is written.

        Raises:
            Conflict: another writer has moved on from `cursor`, or the mailbox has been erased; nothing of this page
                has taken effect. Load again.
        """
        ...

    def find(self, mailbox_id: str, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        """The items among these source ids that the replica holds, by source id (of before or after a move)."""
        ...

    def items(self, mailbox_id: str, folder_id: str | None = None) -> Iterator[ReplicaItem]:
        """Every item of a mailbox or of one folder, a page at a time."""
        ...

    def source_ids(self, mailbox_id: str) -> Iterator[str]:
        """The source id of every item of a mailbox and nothing else of it: a tenth of what `items` costs to read."""
        ...

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """One item by its key. Raises NotFound."""
        ...

    def content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """One item's bytes by a ranged read, its digest checked. Raises NotFound when it has none."""
        ...

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Many items with their bytes, each once and in any order, by as few reads as there are packs.

        None in place of bytes that are not where the item says, or not what was written: `content` says more.
        """
        ...

    def feed(self, mailbox_id: str, after: int = 0) -> Iterator[FeedPage]:
        """The feed's pages in order, from the one after `after`."""
        ...

    def put_derived(self, mailbox_id: str, name: str, data: bytes) -> None:
        """Store a document that was computed from the mailbox (`occurrences`), replacing the one before as a whole.

        It is no part of the feed, can always be computed again, and goes when the mailbox is erased.

        Raises:
            Conflict: the mailbox has been erased; the document is not kept.
        """
        ...

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """A derived document. Raises NotFound."""
        ...

    def compact(self, mailbox_id: str, now: datetime, deleted_days: int) -> int:
        """Rewrite packs with dead members and sweep packs that no committed page names; gives the bytes freed.

        New pack, then entities, then the old pack goes: a crash between leaves garbage, never a loss.
        """
        ...

    def erase(self, mailbox_id: str) -> Mapping[str, int]:
        """Delete everything of a mailbox here; gives how many of what. Repeating it is harmless.

        A tombstone is written first and stays, so that nothing is written under this id any more, by a writer either
        that read what it goes by before the erasure. What such a writer leaves if it dies before it has cleaned up is
        deleted by repeating the erasure.
        """
        ...

    def forget_erased(self, mailbox_id: str) -> None:
        """Erase once more, and forget the tombstone: for when no writer of before the erasure can be left."""
        ...
