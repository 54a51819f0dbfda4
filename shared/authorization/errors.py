"""What can go wrong with a sign-in, and with a request for an invitation or an activation. Most name their page.

SignInRefused
├── FlowUnknown, FlowExpired, FlowReplayed, OtherBrowser   the pending flow cannot be taken
├── AccountRefused                                         somebody signed in who may not
├── InvitationRefused                                      the link is changed, expired or used
└── (itself)                                               anything else that the identity provider refused
TokenInvalid                                               a token that is not what it has to be
CommandRefused (shared.mailboxes.errors)
└── ServiceAccountInUse                                    mailboxes are still read with the service account
InvitationMalformed, ActivationRefused                     what an operator asks for cannot be made

In one light module: the HTTP layer names them before the modules that raise them are loaded.
"""

from typing import Any

from shared.errors import MailboxSyncError, NotFound, Reason
from shared.mailboxes.errors import CommandRefused

APPROVABLE = frozenset({Reason.ADMIN_CONSENT_REQUIRED, Reason.CONSENT_REQUIRED, Reason.APP_NOT_IN_TENANT})
"""The reasons an administrator's consent can cure."""


class SignInRefused(MailboxSyncError):
    """This sign-in did not succeed; no mailbox changed for it. `code` names its page.

    `values` fill the page's sentences and may be personal (the addresses of a wrong account): for the page alone.
    """

    def __init__(self, code: str, *, support: str = "", **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.support = support
        self.values: dict[str, Any] = dict(values)


class FlowUnknown(SignInRefused, NotFound):
    """The state belongs to no flow that we began, or to one that was swept long ago."""

    def __init__(self) -> None:
        super().__init__("flow_unknown")


class FlowExpired(SignInRefused, NotFound):
    """The flow has come to its end. Where administrators decide on requests, it may mean that one is being awaited."""

    def __init__(self) -> None:
        super().__init__("flow_expired")


class FlowReplayed(SignInRefused, NotFound):
    """The flow was taken before: a reloaded page, or a stolen answer."""

    def __init__(self) -> None:
        super().__init__("flow_replayed")


class OtherBrowser(SignInRefused, NotFound):
    """The flow began in another browser: a forwarded answer, an attempted login CSRF, or cookies turned off."""

    def __init__(self) -> None:
        super().__init__("other_browser")


class AccountRefused(SignInRefused):
    """Somebody signed in who must not: a personal account, a tenant that is not on the list, the wrong person."""


class InvitationRefused(SignInRefused):
    """The invitation link is not good (any more)."""


class TokenInvalid(MailboxSyncError):
    """A token's signature, issuer, audience, time or shape is wrong. The message says which, and nothing of it."""


class ServiceAccountInUse(CommandRefused):
    """The service account cannot be given up: mailboxes are read with it."""

    code = "still_in_use"


class InvitationMalformed(MailboxSyncError):
    """The invitation that was asked for cannot be made; `code` says why, `parameter` which value it is."""

    def __init__(self, code: str, parameter: str = "") -> None:
        super().__init__(f"{code}: {parameter}" if parameter else code)
        self.code = code
        self.parameter = parameter


class ActivationRefused(MailboxSyncError):
    """The list, or what it is to be read with, cannot be used. Nothing was activated. `parameter` says which it is."""

    def __init__(self, message: str, parameter: str = "addresses") -> None:
        super().__init__(message)
        self.parameter = parameter
