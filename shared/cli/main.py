"""Parses the command line and runs one command."""

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from shared.cli import groups, holds, items, lookup, mailboxes
from shared.cli.components import CliApp
from shared.errors import MailboxSyncError
from shared.sources.model import ItemKind, SourceName
from shared.version import VERSION

PROG = "python -m shared.cli"
MAILBOX = "its id, the beginning of its id, or its address"
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells give it."""

type Command = Callable[[CliApp, argparse.Namespace, TextIO], int]

_WITHOUT_MAILBOX = (mailboxes.mailboxes, mailboxes.move, groups.groups)
"""Commands that need not name one mailbox."""


def parser(prog: str = PROG) -> argparse.ArgumentParser:
    """Create the parser of the commands and their arguments; `prog` is the name in usage lines."""
    main_parser = argparse.ArgumentParser(prog=prog, description="Read the replica of a mailbox.")
    main_parser.add_argument("--version", action="version", version=VERSION)
    commands = main_parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, handler: Command, *, json: bool = False) -> argparse.ArgumentParser:
        text = (handler.__doc__ or "").strip()
        added = commands.add_parser(name, help=text.split(".", 1)[0], description=text)
        added.set_defaults(handler=handler)
        if handler not in _WITHOUT_MAILBOX:
            added.add_argument("--mailbox", required=True, type=lookup.name, metavar="MAILBOX", help=MAILBOX)
        if json:
            added.add_argument("--json", action="store_true", help="one JSON object per line")
        return added

    command("mailboxes", mailboxes.mailboxes, json=True).add_argument(
        "--addresses", action="store_true", help="also show addresses"
    )
    listing = command("list", items.list_items, json=True)
    listing.add_argument("--limit", type=int, metavar="N", help="at most so many lines")
    showing = command("show", items.show)
    showing.add_argument("--content", action="store_true", help="the message, event or contact itself")
    for named in (showing, command("content", items.content)):
        named.add_argument("key", help="the item's key, as shown by list, or its beginning")
    exporting = command("export", items.export_items)
    exporting.add_argument("directory", type=Path, help="the target directory; created if it does not exist")
    exporting.add_argument(
        "--format",
        choices=("files", "mbox", "parquet"),
        default="files",
        help="one file per item, one .mbox per folder, or one .parquet with the metadata of all items",
    )
    exporting.add_argument("--mbox", action="store_true", help="the same as --format mbox")
    for choosing in (listing, exporting):
        _add_choices(choosing)
    feeding = command("feed", items.feed, json=True)
    feeding.add_argument("--after", type=int, default=0, metavar="N", help="only pages after this one")
    feeding.add_argument("--follow", action="store_true", help="go on with new changes until Ctrl-C")
    command("issues", mailboxes.issues, json=True)
    auditing = command("audit", mailboxes.audit, json=True)
    auditing.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many lines (100)")
    command("verify", items.verify)
    command("reset", mailboxes.reset)
    _add_move(command("move", mailboxes.move))
    command("parity", mailboxes.show_parity)
    holding = command("hold", holds.hold)
    holding.add_argument("--reason", metavar="TEXT", help="set the hold, for this reason: one line")
    holding.add_argument("--lift", action="store_true", help="lift the hold")
    command("groups", groups.groups, json=True)
    command("group", groups.group).add_argument(
        "--set", metavar="NAME", help="put the mailbox into this group; default: none, the deployment's settings apply"
    )
    return main_parser


def _add_choices(choosing: argparse.ArgumentParser) -> None:
    add = choosing.add_argument
    add("--folder", default="", metavar="PATH", help='only this folder and its subfolders: "Inbox/2026"')
    add("--since", type=lookup.day, metavar="DATE", help="only items since, as 2026-03-31, UTC")
    add("--from", dest="sender", default="", metavar="TEXT", help="only of senders with this text")
    add("--left", action="store_true", help="the items that left the mailbox and are kept, instead of those in it")
    add("--kind", type=ItemKind, choices=list(ItemKind), help="only items of this kind")


def _add_move(moving: argparse.ArgumentParser) -> None:
    add = moving.add_argument
    add("--mailbox", type=lookup.name, metavar="MAILBOX", help=MAILBOX)
    add("--tenant", default="", metavar="ID", help="every mailbox of a tenant")
    add("--all", action="store_true", help="every mailbox")
    add("--to", choices=[*SourceName, "nothing"], default="graph", help="the source to read it over")
    add("--dry-run", action="store_true", help="survey only")
    add("--force", action="store_true", help="overrule the safety stop")


def run(
    arguments: Sequence[str],
    app: CliApp,
    out: TextIO,
    prog: str = PROG,
    wait: Callable[[float], object] = time.sleep,
) -> int:
    """Run one command and return the exit code. An error is printed as one line. `wait` lets seconds pass."""
    parsed = parser(prog).parse_args(arguments)
    parsed.wait = wait
    if isinstance(out, io.TextIOWrapper):
        # Mail contains characters that the terminal's encoding may not have.
        out.reconfigure(errors="replace")
    try:
        if getattr(parsed, "mailbox", None):
            parsed.mailbox = lookup.mailbox_id(app.registry, parsed.mailbox)
        return int(parsed.handler(app, parsed, out))
    except KeyboardInterrupt:
        print("interrupted; the same command continues an export", file=sys.stderr)
        return INTERRUPTED
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
