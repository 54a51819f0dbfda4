"""The commands on connected mailboxes."""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.authorization import AuthorizationComponents
from shared.app.base import utc_now
from shared.app.sources import SourceComponents
from shared.app.stores import StoreComponents

if TYPE_CHECKING:
    from shared.authorization.tokens.revocation import TokenRevocation
    from shared.mailboxes.commands import MailboxCommands
    from shared.mailboxes.groups.commands import GroupCommands
    from shared.mailboxes.holds import HoldCommands
    from shared.mailboxes.move_commands import MoveCommands


class MailboxComponents(AuthorizationComponents, SourceComponents, StoreComponents):
    """What people and operators do with connected mailboxes."""

    @cached_property
    def token_revocation(self) -> "TokenRevocation":
        """Revokes authorizations and deletes their tokens."""
        from shared.authorization.tokens.revocation import TokenRevocation

        return TokenRevocation(
            authorizations=self.authorizations,
            token_store=self.token_store,
            access_tokens=self.access_tokens,
            in_use=self.registry.authorizations_in_use,
            clock=utc_now,
        )

    @cached_property
    def mailbox_commands(self) -> "MailboxCommands":
        """The commands on connected mailboxes."""
        from shared.mailboxes.commands import MailboxCommands

        return MailboxCommands(
            registry=self.registry,
            replica=self.replica,
            leases=self.leases,
            queue=self.queue,
            revocations=self.token_revocation,
            clock=utc_now,
            wait=time.sleep,
        )

    @cached_property
    def move_commands(self) -> "MoveCommands":
        """What an operator does about moves between sources."""
        from shared.mailboxes.move_commands import MoveCommands

        return MoveCommands(self.registry, self.source_selection.can_use)

    @cached_property
    def hold_commands(self) -> "HoldCommands":
        """Legal holds."""
        from shared.mailboxes.holds import HoldCommands

        return HoldCommands(self.registry, utc_now)

    @cached_property
    def group_commands(self) -> "GroupCommands":
        """Groups of mailboxes."""
        from shared.mailboxes.groups.commands import GroupCommands

        return GroupCommands(self.group_store, self.registry, self.registry.directory, self.scope_settings, utc_now)
