"""From a source's item to the replica's, and what kind of change that is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.formats.uids import identified
from shared.replica.port import ContentLocation, FeedChange, FeedKind, ReplicaItem, item_key
from shared.sources.model import Content, ContentLevel, Item
from shared.sync.scope import Kept, kept_note, kept_of


def change_for(item: Item, level: ContentLevel, base: ReplicaItem | None, *, recent: bool = False) -> FeedChange:
    """The change that brings the replica from `base` (None: it has no such item) to `item`, fetched at `level`.

    The item keeps the key of `base`, so a moved item keeps its identity. `recent`: it was modified just before it
    was read, so a further change in the same second may have followed.
    """
    changed = _replica_item(item, Kept(level, item.private, item.addresses, recent), base, None)
    content = content_to_store(item, changed.key) if level is not ContentLevel.METADATA else None
    kind = _kind(item, base)
    if kind is FeedKind.MOVE and content is None and base is not None and base.located is not None:
        kind = FeedKind.UPDATE  # a MOVE without content leaves the stored one where it is (see `row_changes`)
    return FeedChange(kind, changed, content)


def change_keeping_content(item: Item, base: ReplicaItem, *, recent: bool = False, assumed: bool = False) -> FeedChange:
    """The same for an item whose content is stored already, or `assumed` to be."""
    kept = Kept(kept_of(base).level, item.private, item.addresses, recent, assumed and base.located is not None)
    return FeedChange(_kind(item, base), _replica_item(item, kept, base, base.located))


def change_of_read_flag(item: Item, base: ReplicaItem) -> FeedChange | None:
    """The change from `base` to `item` if nothing but the read flag differs; version and modified time follow the flag.

    Setting the flag may have hidden an edit of the same length. So the content is marked as assumed, unless the
    last-modified time proves that nothing was saved (docs/decisions/0011-same-content.md).
    """
    if not item.content_key or item.content_key != base.content_key or item.is_read == base.is_read:
        return None
    if _without_save_marks(item.metadata) != _without_save_marks(base.metadata):
        return None
    kept, modified = kept_of(base), item.metadata.get("modified")
    is_certain = bool(modified) and modified == base.metadata.get("modified") and not kept.recent
    flagged = change_keeping_content(item, base, recent=not is_certain, assumed=kept.assumed or not is_certain).item
    is_only_flag = flagged.with_changes(is_read=base.is_read, version=base.version, metadata=base.metadata) == base
    return FeedChange(FeedKind.READ_FLAG, flagged) if is_only_flag else None


def _without_save_marks(metadata: Mapping[str, object]) -> dict[str, object]:
    """Metadata without what every save changes and without our own note."""
    return {name: value for name, value in metadata.items() if name not in ("modified", "sync")}


def change_dropping_content(base: ReplicaItem) -> FeedChange:
    """The change that keeps an item's metadata alone."""
    kept = kept_of(base)
    note = kept_note(Kept(ContentLevel.METADATA, kept.private, kept.addresses, not_tracked=kept.not_tracked))
    item = base.with_changes(located=None, metadata={**base.metadata, "sync": note})
    return FeedChange(FeedKind.UPDATE, item)


def departure(base: ReplicaItem, now: datetime) -> FeedChange:
    """The change that keeps an item which has left the mailbox, out of every folder."""
    left = base.with_changes(folder_id="", left_at=now, left_folder_id=base.folder_id)
    return FeedChange(FeedKind.LEAVE, left)


def deletion(base: ReplicaItem) -> FeedChange:
    """The change that takes an item away."""
    return FeedChange(FeedKind.DELETE, base)


def content_to_store(item: Item, key: str) -> Content | None:
    """The item's content; a file without a UID of its own gets one of the item's key: copies must not share one."""
    content = item.content
    if content is None or content.form not in ("ics", "vcf"):
        return content
    return replace(content, data=identified(content.data, key))


def arrives(item: Item, base: ReplicaItem | None) -> bool:
    """Whether the item is new, or comes from another folder or under another id."""
    return _kind(item, base) in (FeedKind.CREATE, FeedKind.MOVE)


def _kind(item: Item, base: ReplicaItem | None) -> FeedKind:
    if base is None or not base.folder_id:
        return FeedKind.CREATE
    moved = base.source_id != item.id or base.folder_id != item.folder_id
    return FeedKind.MOVE if moved else FeedKind.UPDATE


def _replica_item(item: Item, kept: Kept, base: ReplicaItem | None, located: ContentLocation | None) -> ReplicaItem:
    return ReplicaItem(
        key=base.key if base else item_key(item.id),
        source_id=item.id,
        version=item.version,
        folder_id=item.folder_id,
        kind=item.kind,
        item_class=item.item_class,
        move_key=item.move_key,
        content_key=item.content_key,
        subject=item.subject,
        size=item.size,
        is_read=item.is_read,
        at=item.at,
        metadata={**item.metadata, "sync": kept_note(kept)},
        located=located,
        aliases=base.aliases if base else (),
    )
