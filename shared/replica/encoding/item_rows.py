"""Maps an item to a row of the table `items`, and a page's changes to the fewest row changes with the same effect.

Limits of Azure Table Storage: a property holds 64 KiB (32,768 characters of UTF-16), an entity 1 MiB, a transaction 100
entities and 4 MiB. https://learn.microsoft.com/azure/storage/tables/scalability-targets
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.replica.port import ContentLocation, FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.storage_port import Row, RowChange, Verb
from shared.sources.model import ItemKind
from shared.storage.compact_json import Dump, dump, load

FENCE = "0-fence"
"""Key of the row that every transaction on a mailbox's items replaces under its ETag. No item key contains a zero."""

MAX_TEXT_CHARACTERS = 8_000
_TEXTS = ("subject", "item_class", "move_key")
"""Texts that the mailbox's owner or a sender can make arbitrarily long, and that are not ids to query the source by."""
MAX_INT32 = 2**31 - 1
PART = 32_000
PARTS = 12
"""Most properties that metadata is split over. If it needs more, its largest entries are left out."""
ROWS = 99
BYTES = 3_000_000
"""Most rows and bytes of one transaction besides the fence; the bytes leave space for each row's request envelope."""
ALIASES = 100
"""Most aliases kept of an item that moves repeatedly. Only the oldest ids are dropped, so a lookup fails only for an id
that is this many moves old.

After a thousand moves all aliases would not fit into one property, and a page that does not fit can never be applied.
"""

_READ = {True: "yes", False: "no", None: ""}
_READ_BACK: dict[object, bool | None] = {"yes": True, "no": False}


def fit_to_limits(item: ReplicaItem, dump_metadata: Dump = dump) -> ReplicaItem:
    """Fit the item to the storage limits: cut texts that are too long; list metadata that is too large in `left_out`.

    This happens before the feed page is written, so that the feed and the table agree. A committed page that does not
    fit into the table could never be applied and would stop its mailbox permanently.
    """
    for name in _TEXTS:
        text = getattr(item, name)
        if len(text) > MAX_TEXT_CHARACTERS or not text.isascii():
            item = item.with_changes(**{name: _clean(text)[:MAX_TEXT_CHARACTERS]})
    if item.size > MAX_INT32:
        item = item.with_changes(size=MAX_INT32)
    if len(dump_metadata(item.metadata)) > PART * PARTS:
        item = item.with_changes(metadata=_without_the_largest(item.metadata))
    return item


def _clean(text: str) -> str:
    """Replace unpaired surrogates, which storage would refuse."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


ESSENTIAL = "sync"
"""Metadata that the sync itself needs to apply a changed setting; without it an item could never be left out."""


def _without_the_largest(metadata: Mapping[str, object]) -> dict[str, object]:
    sizes = {name: len(dump(value)) + len(dump(name)) + 4 for name, value in metadata.items()}
    space = PART * PARTS - 2_000
    kept, left_out = {}, []
    for name in sorted(sizes, key=lambda name: (name != ESSENTIAL, sizes[name])):
        space -= sizes[name]
        if space > 0:
            kept[name] = metadata[name]
        else:
            left_out.append(name[:100])
    return kept | {"left_out": left_out[:10]}


def item_to_row(item: ReplicaItem, dump_metadata: Dump = dump) -> dict[str, str | int]:
    """All properties of an item, including empty ones, so that a merge can clear a property."""
    return _row_without_content(item, dump_metadata) | location_properties(item.located)


def _row_without_content(item: ReplicaItem, dump_metadata: Dump) -> dict[str, str | int]:
    metadata = dump_metadata(item.metadata) if item.metadata else ""
    row: dict[str, str | int] = {
        "source_id": item.source_id,
        "version": item.version,
        "folder": item.folder_id,
        "kind": item.kind.value,
        "item_class": item.item_class,
        "search_key": item.move_key,
        "same_content_key": item.content_key,
        "subject": item.subject,
        "size": item.size,
        "is_read": _READ[item.is_read],
        "at": item.at.isoformat() if item.at else "",
        "aliases": ",".join(item.aliases),
        "metadata": metadata[:PART],
        "metadata_parts": -(-len(metadata) // PART),
    }
    if item.left_at is not None:
        row |= {"left_at": item.left_at.isoformat(), "left_folder": item.left_folder_id}
    for number in range(1, -(-len(metadata) // PART)):
        row[f"metadata_{number}"] = metadata[number * PART : (number + 1) * PART]
    return row


def location_properties(located: ContentLocation | None) -> dict[str, str | int]:
    """The properties that hold the location of an item's content."""
    if located is None:
        return {"pack": "", "offset": 0, "length": 0, "form": "", "sha256": ""}
    return {
        "pack": located.pack,
        "offset": located.offset,
        "length": located.length,
        "form": located.form,
        "sha256": located.sha256,
    }


def is_item(row: Row) -> bool:
    """Whether a row is an item, not an alias or the fence."""
    return "source_id" in row


def has_left(row: Row) -> bool:
    """Whether a row is an item that left the mailbox. Only such rows have the property."""
    return bool(row.get("left_at"))


