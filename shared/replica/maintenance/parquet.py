"""Exports the metadata of a mailbox's items as one Parquet file, for tools of data analysis. No content is in it.

pyarrow is an optional dependency: pip install "mailbox-sync[parquet]", or pyarrow itself.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import MailboxSyncError
from shared.replica.maintenance.export import ExportResult, Progress, silent
from shared.replica.maintenance.export_paths import shown_path
from shared.replica.port import FolderState, ReplicaItem
from shared.replica.reading.port import ReplicaReader

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 10_000
"""Rows of one row group, which is what is in memory at a time."""

_PEOPLE = ("from", "sender", "organizer")
"""The metadata that name who sent an item, or who organizes an event."""


class PyarrowMissing(MailboxSyncError):
    """The optional dependency is not installed."""

    def __init__(self) -> None:
        super().__init__("a Parquet export needs pyarrow: install it with pip install pyarrow")


def require() -> None:
    """Raise PyarrowMissing if pyarrow is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as exc:
        raise PyarrowMissing from exc
    del pyarrow


def to_parquet(
    reader: ReplicaReader, mailbox_id: str, items: Iterable[ReplicaItem], target: Path, progress: Progress = silent
) -> ExportResult:
    """Write `{mailbox}.parquet` into the directory; a file that exists is left. Only its owner may read it.

    It is renamed when it is complete, so that the remains of an interrupted export never look like one.

    Raises: PyarrowMissing.
    """
    require()
    import pyarrow
    import pyarrow.parquet

    done, path = ExportResult(), target / f"{mailbox_id}.parquet"
    if path.exists():
        done.existing = 1
        return done
    folders, schema = reader.folders(mailbox_id).folders, _schema()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".parquet.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        with pyarrow.parquet.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in batched(items, ROWS_AT_ONCE, strict=False):
                rows = [_row(item, folders) for item in batch]
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
                done.written += len(batch)
                done.without_content += sum(item.located is None for item in batch)
                progress(len(batch))
        os.rename(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return done


def _schema() -> "pyarrow.Schema":
    import pyarrow

    text = pyarrow.string()
    return pyarrow.schema(
        [
            ("key", text),
            ("folder", text),
            ("kind", text),
            ("item_class", text),
            ("subject", text),
            ("at", pyarrow.timestamp("us", tz="UTC")),
            ("is_read", pyarrow.bool_()),
            ("size", pyarrow.int64()),
            ("from_name", text),
            ("from_address", text),
            ("to", pyarrow.list_(text)),
            ("content_form", text),
            ("content_bytes", pyarrow.int64()),
            ("content_sha256", text),
            ("metadata", text),
        ]
    )


def _row(item: ReplicaItem, folders: Mapping[str, FolderState]) -> dict[str, Any]:
    folder, located, sender = folders.get(item.last_folder_id), item.located, _sender(item)
    return {
        "key": item.key,
        "folder": shown_path(folder) if folder else None,
        "kind": item.kind.value,
        "item_class": item.item_class,
        "subject": item.subject,
        "at": item.at,
        "is_read": item.is_read,
        "size": item.size,
        "from_name": sender.get("name"),
        "from_address": sender.get("address"),
        "to": _addresses(item.metadata.get("to")),
        "content_form": located.form if located else None,
        "content_bytes": located.length if located else None,
        "content_sha256": located.sha256 if located else None,
        "metadata": json.dumps(dict(item.metadata)),
    }


def _sender(item: ReplicaItem) -> Mapping[str, Any]:
    found = (item.metadata.get(name) for name in _PEOPLE)
    return next((one for one in found if isinstance(one, Mapping)), {})


def _addresses(people: object) -> list[str] | None:
    if not isinstance(people, Sequence) or isinstance(people, str):
        return None
    return [str(one.get("address", "")) for one in people if isinstance(one, Mapping)]
