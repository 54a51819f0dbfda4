"""Recognising moves: the source reports a deletion here and a new item there, and only a key tells that they are one.

The move key survives a move, but copies share it; so an arrival is paired with one departure at most, with the one of
the same content if there is a choice, and only with one that the source, asked by its id, says is gone. An item that
merely went out of scope is alive: were its key given to a copy, both would have one key when it comes back. Departures
of earlier rounds are remembered for a while in the cursor's notes, so that a move whose other side comes later keeps
its identity too.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.replica.port import Located, ReplicaItem
from shared.sources.port import ContentLevel, Item, ItemKind
from shared.sync.limits import Limits
from shared.sync.scope import Kept, kept_note, kept_of

NOTE = "deleted"
"""In the cursor's notes: the last deletions, oldest first, each a list in the order of `_remember`."""


@dataclass(eq=False, slots=True)
class Departure:
    """An item of the replica that has left its folder, and what to do when it is known where to."""

    item: ReplicaItem
    done: Callable[[], None]


class Departures:
    """The items that left in this round, until an arrival claims them."""

    def __init__(self, departures: Iterable[Departure] = ()) -> None:
        self._by_move_key: dict[str, list[Departure]] = {}
        self._by_key: dict[str, Departure] = {}
        for departure in departures:
            self.add(departure)

    def __bool__(self) -> bool:
        return bool(self._by_move_key)

    def add(self, departure: Departure) -> None:
        """One more that left."""
        self._by_key[departure.item.key] = departure
        if departure.item.move_key:
            self._by_move_key.setdefault(departure.item.move_key, []).append(departure)

    def ids(self, move_keys: Iterable[str]) -> list[str]:
        """The source ids of those that arrivals with these move keys might claim."""
        return [each.item.source_id for key in move_keys for each in self._by_move_key.get(key, [])]

    def claim(self, item: Item, gone: Container[str]) -> Departure | None:
        """The departure that this arrival is the other side of; nobody else gets it. `gone` are ids known to be gone.

        An item that arrives under an id which the replica knows is claimed by key: it answers, so it is not gone.
        """
        leaving = self._by_move_key.get(item.move_key, []) if item.move_key else []
        candidates = [departure for departure in leaving if departure.item.source_id in gone]
        if not candidates:
            return None
        chosen = next((each for each in candidates if same_content(item, each.item)), candidates[0])
        self._take(chosen)
        return chosen

    def claim_key(self, key: str) -> Departure | None:
        """The departure of a certain item of the replica."""
        chosen = self._by_key.get(key)
        if chosen is not None:
            self._take(chosen)
        return chosen

    def left(self) -> list[Departure]:
        """Those nobody claimed: they are deletions."""
        return list(self._by_key.values())

    def _take(self, departure: Departure) -> None:
        del self._by_key[departure.item.key]
        if key := departure.item.move_key:
            self._by_move_key[key].remove(departure)
            if not self._by_move_key[key]:
                del self._by_move_key[key]


def same_content(item: Item, base: ReplicaItem) -> bool:
    """Whether the content stored for `base` is certainly that of `item`."""
    return bool(item.content_key) and item.content_key == base.content_key


class Remembered:
    """Deletions of the last hours. A claimed one comes back as a base without a folder: it is not in the replica."""

    def __init__(self, notes: Mapping[str, object], now: datetime, limits: Limits) -> None:
        self._limits = limits
        self._now = now
        kept = notes.get(NOTE)
        oldest = now - limits.remembered_for
        entries = kept if isinstance(kept, list) else []
        self._entries: list[list[object]] = [one for one in entries if datetime.fromisoformat(str(one[0])) >= oldest]

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, item: ReplicaItem) -> None:
        """Remember one that is being deleted; the oldest is forgotten when there are too many."""
        if item.move_key and self._limits.remembered_deletions:
            self._entries.append(_remember(item, self._now))
            del self._entries[: -self._limits.remembered_deletions]

    def ids(self, move_keys: Container[str]) -> list[str]:
        """The source ids of those that arrivals with these move keys might claim."""
        return [str(entry[4]) for entry in self._entries if entry[1] in move_keys]

    def claim(self, item: Item, gone: Container[str]) -> ReplicaItem | None:
        """The deleted item that this arrival is, if it is one; it is forgotten with that.

        It is the same one, come back under its id, or another one's new place: then that one is among the `gone`.
        """
        if not item.move_key:
            return None
        same = [one for one in self._entries if one[1] == item.move_key and (one[4] == item.id or one[4] in gone)]
        if not same:
            return None
        chosen = next((one for one in same if one[2] == item.content_key), same[-1])
        self._entries.remove(chosen)
        return _recall(chosen)

    def clear(self) -> None:
        """Forget them all."""
        self._entries = []

    def note(self) -> list[list[object]]:
        """What the notes keep."""
        return [list(entry) for entry in self._entries]


def _remember(item: ReplicaItem, now: datetime) -> list[object]:
    lies = item.located
    place = [lies.pack, lies.offset, lies.length, lies.form, lies.sha256] if lies else None
    level = kept_of(item).level
    stamp = now.astimezone(UTC).isoformat(timespec="seconds")
    kept = level.value if level else ""
    return [stamp, item.move_key, item.content_key, item.key, item.source_id, kept, place]


def _recall(entry: list[object]) -> ReplicaItem:
    _, move_key, content_key, key, source_id, level, place = entry
    kept = Kept(ContentLevel(str(level)) if level else None)
    return ReplicaItem(
        key=str(key),
        source_id=str(source_id),
        version="",
        folder_id="",
        kind=ItemKind.OTHER,
        item_class="",
        move_key=str(move_key),
        content_key=str(content_key),
        metadata={"sync": kept_note(kept)},
        located=_place(place),
    )


def _place(place: object) -> Located | None:
    if not isinstance(place, list):
        return None
    pack, offset, length, form, sha256 = place
    return Located(str(pack), int(offset), int(length), str(form), str(sha256))
