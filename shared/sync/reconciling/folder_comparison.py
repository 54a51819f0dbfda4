"""Compares a folder's items one by one with the replica's, and plans the repair of the differences.

The daily sweep compares every folder. A folder whose state was lost is compared once, and so is every folder after a
change of a setting that decides item by item. Differences are repaired by the same plans as ordinary changes.

A listing is read page by page while people work in the folder, so it may miss an item between two pages. An item that
is missing from the listing is therefore requested by its id, and deleted only if the source reports that it is gone.
After the listing, the folder's changes are read to their end: then its state covers every listed item, and the source
will report a later deletion.

Only hashes of a listing are kept. If listed items are not in the replica, the folder is listed again for their ids.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

from shared.errors import Reason
from shared.replica.port import ReplicaItem
from shared.sources.model import ContentLevel, Folder, Item, ItemFailure, ItemRef
from shared.sources.port import MailSource
from shared.sync.limits import Limits
from shared.sync.planning.item_changes import change_dropping_content, deletion
from shared.sync.planning.plan import Plan
from shared.sync.reading.item_fetcher import ItemFetcher
from shared.sync.reading.item_index import ListedItems, version_mark
from shared.sync.scope import Kept, Scope, kept_of
from shared.sync.state.issues import Issues
from shared.sync.state.replica_view import ReplicaView

AT_ONCE = 500
"""Differences repaired in one plan."""


@dataclass(slots=True)
class Difference:
    """What one folder's comparison found, as source ids: a folder may differ in every item."""

    items: int = 0
    """How many of the folder's items the replica has, before anything is repaired."""
    missing: list[str] = field(default_factory=list)
    """In the folder, not in the replica: never seen, or left out of it."""
    changed: list[str] = field(default_factory=list)
    """In both, at different versions or at another content level than the settings require."""
    assumed: list[str] = field(default_factory=list)
    """In both, at the same version, with an assumed content that this comparison downloads."""
    extra: list[str] = field(default_factory=list)
    """In the replica, not in the listing."""
    out: list[str] = field(default_factory=list)
    """In the replica, but not in scope any more."""
    stripped: list[str] = field(default_factory=list)
    """In both; only their metadata is kept from now on."""
    unlisted: list[str] = field(default_factory=list)
    """With an open issue, and not in the listing."""
    passed_by: int = 0
    """How many items were listed but are too old to be fetched."""
    not_provided: int = 0
    """How many items the folder counts but the source does not provide."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder as it was listed. Each item is removed from it when it is compared."""

    items: ListedItems
    old: ListedItems
    """Items that are too old to be fetched."""


