"""A service account's token: it outlives each of its mailboxes, and goes when an operator gives it up."""

import pytest

from shared.authorization.errors import StillInUse
from shared.errors import NotFound, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

SERVICE = an_identity("service@contoso.example")
OPERATOR = an_identity("op@contoso.example", roles=("Operator",))
ONE = "one@contoso.example"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def signed_in(stage: Stage) -> str:
    """The service account signs in; gives the id of its authorization."""
    stage.entra.person = SERVICE
    return stage.come_back(stage.sign_in.service(stage.session(OPERATOR))).authorization_id


def activated(stage: Stage, service: str) -> str:
    """One mailbox read with it; gives its id."""
    return stage.activation.with_service_account(service, [ONE], "op")[0].mailbox_id


def told(stage: Stage) -> list[tuple[str, int]]:
    return [(account.address, account.mailboxes) for account in stage.service_accounts.all()]


def test_the_accounts_are_listed_with_what_is_read_with_them(stage: Stage) -> None:
    stage.connect(an_identity("alex@contoso.example"))
    assert told(stage) == []
    service = signed_in(stage)
    assert told(stage) == [(SERVICE.address, 0)]
    mailbox = activated(stage, service)
    assert told(stage) == [(SERVICE.address, 1)]
    stage.connections.disconnect(mailbox, "op")
    assert told(stage) == [(SERVICE.address, 0)]


def test_giving_one_up_leaves_nothing_of_it_but_what_the_vault_holds(stage: Stage) -> None:
    service = signed_in(stage)
    stage.connections.erase(activated(stage, service), "op")
    assert stage.service_accounts.give_up(service, "op") == stage.tokens.deleted[service]
    assert stage.tokens.stored == {}
    assert stage.authorizations.stored == {}
    assert stage.registry.audit[-1] == (service, "op", "give_up")
    with pytest.raises(PersonMustSignIn):
        stage.access_tokens.access(service, ONE)
    with pytest.raises(NotFound):
        stage.service_accounts.give_up(service, "op")


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.PAUSED, Status.NEEDS_SIGN_IN, Status.SUSPENDED])
def test_one_that_mailboxes_are_read_with_is_not_given_up(stage: Stage, status: Status) -> None:
    service = signed_in(stage)
    mailbox = activated(stage, service)
    stage.registry.change(mailbox, lambda found: found.having(status=status))
    with pytest.raises(StillInUse):
        stage.service_accounts.give_up(service, "op")
    assert service in stage.tokens.stored


def test_a_persons_own_authorization_is_not_given_up_here(stage: Stage) -> None:
    mailbox = stage.connect(an_identity("alex@contoso.example"))
    with pytest.raises(NotFound):
        stage.service_accounts.give_up(mailbox.authorization_id, "op")
    assert mailbox.authorization_id in stage.tokens.stored


def test_it_can_sign_in_again_though_the_vault_holds_on_to_its_former_name(stage: Stage) -> None:
    before = signed_in(stage)
    mailbox = activated(stage, before)
    stage.connections.disconnect(mailbox, "op")
    stage.service_accounts.give_up(before, "op")
    after = signed_in(stage)
    assert list(stage.tokens.stored) == [after]
    assert activated(stage, after) == mailbox
    assert stage.registry.get(mailbox).authorization_id == after
    assert stage.access_tokens.access(after, ONE).token


def test_a_mailbox_that_was_activated_at_that_very_moment_is_served_by_its_next_sign_in(stage: Stage) -> None:
    before = signed_in(stage)
    stage.service_accounts.give_up(before, "op")
    after = signed_in(stage)
    late = activated(stage, after)
    stage.registry.change(late, lambda found: found.having(authorization_id=before, status=Status.NEEDS_SIGN_IN))
    signed_in(stage)
    found = stage.registry.get(late)
    assert (found.status, found.authorization_id) == (Status.ACTIVE, after)


def test_giving_up_that_breaks_off_is_finished_by_the_daily_round(stage: Stage) -> None:
    service = signed_in(stage)
    stage.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    with pytest.raises(RetryLater):
        stage.service_accounts.give_up(service, "op")
    assert service in stage.tokens.stored
    assert told(stage) == []
    stage.connections.release_unused()
    assert stage.tokens.stored == {}
    assert SERVICE.address not in str(stage.authorizations.stored)
    assert signed_in(stage) != service


def test_one_that_an_unreadable_mailbox_is_read_with_is_not_given_up(stage: Stage) -> None:
    """S6."""
    service = signed_in(stage)
    stage.registry.unreadable.add(activated(stage, service))
    assert told(stage) == [(SERVICE.address, 1)]
    with pytest.raises(StillInUse):
        stage.service_accounts.give_up(service, "op")
