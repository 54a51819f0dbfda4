"""The link that somebody waiting sends to their administrator: what its holder can do with it, and what not."""

from dataclasses import replace

import pytest

from shared.authorization.acts import WAITED, SignInFailed
from shared.errors import AdministratorMustAct, NotFound, Reason
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def waiting(stage: Stage) -> str:
    """Alex changes the account, and Microsoft asks for an administrator; gives what Alex's browser keeps."""
    mailbox = stage.connect(ALEX)
    stage.entra.refuse = [AdministratorMustAct(Reason.ADMIN_CONSENT_REQUIRED)]
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.change(stage.session(ALEX), mailbox.id))
    return stage.consent.wait(caught.value.intent)


def test_whoever_has_the_link_cannot_carry_on_with_what_the_person_began(stage: Stage) -> None:
    """They could disconnect the person's mailbox by it, or learn their address from where they are sent."""
    kept = waiting(stage)
    sent = stage.consent.link(stage.consent.waiting(kept)).rpartition("/")[2]
    assert sent != kept
    with pytest.raises(NotFound):
        stage.consent.waiting(sent)
    assert stage.consent.start(sent).url


def test_what_the_browser_keeps_is_not_what_storage_keeps(stage: Stage) -> None:
    kept = waiting(stage)
    assert kept not in str(stage.approvals.stored)


def test_the_persons_own_browser_carries_on(stage: Stage) -> None:
    kept = waiting(stage)
    before = stage.mailboxes[0]
    stage.entra.person = an_identity("other@contoso.example")
    outcome = stage.come_back(stage.sign_in.resume(stage.consent.waiting(kept).resume, stage.session(ALEX)))
    assert outcome.mailbox is not None
    assert stage.registry.get(before.id).status is Status.DISCONNECTED


@pytest.mark.parametrize("act", ["change", "renew"])
@pytest.mark.parametrize("signed_in", ["nobody", "somebody else"])
def test_only_the_owners_session_resumes_what_concerns_a_mailbox(stage: Stage, act: str, signed_in: str) -> None:
    """S4: the next user of a shared browser, whose session has lapsed, comes by the same cookie."""
    mailbox = stage.connect(ALEX)
    session = None if signed_in == "nobody" else stage.session(BLAKE)
    begun = len(stage.entra.begun)
    with pytest.raises(NotFound):
        stage.sign_in.resume({"act": act, "mailbox": mailbox.id}, session)
    assert len(stage.entra.begun) == begun, "nobody is sent to Microsoft with the owner's address"
    stage.connect(BLAKE)
    assert stage.registry.get(mailbox.id) == mailbox
    assert mailbox.authorization_id in stage.tokens.stored


def test_the_owner_renews_after_an_approval(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    start = stage.sign_in.resume({"act": "renew", "mailbox": mailbox.id}, stage.session(ALEX))
    assert stage.entra.begun[-1]["hint"] == ALEX.address
    outcome = stage.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.mailbox.id == mailbox.id


def test_an_owner_without_a_session_signs_in_again_and_keeps_both_mailboxes(stage: Stage) -> None:
    """S4: what an unresumed change of account becomes: connected, and nothing is disconnected for it."""
    kept = waiting(stage)
    before = stage.mailboxes[0]
    with pytest.raises(NotFound):
        stage.sign_in.resume(stage.consent.waiting(kept).resume, None)
    after = stage.connect(BLAKE)
    assert {mailbox.id for mailbox in stage.mailboxes} == {before.id, after.id}
    assert stage.registry.get(before.id).status is Status.ACTIVE


def test_a_resumed_service_account_is_refused(stage: Stage) -> None:
    """S15: also to an operator, whose own session would have begun it."""
    operator = stage.session(replace(BLAKE, roles=("Operator",)))
    for session in (None, operator):
        with pytest.raises(NotFound):
            stage.sign_in.resume({"act": "service", "by": BLAKE.owner_id}, session)


def test_what_was_resumed_says_so(stage: Stage) -> None:
    """So that a wrong account ends the wait in this browser, instead of being sent the same way for ever."""
    token = stage.invitations.create(ALEX.address).url.rpartition("/")[2]
    stage.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.resume({"act": "invited", "token": token}, None))
    assert WAITED in caught.value.intent
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert WAITED not in caught.value.intent
