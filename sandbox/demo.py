"""make demo: runs the whole product unattended and checks the result item by item.

It signs people in through the real pages, fires the timer, waits for the first sync, changes the mailboxes over EWS,
fires the timer again, and compares every replica with a snapshot of its mailbox. Progress for people goes to stderr;
stdout ends with one JSON object. The exit code is 0 only when no item is missing, extra or different.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from sandbox.compare import Comparison, compare
from sandbox.local.ews_client import MailboxUser
from sandbox.local.form_browser import FormBrowser
from sandbox.local.local_stack import LocalStack, end_as_by_ctrl_c, local_stack
from sandbox.local.progress_board import Board, board
from shared.app import App
from shared.errors import MailboxSyncError
from shared.mailboxes.model import Mailbox
from shared.sources.model import SourceName

DEFAULT_ADDRESSES = ("alex@contoso.example", "bo@contoso.example", "finn@contoso.example", "jo@fabrikam.example")
"""The sandbox's default people who can sign in without anyone's help. One of them has an empty mailbox."""

SETTINGS = {"SYNC_SCHEDULE": "0 0,1 0 1 1 *", "SYNC_BUDGET_SECONDS": "10"}
"""Mailboxes are due every minute, and the demo fires the timer itself. Passes are short, so that a first sync takes
several: its progress becomes visible, and the demo also covers the continuation.
"""

TIMER = "dispatch"
LOOK_SECONDS = 0.5
FIRST_SYNC_SECONDS = 600
NEXT_SYNC_SECONDS = 240
FIRE_AGAIN_SECONDS = 20
"""Seconds. A tick may find a mailbox's lease still held by an app that was killed; the next tick finds it free."""

console = Console(stderr=True, highlight=False)


class DemoTimeout(RuntimeError):
    """An expected event did not happen in time; the message says which."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in."""

    address: str
    password: str


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    given, for_sandbox = _parser().parse_known_args(arguments)
    end_as_by_ctrl_c()
    try:
        with ExitStack() as ending:
            state = given.state or Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="mailbox-sync-")))
            with console.status("Starting the sandbox and the app…"):
                running = ending.enter_context(local_stack(state, *for_sandbox, settings=SETTINGS))
            summary = Demo(running, kill=given.kill).run()
    except (RuntimeError, MailboxSyncError, requests.RequestException) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running.")
        return 130
    print(json.dumps(summary))
    return 0 if not (summary["missing"] or summary["extra"] or summary["different"]) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.demo",
        allow_abbrev=False,
        description="Prove the whole product. Further options go to the sandbox: python -m sandbox --help",
    )
    parser.add_argument("--state", type=Path, help="keep certificates, storage and logs there; else they are removed")
    parser.add_argument("--kill", action="store_true", help="kill the app in the middle of the first sync")
    return parser


