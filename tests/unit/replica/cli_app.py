"""As much of the app as the command line uses, with one mailbox and a replica in memory."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from shared.authorization.port import Revocations
from shared.cli import main as cli
from shared.errors import NotFound
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.directory.port import MailboxDirectory
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.model import ScopeSettings
from shared.mailboxes.holds import HoldCommands
from shared.mailboxes.model import Mailbox
from shared.mailboxes.move_commands import MoveCommands
from shared.mailboxes.port import AuditEntry, ItemIssue, MailboxRegistry
from shared.replica.port import FeedChange, FeedKind, FolderState
from shared.replica.reading.port import ReplicaReader
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import Blobs, Rows
from shared.replica.store import BlobTableReplica
from shared.sources.model import AccessMode, Content, ItemKind
from tests.fakes.groups import MemoryGroups
from tests.fakes.leases import FakeLeases
from tests.fakes.queue import FakeQueue
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with

ID = "mailbox-1"
MESSAGE = b"From: ann@contoso.example\r\nSubject: hi\r\n\r\nFrom here\r\n>From there\r\n"


class OneMailbox:
    """As much of a registry as the commands use."""

    def __init__(self) -> None:
        self.audit: list[tuple[str, str, str]] = []
        self.changed = Mailbox(ID, 0, "t", "o", "ann@contoso.example", "Ann", "a", AccessMode.DELEGATED, NOW, items=3)

    def all(self) -> Iterator[Mailbox]:
        """The one."""
        yield self.changed

    def get(self, mailbox_id: str) -> Mailbox:
        """The one, or none."""
        if mailbox_id != ID:
            raise NotFound("not there")
        return next(self.all())

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """What it is from now on."""
        self.changed = change(self.get(mailbox_id))
        return self.changed

    def issues(self, mailbox_id: str) -> list[ItemIssue]:
        """One, of an item of which much is known."""
        return [ItemIssue(ID, "x", "f", "item_corrupt", "ErrorX", 2, NOW, NOW, "Inbox", "\x1b[31mHi", NOW)]

    def audit_trail(self, mailbox_id: str, after: str = "", limit: int = 100) -> list[AuditEntry]:
        """What was remembered, newest first."""
        return [AuditEntry("k", NOW, actor, act) for _, actor, act in reversed(self.audit)][:limit]

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Remember."""
        self.audit.append((mailbox_id, actor, act))


@dataclass
class CliApp:
    """The components that the commands use."""

    reader_kind: Callable[[Blobs, Rows], ReplicaReader] = BlobTableReader
    one: OneMailbox = field(default_factory=OneMailbox)
    queue: FakeQueue = field(default_factory=FakeQueue)
    groups: MemoryGroups = field(default_factory=MemoryGroups)

    def __post_init__(self) -> None:
        self.blobs, self.rows = MemoryBlobs(clock=lambda: NOW), MemoryRows()
        self.replica = BlobTableReplica(self.blobs, self.rows)
        self.replica_reader = self.reader_kind(self.blobs, self.rows)

    @property
    def group_commands(self) -> GroupCommands:
        directory = cast("MailboxDirectory", None)  # no command of this suite counts mailboxes
        return GroupCommands(self.groups, self.registry, directory, ScopeSettings(), lambda: NOW)

    @property
    def registry(self) -> MailboxRegistry:
        return cast("MailboxRegistry", self.one)

    @property
    def mailbox_commands(self) -> MailboxCommands:
        return MailboxCommands(
            registry=self.registry, replica=self.replica, leases=FakeLeases(), queue=self.queue,
            revocations=cast("Revocations", None), clock=lambda: NOW, wait=lambda seconds: None,
        )  # fmt: skip

    @property
    def move_commands(self) -> MoveCommands:
        return MoveCommands(self.registry, lambda source: True)

    @property
    def hold_commands(self) -> HoldCommands:
        return HoldCommands(self.registry, lambda: NOW)

    def run(self, *arguments: str) -> str:
        """Run a command that succeeds; returns what it prints."""
        out = io.StringIO()
        assert cli.run(arguments, self, out) == 0
        return out.getvalue()


def app_with_items() -> CliApp:
    """A replica with two messages, an event, and an item without content, in three folders."""
    app = CliApp()
    folders = cursor_with(
        FolderState("inbox", "Inbox"), FolderState("sub", "Inbox/../..%2Fetc"), FolderState("cal", "Calendar")
    )
    event = an_item("E", kind=ItemKind.EVENT, folder_id="cal", subject="\x1b[31mLunch", at=None)
    commit(
        app.replica,
        ID,
        created("A", MESSAGE, subject="../../etc/passwd"),
        created("B", MESSAGE, folder_id="sub", subject="CON", at=datetime(2001, 2, 3, tzinfo=UTC)),
        FeedChange(FeedKind.CREATE, event, Content("ics", b"BEGIN:VCALENDAR")),
        created("N", b"", subject="no content"),
        after=folders,
    )
    return app


def files_below(directory: Path) -> dict[str, bytes]:
    """The contents of all files below a directory, by path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