def item_from_row(row: Mapping[str, Any]) -> ReplicaItem:
    """Decode the item of a row."""
    return ReplicaItem(
        key=row["RowKey"],
        source_id=row["source_id"],
        version=row["version"],
        folder_id=row["folder"],
        kind=ItemKind(row["kind"]),
        item_class=row["item_class"],
        move_key=row["search_key"],
        content_key=row["same_content_key"],
        subject=row["subject"],
        size=row["size"],
        is_read=_READ_BACK.get(row["is_read"]),
        at=datetime.fromisoformat(row["at"]) if row["at"] else None,
        metadata=_metadata_from(row),
        located=location_from_row(row),
        aliases=tuple(row["aliases"].split(",")) if row["aliases"] else (),
        left_at=datetime.fromisoformat(row["left_at"]) if has_left(row) else None,
        left_folder_id=row.get("left_folder") or "",
    )


def location_from_row(row: Mapping[str, Any]) -> ContentLocation | None:
    """The content location in a row, or None."""
    if not row.get("pack"):
        return None
    return ContentLocation(row["pack"], row["offset"], row["length"], row["form"], row["sha256"])


def _metadata_from(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = [row["metadata"], *(row[f"metadata_{number}"] for number in range(1, row["metadata_parts"]))]
    return load("".join(parts)) if parts[0] else {}


def with_aliases(item: ReplicaItem) -> ReplicaItem:
    """Add the digest of the item's current source id to its aliases, unless the digest is the item's key."""
    digest = item_key(item.source_id)
    if digest == item.key or digest in item.aliases:
        return item
    return item.with_changes(aliases=(*item.aliases, digest)[-ALIASES:])


def row_changes(changes: Iterable[FeedChange], own: str, dump_metadata: Dump = dump) -> list[RowChange]:
    """The row changes of a page, each row once. `own` is the prefix of the names of the page's own packs.

    The location of an existing item changes only for content in the page's own pack. Otherwise the location in the
    table stays, whatever the change says, because compaction may have moved the content since.
    """
    folded: dict[str, RowChange] = {}
    for change in changes:
        for row in _rows_of(change, own, dump_metadata):
            before = folded.get(row.key)
            folded[row.key] = row if before is None else _merged(before, row)
    return list(folded.values())


def _rows_of(change: FeedChange, own: str, dump_metadata: Dump) -> Iterator[RowChange]:
    item = change.item
    if change.kind is FeedKind.DELETE:
        yield RowChange(Verb.DELETE, item.key)
        yield from (RowChange(Verb.DELETE, alias) for alias in item.aliases)
        return
    yield _row_change(change, own, dump_metadata)
    if change.kind is not FeedKind.READ_FLAG and item.aliases:
        yield RowChange(Verb.MERGE, item.aliases[-1], {"item": item.key})


def _row_change(change: FeedChange, own: str, dump_metadata: Dump) -> RowChange:
    item = change.item
    if change.kind is FeedKind.CREATE:
        # An item that was deleted and returns has no row that keeps its location, so the change's location is used. One
        # that left and returns has a row, which is replaced with all its properties.
        return RowChange(Verb.INSERT, item.key, item_to_row(item, dump_metadata))
    if change.kind is FeedKind.LEAVE or (item.located is not None and not item.located.pack.startswith(own)):
        return RowChange(Verb.MERGE, item.key, _row_without_content(item, dump_metadata))
    if item.located is None and change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG, FeedKind.RESTATE):
        return RowChange(Verb.MERGE, item.key, _row_without_content(item, dump_metadata))
    return RowChange(Verb.REPLACE, item.key, item_to_row(item, dump_metadata))


def _merged(before: RowChange, after: RowChange) -> RowChange:
    """Combine two changes of one row into one."""
    if after.verb is Verb.MERGE and before.verb is not Verb.DELETE:
        return RowChange(before.verb, after.key, {**before.values, **after.values})
    if after.verb is Verb.DELETE:
        return after
    return RowChange(Verb.REPLACE, after.key, after.values)


def unconditional(changes: Iterable[RowChange], present: frozenset[str]) -> list[RowChange]:
    """The same changes for a table in which some may already be applied: none depends on whether its row exists."""
    result = []
    for change in changes:
        if change.verb is Verb.INSERT:
            result.append(RowChange(Verb.REPLACE, change.key, change.values))
        elif change.verb is not Verb.DELETE or change.key in present:
            result.append(change)
    return result


def split_into_transactions(changes: Sequence[RowChange]) -> Iterator[list[RowChange]]:
    """Split the changes into the fewest batches that fit into a transaction with the fence; at least one batch."""
    batch: list[RowChange] = []
    space = BYTES
    for change in changes:
        size = _bytes_of(change)
        if batch and (len(batch) == ROWS or space < size):
            yield batch
            batch, space = [], BYTES
        batch.append(change)
        space -= size
    yield batch


def _bytes_of(change: RowChange) -> int:
    """An upper bound of a row's size in the request: JSON escapes a character to six bytes, a rare one to twelve."""
    texts = [value for value in change.values.values() if isinstance(value, str)]
    return 1_500 + sum((6 if text.isascii() else 12) * len(text) for text in texts)
