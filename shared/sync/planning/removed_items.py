"""Move detection: the source reports a deletion and a new item, and only the move key shows that they are the same.

The move key survives a move, but copies share it. So an arrival is paired with at most one removed item, preferably
with one of the same content, and only if the source says, when asked by id, that the removed item is gone. An item that
only went out of scope still exists: if a copy got its key, both would have the same key when it comes back. Items
removed in earlier rounds are remembered in the cursor for a while, so that a move is also recognized when the item
arrives later.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.replica.port import ReplicaItem
from shared.sources.model import Item, ItemKind
from shared.sync.limits import Limits
from shared.sync.scope import Kept, kept_note, kept_of
from shared.sync.state.checkpoint import StateCheckpoint
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import RememberedRemoval


@dataclass(eq=False, slots=True)
class RemovedItem:
    """An item of the replica that has left its folder, and the checkpoint that waits until its new place is known."""

    item: ReplicaItem
    checkpoint: StateCheckpoint | None = None


class RemovedItems:
    """The items that were removed in this round, until an arrival claims them."""

    def __init__(self, removed: Iterable[RemovedItem] = ()) -> None:
        self._by_move_key: dict[str, list[RemovedItem]] = {}
        self._by_key: dict[str, RemovedItem] = {}
        for each in removed:
            self.add(each)

    def __bool__(self) -> bool:
        return bool(self._by_move_key)

    def add(self, removed: RemovedItem) -> None:
        """Add a removed item."""
        self._by_key[removed.item.key] = removed
        if removed.item.move_key:
            self._by_move_key.setdefault(removed.item.move_key, []).append(removed)

    def ids(self, move_keys: Iterable[str]) -> list[str]:
        """Return the source ids of the removed items that arrivals with these move keys could claim."""
        return [each.item.source_id for key in move_keys for each in self._by_move_key.get(key, [])]

    def claim(self, item: Item, gone: Container[str]) -> RemovedItem | None:
        """Return the removed item that this arrival was before, and take it out. `gone` are the ids known to be gone.

        An item that arrives under an id that the replica knows is claimed by key instead: it exists, so it is not gone.
        """
        leaving = self._by_move_key.get(item.move_key, []) if item.move_key else []
        candidates = [removed for removed in leaving if removed.item.source_id in gone]
        if not candidates:
            return None
        chosen = next((each for each in candidates if same_content(item, each.item)), candidates[0])
        self._take(chosen)
        return chosen

    def claim_key(self, key: str) -> RemovedItem | None:
        """Return the removal of the replica's item with this key, and take it out."""
        chosen = self._by_key.get(key)
        if chosen is not None:
            self._take(chosen)
        return chosen

    def replace(self, key: str, item: ReplicaItem) -> None:
        """Replace the item with this key, if there is one."""
        removed = self.claim_key(key)
        if removed is not None:
            removed.item = item
            self.add(removed)

    def left(self) -> list[RemovedItem]:
        """Return the items that no arrival claimed: they are deletions."""
        return list(self._by_key.values())

    def _take(self, removed: RemovedItem) -> None:
        del self._by_key[removed.item.key]
        if key := removed.item.move_key:
            self._by_move_key[key].remove(removed)
            if not self._by_move_key[key]:
                del self._by_move_key[key]


def same_content(item: Item, base: ReplicaItem) -> bool:
    """Whether the content stored for `base` is certainly that of `item`."""
    return bool(item.content_key) and item.content_key == base.content_key


class RemovalMemory:
    """The deletions of the last hours. A claimed one becomes a base without a folder, as it is not in the replica."""

    def __init__(self, draft: CursorDraft, now: datetime, limits: Limits) -> None:
        self._draft = draft
        self._limits = limits
        self._now = now
        oldest = now - limits.remembered_for
        self._entries = [one for one in draft.state.removed if one.at >= oldest]

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def items_may_be_kept(self) -> bool:
        """Whether the replica may keep items that left the mailbox."""
        return self._draft.state.keeps_left

    def add(self, item: ReplicaItem) -> None:
        """Remember an item that is being deleted; the oldest is dropped when there are too many."""
        if item.move_key and self._limits.remembered_deletions:
            self._entries.append(_remembered(item, self._now))
            del self._entries[: -self._limits.remembered_deletions]

    def remember(self, item: ReplicaItem) -> None:
        """Remember a deleted item and save this with the page that deletes it."""
        self.add(item)
        self.save()

    def ids(self, move_keys: Container[str]) -> list[str]:
        """Return the source ids of the deletions that arrivals with these move keys could claim."""
        return [entry.source_id for entry in self._entries if entry.move_key in move_keys]

    def claim(self, item: Item, gone: Container[str]) -> ReplicaItem | None:
        """Return the deleted item that this arrival was before, if any, and drop it from the memory.

        Either the item came back under the same id, or it arrived under a new id and the old id is among the `gone`.
        """
        if not item.move_key:
            return None
        same = [
            one
            for one in self._entries
            if one.move_key == item.move_key and (one.source_id == item.id or one.source_id in gone)
        ]
        if not same:
            return None
        chosen = next((one for one in same if one.content_key == item.content_key), same[-1])
        self._entries.remove(chosen)
        return _restored(chosen)

    def clear(self) -> None:
        """Drop all deletions, in the draft too."""
        self._entries = []
        self.save()

    def save(self) -> None:
        """Save the deletions in the cursor with the next page."""
        self._draft.update(removed=tuple(self._entries))


def _remembered(item: ReplicaItem, now: datetime) -> RememberedRemoval:
    return RememberedRemoval(
        at=now.replace(microsecond=0),
        move_key=item.move_key,
        content_key=item.content_key,
        key=item.key,
        source_id=item.source_id,
        level=kept_of(item).level,
        located=item.located,
    )


def _restored(removal: RememberedRemoval) -> ReplicaItem:
    return ReplicaItem(
        key=removal.key,
        source_id=removal.source_id,
        version="",
        folder_id="",
        kind=ItemKind.OTHER,
        item_class="",
        move_key=removal.move_key,
        content_key=removal.content_key,
        metadata={"sync": kept_note(Kept(removal.level))},
        located=removal.located,
    )
