"""Removes what deleted items leave behind, within the promised number of days: bytes in packs, metadata in the feed.

Packs and feed are append-only while passes run. Compaction rewrites those that hold deleted data in this order: write
the new pack, change the rows under the fence, delete the old pack. A crash in between leaves garbage for the next
compaction but loses nothing.
"""

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched

from shared.errors import Conflict
from shared.replica.encoding import feed, pack
from shared.replica.encoding.item_rows import location_from_row, location_properties, split_into_transactions
from shared.replica.port import ContentLocation
from shared.replica.storage_port import CURSORS, FEED, PACKS, BlobInfo, Blobs, RowChange, Rows, Verb
from shared.sources.model import Content

ORPHAN_AGE = timedelta(days=1)
"""How old a pack without a page is before it is deleted. A younger one may belong to a running pass."""

PACKS_AT_ONCE = 400
"""How many packs are rewritten per scan of the rows. The locations of their live members are held in memory."""

PAGES_PER_LISTING = 12
"""Feed pages that cost as much to read as one listing of them."""

_LOCATION = ("pack", "offset", "length", "form", "sha256")

type OnHold = Callable[[], bool]
"""Whether the mailbox is on legal hold now. Asked before each blob is deleted or redacted."""

type Mover = Callable[[Sequence[RowChange]], None]
"""Runs a transaction under the fence, so that no page is applied between reading the rows and changing them."""


def compaction_state_name(mailbox_id: str) -> str:
    """Name of the blob that records the last compaction; it is stored next to the cursor."""
    return f"{mailbox_id}/compaction.json"


def is_compaction_due(last: datetime | None, now: datetime, deleted_days: int) -> bool:
    """Whether to compact now. Asked daily, so that nothing deleted stays longer than the promised days.

    An item deleted right after a compaction has to go in the next one. So that one follows a day earlier than the
    promise.
    """
    return last is None or now - last >= timedelta(days=deleted_days - 1) - timedelta(hours=1)


class _StoppedByHold(Exception):
    """A legal hold was set."""


@dataclass(frozen=True, slots=True)
class CompactionState:
    """When the last compaction ended, and the feed's last page at that time."""

    at: datetime | None = None
    sequence: int = 0


def last_compaction(blobs: Blobs, mailbox_id: str) -> CompactionState:
    """Read the record of the last compaction: one request, which is all that most sweeps need to know.

    One that cannot be read is treated as missing: the compaction that follows writes it anew.
    """
    blob = blobs.get(CURSORS, compaction_state_name(mailbox_id))
    if blob is None:
        return CompactionState()
    try:
        values = json.loads(blob.data)
        return CompactionState(datetime.fromisoformat(values["at"]).astimezone(UTC), int(values["sequence"]))
    except (ValueError, TypeError, LookupError):
        return CompactionState()


