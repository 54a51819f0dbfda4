"""What a session that has ended, or a browser that was left signed in, can still do."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect
from shared.authorization.onboarding.sign_in_outcome import SignInFailed, SignInPurpose
from shared.authorization.sessions.sessions import Session
from shared.errors import NotFound
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ALEX = an_identity("alex@contoso.example", roles=("Operator",))
BLAKE = an_identity("blake@contoso.example")


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.mark.parametrize("act", ["change", "service", "confirm", "resumed change"])
def test_what_a_session_began_ends_with_its_sign_out(stack: AuthorizationStack, act: str) -> None:
    """S14: the browser is at Microsoft, its person signs out in another tab, and somebody else goes on."""
    mailbox = stack.connect(ALEX)
    session = stack.session(ALEX)
    begin: dict[str, Callable[[], AuthorizeRedirect]] = {
        "change": lambda: stack.sign_in.change(session, mailbox.id),
        "service": lambda: stack.sign_in.service(session),
        "confirm": lambda: stack.sign_in.confirm(session, mailbox.id),
        "resumed change": lambda: stack.sign_in.resume({"act": "change", "mailbox": mailbox.id}, session),
    }
    start = begin[act]()
    stack.sessions.end(session)
    stack.entra.person = BLAKE if act != "confirm" else ALEX
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(start)
    assert "session_expired" in str(caught.value.cause)
    assert stack.mailboxes == [mailbox]
    assert list(stack.tokens.stored) == [mailbox.authorization_id]


def test_confirming_asks_for_credentials_and_for_no_permission(stack: AuthorizationStack) -> None:
    """S14: Microsoft must not answer by itself for whoever sits at the browser."""
    mailbox = stack.connect(ALEX)
    outcome = stack.come_back(stack.sign_in.confirm(stack.session(ALEX), mailbox.id))
    begun = stack.entra.begun[-1]
    assert (begun["prompt"], begun["hint"], begun["mail"]) == ("login", ALEX.address, False)
    assert outcome.purpose is SignInPurpose.CONFIRM
    assert outcome.intent["mailbox"] == mailbox.id
    assert stack.registry.get(mailbox.id) == mailbox, "confirming changes nothing yet"
    assert fresh(stack, outcome.session) is not None


def test_only_the_owner_confirms(stack: AuthorizationStack) -> None:
    """S14."""
    mailbox = stack.connect(ALEX)
    with pytest.raises(NotFound):
        stack.sign_in.confirm(stack.session(BLAKE), mailbox.id)
    start = stack.sign_in.confirm(stack.session(ALEX), mailbox.id)
    stack.entra.person = replace(ALEX, owner_id=BLAKE.owner_id)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(start)
    assert "wrong_account" in str(caught.value.cause)


def test_a_session_that_lasts_disconnects_by_changing_the_account(stack: AuthorizationStack) -> None:
    """The check of the session stops no honest person."""
    mailbox = stack.connect(ALEX)
    start = stack.sign_in.change(stack.session(ALEX), mailbox.id)
    stack.entra.person = BLAKE
    assert stack.come_back(start).new
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED


def fresh(stack: AuthorizationStack, cookie: str) -> Session | None:
    session = stack.sessions.read(cookie)
    return session if session is not None and stack.sessions.is_recent(session) else None
