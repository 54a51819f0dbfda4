"""Get at the replica from a terminal: python -m shared.cli COMMAND --help

It needs the app's settings in its environment, and an identity that may read the app's storage.
"""

import argparse
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from shared.errors import MailboxSyncError, NotFound
from shared.mailboxes.port import MailboxRegistry
from shared.replica.maintenance import export
from shared.replica.maintenance import verify as verifying
from shared.replica.port import FolderState, Replica, ReplicaItem
from shared.sources.port import ItemKind
from shared.terminal import ProgressLine, printable
from shared.version import VERSION


class CliApp(Protocol):
    """The parts of the app that the commands use."""

    @property
    def registry(self) -> MailboxRegistry:
        """The mailboxes."""
        ...

    @property
    def replica(self) -> Replica:
        """Their copies."""
        ...


def mailboxes(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """List the mailboxes. Addresses are shown only when asked for."""
    for mailbox in app.registry.all():
        complete = mailbox.complete_as_of.isoformat(timespec="minutes") if mailbox.complete_as_of else "not yet"
        words = [mailbox.id, mailbox.status.value, mailbox.source.value, f"{mailbox.items} items"]
        words += [f"{mailbox.not_provided} not provided"] if mailbox.not_provided else []
        words.append(f"complete as of {complete}")
        print("  ".join([*words, mailbox.address] if asked.addresses else words), file=out)
    return 0


def list_items(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """List a mailbox's items by folder and date."""
    folders = app.replica.load(asked.mailbox).folders

    def line_of(item: ReplicaItem) -> str:
        if asked.json:
            return json.dumps(export.as_json(item, _path(folders, item)))
        at = item.at.strftime("%Y-%m-%d %H:%M") if item.at else " " * 16
        words = (item.key, at, f"{item.kind.value:8}", _path(folders, item), item.subject)
        return "  ".join(printable(word) for word in words)

    # Lines are ordered and not items: of a large mailbox all that is known is more than fits into memory.
    found = ((_path(folders, item), str(item.at or ""), item.key, line_of(item)) for item in _chosen(app, asked))
    for *_, line in sorted(found):
        print(line, file=out)
    return 0


def show(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """Show one item: what is known of it, or its content as it is."""
    item = app.replica.item(asked.mailbox, asked.key)
    if not asked.content:
        folders = app.replica.load(asked.mailbox).folders
        print(json.dumps(export.as_json(item, _path(folders, item)), indent=2), file=out)
        return 0
    data = app.replica.content(asked.mailbox, item)
    if (binary := getattr(out, "buffer", None)) is not None:
        binary.write(data)
    else:
        out.write(data.decode("utf-8", "replace"))
    return 0


def export_items(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """Write a mailbox's items into a directory; files that exist are left as they are."""
    write = export.to_mbox if asked.mbox else export.to_files
    # Before anything is written: an export that breaks off has taken mail along all the same.
    app.registry.record_audit(asked.mailbox, "operator", "export")
    shown = ProgressLine(sys.stderr, app.registry.get(asked.mailbox).items)
    done = write(app.replica, asked.mailbox, _chosen(app, asked), asked.directory, shown.add)
    shown.end()
    print(
        f"{done.written} written, {done.existing} were there already, {done.without_content} without content,"
        f" {done.damaged} damaged",
        file=out,
    )
    return 1 if done.damaged else 0


def feed(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """Replay the change feed, a line a change."""
    folders = app.replica.load(asked.mailbox).folders
    for page in app.replica.feed(asked.mailbox, asked.after):
        for change in page.changes:
            place = _path(folders, change.item)
            if asked.json:
                item = export.as_json(change.item, place)
                print(json.dumps({"sequence": page.sequence, "change": change.kind.value, "item": item}), file=out)
            else:
                words = (f"{page.sequence:6}", f"{change.kind.value:9}", change.item.key, place, change.item.subject)
                print("  ".join(printable(word) for word in words), file=out)
    return 0


def verify(app: CliApp, asked: argparse.Namespace, out: TextIO) -> int:
    """Read every content and check its digest; replay the feed and compare it with the items."""
    shown = ProgressLine(sys.stderr, app.registry.get(asked.mailbox).items)
    found = verifying.verify(app.replica, asked.mailbox, shown.set)
    shown.end()
    print(f"{found.items} items, {found.contents} contents, {len(found.damaged)} damaged or missing", file=out)
    print(f"feed against items: {len(found.different)} different, {len(found.only_in_feed)} only in the feed", file=out)
    return 1 if found.wrong() else 0


def _chosen(app: CliApp, asked: argparse.Namespace) -> Iterator[ReplicaItem]:
    """The items of the folders and the kind asked for."""
    folders = app.replica.load(asked.mailbox).folders
    wanted = {id_ for id_, folder in folders.items() if _is_below(export.shown_path(folder), asked.folder)}
    if asked.folder and not wanted:
        raise NotFound("there is no such folder in this mailbox")
    for item in app.replica.items(asked.mailbox):
        if (not asked.folder or item.folder_id in wanted) and asked.kind in (None, item.kind):
            yield item


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".casefold().startswith(f"{folder.strip('/')}/".casefold())


def _path(folders: Mapping[str, FolderState], item: ReplicaItem) -> str:
    folder = folders.get(item.folder_id)
    return export.shown_path(folder) if folder else "?"


def _mailbox_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        raise argparse.ArgumentTypeError("is not a mailbox id: see the command mailboxes")
    return text


def _require_mailbox(mailbox_id: str, app: CliApp) -> None:
    """A mailbox that is not there would be listed as empty, and verified as whole."""
    try:
        app.registry.get(mailbox_id)
    except NotFound as error:
        raise NotFound("there is no such mailbox: see the command mailboxes") from error


def parser() -> argparse.ArgumentParser:
    """The commands and what they take."""
    whole = argparse.ArgumentParser(prog="python -m shared.cli", description="Read the replica of a mailbox.")
    whole.add_argument("--version", action="version", version=VERSION)
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, act: Callable[[CliApp, argparse.Namespace, TextIO], int]) -> argparse.ArgumentParser:
        text = (act.__doc__ or "").strip()
        added = commands.add_parser(name, help=text.split(".", 1)[0], description=text)
        added.set_defaults(act=act)
        if act is not mailboxes:
            added.add_argument("--mailbox", required=True, type=_mailbox_id, metavar="ID", help="which mailbox")
        return added

    command("mailboxes", mailboxes).add_argument("--addresses", action="store_true", help="show addresses too")
    listing = command("list", list_items)
    listing.add_argument("--json", action="store_true", help="one JSON object a line, with all metadata")
    showing = command("show", show)
    showing.add_argument("key", help="the item's key, as list gives it")
    showing.add_argument("--content", action="store_true", help="the message, event or contact itself")
    exporting = command("export", export_items)
    exporting.add_argument("directory", type=Path, help="where to; made when it is not there")
    exporting.add_argument("--mbox", action="store_true", help="one .mbox a folder instead of a file a message")
    for choosing in (listing, exporting):
        choosing.add_argument("--folder", default="", metavar="PATH", help='this folder and those below: "Inbox/2026"')
        choosing.add_argument("--kind", type=ItemKind, choices=list(ItemKind), help="only items of this kind")
    feeding = command("feed", feed)
    feeding.add_argument("--after", type=int, default=0, metavar="N", help="only pages after this one")
    feeding.add_argument("--json", action="store_true", help="one JSON object a line")
    command("verify", verify)
    return whole


def run(arguments: Sequence[str], app: CliApp, out: TextIO) -> int:
    """Run one command; gives the exit code. What goes wrong is said in one line."""
    asked = parser().parse_args(arguments)
    if isinstance(out, io.TextIOWrapper):
        # Strangers write in letters that the terminal's encoding may not have.
        out.reconfigure(errors="replace")
    try:
        if asked.act is not mailboxes:
            _require_mailbox(asked.mailbox, app)
        return int(asked.act(app, asked, out))
    except BrokenPipeError:
        raise
    except (MailboxSyncError, OSError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1


def main() -> int:
    """The command line of this process."""
    from shared.app import app

    try:
        return run(sys.argv[1:], app(), sys.stdout)
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
