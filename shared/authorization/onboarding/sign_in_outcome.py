"""The purposes of a sign-in and its outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.authorization.errors import SignInRefused
from shared.errors import ActionNeeded

if TYPE_CHECKING:
    from shared.authorization.model import Identity
    from shared.mailboxes.model import Mailbox


class SignInPurpose(StrEnum):
    """The purpose of a sign-in."""

    CONNECT = "connect"
    """Connect the mailbox of the person who signs in, or renew it if it is connected."""
    INVITED = "invited"
    """The same for an invited address."""
    RENEW = "renew"
    """Sign in again for one mailbox: account, mailbox, cursor, and replica stay the same."""
    CHANGE = "change"
    """Connect another account's mailbox, and disconnect the present one."""
    VIEW = "view"
    """Only open a session, to see one's own page or the operator's."""
    CONFIRM = "confirm"
    """Prove who one is again, before one's mailbox is erased."""
    SERVICE = "service"
    """Sign in a service account, as an operator, to read a list of mailboxes with it."""


MAIL_PURPOSES = frozenset(
    {SignInPurpose.CONNECT, SignInPurpose.INVITED, SignInPurpose.RENEW, SignInPurpose.CHANGE, SignInPurpose.SERVICE}
)
"""The purposes that need permission to read mail."""


AFTER_APPROVAL = "waited"
"""The key that marks an intent as resumed after an approval."""


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """A successful sign-in. `session` is the cookie's value; `return_url` is the inviter's URL with the outcome."""

    purpose: SignInPurpose
    identity: "Identity" = field(repr=False)
    session: str = field(repr=False)
    mailbox: "Mailbox | None" = field(default=None, repr=False)
    authorization_id: str = ""
    new: bool = False
    return_url: str = field(default="", repr=False)
    intent: Mapping[str, str] = field(default_factory=dict, repr=False)


class SignInFailed(Exception):
    """A failed sign-in, with its intent, so that the page can offer to start it again.

    The cause is a SignInRefused or an ActionNeeded. `return_url` is set when the inviter is informed.
    """

    def __init__(self, cause: SignInRefused | ActionNeeded, intent: Mapping[str, str], return_url: str = "") -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause
        self.intent = dict(intent)
        self.return_url = return_url
