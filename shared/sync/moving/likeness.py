"""Decides whether an item of the other source is the replica's, where their versions differ or cannot be compared.

It is the same when nothing that a save changes differs: last-modified time, size, read flag, categories, flag, subject,
and whether it is private. An item without a last-modified time is compared by its move key and message id. So is an
item of another size, since the sources may count bytes differently.

The last-modified time proves nothing if the item was read so soon after it that an edit may have the same one. A
changed read flag moves the time, and a source may report the flag without the time; the two sources may also give
different times. So the origin is asked about these: the item is the same when it still has the version of the replica,
since nobody has saved it until after the other source was read. If the origin does not answer, the item is likely the
same; but where the time differs, another size shows an edit if most are equal.

The daily comparison confirms the contents of items that are likely the same.
"""

from collections.abc import Mapping

from shared.replica.port import ReplicaItem
from shared.sources.model import Item, ItemKind
from shared.sync.moving.origin import Origin
from shared.sync.planning.same_content import Sameness, is_modified_time_doubtful
from shared.sync.scope import kept_of

type Pair = tuple[ReplicaItem, Item]
"""The replica's item and the other source's."""


def likeness_of(
    pairs: Mapping[str, Pair], origin: Origin, folder_id: str, *, are_sizes_comparable: bool
) -> dict[str, Sameness]:
    """Decide about the items of one folder, by the pairs' ids. Those that differ are not in the answer.

    `folder_id` is the folder's id at the origin.
    """
    alike = {id_: pair for id_, pair in pairs.items() if _is_visibly_alike(*pair)}
    asked = {id_: pair for id_, pair in alike.items() if _is_saved_since(*pair) or _may_hide_an_edit(*pair)}
    same = {id_: Sameness.CERTAIN for id_, pair in alike.items() if id_ not in asked and _is_unsaved(*pair)}
    return same | _by_origin(asked, origin, folder_id, are_sizes_comparable=are_sizes_comparable)


def has_comparable_size(stored: ReplicaItem, item: Item) -> bool:
    """Whether the sizes of an item tell whether the sources count alike: nothing was saved, and both give a size."""
    is_unsaved = _have_times(stored, item) and not _is_saved_since(stored, item)
    return bool(item.size) and bool(stored.size) and is_unsaved


def _have_times(stored: ReplicaItem, item: Item) -> bool:
    return bool(stored.metadata.get("modified")) and bool(item.metadata.get("modified"))


def _is_saved_since(stored: ReplicaItem, item: Item) -> bool:
    return _have_times(stored, item) and stored.metadata["modified"] != item.metadata["modified"]


def _may_hide_an_edit(stored: ReplicaItem, item: Item) -> bool:
    """Whether the item was read so soon after it was modified that a later edit may have the same time."""
    return _have_times(stored, item) and is_modified_time_doubtful(stored)


def _is_unsaved(stored: ReplicaItem, item: Item) -> bool:
    """Whether an item with the same last-modified time, or without one, is the same."""
    return (_have_times(stored, item) and _have_equal_size(stored, item)) or _is_identified(stored, item)


def _by_origin(
    pairs: Mapping[str, Pair], origin: Origin, folder_id: str, *, are_sizes_comparable: bool
) -> dict[str, Sameness]:
    """Decide about items of which the last-modified time proves nothing, by what the origin has of them now."""
    if not pairs:
        return {}
    present = origin.metadata(folder_id, [stored.source_id for stored, _ in pairs.values()])
    if present is None:
        likely = (id_ for id_, pair in pairs.items() if _is_likely(*pair, are_sizes_comparable=are_sizes_comparable))
        return dict.fromkeys(likely, Sameness.LIKELY)
    certain = (id_ for id_, pair in pairs.items() if _is_confirmed(present.get(pair[0].source_id), pair[0]))
    return dict.fromkeys(certain, Sameness.CERTAIN)


def _is_likely(stored: ReplicaItem, item: Item, *, are_sizes_comparable: bool) -> bool:
    if not _is_saved_since(stored, item):
        return _is_unsaved(stored, item)
    return _is_identified(stored, item) and (_have_equal_size(stored, item) or not are_sizes_comparable)


def _is_confirmed(present: Item | None, stored: ReplicaItem) -> bool:
    """Whether the origin's item has the replica's version still. It was asked after the other source."""
    return present is not None and present.version == stored.version


def _have_equal_size(stored: ReplicaItem, item: Item) -> bool:
    return not item.size or not stored.size or item.size == stored.size


def _is_identified(stored: ReplicaItem, item: Item) -> bool:
    """Whether the move key and the message id are those of the replica's item."""
    return bool(item.move_key) and _identity(item) == _identity(stored)


def _identity(item: Item | ReplicaItem) -> tuple[object, ...]:
    return item.move_key, item.metadata.get("internet_message_id")


def _is_visibly_alike(stored: ReplicaItem, item: Item) -> bool:
    """Whether nothing differs that a save may change without a new last-modified time.

    Graph does not tell that a task is private, so over Graph a private task is like one that is not.
    """
    was_private = kept_of(stored).private
    is_equal = item.private == was_private or (was_private and item.kind is ItemKind.TASK)
    return is_equal and _visible(stored) == _visible(item)


def _visible(item: Item | ReplicaItem) -> tuple[object, ...]:
    """The metadata that both sources tell."""
    categories = item.metadata.get("categories")
    flag = item.metadata.get("flag") if item.kind is ItemKind.MESSAGE else None
    return item.subject, item.is_read, list(categories) if isinstance(categories, list | tuple) else [], flag
