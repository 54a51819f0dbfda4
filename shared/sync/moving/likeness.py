"""Decides whether an item of the other source is the replica's, where their versions differ or cannot be compared.

It is the same when nothing that a save changes differs: last-modified time, size, read flag, categories, flag and
subject. An item without a last-modified time is compared by its move key and message id.

A changed read flag moves the last-modified time, and a source may report the flag without the time. So where only the
time differs, the origin is asked: the item is the same when it has the version of the replica and the time of the other
source. If the origin does not answer, the item is likely the same, and the daily comparison confirms its content.
"""

from collections.abc import Mapping

from shared.replica.port import ReplicaItem
from shared.sources.port import Item, ItemKind
from shared.sync.moving.origin import Origin
from shared.sync.planning.same_content import Sameness


def likeness_of(
    pairs: Mapping[str, tuple[ReplicaItem | None, Item | None]], origin: Origin, folder_id: str
) -> dict[str, Sameness]:
    """Decide about the items of one folder that differ in nothing but the last-modified time; by the pairs' ids.

    `folder_id` is the folder's id at the origin. Pairs that are not in the answer differ in something else.
    """
    like = {id_: (base, item) for id_, (base, item) in pairs.items() if base and item and _is_like(item, base)}
    if not like:
        return {}
    present = origin.metadata(folder_id, [base.source_id for base, _ in like.values()])
    if present is None:
        return dict.fromkeys(like, Sameness.LIKELY)
    certain = (id_ for id_, (base, item) in like.items() if _is_confirmed(present.get(base.source_id), base, item))
    return dict.fromkeys(certain, Sameness.CERTAIN)


def is_same(item: Item, stored: ReplicaItem) -> bool:
    """Whether an item equals the replica's, although the versions differ."""
    there, here = item.metadata.get("modified"), stored.metadata.get("modified")
    if not there or not here:
        return bool(item.move_key) and _identity(item) == _identity(stored) and _visible(item) == _visible(stored)
    return there == here and _have_equal_size(item, stored) and _visible(item) == _visible(stored)


def _is_like(item: Item, stored: ReplicaItem) -> bool:
    """Whether an item has another last-modified time than the replica's, and nothing else that shows a change."""
    there, here = item.metadata.get("modified"), stored.metadata.get("modified")
    is_moved = bool(there) and bool(here) and there != here
    is_identified = bool(item.move_key) and _identity(item) == _identity(stored)
    return is_moved and is_identified and _have_equal_size(item, stored) and _visible(item) == _visible(stored)


def _is_confirmed(present: Item | None, stored: ReplicaItem, item: Item) -> bool:
    """Whether the origin's item has the replica's version, saved at the time that the other source gives."""
    return (
        present is not None
        and present.version == stored.version
        and present.metadata.get("modified") == item.metadata.get("modified")
    )


def _have_equal_size(item: Item, stored: ReplicaItem) -> bool:
    return not item.size or not stored.size or item.size == stored.size


def _identity(item: Item | ReplicaItem) -> tuple[object, ...]:
    return item.move_key, item.metadata.get("internet_message_id")


def _visible(item: Item | ReplicaItem) -> tuple[object, ...]:
    """The metadata that a save may change without a new last-modified time."""
    categories = item.metadata.get("categories")
    flag = item.metadata.get("flag") if item.kind is ItemKind.MESSAGE else None
    return item.subject, item.is_read, list(categories) if isinstance(categories, list | tuple) else [], flag
