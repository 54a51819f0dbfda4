"""An item as a row of the table `items`, and a page's changes as the fewest row changes that do the same.

Azure Table Storage: a property holds 64 KiB (32,768 characters of UTF-16), an entity 1 MiB, a transaction 100
entities and 4 MiB. https://learn.microsoft.com/azure/storage/tables/scalability-targets
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.replica.port import ContentLocation, FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.storage_port import Row, RowChange, Verb
from shared.sources.port import ItemKind

FENCE = "0-fence"
"""The row that every transaction on a mailbox's items changes under its ETag. Item keys have no zero in them."""

MAX_TEXT_CHARACTERS = 8_000
_TEXTS = ("subject", "item_class", "move_key")
"""What a mailbox's owner or whoever writes to it can make as long as they like, and is no id to ask the source by."""
MAX_INT32 = 2**31 - 1
PART = 32_000
PARTS = 12
"""Metadata is split over so many properties at most; beyond that the largest of it is left out."""
ROWS = 99
BYTES = 3_000_000
"""What one transaction may hold beside the fence, with room for the envelope of each row."""
ALIASES = 100
"""Of an item that is moved again and again the newest are kept: who asks for an older id has slept for as many moves.

All of them would not fit into a property after a thousand moves, and a page that does not fit can never be applied.
"""

_READ = {True: "yes", False: "no", None: ""}
_READ_BACK: dict[object, bool | None] = {"yes": True, "no": False}


def fit_to_limits(item: ReplicaItem) -> ReplicaItem:
    """The item as storage can hold it: overlong texts cut, metadata that is too large named in `left_out`.

    Applied before the feed page is written, so that the feed and the table say the same. A page that is committed and
    does not fit into the table could never be applied, and would stop its mailbox for good.
    """
    for name in _TEXTS:
        text = getattr(item, name)
        if len(text) > MAX_TEXT_CHARACTERS or not text.isascii():
            item = item.with_changes(**{name: _clean(text)[:MAX_TEXT_CHARACTERS]})
    if item.size > MAX_INT32:
        item = item.with_changes(size=MAX_INT32)
    if len(_dump(item.metadata)) > PART * PARTS:
        item = item.with_changes(metadata=_without_the_largest(item.metadata))
    return item


def _clean(text: str) -> str:
    """Half a surrogate pair is no character: storage would refuse it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


ESSENTIAL = "sync"
"""What the sync itself keeps with an item, to apply a changed setting: without it the item could never be left out."""


def _without_the_largest(metadata: Mapping[str, object]) -> dict[str, object]:
    sizes = {name: len(_dump(value)) + len(_dump(name)) + 4 for name, value in metadata.items()}
    room = PART * PARTS - 2_000
    kept, left_out = {}, []
    for name in sorted(sizes, key=lambda name: (name != ESSENTIAL, sizes[name])):
        room -= sizes[name]
        if room > 0:
            kept[name] = metadata[name]
        else:
            left_out.append(name[:100])
    return kept | {"left_out": left_out[:10]}


def item_to_row(item: ReplicaItem) -> dict[str, str | int]:
    """All properties of an item, the empty ones too: merging must be able to empty a property."""
    return _row_without_content(item) | location_properties(item.located)


def _row_without_content(item: ReplicaItem) -> dict[str, str | int]:
    metadata = _dump(item.metadata) if item.metadata else ""
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
    for number in range(1, -(-len(metadata) // PART)):
        row[f"metadata_{number}"] = metadata[number * PART : (number + 1) * PART]
    return row


def location_properties(located: ContentLocation | None) -> dict[str, str | int]:
    """The properties that say where an item's content lies."""
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


def item_from_row(row: Mapping[str, Any]) -> ReplicaItem:
    """The item that a row holds."""
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
    )


def location_from_row(row: Mapping[str, Any]) -> ContentLocation | None:
    """Where a row says that the content lies."""
    if not row.get("pack"):
        return None
    return ContentLocation(row["pack"], row["offset"], row["length"], row["form"], row["sha256"])


