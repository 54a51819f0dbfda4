"""What a person can do with their mailbox, by the buttons of their page."""

from enum import StrEnum


class MailboxAction(StrEnum):
    """What a person can do with a mailbox; also the last part of the path it is posted to."""

    SYNC = "sync"
    PAUSE = "pause"
    START = "start"
    SIGN_IN = "sign-in"
    CHANGE_ACCOUNT = "change-account"
    DISCONNECT = "disconnect"
    ERASE = "erase"
    APPROVAL = "approval"


NEEDS_CONFIRMATION = frozenset({MailboxAction.CHANGE_ACCOUNT, MailboxAction.DISCONNECT, MailboxAction.ERASE})
"""What is asked about once more, on a page of its own, before it is done."""
