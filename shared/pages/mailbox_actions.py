"""The actions that a person can take on their mailbox with the buttons of their page."""

from enum import StrEnum


class MailboxAction(StrEnum):
    """An action on a mailbox; its value is also the last part of the path it is posted to."""

    SYNC = "sync"
    PAUSE = "pause"
    START = "start"
    SIGN_IN = "sign-in"
    CHANGE_ACCOUNT = "change-account"
    DISCONNECT = "disconnect"
    ERASE = "erase"
    APPROVAL = "approval"


NEEDS_CONFIRMATION = frozenset({MailboxAction.CHANGE_ACCOUNT, MailboxAction.DISCONNECT, MailboxAction.ERASE})
"""The actions that a separate page asks to confirm."""
