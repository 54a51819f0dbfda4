"""The replica's port: what a pass writes, in which order, and what a reader can query.

The feed is the redo log. `commit` writes pack → feed page → item rows → cursor. The feed page is the commit point: it
is created, only if absent, under the sequence number after the cursor's. `load` completes a commit that a crash
interrupted.

Items, their locations, and changes are msgspec's structs: a pass makes several of each per item, and making a frozen
dataclass takes ten times as long.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from shared.sources.model import Content, FolderKind, FolderRole, ItemKind

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_SHIFTS = range(150, -1, -10)


def item_key(source_id: str) -> str:
    """The item key of an item that was first seen under this source id: 32 letters and digits, safe as a table key.

    It is a digest, because source ids are case-sensitive and hold characters that table filters do not handle reliably.
    It is in Base32 with lower-case letters (RFC 4648), written in a fraction of the base64 module's time.
    """
    number = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:20])
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


class ContentLocation(msgspec.Struct, frozen=True, gc=False):
    """Where an item's content is stored: pack blob name, member's offset and length, form, and SHA-256."""

    pack: str
    offset: int
    length: int
    form: str
    sha256: str


class ReplicaItem(msgspec.Struct, frozen=True):
    """What the replica holds about one item.

    `key` is the item key: `item_key` of the first source id. It is opaque and stays the same when the item moves. The
    folder's path is not stored here; the folder map in the cursor has it. `aliases` are the digests of the latest
    source ids the item got by moving. The replica maintains them: pass them on with `with_changes`, never set them.

    An item with `left_at` has left the mailbox and is kept for the days of its retention. It is in no folder:
    `folder_id` is empty, and `left_folder_id` is the one that it was in.
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
    metadata: Mapping[str, object] = msgspec.field(default_factory=dict)
    located: ContentLocation | None = None
    aliases: tuple[str, ...] = ()
    left_at: datetime | None = None
    left_folder_id: str = ""

    @property
    def last_folder_id(self) -> str:
        """The folder that it is in, or was in when it left."""
        return self.folder_id or self.left_folder_id

    def with_changes(self, **changes: object) -> "ReplicaItem":
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


class FeedKind(StrEnum):
    """What a line of the feed says happened to an item."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    READ_FLAG = "read_flag"
    LEAVE = "leave"
    """The item left the mailbox and is kept: the same item with `left_at`. A DELETE follows when its days are over, or
    a CREATE under the same key if it comes back."""
    DELETE = "delete"
    RESTATE = "restate"
    """Bookkeeping of ours: the item is as it was, and is known to its source by another id or version, or is marked as
    no longer tracked. A reader who follows the items themselves passes it over."""


class FeedChange(msgspec.Struct, frozen=True):
    """One change to apply: the item as it is afterward (on DELETE: as it was), and its new content, if any.

    If `content` is None and `item.located` is set, the stored content stays where it is. If both are None, an UPDATE
    removes the stored content; MOVE, READ_FLAG, RESTATE, and LEAVE let it stay.
    """

    kind: FeedKind
    item: ReplicaItem
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class FolderState:
    """What the cursor holds about one folder. JSON-serializable as it is (times are ISO strings)."""

    id: str
    path: str
    parent_id: str = ""
    kind: FolderKind = FolderKind.OTHER
    role: FolderRole = FolderRole.NONE
    archive: bool = False
    state: str | None = None
    """The source's sync state; None: read the folder from its beginning."""
    change_token: str | None = None
    """The folder change token when the folder was last read to its end; None: read the folder in any case."""
    seeded: bool = False
    """Whether the folder has been read to its end once. Until then its items may already be in the table."""
    items: int = 0
    """Number of this folder's items in the replica."""
    total: int = 0
    """Number of items that the source reports for the folder."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox's replica has got. `etag` is that of the stored cursor; it is empty before the first write.

    `notes` holds the sync state between passes as JSON (scope digest, held deletions, safety stop, ...).
    """

    sequence: int = 0
    folders: Mapping[str, FolderState] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of the feed as a reader gets it: its number, its changes in order, and the cursor that follows it."""

    sequence: int
    changes: tuple[FeedChange, ...]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A page of changes that is ready to be committed under this number. `encoded` is known to its replica alone."""

    sequence: int
    encoded: object = field(repr=False)


