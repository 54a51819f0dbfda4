"""What notices are sent, to whom. No vendor, no clock, no storage."""

from dataclasses import dataclass, field
from enum import StrEnum

from shared.mailboxes.directory.model import WayIn, way_in
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.events import EventType


class NoticeKind(StrEnum):
    """What a notice tells. Its value is the section of its sentences under [mail]."""

    SIGN_IN = "sign_in"
    ADMINISTRATOR = "administrator"
    SUSPENDED = "suspended"
    RECOVERED = "recovered"


KINDS = {
    EventType.NEEDS_SIGN_IN: NoticeKind.SIGN_IN,
    EventType.NEEDS_ADMIN: NoticeKind.ADMINISTRATOR,
    EventType.SUSPENDED: NoticeKind.SUSPENDED,
    EventType.RECOVERED: NoticeKind.RECOVERED,
}
"""The events that a notice is sent for. Each is one event an episode: a status that has changed."""

_HOLDS = {
    NoticeKind.SIGN_IN: Status.NEEDS_SIGN_IN,
    NoticeKind.ADMINISTRATOR: Status.NEEDS_ADMIN,
    NoticeKind.SUSPENDED: Status.SUSPENDED,
    NoticeKind.RECOVERED: Status.ACTIVE,
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. Addresses are personal: they are never logged."""

    to: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


def still_holds(kind: NoticeKind, mailbox: Mailbox) -> bool:
    """Whether the mailbox is still as the notice says: a mail about what has passed would mislead."""
    return mailbox.erasing_since is None and mailbox.status is _HOLDS[kind]


def person_of(mailbox: Mailbox) -> str:
    """The address of the person to tell; empty for a mailbox that its owner has not connected by signing in."""
    return mailbox.address if way_in(mailbox) is WayIn.SIGN_IN else ""