def _metadata_from(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = [row["metadata"], *(row[f"metadata_{number}"] for number in range(1, row["metadata_parts"]))]
    return json.loads("".join(parts)) if parts[0] else {}


def with_aliases(item: ReplicaItem) -> ReplicaItem:
    """The item with the digest of its present source id among its aliases, where that is not its key."""
    digest = item_key(item.source_id)
    if digest == item.key or digest in item.aliases:
        return item
    return item.with_changes(aliases=(*item.aliases, digest)[-ALIASES:])


def row_changes(changes: Iterable[FeedChange], own: str) -> list[RowChange]:
    """What a page does to the table, each row once. `own` is what the names of the page's own packs begin with.

    Only content in the page's own pack moves the location of an item that has a row; otherwise the location in the
    table stays, whatever the change believes: compaction may have moved it meanwhile.
    """
    folded: dict[str, RowChange] = {}
    for change in changes:
        for row in _rows_of(change, own):
            before = folded.get(row.key)
            folded[row.key] = row if before is None else _merged(before, row)
    return list(folded.values())


def _rows_of(change: FeedChange, own: str) -> Iterator[RowChange]:
    item = change.item
    if change.kind is FeedKind.DELETE:
        yield RowChange(Verb.DELETE, item.key)
        yield from (RowChange(Verb.DELETE, alias) for alias in item.aliases)
        return
    yield _row_change(change, own)
    if change.kind is not FeedKind.READ_FLAG and item.aliases:
        yield RowChange(Verb.MERGE, item.aliases[-1], {"item": item.key})


def _row_change(change: FeedChange, own: str) -> RowChange:
    item = change.item
    if change.kind is FeedKind.CREATE:
        # What was deleted and comes back has no row to keep its location: here the change's own is all there is.
        return RowChange(Verb.INSERT, item.key, item_to_row(item))
    if item.located is not None and not item.located.pack.startswith(own):
        return RowChange(Verb.MERGE, item.key, _row_without_content(item))
    if item.located is None and change.kind in (FeedKind.MOVE, FeedKind.READ_FLAG):
        return RowChange(Verb.MERGE, item.key, _row_without_content(item))
    return RowChange(Verb.REPLACE, item.key, item_to_row(item))


def _merged(before: RowChange, after: RowChange) -> RowChange:
    """Two changes of one row as one."""
    if after.verb is Verb.MERGE and before.verb is not Verb.DELETE:
        return RowChange(before.verb, after.key, {**before.values, **after.values})
    if after.verb is Verb.DELETE:
        return after
    return RowChange(Verb.REPLACE, after.key, after.values)


def unconditional(changes: Iterable[RowChange], present: frozenset[str]) -> list[RowChange]:
    """The same changes for a table in which some may have taken effect: nothing expects a row to be there or not."""
    sure = []
    for change in changes:
        if change.verb is Verb.INSERT:
            sure.append(RowChange(Verb.REPLACE, change.key, change.values))
        elif change.verb is not Verb.DELETE or change.key in present:
            sure.append(change)
    return sure


def split_into_transactions(changes: Sequence[RowChange]) -> Iterator[list[RowChange]]:
    """The changes in the fewest runs that fit into a transaction beside the fence; at least one, be it empty."""
    run: list[RowChange] = []
    room = BYTES
    for change in changes:
        size = _bytes_of(change)
        if run and (len(run) == ROWS or room < size):
            yield run
            run, room = [], BYTES
        run.append(change)
        room -= size
    yield run


def _bytes_of(change: RowChange) -> int:
    """An upper bound of what a row takes on the wire: JSON escapes a character to six bytes, a rare one to twelve."""
    texts = [value for value in change.values.values() if isinstance(value, str)]
    return 1_500 + sum((6 if text.isascii() else 12) * len(text) for text in texts)


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
