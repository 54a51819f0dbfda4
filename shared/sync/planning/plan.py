"""The plan of a round, as plain data: what to fetch, what to write as it is, and what was removed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.mailboxes.port import ItemIssue
from shared.replica.port import FeedChange, FeedKind, ReplicaItem
from shared.sources.model import ChangeKind, Folder, Item, SourceChange
from shared.sync.planning.item_changes import change_of_read_flag
from shared.sync.planning.removed_items import RemovedItem
from shared.sync.reading.change_reader import FolderChanges
from shared.sync.scope import Scope
from shared.sync.state.checkpoint import StateCheckpoint


@dataclass(eq=False, slots=True)
class FetchRequest:
    """An item to fetch. `known` is the replica's item with this id, or the item before it was moved."""

    folder: Folder
    id: str
    checkpoint: StateCheckpoint | None = None
    known: ReplicaItem | None = None
    item: Item | None = None
    """Its metadata, if the page of changes carried it."""
    seen: Item | None = None
    """Its metadata, if it was fetched before the content in this pass."""
    moved_from: RemovedItem | None = None
    """The removed item that it was before its move."""
    restored_from: ReplicaItem | None = None
    """The remembered removal that it was before."""
    to_confirm: bool = False
    """Whether the stored content is only assumed, and has to be compared with the downloaded content."""
    moved_to: str = ""
    """The folder that the item is in by now, if it moved under the same id."""

    def known_here(self) -> ReplicaItem | None:
        """Return the replica's item with this id in this folder."""
        return self.known if self.known and _is_there(self.known, self.folder, self.id) else None

    def base(self) -> ReplicaItem | None:
        """Return the replica's item that the new one is based on."""
        return self.moved_from.item if self.moved_from else self.restored_from or self.known


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that can be written without a fetch."""

    change: FeedChange
    checkpoint: StateCheckpoint | None = None


@dataclass(slots=True)
class Plan:
    """The plan of one round, resolved against the replica."""

    requests: list[FetchRequest] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    removed: list[RemovedItem] = field(default_factory=list)
    reported_gone: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of folder id and item id that the folder reported as deleted: the item's issue there is resolved."""
    checkpoints: list[StateCheckpoint] = field(default_factory=list)
    first_sync: bool = False
    """Whether all folders are read for the first time in a first sync, so that nothing can be a move."""
    metadata_first: bool = False
    """Whether many new items may be out of scope, so that metadata is fetched before content."""
    is_known_to_state: bool = False
    """Whether the items were listed and the folder was read afterward, so that its state covers them."""
    delete_if_moved: bool = False
    """Whether an item found in another folder is deleted here at once, because its removal may never be reported."""

    def fetch(
        self,
        folder: Folder,
        item_id: str,
        known: ReplicaItem | None = None,
        checkpoint: StateCheckpoint | None = None,
        item: Item | None = None,
        *,
        to_confirm: bool = False,
    ) -> None:
        """Plan to fetch an item."""
        checkpoint = _with_one_more(checkpoint)
        self.requests.append(FetchRequest(folder, item_id, checkpoint, known, item, to_confirm=to_confirm))

    def write(self, change: FeedChange, checkpoint: StateCheckpoint | None = None) -> None:
        """Plan to write a change as it is."""
        self.ready.append(Ready(change, _with_one_more(checkpoint)))

    def remove(self, item: ReplicaItem, checkpoint: StateCheckpoint | None = None) -> None:
        """Plan the removal of an item that left its folder: it was deleted or moved."""
        self.removed.append(RemovedItem(item, _with_one_more(checkpoint)))


def _with_one_more(checkpoint: StateCheckpoint | None) -> StateCheckpoint | None:
    if checkpoint is not None:
        checkpoint.add_action()
    return checkpoint


def plan_round(
    readings: Iterable[FolderChanges], known: Mapping[str, ReplicaItem], scope: Scope, scanned_at: datetime
) -> Plan:
    """Plan one round. `known` has the replica's items that were looked up, by source id.

    Each folder's state advances with the last of its changes.
    """
    readings = list(readings)
    new = all(reading.is_new for reading in readings)
    plan = Plan(first_sync=new, metadata_first=new and bool(scope.mail_days))
    for reading in readings:
        _add_reading(plan, reading, known, scope, scanned_at)
    return plan


def plan_retries(issues: Iterable[ItemIssue], folders: Mapping[str, Folder], known: Mapping[str, ReplicaItem]) -> Plan:
    """Plan to fetch failed items again."""
    plan = Plan(delete_if_moved=True)
    for issue in issues:
        plan.fetch(folders[issue.folder_id], issue.item_id, known.get(issue.item_id))
    return plan


def _add_reading(
    plan: Plan, reading: FolderChanges, known: Mapping[str, ReplicaItem], scope: Scope, scanned_at: datetime
) -> None:
    """Resolve a folder's changes against the replica.

    Changes that are read again after a crash have no effect, because items that are already current are recognized.
    """
    folder = reading.folder
    upserts = sum(change.kind is ChangeKind.UPSERT for change in reading.last.values())
    checkpoint = StateCheckpoint(folder, reading.state, reading.complete, len(reading.last), upserts, scanned_at)
    plan.checkpoints.append(checkpoint)
    for change in reading.last.values():
        item = known.get(change.item_id)
        match change.kind:
            case ChangeKind.UPSERT:
                if item is not None and is_current(item, folder, change, scope):
                    checkpoint.confirmed.append(item.key)
                elif item is not None and (flagged := _read_flag_alone(reading, item, change.item_id, scope)):
                    checkpoint.confirmed.append(item.key)
                    plan.write(flagged, checkpoint)
                else:
                    plan.fetch(folder, change.item_id, item, checkpoint, reading.items.get(change.item_id))
            case ChangeKind.READ_FLAG:
                is_there = item is not None and item.source_id == change.item_id and item.left_at is None
                if item is not None and is_there and _flag_differs(item, change):
                    plan.write(_flagged(item, change), checkpoint)
            case ChangeKind.DELETE:
                plan.reported_gone.append((folder.id, change.item_id))
                if item is not None and _is_there(item, folder, change.item_id):
                    plan.remove(item, checkpoint)


def _read_flag_alone(reading: FolderChanges, item: ReplicaItem, item_id: str, scope: Scope) -> FeedChange | None:
    """Return a change of the read flag if the page carried the item's metadata and nothing else changed."""
    carried = reading.items.get(item_id)
    if carried is None or not _is_there(item, reading.folder, item_id) or scope.is_outdated(item):
        return None
    return change_of_read_flag(carried, item)


def is_current(item: ReplicaItem, folder: Folder, change: SourceChange, scope: Scope) -> bool:
    """Whether the replica has this version of the item, in this folder, at the wanted content level."""
    if not _is_there(item, folder, change.item_id):
        return False
    return bool(change.version) and item.version == change.version and not scope.is_outdated(item)


def _is_there(item: ReplicaItem, folder: Folder, item_id: str) -> bool:
    """Whether the replica's item is in this folder under this id. It may have moved on, and then is not deleted."""
    return item.source_id == item_id and item.folder_id == folder.id


def _flag_differs(item: ReplicaItem, change: SourceChange) -> bool:
    return item.is_read != change.is_read or (bool(change.version) and item.version != change.version)


def _flagged(item: ReplicaItem, change: SourceChange) -> FeedChange:
    flagged = item.with_changes(is_read=change.is_read, version=change.version or item.version)
    return FeedChange(FeedKind.READ_FLAG, flagged)
