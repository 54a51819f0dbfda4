"""From the link to the connected mailbox, and every way it can end otherwise."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.authorization.acts import Act, SignInFailed
from shared.authorization.errors import (
    FlowExpired,
    FlowReplayed,
    FlowUnknown,
    InvitationRefused,
    OtherBrowser,
    SignInRefused,
)
from shared.authorization.port import Identity
from shared.authorization.signing import Signer
from shared.errors import (
    AdministratorMustAct,
    MailboxSyncError,
    NotFound,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes import life
from shared.mailboxes.model import Status
from shared.sources.port import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, an_identity
from tests.unit.authorization.stage import APP, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example")


def failure(caught: pytest.ExceptionInfo[SignInFailed]) -> MailboxSyncError:
    return caught.value.cause


def test_signing_in_connects_the_mailbox_and_queues_its_first_sync(stage: Stage) -> None:
    outcome = stage.come_back(stage.sign_in.connect())
    assert outcome.new
    assert outcome.mailbox is not None
    assert (outcome.mailbox.address, outcome.mailbox.owner_id) == (ALEX.address, ALEX.owner_id)
    assert outcome.mailbox.mode is AccessMode.DELEGATED
    assert stage.mailboxes == [outcome.mailbox]
    assert stage.tokens.stored[outcome.mailbox.authorization_id] in stage.entra.valid
    assert stage.queued == [outcome.mailbox.id]
    assert stage.registry.audit == [(outcome.mailbox.id, ALEX.owner_id, "connect")]


def test_the_session_that_follows_is_the_persons_own(stage: Stage) -> None:
    session = stage.sessions.read(stage.come_back(stage.sign_in.connect()).session)
    assert session is not None
    assert (session.tenant_id, session.owner_id, session.operator) == (ALEX.tenant_id, ALEX.owner_id, False)


def test_ids_tell_nothing_of_the_address(stage: Stage) -> None:
    mailbox = stage.connect()
    assert "alex" not in mailbox.id + mailbox.authorization_id
    assert mailbox.id.isalnum()


def test_a_flow_is_good_once(stage: Stage) -> None:
    start = stage.sign_in.connect()
    stage.come_back(start)
    with pytest.raises(FlowReplayed):
        stage.come_back(start)


def test_an_answer_from_another_browser_is_refused_and_the_right_one_can_go_on(stage: Stage) -> None:
    start = stage.sign_in.connect()
    for cookie in ("", "guess", stage.sign_in.connect().binding):
        with pytest.raises(OtherBrowser):
            stage.sign_in.callback(stage.answer(start), cookie)
    assert stage.mailboxes == []
    assert stage.come_back(start).new


@pytest.mark.parametrize("answer", [{}, {"state": ""}, {"state": "invented", "code": "x"}])
def test_a_state_that_is_not_ours_is_unknown(stage: Stage, answer: dict[str, str]) -> None:
    with pytest.raises(FlowUnknown):
        stage.sign_in.callback(answer, "cookie")


def test_an_approvals_state_does_not_serve_for_a_sign_in(stage: Stage) -> None:
    start = stage.consent.start()
    with pytest.raises(FlowUnknown):
        stage.come_back(start)


def test_a_flow_ends_by_itself(stage: Stage) -> None:
    start = stage.sign_in.connect()
    stage.clock.pass_by(minutes=15)
    with pytest.raises(FlowExpired):
        stage.come_back(start)


def test_two_sign_ins_in_two_tabs_do_not_disturb_each_other(stage: Stage) -> None:
    first, second = stage.sign_in.connect(), stage.sign_in.connect()
    assert first.cookie != second.cookie
    assert stage.come_back(first).new
    assert not stage.come_back(second).new


def test_signing_in_again_keeps_the_mailbox_and_forgets_the_old_token(stage: Stage) -> None:
    before = stage.connect()
    after = stage.connect()
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert after.authorization_id != before.authorization_id
    assert list(stage.tokens.stored) == [after.authorization_id]
    assert list(stage.authorizations.stored) == [after.authorization_id]


def test_renewing_cures_a_mailbox_that_asked_for_it(stage: Stage) -> None:
    mailbox = stage.connect()
    error = PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims='{"access_token":{}}')
    asked = life.after_failure(mailbox, error, stage.clock(), life.Thresholds(), timedelta(minutes=30))
    stage.registry.change(mailbox.id, lambda _: asked)
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    assert stage.entra.begun[-1]["hint"] == ALEX.address
    assert stage.entra.begun[-1]["claims"] == '{"access_token":{}}'
    renewed = stage.come_back(start).mailbox
    assert renewed is not None
    assert (renewed.id, renewed.status, renewed.claims) == (mailbox.id, Status.ACTIVE, "")


@pytest.mark.parametrize("way", ["the link", "renewing"])
def test_whoever_was_renamed_signs_in_again_and_is_read_by_their_new_address(stage: Stage, way: str) -> None:
    mailbox = stage.connect(ALEX)
    stage.entra.person = replace(ALEX, address="alexandra@contoso.example", display_name="Alexandra")
    start = stage.sign_in.connect() if way == "the link" else stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.come_back(start)
    (again,) = stage.mailboxes
    assert (again.id, again.address, again.display_name) == (mailbox.id, "alexandra@contoso.example", "Alexandra")


def test_who_gets_an_address_that_was_another_persons_gets_a_mailbox_of_their_own(stage: Stage) -> None:
    before = stage.connect(ALEX)
    after = stage.connect(replace(ALEX, owner_id=BLAKE.owner_id))
    assert after.id != before.id
    assert stage.registry.get(before.id).authorization_id == before.authorization_id


def test_renewing_with_another_account_changes_nothing(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(start)
    cause = failure(caught)
    assert isinstance(cause, SignInRefused)
    assert (cause.code, cause.values) == ("wrong_account", {"wanted": ALEX.address, "actual": BLAKE.address})
    assert stage.mailboxes == [mailbox]


def test_the_same_address_in_another_tenant_is_another_account(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.entra.person = replace(ALEX, tenant_id=OTHER_TENANT)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(start)
    assert "wrong_account" in str(failure(caught))


def test_nobody_renews_or_changes_anothers_mailbox(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    for begin in (stage.sign_in.renew, stage.sign_in.change):
        with pytest.raises(NotFound):
            begin(stage.session(BLAKE), mailbox.id)


def test_changing_the_account_connects_the_new_one_and_disconnects_the_old(stage: Stage) -> None:
    old = stage.connect(ALEX)
    start = stage.sign_in.change(stage.session(ALEX), old.id)
    assert stage.entra.begun[-1]["prompt"] == "select_account"
    stage.entra.person = BLAKE
    new = stage.come_back(start).mailbox
    assert new is not None
    assert new.id != old.id
    assert stage.registry.get(old.id).status is Status.DISCONNECTED
    assert list(stage.tokens.stored) == [new.authorization_id]


def test_the_new_account_is_connected_though_the_old_mailbox_was_erased_meanwhile(stage: Stage) -> None:
    old = stage.connect(ALEX)
    start = stage.sign_in.change(stage.session(ALEX), old.id)
    stage.connections.erase(old.id, ALEX.owner_id)
    stage.queue.mailboxes.clear()
    stage.entra.person = BLAKE
    outcome = stage.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.new
    assert stage.queued == [outcome.mailbox.id]


def test_changing_to_the_same_account_is_signing_in_again(stage: Stage) -> None:
    old = stage.connect(ALEX)
    outcome = stage.come_back(stage.sign_in.change(stage.session(ALEX), old.id))
    assert outcome.mailbox is not None
    assert (outcome.mailbox.id, outcome.mailbox.status) == (old.id, Status.ACTIVE)


def test_looking_at_ones_settings_stores_nothing_and_reconnects_nothing(stage: Stage) -> None:
    mailbox = stage.connect()
    stage.connections.disconnect(mailbox.id, ALEX.owner_id)
    writes = stage.tokens.writes
    outcome = stage.come_back(stage.sign_in.view("my-sync"))
    assert not stage.entra.begun[-1]["mail"]
    assert outcome.session
    assert stage.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stage.tokens.writes == writes


@pytest.mark.parametrize(
    "trouble",
    [
        AdministratorMustAct(Reason.NO_MAILBOX),
        AdministratorMustAct(Reason.NO_LICENCE),
        AdministratorMustAct(Reason.EWS_BLOCKED),
        PersonMustSignIn(Reason.TOKEN_REJECTED, definite=False),
    ],
    ids=lambda trouble: trouble.reason,
)
def test_who_cannot_be_synced_learns_it_at_once_and_nothing_is_stored(stage: Stage, trouble: Exception) -> None:
    stage.sources.trouble[ALEX.address] = trouble
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.connect())
    assert failure(caught) is trouble
    assert stage.mailboxes == []
    assert stage.tokens.stored == {}


def test_a_busy_mail_server_does_not_cost_anybody_their_sign_in(stage: Stage) -> None:
    stage.sources.trouble[ALEX.address] = RetryLater(Reason.THROTTLED)
    assert stage.come_back(stage.sign_in.connect()).new


def test_person_whose_tenant_blocks_ews_is_synced_over_graph(stage: Stage) -> None:
    stage.sources.ews_blocked = {ALEX.address}

    outcome = stage.come_back(stage.sign_in.connect())

    assert outcome.mailbox is not None
    assert outcome.mailbox.source is SourceName.GRAPH
    assert [access.source for access in stage.sources.checked] == [SourceName.EWS, SourceName.GRAPH]
    assert len({access.token for access in stage.sources.checked}) == 2


def test_person_who_signs_in_again_keeps_the_source_of_what_is_synced(stage: Stage) -> None:
    outcome = stage.come_back(stage.sign_in.connect())
    assert outcome.mailbox is not None
    stage.registry.change(outcome.mailbox.id, lambda mailbox: mailbox.having(items=7))
    stage.sources.ews_blocked = {ALEX.address}

    again = stage.come_back(stage.sign_in.connect())

    assert again.mailbox is not None
    assert again.mailbox.source is SourceName.EWS


def test_without_a_refresh_token_nothing_is_connected_and_the_operator_is_called(stage: Stage) -> None:
    tokens = stage.entra._tokens()

    class Stingy(type(stage.entra)):  # type: ignore[misc]
        def _tokens(self) -> object:
            return replace(tokens, refresh_token="")

    stage.entra.__class__ = Stingy
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.connect())
    assert isinstance(failure(caught), OperatorMustAct)
    assert stage.mailboxes == []


def test_a_challenge_is_passed_on_once(stage: Stage) -> None:
    stage.entra.refuse = [PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims="{}")]
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.connect())
    again = stage.sign_in.challenged(caught.value.intent, "{}")
    assert stage.entra.begun[-1]["claims"] == "{}"
    stage.entra.refuse = [PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims="{}")]
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(again)
    assert "again" in caught.value.intent


# ---------------------------------------------------------------- invitations


def link_token(url: str) -> str:
    return url.removeprefix(f"{APP}/invitation/")


def test_an_invited_person_connects_and_goes_back_with_a_signed_outcome(stage: Stage) -> None:
    invited = stage.invitations.create(ALEX.address, "case 7", "https://crm.example/back?x=1")
    start = stage.sign_in.invited(link_token(invited.url))
    assert stage.entra.begun[-1]["hint"] == ALEX.address
    outcome = stage.come_back(start)
    assert outcome.mailbox is not None
    back, _, token = outcome.way_back.partition("&outcome=")
    assert back == "https://crm.example/back?x=1"
    claims = Signer(stage.outcomes, "JWT", stage.clock).verify(token)
    assert (claims["iss"], claims["aud"]) == (APP, "https://crm.example")
    assert (claims["outcome"], claims["reference"], claims["mailbox"]) == ("connected", "case 7", outcome.mailbox.id)
    body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert ALEX.address not in json.dumps(body)


def test_an_invitation_is_used_up_by_connecting_and_not_by_looking(stage: Stage) -> None:
    token = link_token(stage.invitations.create(ALEX.address).url)
    stage.invitations.open(token)
    first, second = stage.sign_in.invited(token), stage.sign_in.invited(token)
    stage.come_back(first)
    with pytest.raises(InvitationRefused, match="invitation_used"):
        stage.sign_in.invited(token)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(second)
    assert "invitation_used" in str(failure(caught))


def test_somebody_else_cannot_use_an_invitation_and_it_stays_good(stage: Stage) -> None:
    token = link_token(stage.invitations.create(ALEX.address).url)
    stage.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))
    assert stage.mailboxes == []
    stage.entra.person = ALEX
    assert stage.come_back(stage.sign_in.invited(token, choose=True)).new


def test_an_alias_is_accepted_when_it_opens_the_same_mailbox(stage: Stage) -> None:
    stage.sources.aliases = {"sales@contoso.example": ALEX.address}
    token = link_token(stage.invitations.create("sales@contoso.example").url)
    assert stage.come_back(stage.sign_in.invited(token)).new


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
def test_an_address_that_is_not_surely_the_same_mailbox_is_refused(stage: Stage, trouble: dict[str, Exception]) -> None:
    stage.sources.trouble = trouble
    token = link_token(stage.invitations.create("sales@contoso.example").url)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))


def test_who_is_kept_out_of_their_own_mailbox_is_not_told_of_a_wrong_account(stage: Stage) -> None:
    stage.sources.aliases = {"sales@contoso.example": ALEX.address}
    stage.sources.trouble = {ALEX.address: AdministratorMustAct(Reason.EWS_BLOCKED)}
    token = link_token(stage.invitations.create("sales@contoso.example").url)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert failure(caught) is stage.sources.trouble[ALEX.address]


def test_a_name_in_the_directory_that_looks_like_the_wanted_address_proves_nothing(stage: Stage) -> None:
    stage.sources.directory = {ALEX.address: [BLAKE.address], BLAKE.address: [BLAKE.address]}
    stage.sources.trouble = {ALEX.address: AdministratorMustAct(Reason.NO_MAILBOX)}
    stage.entra.person = BLAKE
    token = link_token(stage.invitations.create(ALEX.address).url)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert "wrong_account" in str(failure(caught))


@pytest.mark.parametrize("account", [ALEX, replace(ALEX, tenant_id=OTHER_TENANT)], ids=["same", "other tenant"])
@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.UNAVAILABLE])
def test_a_busy_server_proves_no_invited_mailbox(stage: Stage, account: Identity, reason: Reason) -> None:
    """S5: an equal sign-in name is no proof, and no outcome says "connected" before Exchange has confirmed it."""
    token = link_token(stage.invitations.create(ALEX.address, "r", "https://crm.example/back").url)
    stage.entra.person = account
    stage.sources.trouble[ALEX.address] = RetryLater(reason)
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    assert isinstance(failure(caught), RetryLater)
    assert caught.value.way_back == ""
    assert (stage.mailboxes, stage.tokens.stored) == ([], {})
    stage.sources.trouble.clear()
    assert stage.come_back(stage.sign_in.invited(token)).way_back


def test_an_equal_sign_in_name_whose_address_opens_another_mailbox_is_refused(stage: Stage) -> None:
    """S5: the invited address must open the mailbox of the account that signs in."""
    token = link_token(stage.invitations.create(ALEX.address).url)
    stage.entra.person = replace(ALEX, tenant_id=OTHER_TENANT)
    stage.sources.trouble[ALEX.address] = AdministratorMustAct(Reason.NO_MAILBOX)
    with pytest.raises(SignInFailed):
        stage.come_back(stage.sign_in.invited(token))
    assert stage.mailboxes == []


def test_a_failing_vault_does_not_cost_the_person_their_invitation(stage: Stage) -> None:
    token = link_token(stage.invitations.create(ALEX.address).url)
    stage.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    with pytest.raises(SignInFailed):
        stage.come_back(stage.sign_in.invited(token))
    assert stage.come_back(stage.sign_in.invited(token)).new


def test_declining_is_told_to_the_inviter(stage: Stage) -> None:
    token = link_token(stage.invitations.create(ALEX.address, "r", "https://crm.example/back").url)
    stage.entra.refuse = [SignInRefused("declined")]
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    claims = Signer(stage.outcomes, "JWT", stage.clock).verify(caught.value.way_back.partition("outcome=")[2])
    assert (claims["outcome"], claims["mailbox"]) == ("declined", "")


# ---------------------------------------------------------------- service accounts


def test_a_service_account_is_stored_once_whoever_often_it_signs_in(stage: Stage) -> None:
    operator = stage.session(replace(BLAKE, roles=("Operator",)))
    first = stage.come_back(stage.sign_in.service(operator))
    second = stage.come_back(stage.sign_in.service(operator))
    assert first.act is Act.SERVICE
    assert first.session == ""
    assert first.authorization_id == second.authorization_id
    assert stage.authorizations.stored[first.authorization_id].mode is AccessMode.IMPERSONATION
    assert stage.mailboxes == []


def test_a_service_account_that_signs_in_again_starts_its_mailboxes(stage: Stage) -> None:
    operator = stage.session(replace(BLAKE, roles=("Operator",)))
    service = stage.come_back(stage.sign_in.service(operator)).authorization_id
    (activated,) = stage.activation.with_service_account(service, ["one@contoso.example"], "op")
    stage.registry.change(activated.mailbox_id, lambda found: found.having(status=Status.NEEDS_SIGN_IN))
    stage.come_back(stage.sign_in.service(operator))
    assert stage.registry.get(activated.mailbox_id).status is Status.ACTIVE


def test_only_an_operator_signs_a_service_account_in(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.sign_in.service(stage.session(BLAKE))
