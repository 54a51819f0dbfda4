"""Finds out from a 403 response why Exchange denies access. Imports no vendor library.

Microsoft does not document the body of a 403, and a front end may leave it empty. The response is therefore searched
for known words. Without any, the most frequent cause is assumed: the service account may not impersonate, or for any
other access, EWS is switched off for this app. A 403 never leads to a new sign-in, which could not help. The page
catalog says what the administrator does about each reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import AdministratorMustAct, Reason
from shared.sources.model import AccessMode


@dataclass(frozen=True, slots=True)
class ForbiddenResponse:
    """A 403 response and the access mode. Headers and body are only searched; they are never kept, shown or logged."""

    mode: AccessMode
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The reason for a 403, and the finding behind it: one of a fixed set of words, shown to administrators."""

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
"""Words to search for in a 403 response, the most specific first."""

REASONS = tuple(dict.fromkeys(diagnosis.reason for diagnosis, _ in _CLUES))
"""All possible reasons for a 403."""

_HEADERS = ("x-ms-diagnostics", "www-authenticate", "x-caserrorcode")


def diagnose(response: ForbiddenResponse) -> Diagnosis:
    """Find the reason for a 403.

    Without a known word, a service account is assumed to lack the right to impersonate. For any other access, EWS is
    assumed to be blocked, because that is the most frequent cause.
    """
    headers = " ".join(response.headers.get(name, "") for name in _HEADERS)
    words = f"{headers} {response.body[:16_384].decode('utf-8', 'replace')}".lower()
    for diagnosis, clues in _CLUES:
        if any(clue in words for clue in clues):
            return diagnosis
    if response.mode is AccessMode.IMPERSONATION:
        return _IMPERSONATION
    return Diagnosis(Reason.EWS_BLOCKED, "unsaid")
