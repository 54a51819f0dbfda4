"""The link that somebody waiting sends to their administrator: what its holder can do with it, and what not."""

import pytest

from shared.authorization.acts import SignInFailed
from shared.errors import AdministratorMustAct, NotFound, Reason
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

ALEX = an_identity("alex@contoso.example")


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
    outcome = stage.come_back(stage.sign_in.resume(stage.consent.waiting(kept).resume))
    assert outcome.mailbox is not None
    assert stage.registry.get(before.id).status is Status.DISCONNECTED
