"""Access tokens: when they are fetched, what is stored, and what several passes at once do to each other."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.authorization.access import LiveAccessTokens
from shared.authorization.port import Authorization, Tokens
from shared.errors import OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.sources.port import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.unit.authorization.stage import Stage

ADDRESS = "alex@contoso.example"
REVOKED = PersonMustSignIn(Reason.GRANT_REVOKED)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def mailbox(stage: Stage) -> Mailbox:
    return stage.connect()


def test_a_token_is_fetched_once_and_kept_while_it_lasts(stage: Stage, mailbox: Mailbox) -> None:
    first = stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    second = stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert first.token == second.token
    assert (first.address, first.mode) == (ADDRESS, AccessMode.DELEGATED)
    assert len(stage.entra.refreshed) == 1


def test_a_token_about_to_end_is_not_handed_out(stage: Stage, mailbox: Mailbox) -> None:
    first = stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    stage.clock.pass_by(minutes=55)
    assert stage.access_tokens.access(mailbox.authorization_id, ADDRESS).token != first.token


def test_a_rejected_token_is_renewed_and_only_once_for_all(stage: Stage, mailbox: Mailbox) -> None:
    passes = [stage.access_tokens.access(mailbox.authorization_id, ADDRESS) for _ in range(2)]
    renewed = [one.renew() for one in passes if one.renew]
    assert renewed[0] == renewed[1] != passes[0].token
    assert len(stage.entra.refreshed) == 2


def test_no_secret_shows_in_what_is_printed(stage: Stage, mailbox: Mailbox) -> None:
    access = stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    (refresh_token,) = stage.tokens.stored.values()
    shown = f"{access!r} {stage.access_tokens.__dict__!r} {Tokens('secret-a', stage.clock(), 'secret-b')!r}"
    assert access.token not in shown
    assert refresh_token not in shown
    assert "secret-" not in shown


def test_rotated_tokens_are_stored_seldom(stage: Stage, mailbox: Mailbox) -> None:
    stored = stage.tokens.stored[mailbox.authorization_id]
    for _ in range(3 * 24):
        stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
        stage.clock.pass_by(hours=1)
    assert stage.tokens.writes == 1
    stage.clock.pass_by(hours=1)
    stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert stage.tokens.writes == 2
    assert stage.tokens.stored[mailbox.authorization_id] != stored
    assert stage.authorizations.changes <= 4


def test_a_rotated_token_that_cannot_be_stored_does_not_fail_the_pass(stage: Stage, mailbox: Mailbox) -> None:
    stage.clock.pass_by(days=4)
    stage.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stage.access_tokens.access(mailbox.authorization_id, ADDRESS).token
    stage.clock.pass_by(hours=1)
    stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert stage.tokens.writes == 2


def test_a_refusal_is_believed_only_if_nobody_stored_a_newer_token(stage: Stage, mailbox: Mailbox) -> None:
    refresh = stage.entra.refresh

    def refresh_once_refused(tenant_id: str, refresh_token: str, source: SourceName) -> Tokens:
        if refresh_token == "newer":
            return refresh(tenant_id, refresh_token, source)
        stage.entra.valid.add("newer")
        stage.tokens.stored[mailbox.authorization_id] = "newer"
        raise REVOKED

    stage.entra.refresh = refresh_once_refused  # type: ignore[method-assign]
    assert stage.access_tokens.access(mailbox.authorization_id, ADDRESS).token
    assert stage.entra.refreshed == ["newer"]


def test_a_refusal_of_the_stored_token_is_believed(stage: Stage, mailbox: Mailbox) -> None:
    stage.entra.refuse = [REVOKED]
    with pytest.raises(PersonMustSignIn) as caught:
        stage.access_tokens.access(mailbox.authorization_id, ADDRESS)
    assert caught.value is REVOKED


@pytest.mark.parametrize("lost", ["authorization", "token", "revoked"])
def test_access_that_is_gone_asks_to_sign_in(stage: Stage, mailbox: Mailbox, lost: str) -> None:
    if lost == "authorization":
        stage.authorizations.delete(mailbox.authorization_id)
    elif lost == "token":
        stage.tokens.delete(mailbox.authorization_id)
    else:
        stage.authorizations.change(mailbox.authorization_id, lambda found: replace(found, revoked=True))
    with pytest.raises(PersonMustSignIn):
        stage.access_tokens.access(mailbox.authorization_id, ADDRESS)


def test_many_passes_at_once_refresh_once(stage: Stage, mailbox: Mailbox) -> None:
    gate = threading.Barrier(8)

    def ask(_: int) -> str:
        gate.wait(5)
        return stage.access_tokens.access(mailbox.authorization_id, ADDRESS).token

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(stage.entra.refreshed) == 1


def test_app_only_access_needs_no_refresh_token(stage: Stage) -> None:
    stage.authorizations.add(Authorization("app", AccessMode.APP_ONLY, TENANT, "app", stage.clock()))
    access = stage.access_tokens.access("app", ADDRESS)
    assert access.mode is AccessMode.APP_ONLY
    assert stage.access_tokens.access("app", "other@contoso.example").token == access.token
    assert stage.entra.refreshed == []


def test_what_lies_idle_for_a_week_is_kept_alive_and_stored(stage: Stage, mailbox: Mailbox) -> None:
    assert stage.access_tokens.refresh_idle(stage.clock()) == 0
    stage.clock.pass_by(days=8)
    assert stage.access_tokens.refresh_idle(stage.clock()) == 1
    assert stage.tokens.writes == 2
    assert stage.access_tokens.refresh_idle(stage.clock()) == 0


def test_a_lost_idle_authorization_does_not_stop_the_others(stage: Stage, mailbox: Mailbox) -> None:
    stage.connect(replace(stage.entra.person, owner_id=TENANT, address="b@contoso.example"))
    stage.clock.pass_by(days=8)
    stage.entra.refuse = [REVOKED]
    assert stage.access_tokens.refresh_idle(stage.clock()) == 1


@pytest.mark.parametrize("error", [OperatorMustAct(Reason.OUR_CREDENTIAL), RetryLater(Reason.UNAVAILABLE)], ids=str)
def test_an_error_that_concerns_everybody_ends_the_daily_look(stage: Stage, mailbox: Mailbox, error: Exception) -> None:
    stage.connect(replace(stage.entra.person, owner_id=TENANT, address="b@contoso.example"))
    stage.clock.pass_by(days=8)
    stage.entra.refuse = [error]
    assert stage.access_tokens.refresh_idle(stage.clock()) == 0
    assert stage.access_tokens.refresh_idle(stage.clock()) == 2


def test_one_disabled_secret_keeps_no_other_authorization_from_its_refresh(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """M4: seven idle authorizations, the fourth's secret switched off in the vault, for a hundred days."""
    mailboxes = [stage.connect(an_identity(f"p{number}@contoso.example")) for number in range(7)]
    off = mailboxes[3].authorization_id
    stage.tokens.disabled.add(off)
    refreshed = []
    for _ in range(14):
        stage.clock.pass_by(days=8)
        refreshed.append(stage.access_tokens.refresh_idle(stage.clock()))
    assert refreshed == [6] * 14
    assert "an idle authorization cannot be kept alive" in caplog.text
    for mailbox in mailboxes:
        authorization = stage.authorizations.get(mailbox.authorization_id)
        is_idle = authorization.refreshed_at is None or authorization.refreshed_at < stage.clock() - timedelta(days=1)
        assert is_idle == (authorization.id == off)


