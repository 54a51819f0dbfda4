"""Why Exchange answers 403, as far as it can be told, and what the administrator does about it. No vendor in here.

Microsoft does not document the body of a 403, and a front end may leave it empty; so words are looked for, and without
any the commonest cause is assumed: EWS is switched off for this app. Nothing here counts toward signing in again,
which could not help.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import AdministratorMustAct, Reason
from shared.sources.port import AccessMode


@dataclass(frozen=True, slots=True)
class ForbiddenResponse:
    """What there is to judge by. Headers and body are read for known words and never kept, shown or logged."""

    mode: AccessMode
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why, and the finding behind it: one of a fixed vocabulary, shown to administrators and counted."""

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
"""Words in a 403, the most telling first."""

_HEADERS = ("x-ms-diagnostics", "www-authenticate", "x-caserrorcode")


def diagnose(evidence: ForbiddenResponse) -> Diagnosis:
    """Why this 403. Who only acts for others and is refused without a word is first of all not allowed to."""
    headers = " ".join(evidence.headers.get(name, "") for name in _HEADERS)
    words = f"{headers} {evidence.body[:16_384].decode('utf-8', 'replace')}".lower()
    for verdict, clues in _CLUES:
        if any(clue in words for clue in clues):
            return verdict
    if evidence.mode is AccessMode.IMPERSONATION:
        return _IMPERSONATION
    return Diagnosis(Reason.EWS_BLOCKED, "unsaid")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing for an administrator to do: what, why, and the exact commands, if there are any."""

    title: str
    text: str
    commands: tuple[str, ...] = ()


_CONNECT = Step(
    "Connect to Exchange Online",
    "In PowerShell, as an Exchange administrator.",
    ("Install-Module ExchangeOnlineManagement -Scope CurrentUser", "Connect-ExchangeOnline"),
)
_WAIT = Step(
    "Wait",
    "A change takes up to 24 hours to reach every server. Nobody needs to sign in again: the sync tries by itself.",
)
_END = Step(
    "Know when it ends",
    "Exchange Online switches Exchange Web Services off for everybody on 1 April 2027."
    " Exchange Server is not affected.",
)
_LICENSE = Step(
    "Check the licence",
    "Frontline (F1, F3) and kiosk licences do not include Exchange Web Services.",
    ("Get-MgUserLicenseDetail -UserId <mailbox>",),
)
_CONDITIONAL = Step(
    "Look at the sign-in log",
    "In the Microsoft Entra admin centre, Sign-in logs, find this application's attempts and the policy that refused"
    " them; then let that policy admit the application from where it runs.",
)


def advice(reason: Reason, client_id: str, mailbox_kind: str = "online") -> list[Step]:
    """What the administrator does about a reason. `mailbox_kind`: `online` or `on_premises`. Empty: nothing known."""
    if mailbox_kind == "on_premises":
        return _ON_PREMISES.get(reason, [])
    if reason is Reason.EWS_BLOCKED:
        return [_CONNECT, *_allow(client_id), _mailbox_flag(client_id), _LICENSE, _WAIT, _END]
    if reason in (Reason.ACCESS_DENIED, Reason.IMPERSONATION_DENIED):
        return [_CONNECT, *_permission(client_id), _WAIT]
    return {Reason.NO_LICENSE: [_LICENSE, _WAIT], Reason.CONDITIONAL_ACCESS: [_CONDITIONAL]}.get(reason, [])


def _allow(client_id: str) -> list[Step]:
    """Both the switch and the list; the list is written whole, so it is read first and only ever added to."""
    return [
        Step(
            "Read what is allowed now",
            "Exchange writes the list of allowed applications as a whole. Read it first and keep what it says:"
            " whatever is left out when it is written loses access.",
            (
                "$config = Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy",
                "$config | Format-List EwsEnabled, EwsAllowedAppIDs",
            ),
        ),
        Step(
            "Add this application to the list",
            "This appends the application to what was there and changes nothing else.",
            (
                '$allowed = @("$($config.EwsAllowedAppIDs)" -split "[,; ]+" | Where-Object { $_ })',
                f'if ($allowed -notcontains "{client_id}") {{ $allowed += "{client_id}" }}',
                'Set-OrganizationConfig -EwsAllowedAppIDs ($allowed -join ",")',
            ),
        ),
        Step(
            "Switch Exchange Web Services on for the organization",
            "Only the applications on the list may use it then. Both this switch and the mailbox's own must allow it.",
            ("Set-OrganizationConfig -EwsEnabled $true",),
        ),
    ]


def _mailbox_flag(client_id: str) -> Step:
    return Step(
        "Check the mailbox's own switch",
        "It must not be off, and if the mailbox has a list of its own the application must be on it as well"
        f" (application id {client_id}).",
        (
            "Get-CASMailbox <mailbox> | Format-List Ews*",
            "Set-CASMailbox <mailbox> -EwsEnabled $true",
        ),
    )


def _permission(client_id: str) -> list[Step]:
    return [
        Step(
            "Check what the application may do",
            "Someone who signs in themselves needs the delegated permission EWS.AccessAsUser.All. For access without a"
            " person, full_access_as_app, narrowed to the right mailboxes by RBAC for Applications.",
            (f'Test-ServicePrincipalAuthorization -Identity "{client_id}" -Resource <mailbox>',),
        ),
        Step(
            "For a shared mailbox: check the person's right to it",
            "The person who signed in needs full access to the mailbox that is read.",
            ("Get-MailboxPermission <mailbox> | Format-Table User, AccessRights",),
        ),
    ]


_ON_PREMISES: dict[Reason, list[Step]] = {
    Reason.EWS_BLOCKED: [
        Step(
            "Check the switches of Exchange Web Services",
            "In the Exchange Management Shell. Both the organization and the mailbox must allow it.",
            (
                "Get-OrganizationConfig | Format-List Ews*",
                "Get-CASMailbox <mailbox> | Format-List Ews*",
            ),
        )
    ],
    Reason.IMPERSONATION_DENIED: [
        Step(
            "Let the service account impersonate",
            "In the Exchange Management Shell, with a scope that holds the mailboxes meant and no others.",
            (
                "New-ManagementRoleAssignment -Name MailboxSync -Role ApplicationImpersonation"
                " -User <service account> -CustomRecipientWriteScope <scope>",
            ),
        )
    ],
}
