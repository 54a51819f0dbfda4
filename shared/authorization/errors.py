"""The errors of sign-ins, invitations, and activations. Most carry the code of the page that explains them.

SignInRefused
├── FlowUnknown, FlowExpired, FlowReplayed, OtherBrowser   the pending flow cannot be used
├── AccountRefused                                         the account is not allowed to sign in
├── InvitationRefused                                      the link was changed, has expired, or was used
└── (itself)                                               any other refusal of the identity provider
TokenInvalid                                               a token failed validation
CommandRefused (shared.mailboxes.errors)
└── ServiceAccountInUse                                    mailboxes are still read with the service account
InvitationMalformed, ActivationRefused                     an operator's request is not valid

They live in one module without heavy imports, because the HTTP layer imports them before the modules that raise them.
"""

from typing import Any

from shared.errors import MailboxSyncError, NotFound, Reason
from shared.mailboxes.errors import CommandRefused

APPROVABLE = frozenset({Reason.ADMIN_CONSENT_REQUIRED, Reason.CONSENT_REQUIRED, Reason.APP_NOT_IN_TENANT})
"""The reasons that an administrator's consent resolves."""


class SignInRefused(MailboxSyncError):
    """This sign-in failed and changed no mailbox. `code` selects the page that explains it.

    `values` fill the placeholders of the page. They may be personal (the addresses of a wrong account), so they are
    shown on the page and never logged.
    """

    def __init__(self, code: str, *, support: str = "", **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.support = support
        self.values: dict[str, Any] = dict(values)


class FlowUnknown(SignInRefused, NotFound):
    """The state belongs to no flow that this program started, or to one that was deleted long ago."""

    def __init__(self) -> None:
        super().__init__("flow_unknown")


class FlowExpired(SignInRefused, NotFound):
    """The flow has expired. Where administrators review consent requests, the person may still wait for a decision."""

    def __init__(self) -> None:
        super().__init__("flow_expired")


class FlowReplayed(SignInRefused, NotFound):
    """The flow was already used: a reloaded page, or a stolen response."""

    def __init__(self) -> None:
        super().__init__("flow_replayed")


class OtherBrowser(SignInRefused, NotFound):
    """The flow was started in another browser: a forwarded response, a login CSRF attempt, or disabled cookies."""

    def __init__(self) -> None:
        super().__init__("other_browser")


class AccountRefused(SignInRefused):
    """The account is not allowed: a personal account, a tenant that is not on the list, or the wrong person."""


class InvitationRefused(SignInRefused):
    """The invitation link is not valid, or no longer valid."""


class TokenInvalid(MailboxSyncError):
    """A token's signature, issuer, audience, time, or format is wrong.

    The message says which check failed and quotes nothing from the token.
    """


class TokenWithoutRole(TokenInvalid):
    """A valid access token has none of this application's roles."""


class ServiceAccountInUse(CommandRefused):
    """The service account cannot be removed, because mailboxes are read with it."""

    code = "still_in_use"


class InvitationMalformed(MailboxSyncError):
    """The requested invitation cannot be created; `code` says why, and `parameter` names the wrong value."""

    def __init__(self, code: str, parameter: str = "") -> None:
        super().__init__(f"{code}: {parameter}" if parameter else code)
        self.code = code
        self.parameter = parameter


class ActivationRefused(MailboxSyncError):
    """The list of an activation, or its authorization, cannot be used, and nothing was activated.

    `parameter` names the wrong value.
    """

    def __init__(self, message: str, parameter: str = "addresses") -> None:
        super().__init__(message)
        self.parameter = parameter
