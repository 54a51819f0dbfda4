"""The scope of a mailbox: that of its group, or of the deployment."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import NotFound, OperatorMustAct, Reason
from shared.mailboxes.groups.model import Group, ScopeSettings
from shared.mailboxes.model import Mailbox
from shared.sync.scope import Scope


def scope_from(settings: ScopeSettings) -> Scope:
    """The scope that follows from complete settings."""
    return Scope(
        folders_in=settings.folders_in,
        folders_out=settings.folders_out,
        mail_days=settings.mail_days,
        content=settings.content,
        largest_item_bytes=settings.largest_item_mb << 20,
        private_items=settings.private_items,
        exclude=settings.exclude,
        retention_days=settings.retention_days,
    )


@dataclass(frozen=True, slots=True)
class GroupScopes:
    """The scopes of mailboxes. `find` returns a group by its name, or raises NotFound; it may remember groups."""

    deployment: ScopeSettings
    find: Callable[[str], Group]

    def __call__(self, mailbox: Mailbox) -> Scope:
        """Return the scope for a pass. A mailbox without a group needs no look at the groups.

        Raises:
            OperatorMustAct: the mailbox's row names a group that does not exist. The settings of the deployment may
                copy more than the group did, so the mailbox is not synced until it is put into a group again.
        """
        if not mailbox.group:
            return scope_from(self.deployment)
        try:
            group = self.find(mailbox.group)
        except NotFound as exc:
            raise OperatorMustAct(
                Reason.OUR_CONFIGURATION, "the mailbox's group does not exist", support="GroupNotFound", of_one=True
            ) from exc
        return scope_from(group.settings.in_deployment(self.deployment))
