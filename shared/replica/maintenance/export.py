"""Exports a mailbox as files on disk: one directory per folder and one file per item, or one mbox per folder.

Existing files are never overwritten, so a repeated export continues one that was interrupted.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched
from pathlib import Path

from shared.errors import ItemUnusable, NotFound
from shared.replica.maintenance.export_paths import FilePlace, FolderPaths
from shared.replica.maintenance.file_writer import FileWriter
from shared.replica.maintenance.mbox import Boxes, mboxrd, only_export_of
from shared.replica.port import ReplicaItem
from shared.replica.reading.port import ReplicaReader

AT_ONCE = 100_000
"""Items whose contents are read together. Items come in the order of their keys, and their contents lie anywhere in the
packs: the more are read together, the closer they lie, until whole packs are read. Of each only what an export needs is
in memory, less than a kilobyte."""

type Progress = Callable[[int], None]
"""Told of so many more items that are done."""


def silent(count: int) -> None:
    """No progress is shown."""


@dataclass(slots=True)
class ExportResult:
    """The counts of an export."""

    written: int = 0
    existing: int = 0
    without_content: int = 0
    damaged: int = 0


def to_files(
    reader: ReplicaReader, mailbox_id: str, items: Iterable[ReplicaItem], target: Path, progress: Progress = silent
) -> ExportResult:
    """Each item as a file of its own; what has no content as the JSON of its metadata."""
    places, done = FolderPaths(reader.folders(mailbox_id).folders, target), ExportResult()
    with FileWriter() as files:
        missing = _missing(items, files, places, done, progress)
        for batch in batched(missing, AT_ONCE, strict=False):
            place_of = {item.key: place for item, place in batch}
            for item, data in _contents(reader, mailbox_id, [item for item, _ in batch], done):
                if data is not None:
                    files.write(place_of[item.key], data)
                progress(1)
    return _with_files(done, files)


def to_mbox(
    reader: ReplicaReader, mailbox_id: str, items: Iterable[ReplicaItem], target: Path, progress: Progress = silent
) -> ExportResult:
    """Each folder's messages as one mbox (mboxrd); the other kinds as files, as `to_files` does.

    Raises: ExportInUse.
    """
    places, done = FolderPaths(reader.folders(mailbox_id).folders, target), ExportResult()
    with only_export_of(target), FileWriter() as files, Boxes() as boxes:
        wanted = _without_written_messages(items, boxes, places, done, progress)
        missing = _missing(wanted, files, places, done, progress)
        for batch in batched(missing, AT_ONCE, strict=False):
            place_of = {item.key: place for item, place in batch}
            for item, data in _contents(reader, mailbox_id, [item for item, _ in batch], done):
                if data is not None and _is_message(item):
                    boxes.append(_box(place_of[item.key][0]), item.key, mboxrd(data, item.at))
                    done.written += 1
                elif data is not None:
                    files.write(place_of[item.key], data)
                progress(1)
        boxes.complete()
    return _with_files(done, files)


def _with_files(done: ExportResult, files: FileWriter) -> ExportResult:
    done.written += files.written
    done.existing += files.existing
    return done


def _without_written_messages(
    items: Iterable[ReplicaItem], boxes: Boxes, places: FolderPaths, done: ExportResult, progress: Progress
) -> Iterator[ReplicaItem]:
    """The items without the messages that their folder's mbox, or what is written of it, has already."""
    for item in items:
        if _is_message(item) and boxes.has(_box(places.of(item)), item.key):
            done.existing += 1
            progress(1)
        else:
            yield item


def _missing(
    items: Iterable[ReplicaItem], files: FileWriter, places: FolderPaths, done: ExportResult, progress: Progress
) -> Iterator[tuple[ReplicaItem, FilePlace]]:
    """The items whose contents are to be read, as little of each as an export needs, and their files.

    What exists is passed over before anything is read: an export of days that was broken off goes on where it was. What
    has no content is written at once.
    """
    for item in items:
        done.without_content += item.located is None
        place = places.file(item)
        if files.exists(place):
            done.existing += 1
        elif item.located is None:
            files.write(place, json.dumps(as_json(item, places.name(item)), indent=2).encode())
        else:
            yield ReplicaItem(item.key, "", "", "", item.kind, "", at=item.at, located=item.located), place
            continue
        progress(1)


def _is_message(item: ReplicaItem) -> bool:
    return item.located is not None and item.located.form == "eml"


@lru_cache(1024)
def _box(folder: Path) -> Path:
    """The mbox of a folder's directory, beside it."""
    return folder.with_name(f"{folder.name}.mbox")


def as_json(item: ReplicaItem, folder: str = "") -> dict[str, object]:
    """An item's JSON for readers."""
    located = item.located
    return {
        "key": item.key,
        "folder": folder,
        "kind": item.kind.value,
        "item_class": item.item_class,
        "subject": item.subject,
        "at": item.at.isoformat() if item.at else None,
        "is_read": item.is_read,
        "left_at": item.left_at.isoformat() if item.left_at else None,
        "size": item.size,
        "metadata": dict(item.metadata),
        "content": {"form": located.form, "bytes": located.length, "sha256": located.sha256} if located else None,
    }


def _contents(
    reader: ReplicaReader, mailbox_id: str, items: Sequence[ReplicaItem], done: ExportResult
) -> Iterator[tuple[ReplicaItem, bytes | None]]:
    """The items with their contents, in the order of the packs; None for what is damaged or gone."""
    for item, data in reader.contents(mailbox_id, items):
        yield item, data if data is not None else _content(reader, mailbox_id, item, done)


def _content(reader: ReplicaReader, mailbox_id: str, item: ReplicaItem, done: ExportResult) -> bytes | None:
    try:
        return reader.whole_content(mailbox_id, item)
    except (NotFound, ItemUnusable):
        done.damaged += _exists(reader, mailbox_id, item)
        return None


def _exists(reader: ReplicaReader, mailbox_id: str, item: ReplicaItem) -> bool:
    """Whether the item still exists: a pass may have deleted it and its content since it was listed."""
    try:
        reader.item(mailbox_id, item.key)
    except NotFound:
        return False
    return True
