"""Entra ID's refusals: who acts next."""

import re
from pathlib import Path

import pytest

from shared.authorization.errors import AccountRefused, FlowExpired, FlowReplayed, SignInRefused
from shared.authorization.identity.entra_errors import ENTRA_ERRORS, OAuthStep, error_for_response
from shared.errors import Actor, AdministratorMustAct, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.transitions import OUTAGES
from shared.pages.problems import PROBLEMS


def answer(error: str = "invalid_grant", number: int | None = None, **more: object) -> dict[str, object]:
    codes = {"error_codes": [number], "error_description": f"AADSTS{number}: alex@contoso.example"} if number else {}
    return {"error": error} | codes | more


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (50173, PersonMustSignIn, Reason.GRANT_REVOKED),
        (700082, PersonMustSignIn, Reason.GRANT_EXPIRED),
        (70008, PersonMustSignIn, Reason.GRANT_EXPIRED),
        (50076, PersonMustSignIn, Reason.INTERACTION_REQUIRED),
        (50079, PersonMustSignIn, Reason.INTERACTION_REQUIRED),
        (65001, PersonMustSignIn, Reason.CONSENT_REQUIRED),
        (50034, PersonMustSignIn, Reason.ACCOUNT_DISABLED),
        (50057, PersonMustSignIn, Reason.ACCOUNT_DISABLED),
        (53003, AdministratorMustAct, Reason.CONDITIONAL_ACCESS),
        (90094, AdministratorMustAct, Reason.ADMIN_CONSENT_REQUIRED),
        (50105, AdministratorMustAct, Reason.NOT_ASSIGNED),
        (700016, AdministratorMustAct, Reason.APP_NOT_IN_TENANT),
        (7000222, OperatorMustAct, Reason.OUR_CREDENTIAL),
        (999999, PersonMustSignIn, Reason.GRANT_REVOKED),
        (None, PersonMustSignIn, Reason.GRANT_REVOKED),
    ],
)
def test_a_refused_refresh_says_who_acts(number: int | None, kind: type, reason: Reason) -> None:
    error = error_for_response(answer(number=number), OAuthStep.REFRESH)
    assert isinstance(error, kind)
    assert error.reason is reason  # type: ignore[attr-defined]
    assert error.support == (f"AADSTS{number}" if number else "")  # type: ignore[attr-defined]


def test_our_own_credential_is_never_a_persons_fault() -> None:
    for number in (7000222, 50173, 65001, 53003, None):
        assert isinstance(error_for_response(answer("invalid_client", number), OAuthStep.REFRESH), OperatorMustAct)


@pytest.mark.parametrize(
    ("number", "step", "reason"),
    [(7000229, OAuthStep.APP, Reason.APP_NOT_IN_TENANT), (650052, OAuthStep.CALLBACK, Reason.NO_LICENSE),
     (500014, OAuthStep.REFRESH, Reason.NO_LICENSE)],
)  # fmt: skip
def test_invalid_client_for_what_a_tenant_lacks_is_its_administrators(
    number: int, step: OAuthStep, reason: Reason
) -> None:
    found = error_for_response(answer("invalid_client", number), step)
    assert isinstance(found, AdministratorMustAct)
    assert (found.reason, found.support) == (reason, f"AADSTS{number}")


@pytest.mark.parametrize("step", [OAuthStep.REFRESH, OAuthStep.REDEEM, OAuthStep.APP])
@pytest.mark.parametrize(
    ("error", "number"),
    [("invalid_resource", 650057), ("invalid_resource", 65005), ("invalid_grant", 65005), ("invalid_resource", None),
     ("invalid_client", 650056), ("invalid_client", 650053)],
)  # fmt: skip
def test_a_gap_in_our_registration_is_the_operators(error: str, number: int | None, step: OAuthStep) -> None:
    """M6: each person's administrator was told of a license, and ten failures suspended everybody."""
    found = error_for_response(answer(error, number), step)
    assert isinstance(found, OperatorMustAct)
    assert found.reason is Reason.OUR_CONFIGURATION


@pytest.mark.parametrize("number", [500011, 500014])
def test_a_tenant_without_exchange_online_is_its_administrators(number: int) -> None:
    """M6's neighbor: the same error with another number."""
    found = error_for_response(answer("invalid_resource", number), OAuthStep.REFRESH)
    assert isinstance(found, AdministratorMustAct)
    assert found.reason is Reason.NO_LICENSE


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_an_outage_is_retried_and_never_counts(error: str) -> None:
    found = error_for_response(answer(error), OAuthStep.REFRESH)
    assert isinstance(found, RetryLater)
    assert found.reason in OUTAGES


