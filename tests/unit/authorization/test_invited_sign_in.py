"""Signing in with an invitation: who may use it, which addresses count as the invited one, and what it leads to."""

import base64
import json
from dataclasses import replace

import pytest

from shared.authorization.errors import (
    InvitationRefused,
    SignInRefused,
)
from shared.authorization.model import Identity
from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.authorization.sessions.signing import Signer
from shared.errors import (
    AdministratorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes.groups.model import GroupSettings
from shared.mailboxes.model import Mailbox
from tests.fakes.authorization import OTHER_TENANT
from tests.fakes.authorization_stack import APP, AuthorizationStack
from tests.unit.authorization.samples import ALEX, BLAKE, failure


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def link_token(url: str) -> str:
    return url.removeprefix(f"{APP}/invitation/")


def test_an_invited_person_connects_and_goes_back_with_a_signed_outcome(stack: AuthorizationStack) -> None:
    invited = stack.invitations.create(ALEX.address, "case 7", "https://crm.example/back?x=1")
    start = stack.sign_in.invited(link_token(invited.url))
    assert stack.entra.begun[-1]["hint"] == ALEX.address
    outcome = stack.come_back(start)
    assert outcome.mailbox is not None
    back, _, token = outcome.return_url.partition("&outcome=")
    assert back == "https://crm.example/back?x=1"
    claims = Signer(stack.outcomes, "JWT", stack.clock).verify(token)
    assert (claims["iss"], claims["aud"]) == (APP, "https://crm.example")
    assert (claims["outcome"], claims["reference"], claims["mailbox"]) == ("connected", "case 7", outcome.mailbox.id)
    body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert ALEX.address not in json.dumps(body)


def invited_into(stack: AuthorizationStack, group: str) -> Mailbox:
    """Invite Alex into a group, and have Alex accept; gives the mailbox."""
    made = stack.invitations.create(ALEX.address, group=group)
    mailbox = stack.come_back(stack.sign_in.invited(link_token(made.url))).mailbox
    assert mailbox is not None
    return mailbox


def test_invited_mailbox_belongs_to_the_group_before_its_first_pass(stack: AuthorizationStack) -> None:
    stack.groups.put("legal", "", GroupSettings(), "op")
    mailbox = invited_into(stack, "legal")
    assert mailbox.group == stack.registry.get(mailbox.id).group == "legal"
    (invitation,) = stack.invited.stored
    acts = [(actor, act) for subject, actor, act in stack.registry.audit if subject == mailbox.id]
    assert acts == [(ALEX.owner_id, "invited"), (invitation, "set_group")]


def test_invitation_changes_the_group_of_a_disconnected_mailbox_alone(stack: AuthorizationStack) -> None:
    for name in ("legal", "board"):
        stack.groups.put(name, "", GroupSettings(), "op")
    first = invited_into(stack, "legal")
    assert invited_into(stack, "board").group == "legal"
    stack.mailbox_commands.disconnect(first.id, "op")
    assert invited_into(stack, "").group == "legal"
    stack.mailbox_commands.disconnect(first.id, "op")
    again = invited_into(stack, "board")
    assert (again.id, again.group) == (first.id, "board")


def test_mailbox_invited_into_a_group_that_is_deleted_since_gets_no_wider_settings(stack: AuthorizationStack) -> None:
    """The name stays, so its passes end until an operator has chosen a group: see GroupScopes."""
    stack.groups.put("legal", "", GroupSettings(), "op")
    token = link_token(stack.invitations.create(ALEX.address, group="legal").url)
    stack.groups.delete("legal", "op")
    mailbox = stack.come_back(stack.sign_in.invited(token)).mailbox
    assert mailbox is not None
    assert mailbox.group == "legal"


def test_an_invitation_is_used_up_by_connecting_and_not_by_looking(stack: AuthorizationStack) -> None:
    token = link_token(stack.invitations.create(ALEX.address).url)
    stack.invitations.open(token)
    first, second = stack.sign_in.invited(token), stack.sign_in.invited(token)
    stack.come_back(first)
    with pytest.raises(InvitationRefused, match="invitation_used"):
        stack.sign_in.invited(token)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(second)
    assert "invitation_used" in str(failure(caught))


def test_somebody_else_cannot_use_an_invitation_and_it_stays_good(stack: AuthorizationStack) -> None:
    token = link_token(stack.invitations.create(ALEX.address).url)
    stack.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))
    assert stack.mailboxes == []
    stack.entra.person = ALEX
    assert stack.come_back(stack.sign_in.invited(token, choose=True)).new


