"""The catalog has a sentence for everything that can be shown."""

import re
from pathlib import Path

import pytest

from shared.errors import Reason
from shared.pages.catalog import Catalog, english
from shared.pages.mailbox_actions import NEEDS_CONFIRMATION, MailboxAction
from shared.pages.pages import Pages
from shared.pages.problems import PROBLEMS, problem_of
from shared.pages.status import StatusView, Tone
from shared.sources.ews.faults.forbidden import REASONS as FORBIDDEN_REASONS
from tests.unit.pages.samples import STATES

SIGN_IN_PROBLEMS = [
    "flow_unknown", "flow_expired", "flow_replayed", "other_browser", "declined", "sign_in_failed", "wrong_account",
    "personal_account", "tenant_not_allowed", "invitation_invalid", "invitation_used", "invitation_expired",
    "approval_declined", "approval_failed", "session_expired", "too_many_requests", "not_found", "method_not_allowed",
    "too_large", "malformed", "internal", "synced_by_organization",
]  # fmt: skip
CLIENT = "11111111-2222-3333-4444-555555555555"
TEMPLATES = Path(__file__).parents[3] / "shared" / "pages" / "templates"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_problem_with_its_own_page(reason: Reason) -> None:
    assert problem_of(reason).code == reason.value


@pytest.mark.parametrize("code", SIGN_IN_PROBLEMS)
def test_every_way_a_sign_in_can_fail_is_a_problem_with_its_own_page(code: str) -> None:
    assert problem_of(code).code == code


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_problem_says_what_happened_and_the_one_thing_to_do(code: str) -> None:
    pages = Pages("Contoso")
    for part in ("title", "happened", "remedy"):
        assert pages.text(f"problems.{code}.{part}")


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_problem_has_a_button_exactly_when_there_is_somewhere_to_go(code: str) -> None:
    assert bool(english().text(f"problems.{code}.button")) == bool(problem_of(code).target)


def test_the_catalogue_describes_no_problem_that_does_not_exist() -> None:
    assert set(english().keys("problems")) == set(PROBLEMS)


def test_a_code_nobody_has_described_still_gets_a_page() -> None:
    assert problem_of("never heard of").code == "internal"


def steps_for(reason: Reason) -> list[str]:
    """What an administrator is told to do about a reason."""
    key = f"administrator.steps_for.{reason}"
    return english().lines(key, client_id=CLIENT) if key in english() else []


@pytest.mark.parametrize("reason", FORBIDDEN_REASONS)
def test_every_reason_of_a_403_has_steps_for_the_administrator(reason: Reason) -> None:
    assert steps_for(reason)


def test_the_application_list_is_read_and_extended_before_it_is_written() -> None:
    told = "\n".join(steps_for(Reason.EWS_BLOCKED))

    assert told.index("Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy") < told.index("-EwsAllowedAppIDs")
    assert f"Append {CLIENT}" in told
    assert "the whole list" in told


def test_the_administrator_learns_that_it_takes_a_day_and_both_switches() -> None:
    told = " ".join(steps_for(Reason.EWS_BLOCKED))

    assert "24 hours" in told
    assert "for the organization" in told
    assert "for the mailbox" in told


def test_an_exchange_server_administrator_gets_a_command_that_works_there() -> None:
    assert "ApplicationImpersonation" in " ".join(steps_for(Reason.IMPERSONATION_DENIED))


def test_no_administrator_is_told_to_have_people_sign_in_again() -> None:
    assert not any("sign in again" in step for reason in Reason for step in steps_for(reason))


def test_every_tone_and_every_act_has_its_words() -> None:
    assert set(english().keys("tones")) == set(Tone)
    assert set(english().keys("acts")) == set(MailboxAction)
    assert set(english().keys("confirm")) >= set(NEEDS_CONFIRMATION)


def test_every_status_in_the_catalogue_is_reached_by_a_sample() -> None:
    from tests.unit.pages.samples import live

    shown = [live(state)["shown"] for state in STATES]
    assert {view.state for view in shown if isinstance(view, StatusView)} == set(english().keys("statuses"))


def test_every_sentence_that_a_template_names_is_there() -> None:
    for template in TEMPLATES.glob("*.html"):
        for key in re.findall(r"""\bt\("([a-z_.0-9-]+)"(?:,|\))""", template.read_text("utf-8")):
            assert key in english(), f"{template.name} names {key}"


def test_one_and_many_have_different_sentences() -> None:
    text = english().text
    assert text("my_sync.items", count=1) == "1 item"
    assert text("my_sync.items", count=12480) == "12,480 items"


def test_a_placeholder_left_empty_is_an_error() -> None:
    with pytest.raises(KeyError):
        english().text("landing.lead")


def test_a_sentence_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"nowhere\.to\.be\.found"):
        Catalog({}).text("nowhere.to.be.found")
