"""The catalog has a sentence for everything that can be shown."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from shared.errors import Reason
from shared.pages.catalog import Catalog, english
from shared.pages.mailbox_actions import NEEDS_CONFIRMATION, MailboxAction
from shared.pages.pages import Pages
from shared.pages.problems import PROBLEMS, problem_of
from shared.pages.status import StatusView, Tone
from shared.sources.ews.faults.forbidden import REASONS as FORBIDDEN_REASONS
from shared.sources.ews.faults.forbidden import ForbiddenResponse, diagnose
from shared.sources.model import AccessMode
from tests.unit.pages.samples import STATES

SIGN_IN_PROBLEMS = [
    "flow_unknown", "flow_expired", "flow_replayed", "other_browser", "declined", "sign_in_failed", "wrong_account",
    "personal_account", "tenant_not_allowed", "invitation_invalid", "invitation_used", "invitation_expired",
    "approval_declined", "approval_failed", "session_expired", "too_many_requests", "not_found", "method_not_allowed",
    "operator_session_expired", "too_large", "malformed", "internal", "synced_by_organization",
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
    steps, commands = f"administrator.steps_for.{reason}", f"administrator.commands_for.{reason}"
    told = english().lines(steps, client_id=CLIENT) if steps in english() else []
    return told + ([commands_for(reason)] if commands in english() else [])


def commands_for(reason: Reason) -> str:
    """The commands that go with the steps."""
    return english().text(f"administrator.commands_for.{reason}", client_id=CLIENT, mailbox="ada@contoso.example")


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


def test_the_commands_keep_a_list_that_is_empty_or_has_entries() -> None:
    """U8: an empty list must not become a list that begins with a comma."""
    told = commands_for(Reason.EWS_BLOCKED)
    assert f'@($list -split ",") + "{CLIENT}" | Where-Object {{ $_ }}' in told
    assert "Get-CASMailbox -Identity ada@contoso.example |" in told


def test_no_administrator_is_told_to_have_people_sign_in_again() -> None:
    assert not any("sign in again" in step for reason in Reason for step in steps_for(reason))


def test_every_tone_and_every_act_has_its_words() -> None:
    assert set(english().keys("tones")) == set(Tone)
    assert set(english().keys("acts")) == set(MailboxAction)
    assert set(english().keys("confirm")) >= set(NEEDS_CONFIRMATION)


def test_operators_have_sentences_of_their_own() -> None:
    """U13: a person's sentences ("Please sign in again") say the wrong thing to an operator."""
    operators = english().keys("operator.reasons")
    assert set(operators) >= {reason.value for reason in Reason}
    assert set(operators) >= set(english().keys("operator.remedies"))
    assert set(english().keys("operator.statuses")) == set(english().keys("statuses"))
    for section in ("statuses", "reasons", "remedies"):
        for key in english().keys(f"operator.{section}"):
            told = english().text(f"operator.{section}.{key}").lower()
            assert not any(word in told.split() for word in ("you", "your", "please")), key


def test_every_word_that_a_403_leads_to_has_a_sentence() -> None:
    """U8: "Support code: unsaid" helps nobody."""
    said = [(mode, body.encode()) for mode in AccessMode for body, _ in EWS_403_BODIES.values()]
    words = {diagnose(ForbiddenResponse(mode, {}, body)).finding for mode, body in said}
    assert {"unsaid", "impersonation"} <= words
    assert words <= set(english().keys("findings"))


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


def sentences(found: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence of the catalog, with its key."""
    if isinstance(found, str):
        yield path, found
    elif isinstance(found, dict):
        for key, below in found.items():
            yield from sentences(below, f"{path}.{key}")
    elif isinstance(found, list):
        for below in found:
            yield from sentences(below, path)


def test_a_number_before_a_plural_has_a_form_for_one() -> None:
    """U13: "1 issues", "the last 1 days"."""
    plurals = "items|mailboxes|issues|minutes|hours|days|months|people|requests|bytes|folders|messages"
    told = tomllib.loads((TEMPLATES.parent / "catalog.toml").read_text("utf-8"))
    wrong = [
        key
        for key, sentence in sentences(told)
        if re.search(rf"\{{\w+\}} ({plurals})\b", sentence) and not key.endswith(".other")
    ]
    assert wrong == []


def test_a_placeholder_left_empty_is_an_error() -> None:
    with pytest.raises(KeyError):
        english().text("landing.lead")


def test_a_sentence_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"nowhere\.to\.be\.found"):
        Catalog({}).text("nowhere.to.be.found")
