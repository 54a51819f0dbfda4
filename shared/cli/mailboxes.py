"""The commands about mailboxes: list them, their issues, who did what to them, moves between sources."""

import argparse
import json
import sys
from datetime import datetime
from typing import TextIO

from shared.cli.components import CliApp
from shared.cli.terminal import show_table
from shared.errors import NotFound
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import ItemIssue
from shared.sources.model import SourceName
from shared.sync.moving import parity


def mailboxes(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List the mailboxes. Addresses are shown only with --addresses."""
    found = app.registry.all()
    if arguments.json:
        for mailbox in found:
            print(json.dumps(_mailbox_json(mailbox, addresses=arguments.addresses)), file=out)
        return 0
    headings = ["id", "status", "source", "items", "not provided", "complete as of"]
    headings += ["address"] if arguments.addresses else []
    if sys.stderr.isatty() and not out.isatty():  # not for programs that read the lines
        print("  ".join(heading for heading in headings if heading != "not provided"), file=sys.stderr)
    show_table(out, headings, (_mailbox_words(mailbox, addresses=arguments.addresses) for mailbox in found))
    return 0


def _mailbox_words(mailbox: Mailbox, *, addresses: bool) -> list[str]:
    complete = mailbox.complete_as_of.isoformat(timespec="minutes") if mailbox.complete_as_of else "not yet"
    words = [mailbox.id, mailbox.status.value, mailbox.source.value, f"{mailbox.items} items"]
    words.append(f"{mailbox.not_provided} not provided" if mailbox.not_provided else "")
    words.append(f"complete as of {complete}" + (", on hold" if mailbox.hold_since else ""))
    return [*words, mailbox.address] if addresses else words


def _mailbox_json(mailbox: Mailbox, *, addresses: bool) -> dict[str, object]:
    complete = mailbox.complete_as_of.isoformat() if mailbox.complete_as_of else None
    shown: dict[str, object] = {
        "id": mailbox.id,
        "status": mailbox.status.value,
        "reason": mailbox.reason,
        "source": mailbox.source.value,
        "items": mailbox.items,
        "issues": mailbox.issues,
        "not_provided": mailbox.not_provided,
        "complete_as_of": complete,
        "hold_since": mailbox.hold_since.isoformat() if mailbox.hold_since else None,
    }
    return shown | ({"address": mailbox.address} if addresses else {})


def issues(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List the items that could not be synced: where they are, why, and when they are tried again."""
    found = sorted(app.registry.issues(arguments.mailbox), key=lambda one: (one.folder, one.first_at))
    if arguments.json:
        for issue in found:
            print(json.dumps(_issue_json(issue)), file=out)
        return 0
    show_table(out, ("reason", "support", "folder", "date", "subject", "tries"), map(_issue_words, found))
    return 0


def _issue_words(issue: ItemIssue) -> tuple[str, ...]:
    at = issue.at.strftime("%Y-%m-%d %H:%M") if issue.at else " " * 16
    tried = f"tried {issue.tries}x, next {issue.next_try_at:%Y-%m-%d %H:%M}"
    return (issue.reason, issue.support, issue.folder or "?", at, issue.subject, tried)


def _issue_json(issue: ItemIssue) -> dict[str, object]:
    return {
        "reason": issue.reason,
        "support": issue.support,
        "folder": issue.folder,
        "at": issue.at.isoformat() if issue.at else None,
        "subject": issue.subject,
        "tries": issue.tries,
        "first_at": issue.first_at.isoformat(),
        "next_try_at": issue.next_try_at.isoformat(),
    }


def audit(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List who did what to a mailbox, newest first, by opaque ids."""
    found = app.registry.audit_trail(arguments.mailbox, "", arguments.limit)
    if arguments.json:
        for entry in found:
            print(json.dumps({"at": entry.at.isoformat(), "actor": entry.actor, "act": entry.act}), file=out)
        return 0
    show_table(out, ("time", "actor", "action"), ((_minute(entry.at), entry.actor, entry.act) for entry in found))
    return 0


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def reset(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Have the next pass read a mailbox anew and compare every item with the copy."""
    mailbox = app.mailbox_commands.reset(arguments.mailbox, "operator", at_once=False)
    waits = mailbox.status is Status.NEEDS_SIGN_IN
    print("read anew after the person has signed in" if waits else "read anew by the next pass", file=out)
    return 0


def move(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Have mailboxes moved to the other source by their next passes, or surveyed; --to nothing takes it back."""
    chosen = [arguments.mailbox] if arguments.mailbox else app.move_commands.chosen(arguments.tenant)
    if not (arguments.mailbox or arguments.tenant or arguments.all):
        print("name a mailbox, a tenant, or --all", file=sys.stderr)
        return 2
    if arguments.to == "nothing":
        asked = app.move_commands.cancel(chosen, "operator")
    else:
        asked = app.move_commands.ask(
            chosen, SourceName(arguments.to), "operator", dry_run=arguments.dry_run, force=arguments.force
        )
    print("1 mailbox" if len(asked) == 1 else f"{len(asked)} mailboxes", file=out)
    return 0


def show_parity(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Show the report of a mailbox's last move or survey, as JSON."""
    try:
        stored = app.replica_reader.derived(arguments.mailbox, parity.DOCUMENT)
    except NotFound as exc:
        if app.registry.get(arguments.mailbox).moving_to:
            raise NotFound("it was asked for, and no pass has made it yet") from exc
        raise NotFound("no move and no dry run was made; ask for one: move --mailbox ID --dry-run") from exc
    print(json.dumps(parity.decode(stored), indent=2), file=out)
    return 0
