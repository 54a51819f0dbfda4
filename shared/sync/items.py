"""From a source's item to the replica's, and what kind of change that is."""

from shared.replica.port import FeedChange, FeedKind, Located, ReplicaItem, item_key
from shared.sources.port import Content, ContentLevel, Item
from shared.sync.scope import Kept, kept_note, kept_of


def change_for(item: Item, level: ContentLevel, base: ReplicaItem | None) -> FeedChange:
    """The change that brings the replica from `base` (None: it has no such item) to `item`, fetched at `level`."""
    content = item.content if level is not ContentLevel.METADATA else None
    return FeedChange(_kind(item, base), _replica_item(item, level, base, None), content)


def change_keeping_content(item: Item, base: ReplicaItem) -> FeedChange:
    """The same for an item whose content is known to be what is stored already."""
    level = kept_of(base).level
    return FeedChange(_kind(item, base), _replica_item(item, level, base, base.located))


def change_of_read_flag(item: Item, base: ReplicaItem) -> FeedChange | None:
    """The change from `base` to `item` if the read flag and the version are all that differs."""
    if not item.content_key or item.content_key != base.content_key or item.is_read == base.is_read:
        return None
    flagged = change_keeping_content(item, base).item
    is_all = flagged.having(is_read=base.is_read, version=base.version) == base
    return FeedChange(FeedKind.READ_FLAG, flagged) if is_all else None


def change_dropping_content(base: ReplicaItem) -> FeedChange:
    """The change that keeps an item's metadata alone."""
    note = kept_note(Kept(ContentLevel.METADATA, kept_of(base).private, kept_of(base).addresses))
    item = base.having(located=None, metadata={**base.metadata, "sync": note})
    return FeedChange(FeedKind.UPDATE, item)


def deletion(base: ReplicaItem) -> FeedChange:
    """The change that takes an item away."""
    return FeedChange(FeedKind.DELETE, base)


def content_of(change: FeedChange) -> Content | None:
    """New content that a change brings."""
    return change.content


def _kind(item: Item, base: ReplicaItem | None) -> FeedKind:
    if base is None or not base.folder_id:
        return FeedKind.CREATE
    moved = base.source_id != item.id or base.folder_id != item.folder_id
    return FeedKind.MOVE if moved else FeedKind.UPDATE


def _replica_item(
    item: Item, level: ContentLevel | None, base: ReplicaItem | None, located: Located | None
) -> ReplicaItem:
    note = kept_note(Kept(level, item.private, item.addresses))
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
        metadata={**item.metadata, "sync": note},
        located=located,
        aliases=base.aliases if base else (),
    )
