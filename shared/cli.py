"""Read the replica from a terminal: python -m shared.cli COMMAND --help

It needs the app's settings in its environment, and an identity that may read the app's storage.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

from shared import cli_lookup
from shared.errors import MailboxSyncError, NotFound
from shared.mailboxes.move_commands import MoveCommands
from shared.mailboxes.port import MailboxRegistry
from shared.replica.maintenance import export
from shared.replica.maintenance import verify as verifying
from shared.replica.port import FolderState, Replica, ReplicaItem
from shared.sources.port import ItemKind, SourceName
from shared.sync.moving import parity
from shared.terminal import ProgressLine, printable
from shared.version import VERSION

PROG = "python -m shared.cli"
MAILBOX = "its id, the beginning of its id, or its address"


class CliApp(Protocol):
    """The components of the app that the commands use."""

    @property
    def registry(self) -> MailboxRegistry:
        """The registry of mailboxes."""
        ...

    @property
    def replica(self) -> Replica:
        """The copies of mailboxes."""
        ...

    @property
    def move_commands(self) -> MoveCommands:
        """Moves between their sources."""
        ...


def mailboxes(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List the mailboxes. Addresses are shown only with --addresses."""
    if sys.stderr.isatty():  # not for programs that read the lines
        heading = ["id", "status", "source", "items", "complete as of"]
        print("  ".join([*heading, "address"] if arguments.addresses else heading), file=sys.stderr)
    for mailbox in app.registry.all():
        complete = mailbox.complete_as_of.isoformat(timespec="minutes") if mailbox.complete_as_of else "not yet"
        words = [mailbox.id, mailbox.status.value, mailbox.source.value, f"{mailbox.items} items"]
        words += [f"{mailbox.not_provided} not provided"] if mailbox.not_provided else []
        words.append(f"complete as of {complete}")
        print("  ".join([*words, mailbox.address] if arguments.addresses else words), file=out)
    return 0


