"""Access tokens: when they are fetched, what is stored, and what several passes at once do to each other."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.authorization.model import Authorization, Tokens
from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.errors import OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.sources.model import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ADDRESS = "alex@contoso.example"
REVOKED = PersonMustSignIn(Reason.GRANT_REVOKED)


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.fixture
def mailbox(stack: AuthorizationStack) -> Mailbox:
    return stack.connect()


def test_a_token_is_fetched_once_and_kept_while_it_lasts(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    first = stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    second = stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert first.token == second.token
    assert (first.address, first.mode) == (ADDRESS, AccessMode.DELEGATED)
    assert len(stack.entra.refreshed) == 1


def test_a_token_about_to_end_is_not_handed_out(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    first = stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    stack.clock.pass_by(minutes=55)
    assert stack.access_tokens.access(mailbox.authorization_id, ADDRESS).token != first.token


def test_a_rejected_token_is_renewed_and_only_once_for_all(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    passes = [stack.access_tokens.access(mailbox.authorization_id, ADDRESS) for _ in range(2)]
    renewed = [one.renew() for one in passes if one.renew]
    assert renewed[0] == renewed[1] != passes[0].token
    assert len(stack.entra.refreshed) == 2


def test_no_secret_shows_in_what_is_printed(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    access = stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    (refresh_token,) = stack.tokens.stored.values()
    shown = f"{access!r} {stack.access_tokens.__dict__!r} {Tokens('secret-a', stack.clock(), 'secret-b')!r}"
    assert access.token not in shown
    assert refresh_token not in shown
    assert "secret-" not in shown


def test_rotated_tokens_are_stored_seldom(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stored = stack.tokens.stored[mailbox.authorization_id]
    for _ in range(3 * 24):
        stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
        stack.clock.pass_by(hours=1)
    assert stack.tokens.writes == 1
    stack.clock.pass_by(hours=1)
    stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert stack.tokens.writes == 2
    assert stack.tokens.stored[mailbox.authorization_id] != stored
    assert stack.authorizations.changes <= 4


def test_a_rotated_token_that_cannot_be_stored_does_not_fail_the_pass(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    stack.clock.pass_by(days=4)
    stack.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stack.access_tokens.access(mailbox.authorization_id, ADDRESS).token
    stack.clock.pass_by(hours=1)
    stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert stack.tokens.writes == 2


def test_a_refusal_is_believed_only_if_nobody_stored_a_newer_token(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    refresh = stack.entra.refresh

    def refresh_once_refused(tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        if refresh_token == "newer":
            return refresh(tenant_id, refresh_token, source)
        stack.entra.valid.add("newer")
        stack.tokens.stored[mailbox.authorization_id] = "newer"
        raise REVOKED

    stack.entra.refresh = refresh_once_refused  # type: ignore[method-assign]
    assert stack.access_tokens.access(mailbox.authorization_id, ADDRESS).token
    assert stack.entra.refreshed == ["newer"]


def test_a_slow_refresh_does_not_replace_the_token_of_a_new_sign_in(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    """A service account keeps its authorization's id. Its old tokens may have been revoked with its password."""
    refresh = stack.entra.refresh
    stack.clock.pass_by(days=4)

    def slow_refresh(tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        tokens = refresh(tenant_id, refresh_token, source)
        stack.tokens.write(mailbox.authorization_id, "of the new sign-in")
        return tokens

    stack.entra.refresh = slow_refresh  # type: ignore[method-assign]
    assert stack.access_tokens.access(mailbox.authorization_id, ADDRESS).token
    assert stack.tokens.stored[mailbox.authorization_id] == "of the new sign-in"


def test_only_a_token_that_was_stored_later_renews(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    begun = stack.clock()
    assert not stack.access_tokens.is_renewed(mailbox.authorization_id, begun)
    stack.clock.pass_by(minutes=1)
    stack.authorizations.change(mailbox.authorization_id, lambda found: replace(found, stored_at=stack.clock()))
    assert stack.access_tokens.is_renewed(mailbox.authorization_id, begun)
    stack.token_revocation.revoke(mailbox.authorization_id)
    assert not stack.access_tokens.is_renewed(mailbox.authorization_id, begun)
    assert not stack.access_tokens.is_renewed("none", begun)


def test_a_refusal_of_the_stored_token_is_believed(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.entra.refuse = [REVOKED]
    with pytest.raises(PersonMustSignIn) as caught:
        stack.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert caught.value is REVOKED


@pytest.mark.parametrize("lost", ["authorization", "token", "revoked"])
def test_access_that_is_gone_asks_to_sign_in(stack: AuthorizationStack, mailbox: Mailbox, lost: str) -> None:
    if lost == "authorization":
        stack.authorizations.delete(mailbox.authorization_id)
    elif lost == "token":
        stack.tokens.delete(mailbox.authorization_id)
    else:
        stack.authorizations.change(mailbox.authorization_id, lambda found: replace(found, revoked=True))
    with pytest.raises(PersonMustSignIn):
        stack.access_tokens.access(mailbox.authorization_id, ADDRESS)


def test_many_passes_at_once_refresh_once(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    gate = threading.Barrier(8)

    def ask(_: int) -> str:
        gate.wait(5)
        return stack.access_tokens.access(mailbox.authorization_id, ADDRESS).token

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(stack.entra.refreshed) == 1


def test_app_only_access_needs_no_refresh_token(stack: AuthorizationStack) -> None:
    stack.authorizations.add(Authorization("app", AccessMode.APP_ONLY, TENANT, "app", stack.clock()))
    access = stack.access_tokens.access("app", ADDRESS)
    assert access.mode is AccessMode.APP_ONLY
    assert stack.access_tokens.access("app", "other@contoso.example").token == access.token
    assert stack.entra.refreshed == []


def test_what_lies_idle_for_a_week_is_kept_alive_and_stored(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    assert stack.access_tokens.refresh_idle(stack.clock()) == 0
    stack.clock.pass_by(days=8)
    assert stack.access_tokens.refresh_idle(stack.clock()) == 1
    assert stack.tokens.writes == 2
    assert stack.access_tokens.refresh_idle(stack.clock()) == 0


def test_a_lost_idle_authorization_does_not_stop_the_others(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.connect(replace(stack.entra.person, owner_id=TENANT, address="b@contoso.example"))
    stack.clock.pass_by(days=8)
    stack.entra.refuse = [REVOKED]
    assert stack.access_tokens.refresh_idle(stack.clock()) == 1


@pytest.mark.parametrize("error", [OperatorMustAct(Reason.OUR_CREDENTIAL), RetryLater(Reason.UNAVAILABLE)], ids=str)
def test_an_error_that_concerns_everybody_ends_the_daily_look(
    stack: AuthorizationStack, mailbox: Mailbox, error: Exception
) -> None:
    stack.connect(replace(stack.entra.person, owner_id=TENANT, address="b@contoso.example"))
    stack.clock.pass_by(days=8)
    stack.entra.refuse = [error]
    assert stack.access_tokens.refresh_idle(stack.clock()) == 0
    assert stack.access_tokens.refresh_idle(stack.clock()) == 2


def test_one_disabled_secret_keeps_no_other_authorization_from_its_refresh(
    stack: AuthorizationStack, caplog: pytest.LogCaptureFixture
) -> None:
    """M4: seven idle authorizations, the fourth's secret switched off in the vault, for a hundred days."""
    mailboxes = [stack.connect(an_identity(f"p{number}@contoso.example")) for number in range(7)]
    off = mailboxes[3].authorization_id
    stack.tokens.disabled.add(off)
    refreshed = []
    for _ in range(14):
        stack.clock.pass_by(days=8)
        refreshed.append(stack.access_tokens.refresh_idle(stack.clock()))
    assert refreshed == [6] * 14
    assert "idle authorization not refreshed" in caplog.text
    for mailbox in mailboxes:
        authorization = stack.authorizations.get(mailbox.authorization_id)
        is_idle = authorization.refreshed_at is None or authorization.refreshed_at < stack.clock() - timedelta(days=1)
        assert is_idle == (authorization.id == off)


def test_an_unreachable_tenant_does_not_block_the_others(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.connect(an_identity("b@contoso.example"))
    stack.connect(an_identity("c@fabrikam.example", tenant_id=OTHER_TENANT))
    stack.clock.pass_by(days=8)
    stack.entra.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stack.access_tokens.refresh_idle(stack.clock()) == 1
    assert len(stack.entra.refreshed) == 2


def test_an_answer_nobody_understands_concerns_one_authorization_alone(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    stack.connect(an_identity("b@contoso.example"))
    stack.clock.pass_by(days=8)
    stack.entra.refuse = [RetryLater(Reason.BAD_ANSWER)]
    assert stack.access_tokens.refresh_idle(stack.clock()) == 1


def test_the_daily_look_ends_in_time(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.clock.pass_by(days=8)
    assert stack.access_tokens.refresh_idle(stack.clock() - timedelta(minutes=9)) == 0


def test_what_is_lost_for_good_never_keeps_from_its_turn_what_can_be_kept(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    lost = [stack.connect(an_identity(f"gone{number}@contoso.example")) for number in range(3)]
    stack.clock.pass_by(days=30)
    paused = stack.connect(an_identity("paused@contoso.example"))
    stack.clock.pass_by(days=8)
    kept = stack.tokens.stored[paused.authorization_id]
    stack.access_tokens.refresh_idle(stack.clock())
    assert stack.entra.refreshed[0] == kept
    assert len(stack.entra.refreshed) == 2 + len(lost)


def test_memory_holds_a_bounded_number_of_tokens(stack: AuthorizationStack) -> None:
    tokens = AccessTokenCache(stack.entra, stack.tokens, stack.authorizations, stack.clock, most_tokens=3)
    for number in range(6):
        stack.authorizations.add(Authorization(f"app-{number}", AccessMode.APP_ONLY, TENANT, "app", stack.clock()))
    first = [tokens.access(f"app-{number}", ADDRESS).token for number in range(6)]
    again = [tokens.access(f"app-{number}", ADDRESS).token for number in (5, 4, 3, 0)]
    assert again[:3] == first[:2:-1]
    assert again[3] != first[0]
