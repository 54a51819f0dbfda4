"""The table of Entra ID errors: who has to act next. docs/authorization.md shows it, and a test compares the two.

`error` and `suberror` decide when they are specific enough. Many different causes share one value (`invalid_grant`,
`access_denied`), so a known AADSTS number takes precedence. An unknown number is only shown as support text.
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.authorization.errors import AccountRefused, FlowExpired, FlowReplayed, SignInRefused
from shared.errors import (
    Actor,
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)


class OAuthStep(StrEnum):
    """The step that failed: the callback in the browser, redeeming the code, refreshing, or app-only access."""

    CALLBACK = "callback"
    REDEEM = "redeem"
    REFRESH = "refresh"
    APP = "app"


@dataclass(frozen=True, slots=True)
class EntraRule:
    """One row of the table. `key` is an AADSTS number, an `error`, or `error/suberror`."""

    key: str
    meaning: str
    actor: Actor
    reason: Reason | str


ENTRA_ERRORS = (
    # the person
    EntraRule("50173", "the grant was revoked, or the password reset", Actor.PERSON, Reason.GRANT_REVOKED),
    EntraRule("50133", "the session ended with a password change", Actor.PERSON, Reason.GRANT_REVOKED),
    EntraRule("700082", "the refresh token expired by inactivity", Actor.PERSON, Reason.GRANT_EXPIRED),
    EntraRule("70008", "the refresh token expired", Actor.PERSON, Reason.GRANT_EXPIRED),
    EntraRule("70043", "sign-in frequency: the token has become too old", Actor.PERSON, Reason.GRANT_EXPIRED),
    EntraRule("9002313", "the code or refresh token is malformed", Actor.PERSON, Reason.GRANT_REVOKED),
    EntraRule("50072", "has to enroll for multi-factor authentication", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("50074", "multi-factor authentication needed", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("50076", "multi-factor authentication needed", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("50078", "multi-factor authentication has expired", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("50079", "has to enroll for multi-factor authentication", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("50055", "the password has expired", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("65001", "nobody has consented", Actor.PERSON, Reason.CONSENT_REQUIRED),
    EntraRule("50034", "there is no such account", Actor.PERSON, Reason.ACCOUNT_DISABLED),
    EntraRule("50057", "the account is disabled", Actor.PERSON, Reason.ACCOUNT_DISABLED),
    EntraRule("65004", "declined to consent", Actor.THIS_SIGN_IN, "declined"),
    EntraRule("50020", "an account of another tenant", Actor.THIS_SIGN_IN, "tenant_not_allowed"),
    EntraRule("500200", "a personal account", Actor.THIS_SIGN_IN, "personal_account"),
    EntraRule("54005", "the code was redeemed before", Actor.THIS_SIGN_IN, "flow_replayed"),
    # their administrator
    EntraRule("90094", "an administrator has to consent", Actor.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    EntraRule("90093", "asks for more than a user may grant", Actor.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    EntraRule("90095", "waits for an administrator's decision", Actor.ADMINISTRATOR, Reason.ADMIN_CONSENT_REQUIRED),
    EntraRule("53000", "the device is not compliant", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    EntraRule("53001", "the device is not joined", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    EntraRule("53002", "the application is not approved", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    EntraRule("53003", "blocked by conditional access", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    EntraRule("530003", "a managed device is required", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS),
    EntraRule("50105", "not assigned to the application", Actor.ADMINISTRATOR, Reason.NOT_ASSIGNED),
    EntraRule("700016", "the application is not in the tenant", Actor.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    EntraRule(
        "7000112", "the application is switched off in the tenant", Actor.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT
    ),
    EntraRule("7000229", "the application is not in the tenant", Actor.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    EntraRule("90002", "the tenant does not exist", Actor.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    EntraRule("500011", "Exchange Online is not in the tenant", Actor.ADMINISTRATOR, Reason.NO_LICENSE),
    EntraRule("500014", "Exchange Online is switched off in the tenant", Actor.ADMINISTRATOR, Reason.NO_LICENSE),
    EntraRule("650052", "no subscription for Exchange Online", Actor.ADMINISTRATOR, Reason.NO_LICENSE),
    # us
    EntraRule("50011", "the redirect URI is not registered", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("70011", "a scope that does not exist", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("65005", "our registration lacks a resource that we ask for", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule(
        "650057", "our registration lacks the resource that we ask for", Actor.OPERATOR, Reason.OUR_CONFIGURATION
    ),
    EntraRule("650056", "our registration lists no such permission", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("650053", "a scope that the resource does not have", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("7000215", "the client secret is wrong", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("7000222", "the client secret has expired", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("700024", "the assertion's time is wrong", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("700027", "the certificate is not registered", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("70021", "no federated credential matches", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("700211", "no federated credential matches the issuer", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("700212", "no federated credential matches the audience", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("700213", "no federated credential matches the subject", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    # nobody
    EntraRule("50196", "a loop was detected", Actor.QUEUE, Reason.THROTTLED),
    EntraRule("90055", "too many requests", Actor.QUEUE, Reason.THROTTLED),
    EntraRule("90033", "Entra ID is unavailable for a moment", Actor.QUEUE, Reason.UNAVAILABLE),
    # error and suberror without a known number
    EntraRule("invalid_client", "our own credential is wrong", Actor.OPERATOR, Reason.OUR_CREDENTIAL),
    EntraRule("unauthorized_client", "our registration does not allow it", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("invalid_request", "our request is wrong", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("invalid_scope", "a scope that does not exist", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("unsupported_grant_type", "our request is wrong", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("unsupported_response_type", "our request is wrong", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("invalid_resource", "our registration lacks a resource", Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    EntraRule("invalid_tenant", "the tenant does not exist", Actor.ADMINISTRATOR, Reason.APP_NOT_IN_TENANT),
    EntraRule("temporarily_unavailable", "Entra ID is busy", Actor.QUEUE, Reason.UNAVAILABLE),
    EntraRule("server_error", "Entra ID has an internal error", Actor.QUEUE, Reason.UNAVAILABLE),
    EntraRule("access_denied", "declined", Actor.THIS_SIGN_IN, "declined"),
    EntraRule("interaction_required", "another proof is wanted", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("login_required", "has to sign in again", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("consent_required", "nobody has consented", Actor.PERSON, Reason.CONSENT_REQUIRED),
    EntraRule("invalid_grant/consent_required", "nobody has consented", Actor.PERSON, Reason.CONSENT_REQUIRED),
    EntraRule("invalid_grant/basic_action", "another proof is wanted", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("invalid_grant/additional_action", "another proof is wanted", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("invalid_grant/user_password_expired", "password expired", Actor.PERSON, Reason.INTERACTION_REQUIRED),
    EntraRule("invalid_grant/token_expired", "the refresh token expired", Actor.PERSON, Reason.GRANT_EXPIRED),
    EntraRule("invalid_grant/bad_token", "the refresh token is not accepted", Actor.PERSON, Reason.GRANT_REVOKED),
    EntraRule(
        "invalid_grant/device_authentication_failed", "the device", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS
    ),
    EntraRule(
        "invalid_grant/protection_policy_required", "app protection", Actor.ADMINISTRATOR, Reason.CONDITIONAL_ACCESS
    ),
    EntraRule("invalid_grant", "the refresh token is not accepted", Actor.PERSON, Reason.GRANT_REVOKED),
)

_BY_KEY = {refusal.key: refusal for refusal in ENTRA_ERRORS}
_LACKING = frozenset({Reason.APP_NOT_IN_TENANT, Reason.NO_LICENSE})
"""What a tenant can lack. Entra ID reports these as `invalid_client` too (AADSTS7000229, AADSTS650052)."""
MAX_CHALLENGE_CHARACTERS = 4096
"""The longest claims challenge that is kept, in characters. Those of Entra ID have a few hundred."""
_AADSTS = re.compile(r"AADSTS(\d{4,8})")


def error_for_response(answer: Mapping[str, object], step: OAuthStep) -> MailboxSyncError:
    """Return the error for an OAuth error response; its type says who has to act next.

    The text of the response is not kept: it quotes addresses, and in the callback anybody can have written it.
    """
    error = str(answer.get("error", ""))
    numbers = _numbers(answer)
    refusal = _matching_rule(error, str(answer.get("suberror", "")), numbers)
    support = f"AADSTS{numbers[0]}" if numbers else ""
    if refusal is None:
        return _unknown_error(step, support)
    if refusal.key in ("invalid_grant", "9002313") and step is OAuthStep.REDEEM:
        # The code came through the browser, so anybody can have written it.
        return SignInRefused("sign_in_failed", support=support)
    if refusal.key == "70008" and step is OAuthStep.REDEEM:
        return FlowExpired()
    return _error_for_rule(refusal, step, support, _claims_challenge(answer))


def _claims_challenge(answer: Mapping[str, object]) -> str:
    """Return the claims to request at the next sign-in.

    The length is limited: the value goes into storage and a URL, and in the callback anybody can have written it.
    """
    claims = str(answer.get("claims") or "")
    return claims if len(claims) <= MAX_CHALLENGE_CHARACTERS else ""


def _matching_rule(error: str, suberror: str, numbers: list[str]) -> EntraRule | None:
    """Return the most specific row. `invalid_client` means our own credential, unless the tenant lacks something."""
    known = [_BY_KEY[key] for key in (*numbers, f"{error}/{suberror}", error) if key in _BY_KEY]
    if error == "invalid_client":
        known = [refusal for refusal in known if refusal.reason in _LACKING or refusal.actor is Actor.OPERATOR]
    return next(iter(known), None)


def _error_for_rule(refusal: EntraRule, step: OAuthStep, support: str, claims: str) -> MailboxSyncError:
    if refusal.actor is Actor.THIS_SIGN_IN:
        return _sign_in_error(str(refusal.reason), step, support)
    if refusal.actor is Actor.OPERATOR and step is OAuthStep.CALLBACK:
        # Anybody can write a callback, so it must not be able to raise the operator's alert.
        return SignInRefused("sign_in_failed", support=support)
    reason = Reason(refusal.reason)
    if refusal.actor is Actor.PERSON:
        return PersonMustSignIn(reason, refusal.meaning, support=support, claims=claims)
    if refusal.actor is Actor.ADMINISTRATOR:
        return AdministratorMustAct(reason, refusal.meaning, support=support)
    if refusal.actor is Actor.OPERATOR:
        return OperatorMustAct(reason, refusal.meaning, support=support)
    return RetryLater(reason, refusal.meaning, support=support)


def _sign_in_error(code: str, step: OAuthStep, support: str) -> MailboxSyncError:
    if step in (OAuthStep.REFRESH, OAuthStep.APP):
        return PersonMustSignIn(Reason.GRANT_REVOKED, "the account no longer fits", support=support)
    if code == "flow_replayed":
        return FlowReplayed()
    kind = AccountRefused if code in ("tenant_not_allowed", "personal_account") else SignInRefused
    return kind(code, support=support)


def _unknown_error(step: OAuthStep, support: str) -> MailboxSyncError:
    if step in (OAuthStep.CALLBACK, OAuthStep.REDEEM):
        return SignInRefused("sign_in_failed", support=support)
    return RetryLater(Reason.BAD_ANSWER, "an error that is not in the table", support=support)


def _numbers(answer: Mapping[str, object]) -> list[str]:
    """Return the AADSTS numbers. The token endpoint lists them; in the callback they are only part of the text."""
    listed = answer.get("error_codes")
    numbers = [str(number) for number in listed] if isinstance(listed, list) else []
    return [*numbers, *_AADSTS.findall(str(answer.get("error_description", ""))[:2000])]