class Replica(Protocol):
    """One operator's store of mailbox copies. Several threads may use it for different mailboxes."""

    def load(self, mailbox_id: str, settled: str = "") -> Cursor:
        """Return the mailbox's cursor, after applying any feed page that was committed but not fully applied.

        If the stored cursor has the ETag `settled`, no page is looked for: the caller knows that none follows it.

        A cursor blob that is lost or unreadable is rebuilt from the feed. A new mailbox has an empty cursor.
        """
        ...

    def commit(self, mailbox_id: str, cursor: Cursor, changes: Sequence[FeedChange], following: Cursor) -> Cursor:
        """Write one page of changes and move the cursor to `following`, whose sequence and ETag are set here.

        Without changes, only the cursor is replaced, under its ETag; no feed page is written.

        Raises:
            Conflict: another writer has moved on from `cursor`, or the mailbox has been erased. Nothing of this page
                has taken effect; load again.
        """
        ...

    def prepare(self, mailbox_id: str, sequence: int, changes: Sequence[FeedChange]) -> PreparedPage:
        """Encode changes as the page with this number, without a request: the page before may be in progress.

        The prepared page holds the contents; the caller need not keep them.
        """
        ...

    def commit_prepared(self, mailbox_id: str, cursor: Cursor, prepared: PreparedPage, following: Cursor) -> Cursor:
        """Write a prepared page as `commit` does.

        Raises:
            Conflict: see `commit`; also if the page is not the one that follows `cursor`.
        """
        ...

    def find(self, mailbox_id: str, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        """Return the items that the replica holds for these source ids, by source id.

        An item is found by its source id from before and from after a move, and also after it left the mailbox.
        """
        ...

    def items(self, mailbox_id: str, *folder_ids: str) -> Iterator[ReplicaItem]:
        """Iterate over all items of a mailbox, or of the given folders, one page at a time, without those that left."""
        ...

    def left_items(self, mailbox_id: str) -> Iterator[ReplicaItem]:
        """Iterate over the items that left the mailbox and are kept, one page at a time."""
        ...

    def source_ids(self, mailbox_id: str) -> Iterator[str]:
        """Iterate over the source ids of a mailbox's items, also of those that left it.

        Reading them costs a tenth of what `items` costs.
        """
        ...

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """Return one item by its key. Raises NotFound."""
        ...

    def content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """Return an item's content by a ranged read, after checking its digest. Raises NotFound if it has none."""
        ...

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Many items with their bytes, each once and in any order, by as few reads as there are packs.

        None in place of bytes that are not where the item says, or not what was written: `content` says more.
        """
        ...

    def feed(self, mailbox_id: str, after: int = 0) -> Iterator[FeedPage]:
        """Iterate over the feed's pages in order, beginning with the page after `after`."""
        ...

    def put_derived(self, mailbox_id: str, name: str, data: bytes) -> None:
        """Store a document that was computed from the mailbox (`occurrences`), replacing the previous one as a whole.

        It is not part of the feed, can be computed again at any time, and is deleted when the mailbox is erased.

        Raises:
            Conflict: the mailbox has been erased; the document is not kept.
        """
        ...

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """Return a derived document. Raises NotFound."""
        ...

    def compact(
        self, mailbox_id: str, now: datetime, deleted_days: int, on_hold: Callable[[], bool] = lambda: False
    ) -> int:
        """Rewrite packs that have deleted members, delete packs that no committed page names; return the bytes freed.

        Nothing is deleted while `on_hold`, which is asked before each deletion; then 0 is returned.

        The order is: write the new pack, change the rows, delete the old pack. A crash in between leaves garbage but
        loses nothing.
        """
        ...

    def erase(self, mailbox_id: str) -> Mapping[str, int]:
        """Delete everything stored for a mailbox and return the number of deleted objects by kind. Safe to repeat.

        A tombstone is written first and stays, so that nobody can write under this id any more, not even a writer that
        read its state before the erasure. If such a writer dies before it has deleted what it wrote, repeating the
        erasure deletes it.
        """
        ...

    def forget_erased(self, mailbox_id: str) -> None:
        """Erase once more and remove the tombstone. Call it only when no writer from before the erasure can be left."""
        ...
