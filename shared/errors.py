"""The error hierarchy, by who acts next. The type decides who acts; the reason says why.

MailboxSyncError
├── SettingsInvalid            the operator, before anything runs
├── ActionNeeded
│   ├── RetryLater             nobody yet: the queue redelivers, no sooner than retry_after
│   ├── PersonMustSignIn       the person: sign in again
│   ├── AdministratorMustAct   their administrator: consent, policy, EWS disabled
│   └── OperatorMustAct        us: our own credential or configuration; never changes a mailbox's state
├── ItemUnusable               nobody: one bad item, recorded as an issue
├── NotFound                   what was named does not exist, or belongs to somebody else
│   └── BeingErased            the mailbox is marked for erasure: nothing changes it any more
└── Conflict                   another writer was first: read again
"""

from collections.abc import Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Why an action is needed: the key of the text that people read and of the metric that operators count."""

    # retried
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"
    BAD_ANSWER = "bad_answer"
    CONFLICT = "conflict"
    # the person
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 -- by the mail server: counted, no prompt at once
    GRANT_REVOKED = "grant_revoked"
    GRANT_EXPIRED = "grant_expired"
    INTERACTION_REQUIRED = "interaction_required"  # MFA, conditional access: carries a claims challenge
    CONSENT_REQUIRED = "consent_required"
    ACCOUNT_DISABLED = "account_disabled"
    # their administrator
    ADMIN_CONSENT_REQUIRED = "admin_consent_required"
    CONDITIONAL_ACCESS = "conditional_access"
    EWS_BLOCKED = "ews_blocked"
    NOT_ASSIGNED = "not_assigned"
    APP_NOT_IN_TENANT = "app_not_in_tenant"
    NO_MAILBOX = "no_mailbox"
    NO_LICENSE = "no_licence"
    ACCESS_DENIED = "access_denied"
    IMPERSONATION_DENIED = "impersonation_denied"
    # us
    OUR_CREDENTIAL = "our_credential"
    OUR_CONFIGURATION = "our_configuration"
    OUR_STORAGE = "our_storage"
    INTERNAL = "internal"  # a defect: an unexpected exception
    # one item
    ITEM_GONE = "item_gone"
    ITEM_CORRUPT = "item_corrupt"
    ITEM_TOO_LARGE = "item_too_large"
    ITEM_REFUSED = "item_refused"
    ITEM_UNREADABLE = "item_unreadable"


class Actor(StrEnum):
    """Who acts next. The error tables in the code and in docs/ use these values."""

    QUEUE = "the queue, later"
    SMALLER = "us at once, with smaller requests; then the queue"
    LISTING = "us at once: the folder is listed and compared; their administrator frees space"
    PERSON = "the person"
    THIS_SIGN_IN = "the person, in this sign-in only"
    ADMINISTRATOR = "their administrator"
    OPERATOR = "the operator"
    FOLDER = "the sync: folders are listed again"
    STATE = "the sync: the folder is read from the beginning"


class MailboxSyncError(Exception):
    """Base class of all errors that this program raises. Messages contain no address, subject, token or code."""


class SettingsInvalid(MailboxSyncError):
    """The configuration cannot be used. Lists every problem by setting name, without values."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The settings need attention:\n" + "\n".join(f"  - {problem}" for problem in problems))


class ActionNeeded(MailboxSyncError):
    """A pass, a sign-in or a request cannot continue until somebody acts.

    `support` is the vendor's own error code (an AADSTS code, an EWS response code), for support texts only.
    """

    def __init__(self, reason: Reason, detail: str = "", *, support: str = "") -> None:
        self.reason = reason
        self.support = support
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class RetryLater(ActionNeeded):
    """It should work later without action. `retry_after` is in seconds, if the server named a time.

    `tenant_wide`: the server's answer applies to the whole tenant, so the tenant's other mailboxes wait as well.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        support: str = "",
        retry_after: float | None = None,
        tenant_wide: bool = False,
    ) -> None:
        super().__init__(reason, detail, support=support)
        self.retry_after = retry_after
        self.tenant_wide = tenant_wide


class PersonMustSignIn(ActionNeeded):
    """Only the person can restore access. `definite`: the identity provider said so explicitly (invalid_grant).

    `claims` is the claims challenge to pass on at the next sign-in, if there is one.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, support: str = "", definite: bool = True, claims: str = ""
    ) -> None:
        super().__init__(reason, detail, support=support)
        self.definite = definite
        self.claims = claims


class AdministratorMustAct(ActionNeeded):
    """The person's administrator has to consent, license or allow. Signing in again does not help.

    Not `definite` if a malfunctioning server gives the same answer: then it counts only after several repetitions.
    """

    def __init__(self, reason: Reason, detail: str = "", *, support: str = "", definite: bool = True) -> None:
        super().__init__(reason, detail, support=support)
        self.definite = definite


class OperatorMustAct(ActionNeeded):
    """Our own credential, configuration or storage is at fault. Alerts the operator; changes no mailbox's state.

    `of_one`: only one secret or row is at fault, so work on all others can continue.
    """

    def __init__(self, reason: Reason, detail: str = "", *, support: str = "", of_one: bool = False) -> None:
        super().__init__(reason, detail, support=support)
        self.of_one = of_one


class ItemUnusable(MailboxSyncError):
    """One item cannot be fetched, parsed or stored; it becomes an issue and blocks nothing."""

    def __init__(self, reason: Reason, detail: str = "", *, support: str = "") -> None:
        self.reason = reason
        self.support = support
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class NotFound(MailboxSyncError):
    """It does not exist, or the requester may not see it."""


class BeingErased(NotFound):
    """The mailbox is marked for erasure: it no longer exists, except for the erasure."""


class Conflict(MailboxSyncError):
    """What was to be replaced has changed since it was read."""