def test_an_error_nobody_knows_is_retried_and_counts() -> None:
    found = error_for_response(answer("brand_new"), OAuthStep.REFRESH)
    assert isinstance(found, RetryLater)
    assert found.reason not in OUTAGES


def test_a_claims_challenge_is_kept() -> None:
    found = error_for_response(answer("interaction_required", 50076, claims='{"access_token":{}}'), OAuthStep.REFRESH)
    assert isinstance(found, PersonMustSignIn)
    assert found.claims == '{"access_token":{}}'


def test_a_challenge_without_end_is_not_passed_on() -> None:
    found = error_for_response(answer("interaction_required", 50076, claims="x" * 5_000), OAuthStep.CALLBACK)
    assert isinstance(found, PersonMustSignIn)
    assert found.claims == ""


@pytest.mark.parametrize(
    ("description", "code"),
    [("AADSTS65004: declined", "declined"), ("", "declined"), ("AADSTS50020: x", "tenant_not_allowed"),
     ("AADSTS500200: x", "personal_account")],
)  # fmt: skip
def test_what_comes_back_in_the_browser_ends_this_sign_in_alone(description: str, code: str) -> None:
    found = error_for_response({"error": "access_denied", "error_description": description}, OAuthStep.CALLBACK)
    assert isinstance(found, SignInRefused)
    assert found.code == code


def test_need_for_approval_is_known_by_its_number_in_the_browser() -> None:
    for number in (90094, 90095):
        found = error_for_response(
            {"error": "access_denied", "error_description": f"AADSTS{number}: x"}, OAuthStep.CALLBACK
        )
        assert isinstance(found, AdministratorMustAct)
        assert found.reason is Reason.ADMIN_CONSENT_REQUIRED


def test_nobody_can_raise_the_operators_alarm_from_a_browser() -> None:
    for error in ("invalid_client", "invalid_request", "invalid_scope", "unauthorized_client"):
        found = error_for_response({"error": error, "error_description": "AADSTS7000222: x"}, OAuthStep.CALLBACK)
        assert isinstance(found, SignInRefused)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_request"])
def test_an_invented_code_is_no_alarm_and_a_bad_token_asks_to_sign_in(error: str) -> None:
    assert isinstance(error_for_response(answer(error, 9002313), OAuthStep.REDEEM), SignInRefused)
    assert isinstance(error_for_response(answer(error, 9002313), OAuthStep.REFRESH), PersonMustSignIn)


def test_a_code_that_is_too_old_or_used_says_so() -> None:
    assert isinstance(error_for_response(answer(number=70008), OAuthStep.REDEEM), FlowExpired)
    assert isinstance(error_for_response(answer(number=54005), OAuthStep.REDEEM), FlowReplayed)
    assert isinstance(error_for_response(answer(number=501481), OAuthStep.REDEEM), SignInRefused)


def test_an_account_that_does_not_fit_any_more_is_asked_to_sign_in() -> None:
    assert isinstance(error_for_response(answer(number=50020), OAuthStep.REFRESH), PersonMustSignIn)
    assert isinstance(error_for_response(answer(number=50020), OAuthStep.CALLBACK), AccountRefused)


def test_nothing_of_the_answers_text_is_kept() -> None:
    for step in OAuthStep:
        for refusal in ENTRA_ERRORS:
            number = int(refusal.key) if refusal.key.isdigit() else None
            found = error_for_response(answer("access_denied" if number else refusal.key, number, claims="{}"), step)
            assert "alex" not in f"{found} {found!r}"


def test_every_line_of_the_table_has_a_page() -> None:
    assert {str(refusal.reason) for refusal in ENTRA_ERRORS} <= PROBLEMS.keys()
    assert len({refusal.key for refusal in ENTRA_ERRORS}) == len(ENTRA_ERRORS)


def test_the_documentation_shows_this_very_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "authorization.md").read_text()
    shown = set(re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| `(.+?)` \|$", text, re.MULTILINE))
    assert shown == {(line.key, line.meaning, line.actor.value, str(line.reason)) for line in ENTRA_ERRORS}
    assert {line.actor for line in ENTRA_ERRORS} == {
        Actor.PERSON, Actor.THIS_SIGN_IN, Actor.ADMINISTRATOR, Actor.OPERATOR, Actor.QUEUE
    }  # fmt: skip