def test_an_alias_is_accepted_when_it_opens_the_same_mailbox(stack: AuthorizationStack) -> None:
    stack.sources.aliases = {"sales@contoso.example": ALEX.address}
    token = link_token(stack.invitations.create("sales@contoso.example").url)
    assert stack.come_back(stack.sign_in.invited(token)).new


@pytest.mark.parametrize(
    "trouble",
    [
        {},
        {"sales@contoso.example": AdministratorMustAct(Reason.NO_MAILBOX)},
        {"sales@contoso.example": AdministratorMustAct(Reason.ACCESS_DENIED)},
        {"sales@contoso.example": PersonMustSignIn(Reason.TOKEN_REJECTED)},
    ],
    ids=["another mailbox that may be read", "none", "not allowed", "rejected"],
)
def test_an_address_that_is_not_surely_the_same_mailbox_is_refused(
    stack: AuthorizationStack, trouble: dict[str, Exception]
) -> None:
    stack.sources.trouble = trouble
    token = link_token(stack.invitations.create("sales@contoso.example").url)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))


def test_a_blocked_own_mailbox_is_not_reported_as_a_wrong_account(stack: AuthorizationStack) -> None:
    stack.sources.aliases = {"sales@contoso.example": ALEX.address}
    stack.sources.trouble = {ALEX.address: AdministratorMustAct(Reason.EWS_BLOCKED)}
    token = link_token(stack.invitations.create("sales@contoso.example").url)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert failure(caught) is stack.sources.trouble[ALEX.address]


def test_a_directory_name_like_the_wanted_address_proves_nothing(stack: AuthorizationStack) -> None:
    stack.sources.directory = {ALEX.address: [BLAKE.address], BLAKE.address: [BLAKE.address]}
    stack.sources.trouble = {ALEX.address: AdministratorMustAct(Reason.NO_MAILBOX)}
    stack.entra.person = BLAKE
    token = link_token(stack.invitations.create(ALEX.address).url)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))


@pytest.mark.parametrize("account", [ALEX, replace(ALEX, tenant_id=OTHER_TENANT)], ids=["same", "other tenant"])
@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.UNAVAILABLE])
def test_a_busy_server_proves_no_invited_mailbox(stack: AuthorizationStack, account: Identity, reason: Reason) -> None:
    """S5: an equal sign-in name is no proof, and no outcome says "connected" before Exchange has confirmed it."""
    token = link_token(stack.invitations.create(ALEX.address, "r", "https://crm.example/back").url)
    stack.entra.person = account
    stack.sources.trouble[ALEX.address] = RetryLater(reason)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    assert isinstance(failure(caught), RetryLater)
    assert caught.value.return_url == ""
    assert (stack.mailboxes, stack.tokens.stored) == ([], {})
    stack.sources.trouble.clear()
    assert stack.come_back(stack.sign_in.invited(token)).return_url


def test_an_equal_sign_in_name_that_opens_another_mailbox_is_refused(stack: AuthorizationStack) -> None:
    """S5: the invited address must open the mailbox of the account that signs in."""
    token = link_token(stack.invitations.create(ALEX.address).url)
    stack.entra.person = replace(ALEX, tenant_id=OTHER_TENANT)
    stack.sources.trouble[ALEX.address] = AdministratorMustAct(Reason.NO_MAILBOX)
    with pytest.raises(SignInFailed):
        stack.come_back(stack.sign_in.invited(token))
    assert stack.mailboxes == []


def test_a_failing_vault_does_not_cost_the_person_their_invitation(stack: AuthorizationStack) -> None:
    token = link_token(stack.invitations.create(ALEX.address).url)
    stack.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    with pytest.raises(SignInFailed):
        stack.come_back(stack.sign_in.invited(token))
    assert stack.come_back(stack.sign_in.invited(token)).new


def test_declining_is_told_to_the_inviter(stack: AuthorizationStack) -> None:
    token = link_token(stack.invitations.create(ALEX.address, "r", "https://crm.example/back").url)
    stack.entra.refuse = [SignInRefused("declined")]
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    claims = Signer(stack.outcomes, "JWT", stack.clock).verify(caught.value.return_url.partition("outcome=")[2])
    assert (claims["outcome"], claims["mailbox"]) == ("declined", "")
