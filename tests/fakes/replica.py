"""An in-memory replica with the same order of writes as the real one, and a crash at any of them.

    replica = FakeReplica()
    replica.crash_at(3)        # the third write from now never happens: Crash is raised instead
    replica.fail_at(1, RetryLater(Reason.THROTTLED))   # the next write fails with this error; nothing is written

After a crash, continue with the same object: it represents the storage, which survives.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import Conflict, ItemUnusable, NotFound
from shared.replica.port import (
    ContentLocation,
    Cursor,
    FeedChange,
    FeedKind,
    FeedPage,
    PreparedPage,
    ReplicaItem,
    item_key,
)

TRANSACTION = 100
"""Entities in one transaction, as in Table Storage: each transaction is one write that can crash."""


class Crash(BaseException):
    """The process died here. Not an Exception, so that no error handling runs."""


@dataclass(slots=True)
class _Stored:
    """The storage of one mailbox."""

    packs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    members: dict[tuple[str, int], str] = field(default_factory=dict)
    """The names of the members by pack and offset. Offsets are counted, as the bytes of a pack are not kept."""
    pages: dict[int, FeedPage] = field(default_factory=dict)
    rows: dict[str, ReplicaItem] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    derived: dict[str, bytes] = field(default_factory=dict)
    cursor: Cursor | None = None
    writes: int = 0


class FakeReplica:
    """Implements the Replica port in memory. `writes` counts the writes that reached storage."""

    def __init__(self) -> None:
        self.writes = 0
        self._stored: dict[str, _Stored] = {}
        self._erased: set[str] = set()
        self._plans: dict[int, BaseException] = {}

    def crash_at(self, write: int) -> None:
        """Raise Crash instead of the given write; 1 is the next write."""
        self.fail_at(write, Crash())

    def fail_at(self, write: int, error: BaseException) -> None:
        """Make the given write fail; 1 is the next write."""
        self._plans[self.writes + write] = error

    def calm(self) -> None:
        """Cancel the crashes and failures that are still planned."""
        self._plans.clear()

    def lose_cursor(self, mailbox_id: str) -> None:
        """Lose the cursor blob."""
        self._of(mailbox_id).cursor = None

    def remove_pack(self, mailbox_id: str, name: str) -> None:
        """Lose a pack."""
        del self._of(mailbox_id).packs[name]

    def load(self, mailbox_id: str, settled: str = "") -> Cursor:
        """The cursor, after completing what a crash left unfinished."""
        stored = self._of(mailbox_id)
        if stored.cursor is not None and settled and stored.cursor.etag == settled:
            return stored.cursor
        if stored.cursor is None and stored.pages:
            newest = max(stored.pages)
            self._apply(stored, stored.pages[newest])
            self._put_cursor(stored, stored.pages[newest].cursor)
        cursor = stored.cursor or Cursor()
        while page := stored.pages.get(cursor.sequence + 1):
            self._apply(stored, page)
            cursor = self._put_cursor(stored, page.cursor)
        return cursor

    def present_cursor(self, mailbox_id: str) -> Cursor:
        """The cursor that `load` would give; nothing is written."""
        stored = self._of(mailbox_id)
        cursor = stored.cursor or (stored.pages[max(stored.pages)].cursor if stored.pages else Cursor())
        return stored.pages[max(stored.pages)].cursor if max(stored.pages, default=0) > cursor.sequence else cursor

    def commit(self, mailbox_id: str, cursor: Cursor, changes: Sequence[FeedChange], following: Cursor) -> Cursor:
        """Write the pack, the feed page, the rows and the cursor, or the cursor only if there are no changes."""
        self._unless_erased(mailbox_id)
        stored = self._of(mailbox_id)
        if cursor.etag != (stored.cursor.etag if stored.cursor else ""):
            raise Conflict("the cursor has moved on")
        if not changes:
            return self._put_cursor(stored, replace(following, sequence=cursor.sequence))
        sequence = cursor.sequence + 1
        located = self._put_pack(stored, f"{mailbox_id}/{sequence:010d}", changes)
        if sequence in stored.pages:
            raise Conflict("the next page is there already")
        following = replace(following, sequence=sequence, notes=_plain(following.notes))
        page = FeedPage(sequence, tuple(_settled(change, located) for change in changes), following)
        self._write()
        stored.pages[sequence] = page
        self._apply(stored, page)
        return self._put_cursor(stored, following)

    def prepare(self, mailbox_id: str, sequence: int, changes: Sequence[FeedChange]) -> PreparedPage:
        """The changes as they are."""
        return PreparedPage(sequence, tuple(changes))

    def commit_prepared(self, mailbox_id: str, cursor: Cursor, prepared: PreparedPage, following: Cursor) -> Cursor:
        """Commit the changes."""
        assert isinstance(prepared.encoded, tuple)
        if prepared.sequence != cursor.sequence + 1:
            raise Conflict("the page was prepared to follow another one")
        return self.commit(mailbox_id, cursor, prepared.encoded, following)

    def find(self, mailbox_id: str, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        """Items by source id, including source ids from before a move."""
        stored = self._of(mailbox_id)
        found: dict[str, ReplicaItem] = {}
        for source_id in source_ids:
            digest = item_key(source_id)
            row = stored.rows.get(digest) or stored.rows.get(stored.aliases.get(digest, ""))
            if row is not None:
                found[source_id] = row
        return found

    def items(self, mailbox_id: str, *folder_ids: str) -> Iterator[ReplicaItem]:
        """All items that have not left, in key order."""
        present = (row for _, row in sorted(self._of(mailbox_id).rows.items()) if row.left_at is None)
        yield from (row for row in present if not folder_ids or row.folder_id in folder_ids)

    def left_items(self, mailbox_id: str) -> Iterator[ReplicaItem]:
        """The items that left, in key order."""
        yield from (row for _, row in sorted(self._of(mailbox_id).rows.items()) if row.left_at is not None)

    def source_ids(self, mailbox_id: str) -> Iterator[str]:
        """The source ids of all items."""
        return (item.source_id for item in list(self._of(mailbox_id).rows.values()))

    def item(self, mailbox_id: str, key: str) -> ReplicaItem:
        """One item."""
        try:
            return self._of(mailbox_id).rows[key]
        except KeyError:
            raise NotFound("no such item") from None

    def content(self, mailbox_id: str, item: ReplicaItem) -> bytes:
        """The content bytes of an item."""
        located = item.located
        if located is None:
            raise NotFound("the item has no content")
        data = self._of(mailbox_id).packs.get(located.pack, {}).get(_member(self._of(mailbox_id), item))
        if data is None:
            raise NotFound("the content is gone")
        assert hashlib.sha256(data).hexdigest() == located.sha256
        return data

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """The items with their contents; None for a content that cannot be read."""
        for item in items:
            try:
                yield item, self.content(mailbox_id, item)
            except (NotFound, ItemUnusable):
                yield item, None

    def feed(self, mailbox_id: str, after: int = 0) -> Iterator[FeedPage]:
        """The feed pages in order."""
        stored = self._of(mailbox_id)
        while page := stored.pages.get(after + 1):
            yield page
            after = page.sequence

    def put_derived(self, mailbox_id: str, name: str, data: bytes) -> None:
        """Store or replace a derived document in one write."""
        self._unless_erased(mailbox_id)
        self._write()
        self._of(mailbox_id).derived[name] = data

    def derived(self, mailbox_id: str, name: str) -> bytes:
        """A derived document."""
        try:
            return self._of(mailbox_id).derived[name]
        except KeyError:
            raise NotFound("no such document") from None

    def compact(
        self, mailbox_id: str, now: datetime, deleted_days: int, on_hold: Callable[[], bool] = lambda: False
    ) -> int:
        """Delete unreferenced contents and packs, and return the bytes freed."""
        self.load(mailbox_id)
        if on_hold():
            return 0
        stored = self._of(mailbox_id)
        freed = 0
        for name in list(stored.packs):
            live = {_member(stored, row) for row in stored.rows.values() if _lies_in(row, name)}
            dead = [member for member in stored.packs[name] if member not in live]
            freed += sum(len(stored.packs[name][member]) for member in dead)
            if dead:
                self._write()
                stored.packs[name] = {member: stored.packs[name][member] for member in live}
            if not live:
                del stored.packs[name]
        return freed

    def erase(self, mailbox_id: str) -> Mapping[str, int]:
        """Delete everything, in two writes: the tombstone and the rest."""
        self._write()
        self._erased.add(mailbox_id)
        self._write()
        stored = self._stored.pop(mailbox_id, _Stored())
        return {"items": len(stored.rows), "packs": len(stored.packs), "pages": len(stored.pages)}

    def forget_erased(self, mailbox_id: str) -> None:
        """Delete everything, the tombstone last."""
        self.erase(mailbox_id)
        self._erased.discard(mailbox_id)

    def _unless_erased(self, mailbox_id: str) -> None:
        if mailbox_id in self._erased:
            raise Conflict("the mailbox has been erased")

    def _of(self, mailbox_id: str) -> _Stored:
        return self._stored.setdefault(mailbox_id, _Stored())

    def _write(self) -> None:
        """Count one write, or raise the error that is planned for it."""
        if error := self._plans.pop(self.writes + 1, None):
            self._plans.clear()
            raise error
        self.writes += 1

    def _put_pack(self, stored: _Stored, name: str, changes: Sequence[FeedChange]) -> dict[str, ContentLocation]:
        contents = {change.item.key: change.content for change in changes if change.content}
        if not contents:
            return {}
        digests = {key: hashlib.sha256(content.data).hexdigest() for key, content in contents.items()}
        pack = f"{name}-{hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]}.zip"
        self._write()
        stored.packs[pack] = {f"{key}.{content.form}": content.data for key, content in contents.items()}
        stored.members |= {(pack, offset): name for offset, name in enumerate(stored.packs[pack])}
        return {
            key: ContentLocation(pack, offset, len(content.data), content.form, digests[key])
            for offset, (key, content) in enumerate(contents.items())
        }

    def _put_cursor(self, stored: _Stored, cursor: Cursor) -> Cursor:
        self._write()
        stored.writes += 1
        stored.cursor = replace(cursor, notes=_plain(cursor.notes), etag=str(stored.writes))
        return stored.cursor

    def _apply(self, stored: _Stored, page: FeedPage) -> None:
        for start in range(0, len(page.changes), TRANSACTION):
            self._write()
            for change in page.changes[start : start + TRANSACTION]:
                _apply_one(stored, change)


_WITHOUT_CONTENT = (FeedKind.MOVE, FeedKind.READ_FLAG, FeedKind.RESTATE, FeedKind.LEAVE)
"""Changes that leave the stored content where it is, if they name none."""


def _apply_one(stored: _Stored, change: FeedChange) -> None:
    """Apply one change to the rows."""
    item = change.item
    if change.kind is FeedKind.DELETE:
        stored.rows.pop(item.key, None)
        for alias in item.aliases:
            stored.aliases.pop(alias, None)
        return
    before = stored.rows.get(item.key)
    if item.located is None and before is not None and change.kind in _WITHOUT_CONTENT:
        item = item.with_changes(located=before.located)
    stored.rows[item.key] = item
    stored.aliases.pop(item.key, None)
    for alias in item.aliases:
        stored.aliases[alias] = item.key


def _settled(change: FeedChange, located: Mapping[str, ContentLocation]) -> FeedChange:
    """The change as stored in the feed: with the location of its content instead of the content, and all aliases."""
    item = change.item
    digest = item_key(item.source_id)
    aliases = item.aliases if digest == item.key or digest in item.aliases else (*item.aliases, digest)
    item = item.with_changes(
        located=located.get(item.key, item.located) if change.kind is not FeedKind.DELETE else item.located,
        metadata=_plain(item.metadata),
        aliases=aliases,
    )
    return FeedChange(change.kind, item)


def _lies_in(row: ReplicaItem, pack: str) -> bool:
    return row.located is not None and row.located.pack == pack


def _member(stored: _Stored, row: ReplicaItem) -> str:
    return stored.members.get((row.located.pack, row.located.offset), "") if row.located else ""


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """A copy converted to JSON and back, as storage would return it."""
    return json.loads(json.dumps(values))  # type: ignore[no-any-return]
