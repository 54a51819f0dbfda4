"""Executes a plan: fetches items, detects moves, and yields the write of every action."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from itertools import batched

from shared.errors import ActionNeeded, Reason
from shared.replica.port import FeedChange, FeedKind, ReplicaItem
from shared.sources.model import ContentLevel, Folder, Item, ItemFailure
from shared.sync.planning.item_changes import (
    arrives,
    change_for,
    change_keeping_content,
    content_to_store,
    deletion,
    departure,
)
from shared.sync.planning.key_separator import KeySeparator
from shared.sync.planning.move_detector import Fetched, MoveDetector
from shared.sync.planning.plan import FetchRequest, Plan
from shared.sync.planning.removed_items import RemovedItem
from shared.sync.planning.same_content import Sameness, is_recent, sameness
from shared.sync.planning.write import Write, WriteOrigin
from shared.sync.reading.item_fetcher import ItemFetcher
from shared.sync.scope import RANK, Scope, kept_of
from shared.sync.state.checkpoint import StateCheckpoint, reached
from shared.sync.state.issues import Issues
from shared.sync.state.replica_view import ReplicaView

MOVED_ON = "moved_on"
"""The support text of a failure when the item moved under the same id. Its new folder reports it, the old its removal.
"""

AT_ONCE = 500
"""How many items' metadata is fetched together before the items are processed."""


