"""Decides whether the stored content is still the item's content: docs/decisions/0011-same-content.md.

A source distinguishes versions, not contents. Two mistakes are possible: downloading content that is already stored,
which costs a little, and keeping content that was edited, which makes the copy wrong. In doubt the item is downloaded.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from shared.replica.port import ReplicaItem
from shared.sources.model import Item
from shared.sync.scope import kept_of

EXPLAINING = frozenset({"categories", "flag"})
"""Metadata that changes an item's version and is no part of its MIME."""

_NO_EVIDENCE = EXPLAINING | {"modified", "sync", "created", "conversation_id"}
"""Metadata that does not indicate an edit: labels, what every change or the server itself sets, and our own note."""

_MIME = "eml"
"""The form of MIME content. Every other form contains the categories, so changing them changes the content."""


class Sameness(Enum):
    """How certain it is that the stored content is the item's."""

    CERTAIN = "certain"
    """Nothing was saved since the content was read: the last-modified time is the same."""
    LIKELY = "likely"
    """A move, a category or a follow-up flag explains the new version, yet could hide an edit of the same length."""
    NONE = "none"
    """Nothing explains the new version, or something else changed: it has to be downloaded."""


def sameness(item: Item, base: ReplicaItem) -> Sameness:
    """Compare an item's metadata, as just read, with the replica's.

    A changed read flag does not explain a new version, because a source reports it separately, without an upsert.
    """
    if not item.content_key or item.content_key != base.content_key:
        return Sameness.NONE
    if _is_unmodified(item, base):
        return Sameness.CERTAIN
    is_restored = not base.folder_id
    if not is_restored and _evidence(item.metadata) != _evidence(base.metadata):
        return Sameness.NONE
    has_moved = is_restored or base.source_id != item.id or base.folder_id != item.folder_id
    return Sameness.LIKELY if has_moved or _has_other_labels(item, base) else Sameness.NONE


def is_recent(item: Item, now: datetime, within: timedelta) -> bool:
    """Whether an item was modified so shortly before it was read that another change may have the same time.

    `within` is how far the source's clock and ours may be apart. An item without a time counts as recent.
    """
    try:
        return datetime.fromisoformat(str(item.metadata.get("modified"))) > now - within
    except (ValueError, TypeError):
        return True


def _is_unmodified(item: Item, base: ReplicaItem) -> bool:
    """Whether nothing was saved since. Times are in whole seconds, so an edit in the second of the read is not seen."""
    return item.metadata.get("modified") == base.metadata.get("modified") and not is_modified_time_doubtful(base)


def is_modified_time_doubtful(base: ReplicaItem) -> bool:
    """Whether the replica's item may have been edited since without another last-modified time."""
    return not base.metadata.get("modified") or kept_of(base).recent


def _has_other_labels(item: Item, base: ReplicaItem) -> bool:
    """Whether categories or flag differ, for an item whose stored content does not contain them."""
    if base.located is None or base.located.form != _MIME:
        return False
    return any(item.metadata.get(name) != base.metadata.get(name) for name in EXPLAINING)


def _evidence(metadata: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in metadata.items() if name not in _NO_EVIDENCE}