class Demo:
    """One run of the demo."""

    def __init__(self, running: LocalStack, *, kill: bool) -> None:
        self._running = running
        self._kill = kill
        self._parts: App = running.parts()
        self._people = people_of(running)

    def run(self) -> dict[str, Any]:
        """Run all steps in order; returns the summary. Raises DemoTimeout, BrowserStuck."""
        started = time.monotonic()
        self._sign_in()
        self._sync(datetime.min.replace(tzinfo=UTC), "the first sync", FIRST_SYNC_SECONDS, kill=self._kill)
        changed_at = self._work()
        self._sync(changed_at, "the sync of what has changed", NEXT_SYNC_SECONDS)
        moved = self._switch_ews_off()
        self._sync(datetime.now(UTC), "the move to Microsoft Graph", NEXT_SYNC_SECONDS)
        found = self._compare()
        return {
            **self._summary(list(found.values()), changed_at, time.monotonic() - started),
            "cut_over": self._cut_over(moved, found),
        }

    def _sign_in(self) -> None:
        over_graph = [person.address for person in self._people[1::3]]
        for address in over_graph:
            self._block_ews(address, "tenant_off")
        for person in self._people:
            browser = FormBrowser(self._running.ca, person.address, person.password)
            try:
                heading = browser.sign_in(self._running.url)
            finally:
                browser.close()
            console.print(f"{person.address} has signed in and sees “{heading}”", markup=False)
        wait("everyone's mailbox in the registry", lambda: len(self._mailboxes()) == len(self._people), 30)
        for address in over_graph:
            # People's own mail programs go on using EWS.
            self._block_ews(address, "off")

    def _block_ews(self, address: str, variant: str) -> None:
        """Block EWS for a mailbox, as some tenants do: a person who signs in then is read over Microsoft Graph."""
        self._running.sandbox.control.post(f"/mailboxes/{address}/block", {"variant": variant})

    def _sync(self, since: datetime, what: str, seconds: float, *, kill: bool = False) -> None:
        """Fire the timer and wait until every mailbox has completed a pass that began after `since`."""
        fired = 0.0
        progress = board()
        lines = Board(progress)
        deadline = time.monotonic() + seconds
        with progress:
            progress.console.file = sys.stderr
            while not self._synced(since):
                if time.monotonic() > deadline:
                    raise DemoTimeout(f"Waited {seconds:.0f} s for {what}. {self._state()}")
                if time.monotonic() - fired > FIRE_AGAIN_SECONDS:
                    self._running.host.fire(TIMER)
                    fired = time.monotonic()
                if kill and self._is_syncing():
                    self._kill_the_app()
                    kill = False
                lines.show(self._mailboxes())
                time.sleep(LOOK_SECONDS)
            lines.show(self._mailboxes())

    def _is_syncing(self) -> bool:
        return "sync_mailbox" in self._running.host.status()["in_flight"]

    def _kill_the_app(self) -> None:
        time.sleep(1)
        self._running.host.kill()
        console.print("The app was killed in the middle of it; starting it again", style="yellow")
        self._running.restart()

    def _synced(self, since: datetime) -> bool:
        """Whether every mailbox has had a pass, begun after `since`, that left nothing to do."""
        mailboxes = self._mailboxes()
        return bool(mailboxes) and all(mailbox.first_sync_done and self._done(mailbox, since) for mailbox in mailboxes)

    def _done(self, mailbox: Mailbox, since: datetime) -> bool:
        runs = self._parts.registry.runs(mailbox.id)
        return any(run.started_at >= since and run.outcome == "done" for run in runs)

    def _work(self) -> datetime:
        """Change items in every mailbox as its owner would; returns the time at which the changes were done."""
        for mailbox in self._mailboxes():
            access = self._parts.access_tokens.access(mailbox.authorization_id, mailbox.address)
            worker = MailboxUser(self._running.sandbox.endpoints["exchange"], mailbox.address, access.token)
            try:
                done = worker.work()
            finally:
                worker.close()
            summary = ", ".join(f"{count} {kind}" for kind, count in done.items())
            console.print(f"{mailbox.address} at work: {summary}", markup=False)
        return datetime.now(UTC)

    def _switch_ews_off(self) -> list[str]:
        """A tenant whose mailboxes are read over EWS switches it off; gives their ids."""
        over_ews = [mailbox for mailbox in self._mailboxes() if mailbox.source is SourceName.EWS]
        tenant = [mailbox for mailbox in over_ews if mailbox.tenant_id == over_ews[-1].tenant_id]
        for mailbox in tenant:
            self._block_ews(mailbox.address, "tenant_off")
            console.print(f"EWS is switched off for {mailbox.address}", markup=False)
        return [mailbox.id for mailbox in tenant]

    def _cut_over(self, moved: Sequence[str], found: Mapping[str, Comparison]) -> dict[str, int]:
        """What the moves have cost, and whether the copies are whole; counts the mailboxes that did move."""
        mailboxes = [self._parts.registry.get(each) for each in moved]
        runs = [(box, run) for box in mailboxes for run in self._parts.registry.runs(box.id)]
        return {
            "mailboxes": sum(mailbox.source is SourceName.GRAPH for mailbox in mailboxes),
            "downloaded": sum(run.updated for box, run in runs if box.moved_at and run.started_at >= box.moved_at),
            "missing": sum(len(found[each].missing) for each in moved),
            "extra": sum(len(found[each].extra) for each in moved),
            "different": sum(len(found[each].different) for each in moved),
        }

    def _compare(self) -> dict[str, Comparison]:
        """By mailbox."""
        found = {}
        for mailbox in self._mailboxes():
            truth = self._running.sandbox.control.get(f"/mailboxes/{mailbox.address}/truth")
            over_graph = mailbox.source is SourceName.GRAPH
            was_moved = mailbox.moved_at is not None
            comparison = compare(truth, self._parts.replica, mailbox.id, over_graph=over_graph, was_moved=was_moved)
            console.print(
                f"{mailbox.address}: {comparison}", style="green" if comparison.is_equal else "red", markup=False
            )
            found[mailbox.id] = comparison
        return found

    def _summary(self, found: Sequence[Comparison], changed_at: datetime, seconds: float) -> dict[str, float]:
        runs = [run for mailbox in self._mailboxes() for run in self._parts.registry.runs(mailbox.id)]
        changes = sum(
            run.created + run.updated + run.moved + run.deleted for run in runs if run.started_at >= changed_at
        )
        return {
            "mailboxes": len(found),
            "graph_mailboxes": sum(mailbox.source is SourceName.GRAPH for mailbox in self._mailboxes()),
            "items": sum(comparison.items for comparison in found),
            "changes": changes,
            "issues": sum(len(self._parts.registry.issues(mailbox.id)) for mailbox in self._mailboxes()),
            "missing": sum(len(comparison.missing) for comparison in found),
            "extra": sum(len(comparison.extra) for comparison in found),
            "different": sum(len(comparison.different) for comparison in found),
            "seconds": round(seconds, 1),
        }

    def _mailboxes(self) -> list[Mailbox]:
        return sorted(self._parts.registry.all(), key=lambda mailbox: mailbox.address)

    def _state(self) -> str:
        """The state of every mailbox and the app's last log lines, for the timeout message."""
        summary = "; ".join(f"{box.address}: {box.status} {box.reason} {box.items} items" for box in self._mailboxes())
        return f"{summary}. The app's last lines:\n" + "\n".join(list(self._running.host.lines)[-15:])


def people_of(running: LocalStack) -> list[Account]:
    """The people who sign in: the default people, or all people when the sandbox was given others."""
    people = {person["address"]: person for person in running.sandbox.endpoints["people"]}
    chosen = [address for address in DEFAULT_ADDRESSES if address in people] or list(people)
    return [Account(address, people[address]["password"]) for address in chosen]


def wait(what: str, look: Callable[[], bool], seconds: float) -> None:
    """Return once `look` is true. Raises DemoTimeout, which names `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise DemoTimeout(f"Waited {seconds:.0f} s for {what}")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
