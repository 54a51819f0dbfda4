"""The link that somebody waiting sends to their administrator: what its holder can do with it, and what not."""

from dataclasses import replace

import pytest

from shared.authorization.onboarding.sign_in_outcome import AFTER_APPROVAL, SignInFailed
from shared.errors import AdministratorMustAct, NotFound, Reason
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example")


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def waiting(stack: AuthorizationStack) -> str:
    """Alex changes the account, and Microsoft asks for an administrator; gives what Alex's browser keeps."""
    mailbox = stack.connect(ALEX)
    stack.entra.refuse = [AdministratorMustAct(Reason.ADMIN_CONSENT_REQUIRED)]
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.change(stack.session(ALEX), mailbox.id))
    return stack.consent.wait(caught.value.intent)


def test_whoever_has_the_link_cannot_carry_on_with_what_the_person_began(stack: AuthorizationStack) -> None:
    """They could disconnect the person's mailbox by it, or learn their address from where they are sent."""
    kept = waiting(stack)
    sent = stack.consent.link(stack.consent.waiting(kept)).rpartition("/")[2]
    assert sent != kept
    with pytest.raises(NotFound):
        stack.consent.waiting(sent)
    assert stack.consent.start(sent).url


def test_what_the_browser_keeps_is_not_what_storage_keeps(stack: AuthorizationStack) -> None:
    kept = waiting(stack)
    assert kept not in str(stack.approvals.stored)


def test_the_persons_own_browser_carries_on(stack: AuthorizationStack) -> None:
    kept = waiting(stack)
    before = stack.mailboxes[0]
    stack.entra.person = an_identity("other@contoso.example")
    outcome = stack.come_back(stack.sign_in.resume(stack.consent.waiting(kept).resume, stack.session(ALEX)))
    assert outcome.mailbox is not None
    assert stack.registry.get(before.id).status is Status.DISCONNECTED


@pytest.mark.parametrize("act", ["change", "renew"])
@pytest.mark.parametrize("signed_in", ["nobody", "somebody else"])
def test_only_the_owners_session_resumes_what_concerns_a_mailbox(
    stack: AuthorizationStack, act: str, signed_in: str
) -> None:
    """S4: the next user of a shared browser, whose session has lapsed, comes by the same cookie."""
    mailbox = stack.connect(ALEX)
    session = None if signed_in == "nobody" else stack.session(BLAKE)
    begun = len(stack.entra.begun)
    with pytest.raises(NotFound):
        stack.sign_in.resume({"act": act, "mailbox": mailbox.id}, session)
    assert len(stack.entra.begun) == begun, "nobody is sent to Microsoft with the owner's address"
    stack.connect(BLAKE)
    assert stack.registry.get(mailbox.id) == mailbox
    assert mailbox.authorization_id in stack.tokens.stored


def test_the_owner_renews_after_an_approval(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    start = stack.sign_in.resume({"act": "renew", "mailbox": mailbox.id}, stack.session(ALEX))
    assert stack.entra.begun[-1]["hint"] == ALEX.address
    outcome = stack.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.mailbox.id == mailbox.id


def test_an_owner_without_a_session_signs_in_and_keeps_both_mailboxes(stack: AuthorizationStack) -> None:
    """S4: what an unresumed change of account becomes: connected, and nothing is disconnected for it."""
    kept = waiting(stack)
    before = stack.mailboxes[0]
    with pytest.raises(NotFound):
        stack.sign_in.resume(stack.consent.waiting(kept).resume, None)
    after = stack.connect(BLAKE)
    assert {mailbox.id for mailbox in stack.mailboxes} == {before.id, after.id}
    assert stack.registry.get(before.id).status is Status.ACTIVE


def test_a_resumed_service_account_is_refused(stack: AuthorizationStack) -> None:
    """S15: also to an operator, whose own session would have begun it."""
    operator = stack.session(replace(BLAKE, roles=("Operator",)))
    for session in (None, operator):
        with pytest.raises(NotFound):
            stack.sign_in.resume({"act": "service", "by": BLAKE.owner_id}, session)


def test_what_was_resumed_says_so(stack: AuthorizationStack) -> None:
    """So that a wrong account ends the wait in this browser, instead of being sent the same way for ever."""
    token = stack.invitations.create(ALEX.address).url.rpartition("/")[2]
    stack.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.resume({"act": "invited", "token": token}, None))
    assert AFTER_APPROVAL in caught.value.intent
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert AFTER_APPROVAL not in caught.value.intent
