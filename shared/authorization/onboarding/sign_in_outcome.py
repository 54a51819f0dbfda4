"""What a sign-in is for, and how it can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.authorization.errors import SignInRefused
from shared.errors import ActionNeeded

if TYPE_CHECKING:
    from shared.authorization.port import Identity
    from shared.mailboxes.model import Mailbox


class SignInPurpose(StrEnum):
    """What a sign-in is for."""

    CONNECT = "connect"
    """Set up sync for whoever signs in; for somebody who is connected, renew."""
    INVITED = "invited"
    """The same, for one address."""
    RENEW = "renew"
    """Sign in again for one mailbox: the same account, mailbox, cursor, replica."""
    CHANGE = "change"
    """Connect another account instead of one mailbox, which is disconnected then."""
    VIEW = "view"
    """Only a session: to see one's own settings, or the operator's page."""
    CONFIRM = "confirm"
    """Only proof that its owner is there, before a mailbox is erased."""
    SERVICE = "service"
    """An operator signs in a service account, with which a list of mailboxes will be read."""


MAIL_PURPOSES = frozenset(
    {SignInPurpose.CONNECT, SignInPurpose.INVITED, SignInPurpose.RENEW, SignInPurpose.CHANGE, SignInPurpose.SERVICE}
)
"""The acts that ask for reading mail."""


AFTER_APPROVAL = "waited"
"""The mark in an intent that is carried on with after an approval."""


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """How a sign-in ended well. `session` is the cookie's value; `return_url` the inviter's URL with the outcome."""

    purpose: SignInPurpose
    identity: "Identity" = field(repr=False)
    session: str = field(repr=False)
    mailbox: "Mailbox | None" = field(default=None, repr=False)
    authorization_id: str = ""
    new: bool = False
    return_url: str = field(default="", repr=False)
    intent: Mapping[str, str] = field(default_factory=dict, repr=False)


class SignInFailed(Exception):
    """A sign-in that ended badly, with what it was for, so that its page can offer to begin it again.

    The cause is a SignInRefused or an ActionNeeded. `return_url` when the inviter is to be told.
    """

    def __init__(self, cause: SignInRefused | ActionNeeded, intent: Mapping[str, str], return_url: str = "") -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause
        self.intent = dict(intent)
        self.return_url = return_url
