"""Entra's errors in Entra's format: an OAuth error, an AADSTS number, a message, sometimes a claims challenge.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MFA_CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
"""A claims challenge as conditional access sends it: what the app must request at the next sign-in."""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """One AADSTS number: its error at the token endpoint, its error at authorize, its message, and more."""

    token: str
    authorize: str
    text: str
    suberror: str = ""
    claims: str = ""


_NUMBERS = {
    16000: ErrorText("interaction_required", "interaction_required", "Several accounts are signed in: pick one."),
    28000: ErrorText("invalid_scope", "invalid_scope", "The scope contains more than one resource."),
    50011: ErrorText("invalid_request", "invalid_request", "The redirect URI does not match those of the application."),
    50020: ErrorText("invalid_grant", "access_denied", "The user account does not exist in this tenant."),
    50034: ErrorText("invalid_grant", "access_denied", "The user account does not exist in the directory."),
    50053: ErrorText("invalid_grant", "access_denied", "The account is locked: too many wrong passwords."),
    50055: ErrorText("invalid_grant", "access_denied", "The password is expired."),
    50057: ErrorText("invalid_grant", "access_denied", "The user account is disabled."),
    50058: ErrorText("login_required", "login_required", "Nobody is signed in, and no page may be shown."),
    50059: ErrorText("invalid_request", "invalid_request", "No tenant was found in the request."),
    50076: ErrorText(
        "interaction_required",
        "interaction_required",
        "You must use multi-factor authentication to access this resource.",
        "basic_action",
        MFA_CLAIMS,
    ),
    50079: ErrorText(
        "interaction_required",
        "interaction_required",
        "You must enroll in multi-factor authentication to access this resource.",
        "basic_action",
        MFA_CLAIMS,
    ),
    50105: ErrorText("invalid_grant", "access_denied", "The user is not assigned to a role for the application."),
    50126: ErrorText("invalid_grant", "access_denied", "The username or password is wrong."),
    50173: ErrorText("invalid_grant", "login_required", "The grant has been revoked: a fresh sign-in is needed."),
    53000: ErrorText("invalid_grant", "access_denied", "The device does not comply with policy.", "message_only"),
    53003: ErrorText(
        "invalid_grant", "access_denied", "Access has been blocked by conditional access.", "message_only"
    ),
    54005: ErrorText("invalid_grant", "invalid_request", "The authorization code was already redeemed."),
    65001: ErrorText("invalid_grant", "consent_required", "Nobody has consented to this.", "consent_required"),
    65004: ErrorText("invalid_grant", "access_denied", "The user declined to consent to access the app."),
    70003: ErrorText("unsupported_grant_type", "invalid_request", "The grant type is not supported."),
    70008: ErrorText("invalid_grant", "login_required", "The code or refresh token has expired."),
    70011: ErrorText("invalid_scope", "invalid_scope", "The scope is not valid."),
    90002: ErrorText("invalid_request", "invalid_request", "The tenant was not found."),
    90033: ErrorText("temporarily_unavailable", "temporarily_unavailable", "A transient error has occurred."),
    90094: ErrorText("invalid_grant", "consent_required", "An administrator must consent.", "consent_required"),
    500011: ErrorText("invalid_resource", "invalid_resource", "The resource was not found in the tenant."),
    501481: ErrorText("invalid_grant", "invalid_request", "The code verifier does not match the code challenge."),
    501491: ErrorText("invalid_request", "invalid_request", "The code challenge is not a valid S256 one."),
    700016: ErrorText("unauthorized_client", "unauthorized_client", "The application was not found in the tenant."),
    700025: ErrorText("invalid_client", "invalid_request", "The client proves itself in more than one way."),
    700027: ErrorText("invalid_client", "invalid_request", "The client assertion failed signature validation."),
    700054: ErrorText("unsupported_response_type", "unsupported_response_type", "The response type is not enabled."),
    700082: ErrorText("invalid_grant", "login_required", "The refresh token has expired due to inactivity."),
    700213: ErrorText("invalid_client", "invalid_request", "No federated credential matches the presented assertion."),
    900144: ErrorText("invalid_request", "invalid_request", "The request lacks a parameter."),
    1002012: ErrorText("invalid_scope", "invalid_scope", "Client credentials take a scope that ends in /.default."),
    7000215: ErrorText("invalid_client", "invalid_request", "The client secret is invalid."),
    7000218: ErrorText("invalid_client", "invalid_request", "The request must contain client_assertion."),
    7000222: ErrorText("invalid_client", "invalid_request", "The client's secret or certificate has expired."),
    9002313: ErrorText("invalid_request", "invalid_request", "The request is malformed."),
    9002325: ErrorText("invalid_request", "invalid_request", "Proof Key for Code Exchange is required."),
}
_STATUS = {"invalid_client": 401, "temporarily_unavailable": 503}


class EntraError(Exception):
    """A refusal by number. `detail` adds information to the message."""

    def __init__(self, number: int, detail: str = "") -> None:
        self.number = number
        self.known = _NUMBERS.get(number, ErrorText("invalid_grant", "access_denied", "The request was refused."))
        self.text = f"AADSTS{number}: {self.known.text}" + (f" {detail}" if detail else "")
        super().__init__(self.text)

    @property
    def status(self) -> int:
        """The HTTP status at the token endpoint."""
        return _STATUS.get(self.known.token, 400)

    def for_token(self) -> dict[str, Any]:
        """The body at the token endpoint."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        body: dict[str, Any] = {
            "error": self.known.token,
            "error_description": f"{self.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return body | {k: v for k, v in (("suberror", self.known.suberror), ("claims", self.known.claims)) if v}

    def for_authorize(self) -> dict[str, str]:
        """The error parameters for the redirect URI."""
        answer = {
            "error": self.known.authorize,
            "error_description": f"{self.text} Trace ID: {uuid.uuid4()} Correlation ID: {uuid.uuid4()}",
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return answer | ({"error_subcode": "cancel"} if self.number == 65004 else {})


class SignInBlocked(EntraError):
    """A refusal that Entra shows on its own page: the app learns of it only if the person goes back."""


def numbers() -> list[int]:
    """The numbers with a message in this module."""
    return sorted(_NUMBERS)
