"""Why a 403, and what the administrator is told."""

import pytest

from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from shared.errors import AdministratorMustAct, Reason
from shared.sources.ews.faults.forbidden import ForbiddenResponse, advice, diagnose
from shared.sources.port import AccessMode

CLIENT = "11111111-2222-3333-4444-555555555555"


def finding(body: str, mode: AccessMode = AccessMode.DELEGATED, **headers: str) -> tuple[Reason, str]:
    verdict = diagnose(ForbiddenResponse(mode, headers, body.encode()))
    return verdict.reason, verdict.finding


@pytest.mark.parametrize(
    ("variant", "reason", "word"),
    [
        ("tenant_off", Reason.EWS_BLOCKED, "tenant_off"),
        ("app_not_listed", Reason.EWS_BLOCKED, "app_not_listed"),
        ("mailbox_off", Reason.EWS_BLOCKED, "mailbox_off"),
        ("licence", Reason.NO_LICENSE, "licence"),
        ("conditional_access", Reason.CONDITIONAL_ACCESS, "policy"),
        ("access_denied", Reason.ACCESS_DENIED, "access_denied"),
        ("unsaid", Reason.EWS_BLOCKED, "unsaid"),
    ],
)
def test_a_403_is_told_apart_by_its_words(variant: str, reason: Reason, word: str) -> None:
    assert finding(EWS_403_BODIES[variant][0]) == (reason, word)


def test_words_in_a_header_count_as_well() -> None:
    assert finding("", **{"x-ms-diagnostics": '2000;reason="Blocked by ConditionalAccess"'}) == (
        Reason.CONDITIONAL_ACCESS,
        "policy",
    )


def test_who_acts_for_others_and_is_refused_without_a_word_may_not() -> None:
    assert finding("", AccessMode.IMPERSONATION)[0] is Reason.IMPERSONATION_DENIED


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"A" * 100_000, b""])
def test_any_body_leads_to_an_administrators_error_that_quotes_nothing(body: bytes) -> None:
    error = diagnose(ForbiddenResponse(AccessMode.APP_ONLY, {}, body)).error()

    assert isinstance(error, AdministratorMustAct)
    assert len(str(error)) < 40


def commands(reason: Reason, kind: str = "online") -> str:
    return "\n".join(command for step in advice(reason, CLIENT, kind) for command in step.commands)


def test_the_application_list_is_read_and_extended_before_it_is_written() -> None:
    told = commands(Reason.EWS_BLOCKED)

    assert told.index("Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy") < told.index("-EwsAllowedAppIDs")
    assert f'$allowed += "{CLIENT}"' in told
    assert "$config.EwsAllowedAppIDs" in told
    assert "Set-CASMailbox <mailbox> -EwsEnabled $true" in told


def test_the_administrator_learns_that_it_takes_a_day_and_both_switches() -> None:
    told = " ".join(step.text for step in advice(Reason.EWS_BLOCKED, CLIENT))

    assert "24 hours" in told
    assert "Both this switch and the mailbox's own" in told
    assert "as a whole" in told


@pytest.mark.parametrize(
    "reason",
    [
        Reason.EWS_BLOCKED,
        Reason.NO_LICENSE,
        Reason.CONDITIONAL_ACCESS,
        Reason.ACCESS_DENIED,
        Reason.IMPERSONATION_DENIED,
    ],
)
def test_every_verdict_has_advice(reason: Reason) -> None:
    assert advice(reason, CLIENT)


def test_an_exchange_server_of_ones_own_has_advice_of_its_own() -> None:
    assert "ApplicationImpersonation" in commands(Reason.IMPERSONATION_DENIED, "on_premises")
    assert "Connect-ExchangeOnline" not in commands(Reason.EWS_BLOCKED, "on_premises")


def test_nobody_is_told_to_sign_in_again() -> None:
    told = " ".join(step.text for reason in Reason for step in advice(reason, CLIENT)).lower()

    assert "nobody needs to sign in again" in told
