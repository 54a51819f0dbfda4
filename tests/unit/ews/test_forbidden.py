"""Why Exchange answers 403."""

from collections.abc import Mapping

import pytest

from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from shared.errors import AdministratorMustAct, Reason
from shared.sources.ews.faults.forbidden import ForbiddenResponse, diagnose
from shared.sources.model import AccessMode


def finding(
    body: str, mode: AccessMode = AccessMode.DELEGATED, headers: Mapping[str, str] | None = None
) -> tuple[Reason, str]:
    verdict = diagnose(ForbiddenResponse(mode, headers or {}, body.encode()))
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
    assert finding("", headers={"x-ms-diagnostics": '2000;reason="Blocked by ConditionalAccess"'}) == (
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
