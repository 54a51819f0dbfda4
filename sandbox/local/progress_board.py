"""Shows the running syncs: a bar for each mailbox in its first sync, its status afterward."""

from collections.abc import Iterable
from datetime import datetime

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from shared.mailboxes.model import Mailbox, Status


class _StatusColumn(ProgressColumn):
    """The column that shows a mailbox's current status."""

    def render(self, task: Task) -> Text:
        """The status as text, colored when someone has to act."""
        return Text(task.fields["status"], style=task.fields["style"])


def board() -> Progress:
    """An empty board."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", style="bold"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}", justify="right"),
        _StatusColumn(),
    )


class Board:
    """The mailboxes on a rich board, refreshed by `show`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, mailboxes: Iterable[Mailbox]) -> None:
        """Update every mailbox's line, and remove the lines of mailboxes that are gone."""
        present = {mailbox.id: mailbox for mailbox in mailboxes}
        for gone in self._tasks.keys() - present.keys():
            self._progress.remove_task(self._tasks.pop(gone))
        for mailbox in present.values():
            if mailbox.id not in self._tasks:
                self._tasks[mailbox.id] = self._progress.add_task(
                    mailbox.display_name, status="", style="", count="", total=1
                )
            done, total = progress_of(mailbox)
            text, style = status_of(mailbox)
            count = "1 item" if mailbox.items == 1 else f"{mailbox.items} items"
            task = self._tasks[mailbox.id]
            self._progress.update(task, completed=done, total=total, status=text, style=style, count=count)


def progress_of(mailbox: Mailbox) -> tuple[int, int]:
    """The number of items in the replica and the total; equal once the first sync is done."""
    if mailbox.first_sync_done:
        return max(mailbox.items, 1), max(mailbox.items, 1)
    return mailbox.items, max(mailbox.in_scope, mailbox.items, 1)


def status_of(mailbox: Mailbox) -> tuple[str, str]:
    """A mailbox's status as a short text with its style."""
    issues = f", {mailbox.issues} issue{'s' if mailbox.issues > 1 else ''}" if mailbox.issues else ""
    if mailbox.status is not Status.ACTIVE:
        return f"{mailbox.status}{f' ({mailbox.reason})' if mailbox.reason else ''}", "yellow"
    if mailbox.syncing_since:
        return f"syncing since {_clock(mailbox.syncing_since)}{issues}", "cyan"
    if mailbox.last_success_at:
        return f"synced at {_clock(mailbox.last_success_at)}{issues}", "green"
    return "waiting for its first sync", ""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
