"""The commands about the items of one mailbox: list, show, content, export, feed, verify."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TextIO

from shared.cli import lookup
from shared.cli.components import CliApp
from shared.cli.terminal import ProgressLine, printable, show_table
from shared.errors import NotFound
from shared.replica.maintenance import export
from shared.replica.maintenance import verify as verifying
from shared.replica.maintenance.export_paths import shown_path
from shared.replica.port import FolderState, ReplicaItem
from shared.replica.reading.port import PAGE_NUMBERS, NumberedChange, change_number

FOLLOW_SECONDS = 2.0
"""How often --follow looks for new pages."""


def list_items(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List a mailbox's items by folder and date."""
    folders = app.replica_reader.folders(arguments.mailbox).folders

    def line_of(item: ReplicaItem) -> tuple[str, ...]:
        if arguments.json:
            return (json.dumps(export.as_json(item, _path(folders, item))),)
        at = item.at.strftime("%Y-%m-%d %H:%M") if item.at else " " * 16
        left = f"left {item.left_at:%Y-%m-%d}" if item.left_at else ""
        return (item.key, at, f"{item.kind.value:8}", left, _path(folders, item), item.subject)

    # Sort lines rather than items: the items of a large mailbox do not fit into memory.
    found = ((_path(folders, item), str(item.at or ""), item.key, line_of(item)) for item in _chosen(app, arguments))
    lines = (line for *_, line in islice(sorted(found), arguments.limit))
    if arguments.json:
        for (line,) in lines:
            print(line, file=out)
    else:
        show_table(out, ("key", "date", "kind", "left" if arguments.left else "", "folder", "subject"), lines)
    return 0


def show(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Show one item's metadata, or with --content its unchanged content."""
    if arguments.content:
        return content(app, arguments, out)
    item = lookup.item(app.replica_reader, arguments.mailbox, arguments.key)
    folders = app.replica_reader.folders(arguments.mailbox).folders
    print(json.dumps(export.as_json(item, _path(folders, item)), indent=2), file=out)
    return 0


def content(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Write one item's content as it is stored: the message, event, or contact itself."""
    item = lookup.item(app.replica_reader, arguments.mailbox, arguments.key)
    data = app.replica_reader.whole_content(arguments.mailbox, item)
    if (binary := getattr(out, "buffer", None)) is not None:
        binary.write(data)
    else:
        out.write(data.decode("utf-8", "replace"))
    return 0


def export_items(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Write a mailbox's items into a directory. Files that exist are left, so the same command continues an export."""
    from shared.replica.maintenance import parquet

    form = "mbox" if arguments.mbox else arguments.format
    write = {"files": export.to_files, "mbox": export.to_mbox, "parquet": parquet.to_parquet}[form]
    if form == "parquet":
        parquet.require()
    # Before anything is written: an export that breaks off has taken mail along all the same.
    app.registry.record_audit(arguments.mailbox, "operator", "export")
    shown = ProgressLine(sys.stderr, app.registry.get(arguments.mailbox).items)
    try:
        result = write(app.replica_reader, arguments.mailbox, _chosen(app, arguments), arguments.directory, shown.add)
    finally:
        shown.end()
    print(
        f"{result.written} written, {result.existing} were there already, {result.without_content} without content,"
        f" {result.damaged} damaged",
        file=out,
    )
    return 1 if result.damaged else 0


def feed(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Replay the change feed, a line a change. With --follow, go on with new changes until interrupted."""
    after = change_number(arguments.after + 1, 0)
    while True:
        folders: Mapping[str, FolderState] = {}
        for numbered in app.replica_reader.every_change(arguments.mailbox, after):
            folders = folders or app.replica_reader.folders(arguments.mailbox).folders
            _print_change(numbered, folders, arguments, out)
            after = numbered.number
        out.flush()
        if not arguments.follow:
            return 0
        try:
            arguments.wait(FOLLOW_SECONDS)
        except KeyboardInterrupt:
            return 0


def _print_change(
    numbered: NumberedChange, folders: Mapping[str, FolderState], arguments: argparse.Namespace, out: TextIO
) -> None:
    sequence, change = numbered.number // PAGE_NUMBERS, numbered.change
    place = _path(folders, change.item)
    if arguments.json:
        item = export.as_json(change.item, place)
        print(json.dumps({"sequence": sequence, "change": change.kind.value, "item": item}), file=out)
    else:
        words = (f"{sequence:6}", f"{change.kind.value:9}", change.item.key, place, change.item.subject)
        print("  ".join(printable(word) for word in words), file=out)


def verify(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Read every content and check its digest; replay the feed and compare it with the items."""
    shown = ProgressLine(sys.stderr, app.registry.get(arguments.mailbox).items)
    try:
        found = verifying.verify(app.replica_reader, arguments.mailbox, shown.set)
    finally:
        shown.end()
    print(f"{found.items} items, {found.contents} contents, {len(found.damaged)} damaged or missing", file=out)
    print(f"feed against items: {len(found.different)} different, {len(found.only_in_feed)} only in the feed", file=out)
    return 1 if found.wrong() else 0


def _chosen(app: CliApp, arguments: argparse.Namespace) -> Iterator[ReplicaItem]:
    """The items of the requested folders and kind."""
    folders = app.replica_reader.folders(arguments.mailbox).folders
    wanted = {id_ for id_, folder in folders.items() if _is_below(shown_path(folder), arguments.folder)}
    if arguments.folder and not wanted:
        raise NotFound("there is no such folder in this mailbox")
    for item in app.replica_reader.every_item(arguments.mailbox, left=arguments.left):
        of_folder = not arguments.folder or item.last_folder_id in wanted
        if of_folder and arguments.kind in (None, item.kind) and _is_selected(item, arguments):
            yield item


def _is_selected(item: ReplicaItem, arguments: argparse.Namespace) -> bool:
    """Whether --since and --from select the item."""
    if arguments.since is not None and (item.at is None or item.at < arguments.since):
        return False
    return not arguments.sender or arguments.sender.casefold() in lookup.sender_of(item).casefold()


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".casefold().startswith(f"{folder.strip('/')}/".casefold())


def _path(folders: Mapping[str, FolderState], item: ReplicaItem) -> str:
    folder = folders.get(item.last_folder_id)
    return shown_path(folder) if folder else "?"
