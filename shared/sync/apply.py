"""Carrying a plan out: fetch what is wanted, recognise moves, put every change on its page."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import batched

from shared.errors import ActionNeeded, Reason
from shared.replica.port import FeedChange, FeedKind, ReplicaItem
from shared.sources.port import ContentLevel, Folder, Item, ItemFailure
from shared.sync.desk import Desk
from shared.sync.items import change_for, change_keeping_content, deletion
from shared.sync.moves import Departure, Departures
from shared.sync.plan import Group, Plan, Wanted
from shared.sync.same_content import Sameness, is_recent, sameness
from shared.sync.scope import RANK, kept_of

Fetched = Generator[tuple[Wanted, Item | ItemFailure]]
Looked = list[tuple[Wanted, Item | ItemFailure]]

MOVED_ON = "moved_on"
"""In a failure's support: the item has moved under its own id. That folder reports it, and this one its deletion."""

AT_ONCE = 500
"""Items whose metadata is looked at before any of them is decided on."""


class Applier:
    """Writes plans. `vanished` are the items of folders that are gone, for moves out of them before they went."""

    def __init__(self, desk: Desk, vanished: Departures | None = None) -> None:
        self.written = 0
        """Items that arrived or were brought up to date."""
        self.removed = 0
        """Items that were gone for good."""
        self._desk = desk
        self._vanished = vanished or Departures()
        self._asked: set[str] = set()
        self._gone: set[str] = set()

    def run(self, plan: Plan) -> None:
        """One plan: what is ready, what is new or changed, and last what is gone for good.

        Raises:
            BudgetSpent: time is up; what is on pages is right as it stands, the rest is planned again next time.
        """
        departures = Departures(plan.departures)
        for ready in plan.ready:
            self._put(ready.change, ready.change.item.folder_id, ready.group)
        self._arrivals(plan, departures)
        for folder_id, item_id in plan.deleted:
            self._desk.writer.cure(self._desk.cure(item_id, folder_id))
        for departure in departures.left():
            self._desk.remembered.add(departure.item)
            self._desk.keep_remembered()
            self._desk.writer.put(deletion(departure.item), departure.item.folder_id)
            self.removed += 1
            departure.done()
            self._desk.writer.turn()

    def _arrivals(self, plan: Plan, departures: Departures) -> None:
        """Metadata first where it may save a download, then the rest in full."""
        first, in_full = self._split(plan, departures)
        for chunk in batched(first, AT_ONCE, strict=False):
            looked = self._looked(chunk)
            self._ask_who_is_gone(looked, departures)
            for wanted, result in looked:
                if isinstance(result, ItemFailure):
                    self._failed(plan, wanted, result, departures)
                elif not self._looked_at(plan, wanted, result, departures):
                    in_full.append(wanted)
        with closing(self._fetch(in_full, self._desk.scope.content)) as results:
            for wanted, result in results:
                if isinstance(result, ItemFailure):
                    self._failed(plan, wanted, result, departures)
                elif not self._is_left_out(plan, wanted, result, departures):
                    self._claim_own(wanted, departures)
                    self._arrived(wanted, result)

    def _looked(self, chunk: Sequence[Wanted]) -> Looked:
        """The metadata of a chunk. Should it break off, the failures that were found out are written down all the same:
        a pass that is stuck has time for a few only, and the next one must not begin with these."""
        looked: Looked = []
        try:
            with closing(self._fetch(chunk, ContentLevel.METADATA)) as results:
                looked.extend(results)
        except ActionNeeded:
            for wanted, result in looked:
                if isinstance(result, ItemFailure) and result.support != MOVED_ON:
                    self._desk.failed(wanted.folder.id, result)
            raise
        return looked

    def _ask_who_is_gone(self, looked: Looked, departures: Departures) -> None:
        """Of the items that left and share a move key with one that came: which are certainly no more."""
        came = {item.move_key for wanted, item in looked if isinstance(item, Item) and wanted.known is None}
        came.discard("")
        left = {*departures.ids(came), *self._vanished.ids(came), *self._desk.remembered.ids(came)} - self._asked
        self._asked |= left
        if left:
            results = self._desk.fetch(looked[0][0].folder, sorted(left), ContentLevel.METADATA)
            self._gone |= {
                result.item_id
                for result in results
                if isinstance(result, ItemFailure) and result.reason is Reason.ITEM_GONE
            }

    def _split(self, plan: Plan, departures: Departures) -> tuple[list[Wanted], list[Wanted]]:
        gone = not plan.first_sync and bool(departures or self._vanished or self._desk.remembered)
        first: list[Wanted] = []
        in_full: list[Wanted] = []
        for wanted in plan.wanted:
            known = wanted.known
            saves = self._may_have_content(known) if known else gone or plan.look_first
            (first if (saves or wanted.item is not None) and not wanted.to_confirm else in_full).append(wanted)
        return first, in_full

    def _may_have_content(self, known: ReplicaItem) -> bool:
        """Whether what is stored may be what would be downloaded: a flag or a folder may be all that changed."""
        return bool(known.content_key) and not self._desk.scope.is_outdated(known)

    def _fetch(self, wanted: Sequence[Wanted], level: ContentLevel) -> Fetched:
        """Folder by folder, in the order given."""
        by_folder: dict[str, dict[str, Wanted]] = {}
        for each in wanted:
            by_folder.setdefault(each.folder.id, {})[each.id] = each
        for asked in by_folder.values():
            folder: Folder = next(iter(asked.values())).folder
            carried = {id_: each.item for id_, each in asked.items() if each.item is not None}
            if level is ContentLevel.METADATA:
                for id_, item in carried.items():
                    yield asked[id_], item
            ids = [id_ for id_ in asked if id_ not in carried] if level is ContentLevel.METADATA and carried else asked
            for result in self._desk.fetch(folder, ids, level, carried):
                if isinstance(result, ItemFailure):
                    yield asked[result.item_id], result
                elif result.folder_id not in ("", folder.id):
                    yield asked[result.id], ItemFailure(result.id, Reason.ITEM_GONE, MOVED_ON)
                else:
                    result.folder_id = folder.id
                    yield asked[result.id], result

    def _looked_at(self, plan: Plan, wanted: Wanted, item: Item, departures: Departures) -> bool:
        """Whether an item's metadata was enough."""
        if self._is_left_out(plan, wanted, item, departures):
            return True
        self._claim(wanted, item, departures)
        if self._has_content(item, wanted.base()) or self._desk.scope.level(item.size) is ContentLevel.METADATA:
            self._arrived(wanted, item)
            return True
        return False

    def _has_content(self, item: Item, base: ReplicaItem | None) -> bool:
        """Whether what is stored is the item's content, to the wanted extent."""
        level = self._desk.scope.level(item.size)
        if base is None or kept_of(base).level not in (level, None):
            return False
        return sameness(item, base) is not Sameness.NONE

    def _claim(self, wanted: Wanted, item: Item, departures: Departures) -> None:
        """Pair an arrival with what left: in this round, from a folder that is gone, or a little while ago."""
        if wanted.known is not None:
            self._claim_own(wanted, departures)
            return
        wanted.claimed = departures.claim(item, self._gone) or self._vanished.claim(item, self._gone)
        if wanted.claimed is None:
            wanted.recalled = self._recall(item)

    def _claim_own(self, wanted: Wanted, departures: Departures) -> None:
        """An item that the replica knows has moved under its own id: what it left behind is no deletion."""
        if wanted.known is not None and wanted.claimed is None:
            wanted.claimed = departures.claim_key(wanted.known.key) or self._vanished.claim_key(wanted.known.key)

    def _recall(self, item: Item) -> ReplicaItem | None:
        """A remembered deletion. After a lost cursor the notes are older than the last compaction, so its content may
        be gone by now: then it is downloaded again, under the old key."""
        recalled = self._desk.remembered.claim(item, self._gone)
        if recalled is None or self._desk.has_stored(recalled):
            return recalled
        return recalled.having(located=None, content_key="")

    def _is_left_out(self, plan: Plan, wanted: Wanted, item: Item, departures: Departures) -> bool:
        """Whether the item does not belong in the replica; if it was there it goes."""
        reason = self._desk.scope.leaves_out(item, self._desk.clock())
        if reason is None:
            return False
        plan.left_out(reason)
        self._unclaim(wanted, departures)
        cured = self._desk.cure(item.id)
        if wanted.known is not None:
            self._desk.writer.put(deletion(wanted.known), wanted.known.folder_id, cured)
            if departure := departures.claim_key(wanted.known.key) or self._vanished.claim_key(wanted.known.key):
                departure.done()
        else:
            self._desk.writer.cure(cured)
        wanted.group.end()
        self._desk.writer.turn()
        return True

    def _arrived(self, wanted: Wanted, item: Item) -> None:
        base, level = wanted.base(), self._level(item)
        recent = is_recent(item, self._desk.clock(), self._desk.limits.clocks_apart)
        if item.lacking is not None:
            self._desk.failed(wanted.folder.id, item.lacking)
            if base is not None and _has_more(base, item, level):
                wanted.group.end()
                return
        cured = self._desk.cure(wanted.id) if item.lacking is None else []
        compares = wanted.to_confirm or item.lacking is not None
        if base is not None and compares and self._is_stored(item, level, base):
            self._write(wanted, change_keeping_content(item, base, recent=recent), cured, differs=False)
        elif base is not None and not wanted.to_confirm and self._has_content(item, base):
            assumed = kept_of(base).assumed or sameness(item, base) is Sameness.LIKELY
            self._write(wanted, change_keeping_content(item, base, recent=recent, assumed=assumed), cured)
        else:
            self._write(wanted, change_for(item, level, base, recent=recent), cured)

    def _level(self, item: Item) -> ContentLevel:
        """How much of an item there is to keep: of one that came in part its body, until all of it can be had."""
        return ContentLevel.BODY if item.lacking is not None else self._desk.scope.level(item.size)

    def _is_stored(self, item: Item, level: ContentLevel, base: ReplicaItem) -> bool:
        """Whether an item as downloaded is byte for byte what is stored."""
        content, located = item.content, base.located
        if content is None or located is None or kept_of(base).level not in (level, None):
            return False
        is_equal = located.form == content.form and located.sha256 == hashlib.sha256(content.data).hexdigest()
        return is_equal and self._desk.has_stored(base)

    def _write(self, wanted: Wanted, change: FeedChange, cured: list[str], *, differs: bool = True) -> None:
        """Put a change on the page; `differs` unless the replica turned out to be right."""
        base = wanted.base()
        if wanted.recalled is not None:
            self._desk.keep_remembered()
        if base is not None and _says_nothing(change, base):
            self._desk.writer.cure(cured)
        else:
            self.written += differs
            if change.kind in (FeedKind.CREATE, FeedKind.MOVE) and not wanted.group.listed:
                self._desk.ledger.loosen(wanted.folder.id, change.item.key)
                wanted.group.arrivals.append(change.item.key)
            self._desk.writer.put(change, base.folder_id if base else "", cured)
        if wanted.claimed is not None:
            wanted.claimed.done()
        wanted.group.end()
        self._desk.writer.turn()

    def _put(self, change: FeedChange, before: str, group: Group) -> None:
        self._desk.writer.put(change, before)
        group.end()
        self._desk.writer.turn()

    def _failed(self, plan: Plan, wanted: Wanted, failure: ItemFailure, departures: Departures) -> None:
        """The cursor moves on all the same; what the item was the other side of is a deletion after all."""
        has_moved = failure.support == MOVED_ON
        if has_moved and plan.unreported and (item := wanted.known_here()):
            plan.deleted.append((wanted.folder.id, wanted.id))
            departures.add(Departure(item, wanted.group.end))
            return
        if has_moved:
            self._desk.writer.cure(self._desk.cure(wanted.id, wanted.folder.id))
        else:
            self._desk.failed(wanted.folder.id, failure)
        self._unclaim(wanted, departures)
        wanted.group.end()

    def _unclaim(self, wanted: Wanted, departures: Departures) -> None:
        if wanted.claimed is not None:
            departures.add(wanted.claimed)
        if wanted.recalled is not None:
            self._desk.remembered.add(wanted.recalled)
        wanted.claimed = wanted.recalled = None


def _has_more(base: ReplicaItem, item: Item, level: ContentLevel) -> bool:
    """Whether the replica has more of this version than what came now."""
    kept = kept_of(base).level
    is_same = (base.source_id, base.folder_id, base.version) == (item.id, item.folder_id, item.version)
    return is_same and kept is not None and RANK[kept] > RANK[level]


def _says_nothing(change: FeedChange, base: ReplicaItem) -> bool:
    """Whether the replica has it all already: its content did not change and neither did anything else."""
    return change.kind is FeedKind.UPDATE and change.content is None and change.item == base
