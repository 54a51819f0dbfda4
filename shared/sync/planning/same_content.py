"""Whether the content that the replica has is still an item's: docs/decisions/0011-same-content.md.

A source tells versions apart, not contents. Both mistakes are possible: to download what is there already, which costs
a little, and to keep what has been edited, which makes the copy wrong. In doubt this module downloads.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from shared.replica.port import ReplicaItem
from shared.sources.port import Item
from shared.sync.scope import kept_of

EXPLAINING = frozenset({"categories", "flag"})
"""Metadata that changes an item's version and is no part of its MIME."""

_NO_EVIDENCE = EXPLAINING | {"modified", "sync", "created", "conversation_id"}
"""Metadata that says nothing of an edit: what explains, what every change or the server itself sets, our own note."""

_MIME = "eml"
"""Every other form repeats the categories, so that a change of them changes the content."""


class Sameness(Enum):
    """How sure it is that the stored content is the item's."""

    CERTAIN = "certain"
    """Nothing was saved since the content was read: the last-modified time is the same."""
    LIKELY = "likely"
    """A move, a category or a follow-up flag explains the new version, yet could hide an edit of the same length."""
    NONE = "none"
    """Nothing explains the new version, or something else changed: it has to be downloaded."""


def sameness(item: Item, base: ReplicaItem) -> Sameness:
    """Compare an item's metadata, as just read, with what the replica has of it.

    That the read flag changed explains nothing: a source reports such a change as one, without an upsert.
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
    """Whether an item was modified so shortly before it was read that another change may bear the same time.

    `within` is how far the source's clock and ours may be apart. An item without a time counts as recent.
    """
    try:
        return datetime.fromisoformat(str(item.metadata.get("modified"))) > now - within
    except (ValueError, TypeError):
        return True


def _is_unmodified(item: Item, base: ReplicaItem) -> bool:
    """Whether nothing was saved since. Times are in seconds: an edit in the second that was read would not show."""
    modified = item.metadata.get("modified")
    return bool(modified) and modified == base.metadata.get("modified") and not kept_of(base).recent


def _has_other_labels(item: Item, base: ReplicaItem) -> bool:
    """Whether categories or flag differ, of an item whose stored content does not repeat them."""
    if base.located is None or base.located.form != _MIME:
        return False
    return any(item.metadata.get(name) != base.metadata.get(name) for name in EXPLAINING)


def _evidence(metadata: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in metadata.items() if name not in _NO_EVIDENCE}
