"""What a round comes to: plain data about what to fetch, what to write as it is, and what has left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.replica.port import FeedChange, FeedKind, ReplicaItem
from shared.sources.port import ChangeKind, Folder, Item, SourceChange
from shared.sync.items import change_of_read_flag
from shared.sync.moves import Departure
from shared.sync.scope import LeftOut, Scope


class Group:
    """Actions that belong together: when the last of them is on its page, `done` moves the folder's state on.

    `listed` when the items were on a listing and the folder has been read since, so that its state knows them.
    """

    def __init__(self, done: Callable[["Group"], None] = lambda group: None, *, listed: bool = False) -> None:
        self.listed = listed
        self.arrivals: list[str] = []
        """Keys of the items that arrived with it, or were found to be there."""
        self._done = done
        self._open = 1

    def begin(self) -> None:
        """One more action."""
        self._open += 1

    def end(self) -> None:
        """One action less, or (once) the end of planning."""
        self._open -= 1
        if self._open == 0:
            self._done(self)


@dataclass(eq=False, slots=True)
class Wanted:
    """An item to be fetched. `known` is what the replica has under this id, or had before it was moved."""

    folder: Folder
    id: str
    group: Group
    known: ReplicaItem | None = None
    item: Item | None = None
    """Its metadata, where the page of changes carried it."""
    claimed: Departure | None = None
    """The departure that it turned out to be the other side of."""
    recalled: ReplicaItem | None = None
    """The remembered deletion that it turned out to be."""
    to_confirm: bool = False
    """Whether the stored content is only assumed to be the item's and is to be compared with it."""

    def known_here(self) -> ReplicaItem | None:
        """What the replica has under this id in this folder."""
        return self.known if self.known and _is_there(self.known, self.folder, self.id) else None

    def base(self) -> ReplicaItem | None:
        """What the replica's item will be made from."""
        return self.claimed.item if self.claimed else self.recalled or self.known


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that needs nothing fetched."""

    change: FeedChange
    group: Group


@dataclass(slots=True)
class Plan:
    """One round, resolved against the replica."""

    wanted: list[Wanted] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    """Ids that a folder reported as deleted, each after the folder's: an issue of it there has no object any more."""
    first_sync: bool = False
    """Whether a folder is read for the first time in a first sync: then nothing can have moved from anywhere."""
    look_first: bool = False
    """Whether most of what is new may be out of scope, so that its metadata is looked at before it is downloaded."""
    left_out: Callable[[LeftOut], None] = lambda reason: None
    unreported: bool = False
    """Whether what is found in another folder may have left this one without a word, so that it is deleted at once."""

    def want(
        self,
        folder: Folder,
        item_id: str,
        group: Group,
        known: ReplicaItem | None = None,
        item: Item | None = None,
        *,
        to_confirm: bool = False,
    ) -> None:
        """Fetch an item."""
        group.begin()
        self.wanted.append(Wanted(folder, item_id, group, known, item, to_confirm=to_confirm))

    def write(self, change: FeedChange, group: Group) -> None:
        """Write a change as it is."""
        group.begin()
        self.ready.append(Ready(change, group))

    def let_go(self, item: ReplicaItem, group: Group) -> None:
        """An item has left its folder: deleted, or moved."""
        group.begin()
        self.departures.append(Departure(item, group.end))


@dataclass(eq=False, slots=True)
class Reading:
    """What one folder's pages of this round say: the last word on each item, and the state that follows."""

    folder: Folder
    state: str | None
    last: dict[str, SourceChange] = field(default_factory=dict)
    complete: bool = False
    items: dict[str, Item] = field(default_factory=dict)
    """By id, those whose metadata the pages carried."""
    new: set[str] = field(default_factory=set)
    """Ids that cannot be in the replica yet: they need not be looked up there."""

    def add(self, change: SourceChange) -> None:
        """The next change. A read flag after an upsert adds nothing: what is fetched has it."""
        before = self.last.get(change.item_id)
        if change.kind is ChangeKind.READ_FLAG and before is not None and before.kind is ChangeKind.UPSERT:
            return
        self.last[change.item_id] = change

    def has_moved_on(self, item_id: str) -> None:
        """An item that arrived here has arrived in another folder since."""
        if self.last[item_id].kind is ChangeKind.UPSERT:
            del self.last[item_id]

    @property
    def is_new(self) -> bool:
        """Whether this is a first sync's reading, which brings what was never seen."""
        return bool(self.new) or not self.last

    @property
    def is_without_changes(self) -> bool:
        """Whether the folder was read to its end and there was nothing."""
        return self.complete and not self.last

    def to_look_up(self) -> list[str]:
        """The ids whose item in the replica has to be known."""
        return [id_ for id_, change in self.last.items() if id_ not in self.new or change.kind is not ChangeKind.UPSERT]


def add_reading(plan: Plan, reading: Reading, group: Group, known: Mapping[str, ReplicaItem], scope: Scope) -> None:
    """Resolve a folder's changes against what the replica has.

    Reading the same changes again after a crash comes to nothing: what was done already is recognised here.
    """
    for change in reading.last.values():
        item = known.get(change.item_id)
        match change.kind:
            case ChangeKind.UPSERT:
                if item is not None and is_current(item, reading.folder, change, scope):
                    group.arrivals.append(item.key)
                elif item is not None and (flagged := _read_flag_alone(reading, item, change.item_id, scope)):
                    group.arrivals.append(item.key)
                    plan.write(flagged, group)
                else:
                    carried = reading.items.get(change.item_id)
                    plan.want(reading.folder, change.item_id, group, item, carried)
            case ChangeKind.READ_FLAG:
                if item is not None and item.source_id == change.item_id and _flag_differs(item, change):
                    plan.write(_flagged(item, change), group)
            case ChangeKind.DELETE:
                plan.deleted.append((reading.folder.id, change.item_id))
                if item is not None and _is_there(item, reading.folder, change.item_id):
                    plan.let_go(item, group)


def _read_flag_alone(reading: Reading, item: ReplicaItem, item_id: str, scope: Scope) -> FeedChange | None:
    """The change of the read flag, if the item that a page carried shows that nothing else changed."""
    carried = reading.items.get(item_id)
    if carried is None or not _is_there(item, reading.folder, item_id) or scope.is_outdated(item):
        return None
    return change_of_read_flag(carried, item)


def is_current(item: ReplicaItem, folder: Folder, change: SourceChange, scope: Scope) -> bool:
    """Whether the replica has this version of the item, in this folder, in the wanted extent."""
    if not _is_there(item, folder, change.item_id):
        return False
    return bool(change.version) and item.version == change.version and not scope.is_outdated(item)


def _is_there(item: ReplicaItem, folder: Folder, item_id: str) -> bool:
    """A deletion means the item only where it was: it may have moved on, under this id or another."""
    return item.source_id == item_id and item.folder_id == folder.id


def _flag_differs(item: ReplicaItem, change: SourceChange) -> bool:
    return item.is_read != change.is_read or (bool(change.version) and item.version != change.version)


def _flagged(item: ReplicaItem, change: SourceChange) -> FeedChange:
    flagged = item.having(is_read=change.is_read, version=change.version or item.version)
    return FeedChange(FeedKind.READ_FLAG, flagged)
