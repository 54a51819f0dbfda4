"""What deleted items leave behind: their bytes in packs, their metadata in the feed. Both go within promised days.

Packs and feed are append-only while passes run; this rewrites what holds something dead, in an order in which a crash
leaves garbage for the next time and never a loss: new pack → rows, under the fence → the old pack goes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched

from shared.errors import Conflict
from shared.replica.encoding import feed, pack
from shared.replica.encoding.item_rows import location_from_row, location_properties, split_into_transactions
from shared.replica.port import ContentLocation
from shared.replica.storage_port import CURSORS, FEED, PACKS, BlobInfo, Blobs, RowChange, Rows, Verb
from shared.sources.port import Content

ORPHAN_AGE = timedelta(days=1)
"""A pack of the page that comes next may be of a pass under way; no pass lives this long."""

PACKS_AT_ONCE = 400
"""How many packs are rewritten for one scan of the rows: of so many the living members are in memory."""

_LOCATION = ("pack", "offset", "length", "form", "sha256")

type Mover = Callable[[Sequence[RowChange]], None]
"""Does a transaction under the fence, so that no page is applied between reading the rows and changing them."""


def compaction_state_name(mailbox_id: str) -> str:
    """The blob beside the cursor that remembers the last compaction."""
    return f"{mailbox_id}/compaction.json"


def is_compaction_due(last: datetime | None, now: datetime, deleted_days: int) -> bool:
    """Whether to compact now, asked daily, so that nothing deleted stays longer than the promised days.

    What is deleted right after one compaction must go in the next: that one may come one day less than promised later.
    """
    return last is None or now - last >= timedelta(days=deleted_days - 1) - timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _CompactionState:
    """When the last compaction ended, and which page of the feed was then the newest."""

    at: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Compaction:
    """One compaction of one mailbox, whose pages up to `sequence` are all applied."""

    blobs: Blobs
    rows: Rows
    mailbox_id: str
    sequence: int
    now: datetime
    move: Mover

    def run(self, deleted_days: int) -> int:
        """Do what is due; gives the bytes freed. Stopped at any point, it is simply begun again the next time."""
        ledger = self._last_compaction()
        if not is_compaction_due(ledger.at, self.now, deleted_days):
            return 0
        freed = self._packs() + self._feed(ledger.sequence)
        data = json.dumps({"at": self.now.astimezone(UTC).isoformat(), "sequence": self.sequence}).encode()
        self.blobs.put(CURSORS, compaction_state_name(self.mailbox_id), data)
        return freed

    def _last_compaction(self) -> _CompactionState:
        blob = self.blobs.get(CURSORS, compaction_state_name(self.mailbox_id))
        if blob is None:
            return _CompactionState()
        values = json.loads(blob.data)
        return _CompactionState(datetime.fromisoformat(values["at"]), values["sequence"])

    def _packs(self) -> int:
        """Delete the packs that hold nothing alive, then rewrite those that also hold something dead.

        The fence is moved between looking and deleting: nobody has moved it since it was read, before the packs were
        listed; so what was seen still holds, and a compaction that began earlier can no longer point rows at a pack
        that is deleted here. One that begins later makes packs that are not in this list.
        """
        packs = list(self.blobs.list(PACKS, f"{self.mailbox_id}/"))
        live = Counter(str(row["pack"]) for row in self.rows.query(self.mailbox_id, only=("pack",)) if row.get("pack"))
        self.move([])
        dead = [info for info in packs if not live[info.name] and self._is_settled(info)]
        for info in dead:
            self.blobs.delete(PACKS, info.name)
        partly = {info.name: info for info in packs if 0 < live[info.name] < info.members}
        return sum(info.size for info in dead) + self._rewrite(partly)

    def _is_settled(self, info: BlobInfo) -> bool:
        """Whether no pass under way can still commit this pack: its page's number is taken, or it is very old."""
        return pack.sequence_of(info.name) <= self.sequence or self.now - info.created_at > ORPHAN_AGE

    def _rewrite(self, partly: dict[str, BlobInfo]) -> int:
        """Carry what is alive over to new packs; gives the bytes freed."""
        freed = 0
        for some in batched(partly, PACKS_AT_ONCE, strict=False):
            members = self._members(some)
            freed += sum(partly[name].size - self._rewrite_one(name, members[name]) for name in some)
        return freed

    def _members(self, packs: Iterable[str]) -> dict[str, list[tuple[str, ContentLocation]]]:
        """The living members of these packs."""
        members: dict[str, list[tuple[str, ContentLocation]]] = {name: [] for name in packs}
        for row in self.rows.query(self.mailbox_id, only=_LOCATION):
            located = location_from_row(row)
            if located is not None and located.pack in members:
                members[located.pack].append((str(row["RowKey"]), located))
        return members

    def _rewrite_one(self, name: str, members: Sequence[tuple[str, ContentLocation]]) -> int:
        """Carry the living members over to a new pack; gives its size."""
        old = self.blobs.get(PACKS, name)
        if old is None:
            raise Conflict("another compaction was faster")
        new = pack.build(self.mailbox_id, pack.sequence_of(name), [(key, _cut(old.data, at)) for key, at in members])
        self.blobs.put(PACKS, new.name, new.data, members=len(members))
        # The digests stay those of the first writing: a damaged content stays known as damaged.
        places = [(key, replace(new.located[key], sha256=at.sha256)) for key, at in members]
        for run in split_into_transactions(
            [RowChange(Verb.MERGE, key, location_properties(place)) for key, place in places]
        ):
            self.move(run)
        self.blobs.delete(PACKS, name)
        return len(new.data)

    def _feed(self, since: int) -> int:
        """Redact what the feed says of items that are gone, if anything was deleted since the last time."""
        if not any(feed.deletes(data) for _, data, _ in self._pages(since + 1)):
            return 0
        live = frozenset(str(row["RowKey"]) for row in self.rows.query(self.mailbox_id, only=("kind",)))
        freed = 0
        for name, data, etag in self._pages(1):
            redacted = feed.redact(data, live)
            if redacted != data:
                self.blobs.put(FEED, name, redacted, etag=etag)
                freed += len(data) - len(redacted)
        return freed

    def _pages(self, first: int) -> Iterator[tuple[str, bytes, str]]:
        """The feed's pages from one on: name, bytes, ETag."""
        for number in range(first, self.sequence + 1):
            name = feed.page_name(self.mailbox_id, number)
            page = self.blobs.get(FEED, name)
            if page is not None:
                yield name, page.data, page.etag


def _cut(data: bytes, located: ContentLocation) -> Content:
    """One member of a pack."""
    return Content(located.form, data[located.offset : located.offset + located.length])