class PlanExecutor:
    """Executes plans; `moves` pairs arrivals with removed items."""

    def __init__(
        self,
        fetcher: ItemFetcher,
        moves: MoveDetector,
        replica: ReplicaView,
        issues: Issues,
        scope: Scope,
        *,
        clock: Callable[[], datetime],
        clocks_apart: timedelta,
    ) -> None:
        self._fetcher = fetcher
        self._moves = moves
        self._separator = KeySeparator(fetcher, moves)
        self._replica = replica
        self._issues = issues
        self._scope = scope
        self._clock = clock
        self._clocks_apart = clocks_apart

    def run(self, plan: Plan) -> Iterator[Write]:
        """Yield the writes of a plan: ready changes, then new and changed items, and deletions last.

        The caller has to add each write to its page before it asks for the next one. It may stop after any write: the
        pages are consistent, and the rest is planned again.
        """
        due = tuple(checkpoint for checkpoint in plan.checkpoints if checkpoint.is_due)
        if due:
            yield Write(WriteOrigin.READY, checkpoints=due)
        for ready in plan.ready:
            yield Write(
                WriteOrigin.READY, ready.change, ready.change.item.folder_id, checkpoints=reached(ready.checkpoint)
            )
        yield from self._separator.separate(plan)
        self._moves.begin_round(plan.removed)
        yield from self._arrivals(plan)
        for folder_id, item_id in plan.reported_gone:
            if resolved := self._issues.resolve_issue(item_id, folder_id):
                yield Write(WriteOrigin.REMOVAL, resolved=resolved)
        for gone in self._moves.deletions():
            change, checkpoints = self.removal(gone.item), reached(gone.checkpoint)
            yield Write(WriteOrigin.REMOVAL, change, gone.item.folder_id, checkpoints=checkpoints)

    def removal(self, item: ReplicaItem) -> FeedChange:
        """The change for an item that has left the mailbox: it is deleted, or kept for the days of the retention."""
        return departure(item, self._clock()) if self._scope.retention_days else deletion(item)

    def _arrivals(self, plan: Plan) -> Iterator[Write]:
        """Fetch metadata first where this may save a download, then the content of the rest."""
        first, in_full = self._split(plan)
        for chunk in batched(first, AT_ONCE, strict=False):
            fetched = self._metadata_of(chunk)
            self._moves.ask_who_is_gone(fetched)
            for request, result in fetched:
                if isinstance(result, ItemFailure):
                    yield from self._failed(plan, request, result)
                elif (write := self._from_metadata(plan, request, result)) is not None:
                    yield write
                else:
                    in_full.append(request)
        unnamed: list[FetchRequest] = []
        with closing(self._fetch(in_full, self._scope.content)) as results:
            for request, result in results:
                if isinstance(result, ItemFailure):
                    yield from self._failed(plan, request, result)
                    unnamed += [request] if self._issues.lacks_name(request.id) else []
                elif (write := self._left_out(request, result)) is not None:
                    yield write
                else:
                    self._moves.claim_own(request)
                    yield self._arrived(plan, request, result)
        self._name_issues(unnamed)

    def _name_issues(self, requests: Sequence[FetchRequest]) -> None:
        """Ask for the metadata of items whose content could not be had, so that their issues have a subject and a date.

        The failures are recorded already, so an error here changes nothing. A mailbox whose passes fail repeatedly is
        not asked more than necessary.
        """
        if self._fetcher.skips_waiting:
            return
        with suppress(ActionNeeded), closing(self._fetch(requests, ContentLevel.METADATA)) as results:
            for _, result in results:
                if isinstance(result, Item):
                    self._issues.name(result)

    def _split(self, plan: Plan) -> tuple[list[FetchRequest], list[FetchRequest]]:
        """Split the requests into those whose metadata is fetched first, and the others."""
        gone = not plan.first_sync and self._moves.may_find_any
        first: list[FetchRequest] = []
        in_full: list[FetchRequest] = []
        for request in plan.requests:
            known = request.known
            saves = self._may_have_content(known) if known else gone or plan.metadata_first
            first_metadata = (saves or request.item is not None) and not request.to_confirm
            (first if first_metadata else in_full).append(request)
        return first, in_full

    def _may_have_content(self, known: ReplicaItem) -> bool:
        """Whether the stored content may still be current, because only a flag or the folder may have changed."""
        return bool(known.content_key) and not self._scope.is_outdated(known)

    def _metadata_of(self, chunk: Sequence[FetchRequest]) -> list[Fetched]:
        """Fetch the metadata of a chunk. If this is interrupted, the failures found so far are recorded anyway: a pass
        that isolates failures has time for a few only, and the next pass must not start with the same ones."""
        fetched: list[Fetched] = []
        try:
            with closing(self._fetch(chunk, ContentLevel.METADATA)) as results:
                fetched.extend(results)
        except ActionNeeded:
            for request, result in fetched:
                if isinstance(result, ItemFailure) and result.support != MOVED_ON:
                    self._issues.failed(request.folder.id, result)
            raise
        return fetched

    def _fetch(self, requests: Sequence[FetchRequest], level: ContentLevel) -> Generator[Fetched]:
        """Fetch folder by folder, in the given order. Metadata that a page of changes carried is not requested."""
        by_folder: dict[str, dict[str, FetchRequest]] = {}
        for each in requests:
            by_folder.setdefault(each.folder.id, {})[each.id] = each
        for asked in by_folder.values():
            folder: Folder = next(iter(asked.values())).folder
            carried = {id_: each.item for id_, each in asked.items() if each.item is not None}
            ids: Iterable[str] = asked
            if level is ContentLevel.METADATA and carried:
                yield from ((asked[id_], item) for id_, item in carried.items())
                ids = [id_ for id_ in asked if id_ not in carried]
            for result in self._fetcher.fetch(folder, ids, level, carried):
                if isinstance(result, ItemFailure):
                    yield asked[result.item_id], result
                elif result.folder_id not in ("", folder.id):
                    asked[result.id].moved_to = result.folder_id
                    yield asked[result.id], ItemFailure(result.id, Reason.ITEM_GONE, MOVED_ON)
                else:
                    result.folder_id = folder.id
                    yield asked[result.id], result

    def _from_metadata(self, plan: Plan, request: FetchRequest, item: Item) -> Write | None:
        """Return the write of an item whose metadata is enough; None if its content has to be fetched."""
        request.seen = item
        if (write := self._left_out(request, item)) is not None:
            return write
        self._moves.claim(request, item)
        if self._has_content(item, request.base()) or self._scope.level(item.size) is ContentLevel.METADATA:
            return self._arrived(plan, request, item)
        return None

    def _has_content(self, item: Item, base: ReplicaItem | None) -> bool:
        """Whether the stored content is the item's, at the wanted content level."""
        level = self._scope.level(item.size)
        if base is None or kept_of(base).level not in (level, None):
            return False
        return sameness(item, base) is not Sameness.NONE

    def _left_out(self, request: FetchRequest, item: Item) -> Write | None:
        """Return the write of an item that is out of scope, which deletes it if it was there; None if in scope."""
        reason = self._scope.leaves_out(item, self._clock())
        if reason is None:
            return None
        self._moves.unclaim(request)
        resolved = self._issues.resolve_issue(item.id)
        if request.known is None:
            return Write(WriteOrigin.LEFT_OUT, None, "", resolved, reached(request.checkpoint), left_out=reason)
        left = self._moves.take(request.known.key)
        checkpoints = reached(left.checkpoint if left else None, request.checkpoint)
        before = request.known.folder_id
        return Write(WriteOrigin.LEFT_OUT, deletion(request.known), before, resolved, checkpoints, left_out=reason)

    def _arrived(self, plan: Plan, request: FetchRequest, item: Item) -> Write:
        """Return the write of an item; it is empty if the replica already has everything, or has more content."""
        if item.lacking is not None:
            self._issues.failed(request.folder.id, item.lacking, item)
        base = request.base()
        change, origin = self._change(item, base, to_confirm=request.to_confirm)
        if change is None:
            return Write(origin, checkpoints=self._reached(request))
        if request.restored_from is not None:
            self._moves.keep_memory()
        resolved = self._issues.resolve_issue(request.id) if item.lacking is None else ()
        if base is not None and _says_nothing(change, base):
            return Write(origin, resolved=resolved, checkpoints=self._reached(request))
        is_unconfirmed = arrives(item, base) and not plan.is_known_to_state
        if is_unconfirmed and request.checkpoint is not None:
            request.checkpoint.confirmed.append(change.item.key)
        before = base.folder_id if base else ""
        return Write(origin, change, before, resolved, self._reached(request), is_unconfirmed)

    def _change(
        self, item: Item, base: ReplicaItem | None, *, to_confirm: bool
    ) -> tuple[FeedChange | None, WriteOrigin]:
        """Decide between the stored and the downloaded content; None if the replica has more than was fetched."""
        level, recent = self._level(item), is_recent(item, self._clock(), self._clocks_apart)
        if base is None:
            return change_for(item, level, None, recent=recent), WriteOrigin.ARRIVAL
        if item.lacking is not None and _has_more(base, item, level):
            return None, WriteOrigin.FAILURE
        if (to_confirm or item.lacking is not None) and self._is_stored(item, level, base):
            return change_keeping_content(item, base, recent=recent), WriteOrigin.CONFIRMATION
        if not to_confirm and self._has_content(item, base):
            assumed = kept_of(base).assumed or sameness(item, base) is Sameness.LIKELY
            return change_keeping_content(item, base, recent=recent, assumed=assumed), WriteOrigin.ARRIVAL
        return change_for(item, level, base, recent=recent), WriteOrigin.ARRIVAL

    def _level(self, item: Item) -> ContentLevel:
        """Return the content level to keep: for an incomplete item its body, until the rest can be fetched."""
        return ContentLevel.BODY if item.lacking is not None else self._scope.level(item.size)

    def _is_stored(self, item: Item, level: ContentLevel, base: ReplicaItem) -> bool:
        """Whether the downloaded content equals the stored content byte for byte."""
        content, located = content_to_store(item, base.key), base.located
        if content is None or located is None or kept_of(base).level not in (level, None):
            return False
        is_equal = located.form == content.form and located.sha256 == hashlib.sha256(content.data).hexdigest()
        return is_equal and self._replica.has_stored(base)

    def _reached(self, request: FetchRequest) -> tuple[StateCheckpoint, ...]:
        return reached(request.moved_from.checkpoint if request.moved_from else None, request.checkpoint)

    def _failed(self, plan: Plan, request: FetchRequest, failure: ItemFailure) -> Iterator[Write]:
        """Record a failure. The cursor advances anyway, and a removal that the item had claimed becomes a deletion."""
        has_moved = failure.support == MOVED_ON
        if has_moved and plan.delete_if_moved:
            # The new folder may have reported the item, or been compared, while the item could not be fetched.
            self._issues.look_again(request.moved_to)
            if item := request.known_here():
                plan.reported_gone.append((request.folder.id, request.id))
                self._moves.add(RemovedItem(item, request.checkpoint))
                return
        resolved: tuple[str, ...] = ()
        if has_moved:
            resolved = self._issues.resolve_issue(request.id, request.folder.id)
        else:
            self._issues.failed(request.folder.id, failure, request.seen or request.item or request.known)
        self._moves.unclaim(request)
        yield Write(WriteOrigin.FAILURE, resolved=resolved, checkpoints=reached(request.checkpoint))


def _has_more(base: ReplicaItem, item: Item, level: ContentLevel) -> bool:
    """Whether the replica has more content of this version than the fetch returned."""
    kept = kept_of(base).level
    is_same = (base.source_id, base.folder_id, base.version) == (item.id, item.folder_id, item.version)
    return is_same and kept is not None and RANK[kept] > RANK[level]


def _says_nothing(change: FeedChange, base: ReplicaItem) -> bool:
    """Whether a change changes nothing: neither the content nor anything else."""
    return change.kind is FeedKind.UPDATE and change.content is None and change.item == base
