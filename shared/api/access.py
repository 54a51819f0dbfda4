"""Who may do what: the caller's app roles, and the mailboxes that a reader is limited to."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from shared.api.errors import Forbidden, Missing
from shared.api.port import ReaderLimits
from shared.mailboxes.model import Mailbox


class Role(StrEnum):
    """The app roles of the API, as Entra ID assigns them to people and applications."""

    OPERATOR = "Operator"
    """Everything."""
    OPERATOR_READ = "Operator.Read"
    """The state of every mailbox: no content, no commands."""
    REPLICA_READ = "Replica.Read"
    """Content and changes, of all mailboxes or of those that the operator lists."""


EVERYBODY = frozenset(Role)
OPERATORS = frozenset({Role.OPERATOR})
STATE_READERS = frozenset({Role.OPERATOR, Role.OPERATOR_READ})
CONTENT_READERS = frozenset({Role.OPERATOR, Role.REPLICA_READ})


@dataclass(frozen=True, slots=True)
class Caller:
    """The account, or application, that a request is made by. `limits`: what a reader is limited to; None: nothing."""

    object_id: str
    roles: frozenset[Role]
    limits: ReaderLimits | None = None

    def require(self, roles: Collection[Role]) -> None:
        """Raise Forbidden unless the caller has one of these roles."""
        if not self.roles & frozenset(roles):
            raise Forbidden(roles)

    def reads_content(self) -> bool:
        """Whether the caller may read contents, and the names of items."""
        return bool(self.roles & CONTENT_READERS)

    def sees(self, mailbox_id: str, tenant_id: str) -> bool:
        """Whether the caller may know of this mailbox. Limits apply to those who are readers only."""
        if self.limits is None or self.roles & STATE_READERS:
            return True
        return mailbox_id in self.limits.mailboxes or tenant_id in self.limits.tenants

    def require_mailbox(self, mailbox: Mailbox) -> Mailbox:
        """Return the mailbox. Raises Missing for one that the caller may not know of, as if it did not exist."""
        if not self.sees(mailbox.id, mailbox.tenant_id):
            raise Missing("mailbox")
        return mailbox

    def require_content(self, mailbox: Mailbox) -> Mailbox:
        """Return the mailbox if the caller may read its contents. Raises Missing, Forbidden.

        The contents of a mailbox that is being erased are not read any more.

        An account may have two roles: Operator.Read shows it the state of every mailbox, and Replica.Read, limited to
        some, the contents of those alone.
        """
        self.require(CONTENT_READERS)
        if mailbox.erasing_since is not None or not self.reads_content_of(mailbox.id, mailbox.tenant_id):
            raise Missing("mailbox")
        return mailbox

    def reads_content_of(self, mailbox_id: str, tenant_id: str) -> bool:
        """Whether the caller may read the contents of this mailbox."""
        if Role.OPERATOR in self.roles:
            return True
        if Role.REPLICA_READ not in self.roles:
            return False
        return self.limits is None or mailbox_id in self.limits.mailboxes or tenant_id in self.limits.tenants
