"""A feed page as NDJSON: the first line holds the cursor that follows, each further line one change, in order.

A line's `content` is in this page's own pack. `kept` content was stored earlier and is where the item table says. A
`redacted` line is about an item that has been deleted since: it still shows that the item existed, but its metadata is
removed (docs/decisions/0005-packs-and-deletion.md).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.replica.encoding.pack import prefix
from shared.replica.port import ContentLocation, FeedChange, FeedKind, FeedPage, ReplicaItem
from shared.sources.model import ItemKind
from shared.storage.compact_json import Dump, dump, load

_TEXTS = {
    "source_id": "source_id",
    "version": "version",
    "folder_id": "folder_id",
    "item_class": "item_class",
    "search_key": "move_key",
    "same_content_key": "content_key",
    "subject": "subject",
    "left_folder": "left_folder_id",
}
"""Maps the names in a line to the fields of an item."""
_OPAQUE = (
    *("change", "key", "source_id", "version", "folder_id", "kind", "item_class", "aliases"),
    *("left_at", "left_folder"),
)
"""What a redacted line keeps: ids, kinds, and when the item left; nothing that a person wrote."""


def page_name(mailbox_id: str, sequence: int) -> str:
    """The blob name of a page. The number has ten digits, so that names sort like numbers."""
    return f"{mailbox_id}/{sequence:010d}.ndjson"


def sequence_of(name: str) -> int:
    """The number of a page, from its blob name."""
    return int(name.rpartition("/")[2].partition(".")[0])


def encode(mailbox_id: str, step: Mapping[str, Any], changes: Sequence[FeedChange]) -> bytes:
    """Encode a page. New contents are already in this page's pack."""
    lines = encode_changes(changes, prefix(mailbox_id, step["sequence"]))
    return with_first_line(mailbox_id, step, len(changes), lines)


def encode_changes(changes: Sequence[FeedChange], own: str, dump_metadata: Dump = dump) -> bytes:
    """Encode the lines of a page after the first one. `own` is the prefix of the names of the page's packs."""
    return b"".join(_written(_line(change, own), change.item.metadata, dump_metadata) + b"\n" for change in changes)


def with_first_line(mailbox_id: str, step: Mapping[str, Any], changes: int, lines: bytes) -> bytes:
    """A whole page: the first line with the cursor, and the lines of so many changes."""
    return _dump({"mailbox": mailbox_id, "changes": changes} | dict(step)) + b"\n" + lines


def decode(data: bytes) -> tuple[dict[str, Any], tuple[FeedChange, ...]]:
    """Decode a page's first line and its changes."""
    first, *lines = data.splitlines()
    return load(first), tuple(decode_line(line) for line in lines)


def decode_line(line: bytes) -> FeedChange:
    """Decode one change of a page."""
    return _change(load(line))


def is_redacted(line: bytes) -> bool:
    """Whether a line's item was deleted since. Within a text of the line, the quotes would be escaped."""
    return line.endswith(b',"redacted":true}')


def first_line(data: bytes) -> dict[str, Any]:
    """Decode only a page's first line."""
    line: dict[str, Any] = load(data.partition(b"\n")[0])
    return line


def replay(pages: Iterable[FeedPage]) -> dict[str, ReplicaItem]:
    """The item table that results from replaying the feed, by key.

    Content locations are left out, because only the item table knows where contents are now.
    """
    table: dict[str, ReplicaItem] = {}
    for page in pages:
        for change in page.changes:
            if change.kind is FeedKind.DELETE:
                table.pop(change.item.key, None)
            else:
                table[change.item.key] = change.item.with_changes(located=None)
    return table


def redact(data: bytes, live: Collection[str]) -> bytes:
    """Remove personal data from every line whose item key is not in `live`. Repeating it changes nothing.

    Replaying still gives the same item table, because every item that is not live ends with a deletion.
    """
    first, *lines = data.splitlines()
    return b"\n".join([first, *(_redacted(line, live) for line in lines)]) + b"\n"


def deletes(data: bytes) -> bool:
    """Whether the page deletes anything. May be true for a page that only contains the text, but is never wrongly
    false.
    """
    return b'"change":"delete"' in data


def _redacted(line: bytes, live: Collection[str]) -> bytes:
    values = load(line)
    if values["key"] in live or "redacted" in values:
        return line
    return _dump({name: values[name] for name in _OPAQUE if name in values} | {"redacted": True})


def _dump(values: Mapping[str, Any]) -> bytes:
    """One line."""
    return dump(values).encode("ascii")


_METADATA = '"metadata":0'
"""The place of the metadata in a line. A text cannot contain this, because its quotes are escaped."""


def _written(line: Mapping[str, Any], metadata: object, dump_metadata: Dump) -> bytes:
    """One line with the metadata's text in its place."""
    text = dump(line)
    return (text.replace(_METADATA, f'"metadata":{dump_metadata(metadata)}', 1) if metadata else text).encode("ascii")


def _line(change: FeedChange, own: str) -> dict[str, Any]:
    item = change.item
    line: dict[str, Any] = {"change": change.kind.value, "key": item.key, "kind": item.kind.value}
    for name, field in _TEXTS.items():
        if value := getattr(item, field):
            line[name] = value
    if item.size:
        line["size"] = item.size
    if item.is_read is not None:
        line["is_read"] = item.is_read
    if item.at is not None:
        line["at"] = item.at.isoformat()
    if item.left_at is not None:
        line["left_at"] = item.left_at.isoformat()
    if item.metadata:
        line["metadata"] = 0
    if item.aliases:
        line["aliases"] = item.aliases
    if item.located is not None:
        line["content" if item.located.pack.startswith(own) else "kept"] = _located_to_json(item.located)
    return line


def _change(line: Mapping[str, Any]) -> FeedChange:
    at, left_at = line.get("at"), line.get("left_at")
    located = line.get("content") or line.get("kept")
    item = ReplicaItem(
        key=line["key"],
        source_id=line.get("source_id", ""),
        version=line.get("version", ""),
        folder_id=line.get("folder_id", ""),
        kind=ItemKind(line["kind"]),
        item_class=line.get("item_class", ""),
        move_key=line.get("search_key", ""),
        content_key=line.get("same_content_key", ""),
        subject=line.get("subject", ""),
        size=line.get("size", 0),
        is_read=line.get("is_read"),
        at=datetime.fromisoformat(at) if at else None,
        metadata=line.get("metadata", {}),
        located=ContentLocation(**located) if located else None,
        aliases=tuple(line.get("aliases", ())),
        left_at=datetime.fromisoformat(left_at) if left_at else None,
        left_folder_id=line.get("left_folder", ""),
    )
    return FeedChange(FeedKind(line["change"]), item)


def _located_to_json(located: ContentLocation) -> dict[str, Any]:
    return {
        "pack": located.pack,
        "offset": located.offset,
        "length": located.length,
        "form": located.form,
        "sha256": located.sha256,
    }