def list_items(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List a mailbox's items by folder and date."""
    folders = app.replica.load(arguments.mailbox).folders

    def line_of(item: ReplicaItem) -> str:
        if arguments.json:
            return json.dumps(export.as_json(item, _path(folders, item)))
        at = item.at.strftime("%Y-%m-%d %H:%M") if item.at else " " * 16
        words = (item.key, at, f"{item.kind.value:8}", _path(folders, item), item.subject)
        return "  ".join(printable(word) for word in words)

    # Sort lines rather than items: the items of a large mailbox do not fit into memory.
    found = ((_path(folders, item), str(item.at or ""), item.key, line_of(item)) for item in _chosen(app, arguments))
    for *_, line in islice(sorted(found), arguments.limit):
        print(line, file=out)
    return 0


def show(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Show one item's metadata, or its unchanged content."""
    item = cli_lookup.item(app.replica, arguments.mailbox, arguments.key)
    if not arguments.content:
        folders = app.replica.load(arguments.mailbox).folders
        print(json.dumps(export.as_json(item, _path(folders, item)), indent=2), file=out)
        return 0
    data = app.replica.content(arguments.mailbox, item)
    if (binary := getattr(out, "buffer", None)) is not None:
        binary.write(data)
    else:
        out.write(data.decode("utf-8", "replace"))
    return 0


def export_items(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Write a mailbox's items into a directory; files that exist are left as they are."""
    write = export.to_mbox if arguments.mbox else export.to_files
    # Before anything is written: an export that breaks off has taken mail along all the same.
    app.registry.record_audit(arguments.mailbox, "operator", "export")
    shown = ProgressLine(sys.stderr, app.registry.get(arguments.mailbox).items)
    result = write(app.replica, arguments.mailbox, _chosen(app, arguments), arguments.directory, shown.add)
    shown.end()
    print(
        f"{result.written} written, {result.existing} were there already, {result.without_content} without content,"
        f" {result.damaged} damaged",
        file=out,
    )
    return 1 if result.damaged else 0


def feed(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Replay the change feed, a line a change."""
    folders = app.replica.load(arguments.mailbox).folders
    for page in app.replica.feed(arguments.mailbox, arguments.after):
        for change in page.changes:
            place = _path(folders, change.item)
            if arguments.json:
                item = export.as_json(change.item, place)
                print(json.dumps({"sequence": page.sequence, "change": change.kind.value, "item": item}), file=out)
            else:
                words = (f"{page.sequence:6}", f"{change.kind.value:9}", change.item.key, place, change.item.subject)
                print("  ".join(printable(word) for word in words), file=out)
    return 0


def issues(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List the items that could not be synced: where they are, why, and when they are tried again."""
    for issue in sorted(app.registry.issues(arguments.mailbox), key=lambda one: (one.folder, one.first_at)):
        at = issue.at.strftime("%Y-%m-%d %H:%M") if issue.at else " " * 16
        tried = f"tried {issue.tries}x, next {issue.next_try_at:%Y-%m-%d %H:%M}"
        words = (issue.reason, issue.support, issue.folder or "?", at, issue.subject, tried)
        print("  ".join(printable(word) for word in words if word), file=out)
    return 0


def verify(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Read every content and check its digest; replay the feed and compare it with the items."""
    shown = ProgressLine(sys.stderr, app.registry.get(arguments.mailbox).items)
    found = verifying.verify(app.replica, arguments.mailbox, shown.set)
    shown.end()
    print(f"{found.items} items, {found.contents} contents, {len(found.damaged)} damaged or missing", file=out)
    print(f"feed against items: {len(found.different)} different, {len(found.only_in_feed)} only in the feed", file=out)
    return 1 if found.wrong() else 0


def move(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Have mailboxes moved to the other source by their next passes, or surveyed; --to nothing takes it back."""
    chosen = [arguments.mailbox] if arguments.mailbox else app.move_commands.chosen(arguments.tenant)
    if not (arguments.mailbox or arguments.tenant or arguments.all):
        print("name a mailbox, a tenant, or --all", file=sys.stderr)
        return 2
    if arguments.to == "nothing":
        mailboxes = app.move_commands.cancel(chosen, "operator")
    else:
        mailboxes = app.move_commands.ask(
            chosen, SourceName(arguments.to), "operator", dry_run=arguments.dry_run, force=arguments.force
        )
    print("1 mailbox" if len(mailboxes) == 1 else f"{len(mailboxes)} mailboxes", file=out)
    return 0


def show_parity(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Show the report of a mailbox's last move or survey, as JSON."""
    print(json.dumps(parity.decode(app.replica.derived(arguments.mailbox, parity.DOCUMENT)), indent=2), file=out)
    return 0


def _chosen(app: CliApp, arguments: argparse.Namespace) -> Iterator[ReplicaItem]:
    """The items of the requested folders and kind."""
    folders = app.replica.load(arguments.mailbox).folders
    wanted = {id_ for id_, folder in folders.items() if _is_below(export.shown_path(folder), arguments.folder)}
    if arguments.folder and not wanted:
        raise NotFound("there is no such folder in this mailbox")
    for item in app.replica.items(arguments.mailbox):
        of_folder = not arguments.folder or item.folder_id in wanted
        if of_folder and arguments.kind in (None, item.kind) and _is_selected(item, arguments):
            yield item


def _is_selected(item: ReplicaItem, arguments: argparse.Namespace) -> bool:
    """Whether --since and --from select the item."""
    if arguments.since is not None and (item.at is None or item.at < arguments.since):
        return False
    return not arguments.sender or arguments.sender.casefold() in cli_lookup.sender_of(item).casefold()


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".casefold().startswith(f"{folder.strip('/')}/".casefold())


def _path(folders: Mapping[str, FolderState], item: ReplicaItem) -> str:
    folder = folders.get(item.folder_id)
    return export.shown_path(folder) if folder else "?"


_WITHOUT_MAILBOX = (mailboxes, move)
"""Commands that need not name one mailbox."""


def parser(prog: str = PROG) -> argparse.ArgumentParser:
    """Create the parser of the commands and their arguments; `prog` is the name in usage lines."""
    main_parser = argparse.ArgumentParser(prog=prog, description="Read the replica of a mailbox.")
    main_parser.add_argument("--version", action="version", version=VERSION)
    commands = main_parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, handler: Callable[[CliApp, argparse.Namespace, TextIO], int]) -> argparse.ArgumentParser:
        text = (handler.__doc__ or "").strip()
        added = commands.add_parser(name, help=text.split(".", 1)[0], description=text)
        added.set_defaults(handler=handler)
        if handler not in _WITHOUT_MAILBOX:
            added.add_argument("--mailbox", required=True, type=cli_lookup.name, metavar="MAILBOX", help=MAILBOX)
        return added

    command("mailboxes", mailboxes).add_argument("--addresses", action="store_true", help="also show addresses")
    listing = command("list", list_items)
    listing.add_argument("--limit", type=int, metavar="N", help="at most so many lines")
    listing.add_argument("--json", action="store_true", help="one JSON object per line, with all metadata")
    showing = command("show", show)
    showing.add_argument("key", help="the item's key, as shown by list, or its beginning")
    showing.add_argument("--content", action="store_true", help="the message, event or contact itself")
    exporting = command("export", export_items)
    exporting.add_argument("directory", type=Path, help="the target directory; created if it does not exist")
    exporting.add_argument("--mbox", action="store_true", help="one .mbox per folder instead of one file per message")
    for choosing in (listing, exporting):
        choosing.add_argument(
            "--folder", default="", metavar="PATH", help='only this folder and its subfolders: "Inbox/2026"'
        )
        choosing.add_argument(
            "--since", type=cli_lookup.day, metavar="DATE", help="only items since, as 2026-03-31, UTC"
        )
        choosing.add_argument(
            "--from", dest="sender", default="", metavar="TEXT", help="only of senders with this text"
        )
        choosing.add_argument("--kind", type=ItemKind, choices=list(ItemKind), help="only items of this kind")
    feeding = command("feed", feed)
    feeding.add_argument("--after", type=int, default=0, metavar="N", help="only pages after this one")
    feeding.add_argument("--json", action="store_true", help="one JSON object per line")
    command("issues", issues)
    command("verify", verify)
    moving = command("move", move)
    moving.add_argument("--mailbox", type=cli_lookup.name, metavar="MAILBOX", help=MAILBOX)
    moving.add_argument("--tenant", default="", metavar="ID", help="every mailbox of a tenant")
    moving.add_argument("--all", action="store_true", help="every mailbox")
    moving.add_argument("--to", choices=[*SourceName, "nothing"], default="graph", help="the source to read it over")
    moving.add_argument("--dry-run", action="store_true", help="survey only")
    moving.add_argument("--force", action="store_true", help="overrule the safety stop")
    command("parity", show_parity)
    return main_parser


def run(arguments: Sequence[str], app: CliApp, out: TextIO, prog: str = PROG) -> int:
    """Run one command and return the exit code. An error is printed as one line."""
    parsed = parser(prog).parse_args(arguments)
    if isinstance(out, io.TextIOWrapper):
        # Mail contains characters that the terminal's encoding may not have.
        out.reconfigure(errors="replace")
    try:
        if getattr(parsed, "mailbox", None):
            parsed.mailbox = cli_lookup.mailbox_id(app.registry, parsed.mailbox)
        return int(parsed.handler(app, parsed, out))
    except BrokenPipeError:
        raise
    except (MailboxSyncError, OSError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1


def main(prog: str = PROG) -> int:
    """Run the command line of this process."""
    from shared.app import app

    try:
        return run(sys.argv[1:], app(), sys.stdout, prog)
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