class FolderComparison:
    """Compares folders and plans repairs. Items with an open issue are left out: issues have their own retries."""

    def __init__(
        self,
        source: MailSource,
        replica: ReplicaView,
        fetcher: ItemFetcher,
        issues: Issues,
        scope: Scope,
        *,
        limits: Limits,
    ) -> None:
        self._source = source
        self._replica = replica
        self._fetcher = fetcher
        self._scope = scope
        self._issues = issues
        self._limits = limits

    def list_folder(self, folder: Folder, now: datetime, refs: Iterable[ItemRef] | None = None) -> Listing:
        """List the folder, or use an earlier listing (`refs`). Raises: FolderGone, FolderUnreadable."""
        expected = folder.total or 0
        listing = Listing(ListedItems(expected), ListedItems(expected))
        for ref in self._source.list_items(folder) if refs is None else refs:
            passed_by = self._scope.passes_by(folder, ref, now)
            (listing.old if passed_by else listing.items).put(ref.id, ref.version)
        return listing

    def compare(self, folder: Folder, listing: Listing, now: datetime, *, confirm_all: bool = False) -> Difference:
        """Compare the replica's items of the folder with its listing, after the folder has been read to its end.

        `confirm_all`: every assumed content is downloaded, instead of a day's share.
        """
        issues = self._issues.of_folder(folder.id)
        difference = Difference(unlisted=[id_ for id_ in issues if id_ not in listing.items and id_ not in listing.old])
        for item in self._replica.items(folder.id):
            self.take(item, listing, difference, now, confirm_all=confirm_all)
        self.end(folder, listing, difference)
        difference.missing.extend(self._missing(folder, listing.items))
        return difference

    def take(
        self, item: ReplicaItem, listing: Listing, difference: Difference, now: datetime, *, confirm_all: bool = False
    ) -> None:
        """Compare one item of the replica with its folder's listing, and remove it from the listing."""
        difference.items += 1
        version = listing.items.take(item.source_id)
        older = listing.old.take(item.source_id) if listing.old else None
        version = older if version is None else version
        kept = kept_of(item)
        if version is None and kept.not_tracked:
            self._judge_not_tracked(item, difference, now)
        else:
            most = sys.maxsize if confirm_all else self._limits.confirmed_a_folder
            self._judge(item, kept, version, difference, now, most=most)

    def end(self, folder: Folder, listing: Listing, difference: Difference) -> None:
        """Record what is left of a listing after all of the folder's items were compared."""
        difference.passed_by = len(listing.old)
        difference.not_provided = self._source.not_provided(folder)

    def compare_not_tracked(self, folder_id: str, now: datetime) -> Difference:
        """Check the items of a folder that the source does not list: only settings can remove them."""
        difference = Difference()
        for item in self._replica.items(folder_id):
            difference.items += 1
            self._judge_not_tracked(item, difference, now)
        return difference

    def _judge_not_tracked(self, item: ReplicaItem, difference: Difference, now: datetime) -> None:
        if not self._scope.still_has(item, now):
            difference.out.append(item.source_id)
        elif self._scope.is_outdated(item) and self._scope.level(item.size) is ContentLevel.METADATA:
            difference.stripped.append(item.source_id)

    def _missing(self, folder: Folder, listed: ListedItems) -> Iterator[str]:
        """Yield the ids of the items left in a listing, without those that are gone by now."""
        for ref in self._source.list_items(folder) if listed else ():
            if listed.take(ref.id) is not None and not self._issues.is_of_folder(ref.id, folder.id):
                yield ref.id
            if not listed:
                return

    def _judge(
        self, item: ReplicaItem, kept: Kept, version: int | None, difference: Difference, now: datetime, *, most: int
    ) -> None:
        """Record how one item differs. At most `most` assumed contents are downloaded."""
        if not self._scope.still_has(item, now, kept):
            difference.out.append(item.source_id)
        elif version is None:
            difference.extra.append(item.source_id)
        elif (
            (differing := self._differing(item, kept, version, difference, most)) is not None
            # Checked last, so that the issues are not read for a folder without differences.
            and item.source_id not in self._issues
        ):
            differing.append(item.source_id)

    def _differing(
        self, item: ReplicaItem, kept: Kept, version: int, difference: Difference, most: int
    ) -> list[str] | None:
        """Return the list to add an item to that is in both; None if it does not differ."""
        if version != version_mark(item.version) or kept.not_tracked:
            return difference.changed
        if self._scope.is_outdated(item, kept):
            less = self._scope.level(item.size) is ContentLevel.METADATA
            return difference.stripped if less else difference.changed
        return difference.assumed if kept.assumed and len(difference.assumed) < most else None

    def confirm_gone(self, folder: Folder, ids: Sequence[str]) -> list[str]:
        """Return those of these items that are gone or in another folder by now, according to the source.

        An item that cannot be fetched for another reason becomes an issue. Its retry will show whether it is gone.
        """
        gone: list[str] = []
        for result in self._fetcher.fetch(folder, ids, ContentLevel.METADATA) if ids else ():
            if source_id := _gone_from(folder, result):
                gone.append(source_id)
            elif isinstance(result, ItemFailure):
                self._issues.failed(folder.id, result)
        return gone

    def has_lost(self, folder: Folder, keys: Iterable[str]) -> bool:
        """Whether any of a folder's unconfirmed items is gone, according to the source. Call it after a reading."""
        found = [item for item in map(self._replica.item, keys) if item is not None]
        ids = [item.source_id for item in found if item.folder_id == folder.id and not kept_of(item).not_tracked]
        return bool(self.confirm_gone(folder, ids))

    def plan_repairs(self, folder: Folder, difference: Difference) -> Iterator[Plan]:
        """Yield plans that make the replica equal to the folder. Each has to be written before the next is requested.

        A plan contains both missing and extra items, so that an item whose id changed is not downloaded again.
        """
        assumed = frozenset(difference.assumed)
        arriving = list(batched([*difference.missing, *difference.changed, *assumed], AT_ONCE, strict=False))
        leaving = list(batched(difference.extra, AT_ONCE, strict=False))
        for number in range(max(len(arriving), len(leaving))):
            plan = Plan(metadata_first=True, is_known_to_state=True)
            wanted = list(arriving[number]) if number < len(arriving) else []
            gone = list(leaving[number]) if number < len(leaving) else []
            known = self._replica.find(wanted + gone)
            for item_id in wanted:
                plan.fetch(folder, item_id, known.get(item_id), to_confirm=item_id in assumed)
            for item_id in gone:
                if item_id in known:
                    plan.remove(known[item_id])
            yield plan
        strip = frozenset(difference.stripped)
        for ids in batched(difference.out + difference.stripped, AT_ONCE, strict=False):
            plan = Plan(is_known_to_state=True)
            for item in self._replica.find(list(ids)).values():
                plan.write(change_dropping_content(item) if item.source_id in strip else deletion(item))
            yield plan


def _gone_from(folder: Folder, result: Item | ItemFailure) -> str:
    """Return the item's id if it is certainly not in the folder. Where ids survive moves, a moved item is found."""
    if isinstance(result, ItemFailure):
        return result.item_id if result.reason is Reason.ITEM_GONE else ""
    return result.id if result.folder_id not in ("", folder.id) else ""