def test_a_tenant_that_cannot_be_asked_does_not_keep_the_others_from_their_turn(stage: Stage, mailbox: Mailbox) -> None:
    stage.connect(an_identity("b@contoso.example"))
    stage.connect(an_identity("c@fabrikam.example", tenant_id=OTHER_TENANT))
    stage.clock.pass_by(days=8)
    stage.entra.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stage.access_tokens.refresh_idle(stage.clock()) == 1
    assert len(stage.entra.refreshed) == 2


def test_an_answer_nobody_understands_concerns_one_authorization_alone(stage: Stage, mailbox: Mailbox) -> None:
    stage.connect(an_identity("b@contoso.example"))
    stage.clock.pass_by(days=8)
    stage.entra.refuse = [RetryLater(Reason.BAD_ANSWER)]
    assert stage.access_tokens.refresh_idle(stage.clock()) == 1


def test_the_daily_look_ends_in_time(stage: Stage, mailbox: Mailbox) -> None:
    stage.clock.pass_by(days=8)
    assert stage.access_tokens.refresh_idle(stage.clock() - timedelta(minutes=9)) == 0


def test_what_is_lost_for_good_never_keeps_from_its_turn_what_can_be_kept(stage: Stage, mailbox: Mailbox) -> None:
    lost = [stage.connect(an_identity(f"gone{number}@contoso.example")) for number in range(3)]
    stage.clock.pass_by(days=30)
    paused = stage.connect(an_identity("paused@contoso.example"))
    stage.clock.pass_by(days=8)
    kept = stage.tokens.stored[paused.authorization_id]
    stage.access_tokens.refresh_idle(stage.clock())
    assert stage.entra.refreshed[0] == kept
    assert len(stage.entra.refreshed) == 2 + len(lost)


def test_memory_holds_a_bounded_number_of_tokens(stage: Stage) -> None:
    tokens = LiveAccessTokens(stage.entra, stage.tokens, stage.authorizations, stage.clock, most_tokens=3)
    for number in range(6):
        stage.authorizations.add(Authorization(f"app-{number}", AccessMode.APP_ONLY, TENANT, "app", stage.clock()))
    first = [tokens.access(f"app-{number}", ADDRESS).token for number in range(6)]
    again = [tokens.access(f"app-{number}", ADDRESS).token for number in (5, 4, 3, 0)]
    assert again[:3] == first[:2:-1]
    assert again[3] != first[0]
