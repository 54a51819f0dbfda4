"""Why Exchange answers 403, as far as it can be told, and what the administrator does about it. No vendor in here.

Microsoft does not document the body of a 403, and a front end may leave it empty; so words are looked for, and without
any the commonest cause is assumed: EWS is switched off for this app. Nothing here counts towards signing in again,
which could not help.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import AdministratorMustAct, Reason
from shared.sources.port import AccessMode


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge by. Headers and body are read for known words and never kept, shown or logged."""

    mode: AccessMode
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, and Exchange's word for it (a fixed vocabulary: it is shown to administrators and counted)."""

    reason: Reason
    finding: str

    def error(self) -> AdministratorMustAct:
        """The error that ends the pass."""
        return AdministratorMustAct(self.reason, support=self.finding)


_CLUES: tuple[tuple[tuple[str, ...], Verdict], ...] = (
    (("conditional access", "conditionalaccess", "aadsts53003"), Verdict(Reason.CONDITIONAL_ACCESS, "policy")),
    (("license", "licence", "kiosk", "not enabled for this sku"), Verdict(Reason.NO_LICENCE, "licence")),
    (
        ("impersonat", "errorimpersonateuserdenied"),
        Verdict(Reason.IMPERSONATION_DENIED, "impersonation"),
    ),
    (("allowedappids", "allow list", "allowlist", "app is not allowed", "application is not allowed", "appid is not"),
     Verdict(Reason.EWS_BLOCKED, "app_not_listed")),
    (("mailbox setting", "casmailbox", "for this mailbox", "for the mailbox", "for this user"),
     Verdict(Reason.EWS_BLOCKED, "mailbox_off")),
    (("ewsenabled", "for the organization", "for this organization", "for the tenant", "for this tenant", "retired",
      "ewsapplicationaccesspolicy", "ews is disabled", "ews is blocked", "web services is disabled"),
     Verdict(Reason.EWS_BLOCKED, "tenant_off")),
    (("insufficient", "not enough scope", "accessasuser", "full_access_as_app", "access is denied",
      "access denied", "erroraccessdenied"),
     Verdict(Reason.ACCESS_DENIED, "access_denied")),
)  # fmt: skip
"""Words in a 403, the most telling first."""

_UNSAID = {
    AccessMode.DELEGATED: Verdict(Reason.EWS_BLOCKED, "unsaid"),
    AccessMode.IMPERSONATION: Verdict(Reason.EWS_BLOCKED, "unsaid"),
    AccessMode.APP_ONLY: Verdict(Reason.EWS_BLOCKED, "unsaid"),
}


def diagnose(evidence: Evidence) -> Verdict:
    """Why this 403."""
    headers = " ".join(
        evidence.headers.get(name, "") for name in ("x-ms-diagnostics", "www-authenticate", "x-caserrorcode")
    )
    words = f"{headers} {evidence.body[:16_384].decode('utf-8', 'replace')}".lower()
    for clues, verdict in _CLUES:
        if any(clue in words for clue in clues):
            return verdict
    return _UNSAID[evidence.mode]
