"""make run: runs the sandbox and the app on this machine and shows the sign-in link and progress, until Ctrl-C.

Other options (--mbox, --maildir, --people, --messages, --without, --ews-url...) are passed on to the sandbox.
"""

import argparse
import sys
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.host.process import HostFailed
from sandbox.local.local_stack import (
    MESSAGE_LEASE,
    USUAL_PORT,
    USUAL_STATE,
    LocalStack,
    end_as_by_ctrl_c,
    local_stack,
    usual_port,
)
from sandbox.local.progress_board import Board, board
from sandbox.state_folder import is_claimed
from shared.errors import MailboxSyncError
from shared.scheduling.ncrontab import Schedule, ScheduleInvalid

LOOK_SECONDS = 1.0
MOST_CRASHES = 5
"""Crashes within a minute; an app that ends more often than that is not started again."""

SETTINGS = {"SYNC_BUDGET_SECONDS": "15", "ORGANIZATION": "Contoso"}
"""Passes are short, so that intermediate progress is visible; the organization's name appears on the pages."""

console = Console(highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    given, for_sandbox = _parser().parse_known_args(arguments)
    if is_claimed(given.state):
        console.print(_already_running(given.state), style="red", markup=False, soft_wrap=True)
        return 1
    end_as_by_ctrl_c()
    try:
        settings = SETTINGS | schedule_settings(given.schedule)
        with ExitStack() as ending:
            with console.status("Starting the sandbox and the app…"):
                running = ending.enter_context(
                    local_stack(
                        given.state, *for_sandbox, port=usual_port(), settings=settings, message_lease=MESSAGE_LEASE
                    )
                )
            _welcome(running)
            watch(running)
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running, and no mail is left on the disk.")
    except (RuntimeError, ScheduleInvalid) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


def _already_running(state: Path) -> str:
    return (
        f"A sandbox is already running in {state}; it was left alone. Its terminal shows the sign-in link.\n"
        "End it with Ctrl-C first, or run another beside it: make run ARGS='--state .sandbox-2'"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.run",
        allow_abbrev=False,
        description="Run the sandbox and the app. Further options go to the sandbox: python -m sandbox --help",
    )
    parser.add_argument("--state", type=Path, default=USUAL_STATE, help="where to keep certificates and logs")
    parser.add_argument("--schedule", metavar="CRON", help='another schedule of the sync, such as "0 * * * * *"')
    return parser


def schedule_settings(expression: str | None) -> dict[str, str]:
    """The settings for another schedule; every mailbox is due at each timer tick. Raises ScheduleInvalid."""
    if not expression:
        return {}
    Schedule.parse(expression)
    return {"SYNC_SCHEDULE": expression}


def watch(running: LocalStack) -> None:
    """Show the mailboxes and restart the app when it dies, until interrupted.

    Raises HostFailed when the app keeps ending, and RuntimeError when the sandbox has ended.
    """
    crashes: deque[float] = deque(maxlen=MOST_CRASHES)
    progress = board()
    lines = Board(progress)
    hint = Text("Nobody has signed in yet.", style="dim")
    registry = running.parts().registry
    with Live(hint, console=console, refresh_per_second=4) as live:
        while True:
            if (code := running.sandbox.process.poll()) is not None:
                raise RuntimeError(
                    f"The sandbox has ended (exit code {code}), and what it held is gone. Start it again."
                )
            if running.host.process.poll() is not None:
                _revive(running, crashes)
            try:
                lines.show(mailboxes := list(registry.all()))
                live.update(Group(progress) if mailboxes else hint)
            except MailboxSyncError as problem:
                console.print(f"The registry cannot be read at the moment: {type(problem).__name__}", style="yellow")
            time.sleep(LOOK_SECONDS)


def _revive(running: LocalStack, crashes: deque[float]) -> None:
    """Restart the app and report it."""
    code = running.host.process.returncode
    now = time.monotonic()
    if len(crashes) == MOST_CRASHES and now - crashes[0] < 60:
        raise HostFailed(f"The app keeps ending (exit code {code}). Its log: {running.log}")
    crashes.append(now)
    console.print(
        f"The app has ended (exit code {code}); starting it again. Its log: {running.log}\n"
        "A sync that it interrupted continues within two minutes, when the queue delivers its message again.",
        style="yellow",
        soft_wrap=True,
    )
    running.restart()


def _welcome(running: LocalStack) -> None:
    """Print the sign-in link and the people."""
    port = int(running.url.rpartition(":")[2])
    if port != USUAL_PORT:
        console.print(f"Port {USUAL_PORT} is taken, so the app is at {port} this time.", style="yellow")
    console.print(f"\nSign in at [bold]{running.url}/[/]\n")
    people = Table("Address", "Password", "What is special", box=None, header_style="dim", padding=(0, 3, 0, 0))
    for person in running.sandbox.endpoints["people"]:
        people.add_row(person["address"], person["password"], person.get("notes", ""))
    console.print(people)
    console.print(
        f"\nYour browser will warn about the certificate: it is the sandbox's own. Go on, or trust {running.ca}",
        soft_wrap=True,
    )
    state = "" if running.state == USUAL_STATE else f" --state {running.state}"
    console.print(
        f"What was synced: .venv/bin/python -m sandbox.cli{state} mailboxes --addresses, or --help", soft_wrap=True
    )
    console.print(f"The app's log: {running.log}. Ctrl-C ends everything.\n")


if __name__ == "__main__":
    sys.exit(main())
