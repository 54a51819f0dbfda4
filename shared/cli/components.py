"""The components of the app that the commands use."""

from typing import Protocol

from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.holds import HoldCommands
from shared.mailboxes.move_commands import MoveCommands
from shared.mailboxes.port import MailboxRegistry
from shared.replica.reading.port import ReplicaReader


class CliApp(Protocol):
    """What the composition root has for the command line."""

    @property
    def registry(self) -> MailboxRegistry:
        """The registry of mailboxes."""
        ...

    @property
    def replica_reader(self) -> ReplicaReader:
        """The read side of the copies: no command writes to one."""
        ...

    @property
    def mailbox_commands(self) -> MailboxCommands:
        """The commands on mailboxes."""
        ...

    @property
    def move_commands(self) -> MoveCommands:
        """Moves between their sources."""
        ...

    @property
    def group_commands(self) -> GroupCommands:
        """Groups of mailboxes."""
        ...

    @property
    def hold_commands(self) -> HoldCommands:
        """Legal holds."""
        ...