@dataclass(frozen=True, slots=True)
class Compaction:
    """One compaction of one mailbox. All pages up to `sequence` are applied."""

    blobs: Blobs
    rows: Rows
    mailbox_id: str
    sequence: int
    now: datetime
    move: Mover
    on_hold: OnHold

    def run(self, since: int) -> int:
        """Compact and return the bytes freed. An interrupted compaction starts again the next time.

        `since` is the feed's last page at the last compaction. One that a hold stops is interrupted, and is due as soon
        as the hold is lifted.
        """
        try:
            self._stop_on_hold()
            freed = self._packs() + self._feed(since)
        except _StoppedByHold:
            return 0
        data = json.dumps({"at": self.now.astimezone(UTC).isoformat(), "sequence": self.sequence}).encode()
        self.blobs.put(CURSORS, compaction_state_name(self.mailbox_id), data)
        return freed

    def _stop_on_hold(self) -> None:
        if self.on_hold():
            raise _StoppedByHold

    def _packs(self) -> int:
        """Delete the packs without live members, then rewrite those that also have deleted ones.

        The fence is replaced between reading the rows and deleting packs. That fails if anybody has replaced it since
        it was read, which was before the packs were listed. So what was read still holds, and a compaction that started
        earlier can no longer point rows at a pack that is deleted here. One that starts later creates packs that are
        not in this list.
        """
        packs = list(self.blobs.list(PACKS, f"{self.mailbox_id}/"))
        live = Counter(str(row["pack"]) for row in self.rows.query(self.mailbox_id, only=("pack",)) if row.get("pack"))
        self.move([])
        dead = [info for info in packs if not live[info.name] and self._is_settled(info)]
        for info in dead:
            self._stop_on_hold()
            self.blobs.delete(PACKS, info.name)
        partly = {info.name: info for info in packs if 0 < live[info.name] < info.members}
        return sum(info.size for info in dead) + self._rewrite(partly)

    def _is_settled(self, info: BlobInfo) -> bool:
        """Whether no running pass can still commit this pack: its page number is used, or it is older than any pass."""
        return pack.sequence_of(info.name) <= self.sequence or self.now - info.created_at > ORPHAN_AGE

    def _rewrite(self, partly: dict[str, BlobInfo]) -> int:
        """Copy the live members to new packs and return the bytes freed."""
        freed = 0
        for some in batched(partly, PACKS_AT_ONCE, strict=False):
            members = self._members(some)
            freed += sum(partly[name].size - self._rewrite_one(name, members[name]) for name in some)
        return freed

    def _members(self, packs: Iterable[str]) -> dict[str, list[tuple[str, ContentLocation]]]:
        """The live members of these packs."""
        members: dict[str, list[tuple[str, ContentLocation]]] = {name: [] for name in packs}
        for row in self.rows.query(self.mailbox_id, only=_LOCATION):
            located = location_from_row(row)
            if located is not None and located.pack in members:
                members[located.pack].append((str(row["RowKey"]), located))
        return members

    def _rewrite_one(self, name: str, members: Sequence[tuple[str, ContentLocation]]) -> int:
        """Copy a pack's live members to a new pack and return its size."""
        old = self.blobs.get(PACKS, name)
        if old is None:
            raise Conflict("another compaction has deleted the pack")
        new = pack.build(self.mailbox_id, pack.sequence_of(name), [(key, _cut(old.data, at)) for key, at in members])
        self.blobs.put(PACKS, new.name, new.data, members=len(members))
        # Keep the digests from the first write, so that damaged content is still detected as damaged.
        locations = [(key, copy.replace(new.located[key], sha256=at.sha256)) for key, at in members]
        for batch in split_into_transactions(
            [RowChange(Verb.MERGE, key, location_properties(location)) for key, location in locations]
        ):
            self.move(batch)
        self._stop_on_hold()
        self.blobs.delete(PACKS, name)
        return len(new.data)

    def _feed(self, since: int) -> int:
        """Redact the feed's lines about deleted items, if anything was deleted since the last compaction."""
        if not self._has_deletions(since):
            return 0
        live = frozenset(str(row["RowKey"]) for row in self.rows.query(self.mailbox_id, only=("kind",)))
        freed = 0
        for name, data, etag in self._pages(1, self.sequence):
            redacted = feed.redact(data, live)
            if redacted != data:
                self._stop_on_hold()
                self.blobs.put(FEED, name, redacted, etag=etag, deletes=feed.deletes(redacted))
                freed += len(data) - len(redacted)
        return freed

    def _has_deletions(self, since: int) -> bool:
        """Whether any page after number `since` deletes something. Only pages that do not say so in a listing are read.

        A listing is charged like a write, so a few pages are read without one.
        """
        recorded: dict[int, bool | None] = {}
        if self.sequence - since > PAGES_PER_LISTING:
            listed = self.blobs.list(FEED, f"{self.mailbox_id}/")
            recorded = {feed.sequence_of(info.name): info.deletes for info in listed}
        numbers = range(since + 1, self.sequence + 1)
        if any(recorded.get(number) for number in numbers):
            return True
        unknown = [number for number in numbers if recorded.get(number) is None]
        return any(feed.deletes(data) for number in unknown for _, data, _ in self._pages(number, number))

    def _pages(self, first: int, last: int) -> Iterator[tuple[str, bytes, str]]:
        """The feed's pages from number `first` to `last`: name, bytes, and ETag."""
        for number in range(first, last + 1):
            name = feed.page_name(self.mailbox_id, number)
            page = self.blobs.get(FEED, name)
            if page is not None:
                yield name, page.data, page.etag


def _cut(data: bytes, located: ContentLocation) -> Content:
    """The content of one member of a pack."""
    return Content(located.form, data[located.offset : located.offset + located.length])
