"""Why Exchange answers 403, as far as its response tells. No vendor in here.

Microsoft does not document the body of a 403, and a front end may leave it empty. So known words are searched for; if
there are none, the most frequent cause is assumed: EWS is switched off for this app. A 403 never counts toward signing
in again, which could not help. What the administrator does about each reason is in the page catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import AdministratorMustAct, Reason
from shared.sources.port import AccessMode


@dataclass(frozen=True, slots=True)
class ForbiddenResponse:
    """A 403 and the mode of access. Headers and body are searched for known words, and never kept, shown or logged."""

    mode: AccessMode
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why, and the finding behind it: one word of a fixed vocabulary, shown to administrators and counted."""

    reason: Reason
    finding: str

    def error(self) -> AdministratorMustAct:
        """The error that ends the pass."""
        return AdministratorMustAct(self.reason, support=self.finding)


_IMPERSONATION = Diagnosis(Reason.IMPERSONATION_DENIED, "impersonation")

_CLUES: tuple[tuple[Diagnosis, tuple[str, ...]], ...] = (
    (Diagnosis(Reason.CONDITIONAL_ACCESS, "policy"), ("conditional access", "conditionalaccess", "aadsts53003")),
    (Diagnosis(Reason.NO_LICENSE, "licence"), ("license", "licence", "kiosk", "for this sku")),
    (_IMPERSONATION, ("impersonat",)),
    (
        Diagnosis(Reason.EWS_BLOCKED, "app_not_listed"),
        ("allowedappids", "allow list", "allowlist", "application is not allowed", "app is not allowed"),
    ),
    (
        Diagnosis(Reason.EWS_BLOCKED, "mailbox_off"),
        ("casmailbox", "for this mailbox", "for the mailbox", "for this user", "for the user"),
    ),
    (
        Diagnosis(Reason.EWS_BLOCKED, "tenant_off"),
        ("ewsenabled", "organization", "tenant", "retired", "applicationaccesspolicy", "web services is disabled"),
    ),
    (
        Diagnosis(Reason.ACCESS_DENIED, "access_denied"),
        ("access is denied", "access denied", "accessdenied", "insufficient", "scope", "full_access_as_app"),
    ),
)
"""Words in a 403, the most specific first."""

REASONS = tuple(dict.fromkeys(diagnosis.reason for diagnosis, _ in _CLUES))
"""Every reason that a 403 can have."""

_HEADERS = ("x-ms-diagnostics", "www-authenticate", "x-caserrorcode")


def diagnose(response: ForbiddenResponse) -> Diagnosis:
    """Why this 403. Without any known word, an impersonating account is taken not to be allowed to impersonate."""
    headers = " ".join(response.headers.get(name, "") for name in _HEADERS)
    words = f"{headers} {response.body[:16_384].decode('utf-8', 'replace')}".lower()
    for diagnosis, clues in _CLUES:
        if any(clue in words for clue in clues):
            return diagnosis
    if response.mode is AccessMode.IMPERSONATION:
        return _IMPERSONATION
    return Diagnosis(Reason.EWS_BLOCKED, "unsaid")
