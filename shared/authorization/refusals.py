"""What Entra ID's refusals mean here: who acts next. docs/authorisation.md shows this table; a test holds them equal.

`error` and `suberror` decide where they say enough. Much that matters shares one of them (`invalid_grant`,
`access_denied`), so a known AADSTS number says it more exactly; an unknown one never does harm, it is support text.
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.authorization.errors import AccountRefused, FlowExpired, FlowReplayed, SignInRefused
from shared.errors import (
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)


class Leg(StrEnum):
    """Where the refusal was given: in the browser, redeeming the code, refreshing, or as the app itself."""

    CALLBACK = "callback"
    REDEEM = "redeem"
    REFRESH = "refresh"
    APP = "app"


class Who(StrEnum):
    """Who acts next."""

    PERSON = "the person"
    ADMINISTRATOR = "their administrator"
    OPERATOR = "the operator"
    NOBODY = "nobody: it is retried"
    THIS_SIGN_IN = "the person, in this sign-in only"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line of the table. `key` is an AADSTS number, an `error`, or `error/suberror`."""

    key: str
    meaning: str
    who: Who
    reason: Reason | str


REFUSALS = (
    # the person
    Refusal("50173", "the grant was revoked, or the password reset", Who.PERSON, Reason.GRANT_REVOKED),
    Refusal("50133", "the session ended with a password change", Who.PERSON, Reason.GRANT_REVOKED),
    Refusal("700082", "the refresh token expired by inactivity", Who.PERSON, Reason.GRANT_EXPIRED),
    Refusal("70008", "the refresh token expired", Who.PERSON, Reason.GRANT_EXPIRED),
    Refusal("70043", "sign-in frequency: the token has become too old", Who.PERSON, Reason.GRANT_EXPIRED),
    Refusal("9002313", "the code or refresh token is malformed", Who.PERSON, Reason.GRANT_REVOKED),
    Refusal("50072", "has to enrol for multi-factor authentication", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("50074", "multi-factor authentication needed", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("50076", "multi-factor authentication needed", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("50078", "multi-factor authentication has expired", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("50079", "has to enrol for multi-factor authentication", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("50055", "the password has expired", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("65001", "nobody has consented", Who.PERSON, Reason.CONSENT_REQUIRED),
    Refusal("50034", "there is no such account", Who.PERSON, Reason.ACCOUNT_DISABLED),
    Refusal("50057", "the account is disabled", Who.PERSON, Reason.ACCOUNT_DISABLED),
    Refusal("65004", "declined to consent", Who.THIS_SIGN_IN, "declined"),
    Refusal("50020", "an account of another tenant", Who.THIS_SIGN_IN, "tenant_not_allowed"),
    Refusal("500200", "a personal account", Who.THIS_SIGN_IN, "personal_account"),
    Refusal("54005", "the code was redeemed before", Who.THIS_SIGN_IN, "flow_replayed"),
    # their administrator
    Refusal("90094", "an administrator has to consent", Who.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    Refusal("90093", "asks for more than a user may grant", Who.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    Refusal("90095", "waits for an administrator's decision", Who.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    Refusal("53000", "the device is not compliant", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("53001", "the device is not joined", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("53002", "the application is not approved", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("53003", "blocked by conditional access", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("530003", "a managed device is required", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("50105", "not assigned to the application", Who.ADMINISTRATOR, Reason.NOT_ASSIGNED),
    Refusal("700016", "the application is not in the tenant", Who.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    Refusal("7000112", "the application is switched off in the tenant", Who.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    Refusal("7000229", "the application is not in the tenant", Who.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    Refusal("90002", "the tenant does not exist", Who.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    Refusal("500011", "Exchange Online is not in the tenant", Who.ADMINISTRATOR, Reason.NO_LICENCE),
    Refusal("500014", "Exchange Online is switched off in the tenant", Who.ADMINISTRATOR, Reason.NO_LICENCE),
    Refusal("650052", "no subscription for Exchange Online", Who.ADMINISTRATOR, Reason.NO_LICENCE),
    # us
    Refusal("50011", "the redirect URI is not registered", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("70011", "a scope that does not exist", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("65005", "our registration lacks a resource that we ask for", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("650057", "our registration lacks the resource that we ask for", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("650056", "our registration lists no such permission", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("650053", "a scope that the resource does not have", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("7000215", "the client secret is wrong", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("7000222", "the client secret has expired", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("700024", "the assertion's time is wrong", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("700027", "the certificate is not registered", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("70021", "no federated credential matches", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("700211", "no federated credential matches the issuer", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("700212", "no federated credential matches the audience", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("700213", "no federated credential matches the subject", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    # nobody
    Refusal("50196", "a loop was detected", Who.NOBODY, Reason.THROTTLED),
    Refusal("90055", "too many requests", Who.NOBODY, Reason.THROTTLED),
    Refusal("90033", "Entra ID is unavailable for a moment", Who.NOBODY, Reason.UNAVAILABLE),
    # what error and suberror say by themselves
    Refusal("invalid_client", "our own credential is wrong", Who.OPERATOR, Reason.OUR_CREDENTIAL),
    Refusal("unauthorized_client", "our registration does not allow it", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("invalid_request", "our request is wrong", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("invalid_scope", "a scope that does not exist", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("unsupported_grant_type", "our request is wrong", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("unsupported_response_type", "our request is wrong", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("invalid_resource", "our registration lacks a resource", Who.OPERATOR, Reason.OUR_CONFIGURATION),
    Refusal("invalid_tenant", "the tenant does not exist", Who.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    Refusal("temporarily_unavailable", "Entra ID is busy", Who.NOBODY, Reason.UNAVAILABLE),
    Refusal("server_error", "Entra ID is ill", Who.NOBODY, Reason.UNAVAILABLE),
    Refusal("access_denied", "declined", Who.THIS_SIGN_IN, "declined"),
    Refusal("interaction_required", "another proof is wanted", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("login_required", "has to sign in anew", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("consent_required", "nobody has consented", Who.PERSON, Reason.CONSENT_REQUIRED),
    Refusal("invalid_grant/consent_required", "nobody has consented", Who.PERSON, Reason.CONSENT_REQUIRED),
    Refusal("invalid_grant/basic_action", "another proof is wanted", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("invalid_grant/additional_action", "another proof is wanted", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("invalid_grant/user_password_expired", "password expired", Who.PERSON, Reason.INTERACTION_REQUIRED),
    Refusal("invalid_grant/token_expired", "the refresh token expired", Who.PERSON, Reason.GRANT_EXPIRED),
    Refusal("invalid_grant/bad_token", "the refresh token is not accepted", Who.PERSON, Reason.GRANT_REVOKED),
    Refusal("invalid_grant/device_authentication_failed", "the device", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("invalid_grant/protection_policy_required", "app protection", Who.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    Refusal("invalid_grant", "the refresh token is not accepted", Who.PERSON, Reason.GRANT_REVOKED),
)

_BY_KEY = {refusal.key: refusal for refusal in REFUSALS}
_LACKING = frozenset({Reason.APP_NOT_IN_TENANT, Reason.NO_LICENCE})
"""What a tenant can be without. Entra ID says `invalid_client` for it as well (AADSTS7000229, AADSTS650052)."""
LONGEST_CHALLENGE = 4096
"""Characters. Entra ID's have a few hundred."""
_AADSTS = re.compile(r"AADSTS(\d{4,8})")


def refused(answer: Mapping[str, object], leg: Leg) -> MailboxSyncError:
    """The error for an OAuth error answer, of the type that says who acts next.

    Nothing of the answer's text is kept: it quotes addresses, and in the browser anybody may have written it.
    """
    error = str(answer.get("error", ""))
    numbers = _numbers(answer)
    refusal = _refusal(error, str(answer.get("suberror", "")), numbers)
    support = f"AADSTS{numbers[0]}" if numbers else ""
    if refusal is None:
        return _unforeseen(leg, support)
    if refusal.key in ("invalid_grant", "9002313") and leg is Leg.REDEEM:
        # The code came through the browser, where anybody may have written it.
        return SignInRefused("sign_in_failed", support=support)
    if refusal.key == "70008" and leg is Leg.REDEEM:
        return FlowExpired()
    return _error(refusal, leg, support, _challenge(answer))


def _challenge(answer: Mapping[str, object]) -> str:
    """What to ask for at the next sign-in. It goes into storage and a URL, and in the browser anybody may write it."""
    claims = str(answer.get("claims") or "")
    return claims if len(claims) <= LONGEST_CHALLENGE else ""


def _refusal(error: str, suberror: str, numbers: list[str]) -> Refusal | None:
    """The line that says it most exactly. Our own credential is ours to mend, unless the tenant lacks something."""
    known = [_BY_KEY[key] for key in (*numbers, f"{error}/{suberror}", error) if key in _BY_KEY]
    if error == "invalid_client":
        known = [refusal for refusal in known if refusal.reason in _LACKING or refusal.who is Who.OPERATOR]
    return next(iter(known), None)


def _error(refusal: Refusal, leg: Leg, support: str, claims: str) -> MailboxSyncError:
    if refusal.who is Who.THIS_SIGN_IN:
        return _of_this_sign_in(str(refusal.reason), leg, support)
    if refusal.who is Who.OPERATOR and leg is Leg.CALLBACK:
        # What comes through the browser anybody can write: it must not be able to raise the operator's alarm.
        return SignInRefused("sign_in_failed", support=support)
    reason = Reason(refusal.reason)
    if refusal.who is Who.PERSON:
        return PersonMustSignIn(reason, refusal.meaning, support=support, claims=claims)
    if refusal.who is Who.ADMINISTRATOR:
        return AdministratorMustAct(reason, refusal.meaning, support=support)
    if refusal.who is Who.OPERATOR:
        return OperatorMustAct(reason, refusal.meaning, support=support)
    return RetryLater(reason, refusal.meaning, support=support)


def _of_this_sign_in(code: str, leg: Leg, support: str) -> MailboxSyncError:
    if leg in (Leg.REFRESH, Leg.APP):
        return PersonMustSignIn(Reason.GRANT_REVOKED, "the account no longer fits", support=support)
    if code == "flow_replayed":
        return FlowReplayed()
    kind = AccountRefused if code in ("tenant_not_allowed", "personal_account") else SignInRefused
    return kind(code, support=support)


def _unforeseen(leg: Leg, support: str) -> MailboxSyncError:
    if leg in (Leg.CALLBACK, Leg.REDEEM):
        return SignInRefused("sign_in_failed", support=support)
    return RetryLater(Reason.BAD_ANSWER, "an error that is not in the table", support=support)


def _numbers(answer: Mapping[str, object]) -> list[str]:
    """The AADSTS numbers: listed by the token endpoint, only within the text in the browser."""
    listed = answer.get("error_codes")
    numbers = [str(number) for number in listed] if isinstance(listed, list) else []
    return [*numbers, *_AADSTS.findall(str(answer.get("error_description", ""))[:2000])]
