"""From the link to the connected mailbox, and every way it can end otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.authorization.errors import (
    FlowExpired,
    FlowReplayed,
    FlowUnknown,
    OtherBrowser,
    SignInRefused,
)
from shared.authorization.onboarding.sign_in_outcome import SignInFailed, SignInPurpose
from shared.errors import (
    AdministratorMustAct,
    NotFound,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes import transitions
from shared.mailboxes.model import Status
from shared.sources.model import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack
from tests.unit.authorization.samples import ALEX, BLAKE, failure


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def test_signing_in_connects_the_mailbox_and_queues_its_first_sync(stack: AuthorizationStack) -> None:
    outcome = stack.come_back(stack.sign_in.connect())
    assert outcome.new
    assert outcome.mailbox is not None
    assert (outcome.mailbox.address, outcome.mailbox.owner_id) == (ALEX.address, ALEX.owner_id)
    assert outcome.mailbox.mode is AccessMode.DELEGATED
    assert stack.mailboxes == [outcome.mailbox]
    assert stack.tokens.stored[outcome.mailbox.authorization_id] in stack.entra.valid
    assert stack.queued == [outcome.mailbox.id]
    assert stack.registry.audit == [(outcome.mailbox.id, ALEX.owner_id, "connect")]


def test_the_session_that_follows_is_the_persons_own(stack: AuthorizationStack) -> None:
    session = stack.sessions.read(stack.come_back(stack.sign_in.connect()).session)
    assert session is not None
    assert (session.tenant_id, session.owner_id, session.operator) == (ALEX.tenant_id, ALEX.owner_id, False)


def test_ids_tell_nothing_of_the_address(stack: AuthorizationStack) -> None:
    mailbox = stack.connect()
    assert "alex" not in mailbox.id + mailbox.authorization_id
    assert mailbox.id.isalnum()


def test_a_flow_is_good_once(stack: AuthorizationStack) -> None:
    start = stack.sign_in.connect()
    stack.come_back(start)
    with pytest.raises(FlowReplayed):
        stack.come_back(start)


def test_another_browsers_callback_is_refused_and_the_right_one_works(stack: AuthorizationStack) -> None:
    start = stack.sign_in.connect()
    for cookie in ("", "guess", stack.sign_in.connect().binding):
        with pytest.raises(OtherBrowser):
            stack.sign_in_callback.complete(stack.answer(start), cookie)
    assert stack.mailboxes == []
    assert stack.come_back(start).new


@pytest.mark.parametrize("answer", [{}, {"state": ""}, {"state": "invented", "code": "x"}])
def test_a_state_that_is_not_ours_is_unknown(stack: AuthorizationStack, answer: dict[str, str]) -> None:
    with pytest.raises(FlowUnknown):
        stack.sign_in_callback.complete(answer, "cookie")


def test_an_approvals_state_does_not_serve_for_a_sign_in(stack: AuthorizationStack) -> None:
    start = stack.consent.start()
    with pytest.raises(FlowUnknown):
        stack.come_back(start)


def test_a_flow_ends_by_itself(stack: AuthorizationStack) -> None:
    start = stack.sign_in.connect()
    stack.clock.pass_by(minutes=15)
    with pytest.raises(FlowExpired):
        stack.come_back(start)


def test_two_sign_ins_in_two_tabs_do_not_disturb_each_other(stack: AuthorizationStack) -> None:
    first, second = stack.sign_in.connect(), stack.sign_in.connect()
    assert first.cookie != second.cookie
    assert stack.come_back(first).new
    assert not stack.come_back(second).new


def test_signing_in_again_keeps_the_mailbox_and_forgets_the_old_token(stack: AuthorizationStack) -> None:
    before = stack.connect()
    after = stack.connect()
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert after.authorization_id != before.authorization_id
    assert list(stack.tokens.stored) == [after.authorization_id]
    assert list(stack.authorizations.stored) == [after.authorization_id]


def test_renewing_cures_a_mailbox_that_asked_for_it(stack: AuthorizationStack) -> None:
    mailbox = stack.connect()
    error = PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims='{"access_token":{}}')
    asked = transitions.after_failure(mailbox, error, stack.clock(), transitions.Thresholds(), timedelta(minutes=30))
    stack.registry.change(mailbox.id, lambda _: asked)
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    assert stack.entra.begun[-1]["hint"] == ALEX.address
    assert stack.entra.begun[-1]["claims"] == '{"access_token":{}}'
    renewed = stack.come_back(start).mailbox
    assert renewed is not None
    assert (renewed.id, renewed.status, renewed.claims) == (mailbox.id, Status.ACTIVE, "")


@pytest.mark.parametrize("way", ["the link", "renewing"])
def test_a_renamed_person_is_read_by_their_new_address(stack: AuthorizationStack, way: str) -> None:
    mailbox = stack.connect(ALEX)
    stack.entra.person = replace(ALEX, address="alexandra@contoso.example", display_name="Alexandra")
    start = stack.sign_in.connect() if way == "the link" else stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.come_back(start)
    (again,) = stack.mailboxes
    assert (again.id, again.address, again.display_name) == (mailbox.id, "alexandra@contoso.example", "Alexandra")


def test_a_reused_address_gets_a_mailbox_of_its_own(stack: AuthorizationStack) -> None:
    before = stack.connect(ALEX)
    after = stack.connect(replace(ALEX, owner_id=BLAKE.owner_id))
    assert after.id != before.id
    assert stack.registry.get(before.id).authorization_id == before.authorization_id


def test_renewing_with_another_account_changes_nothing(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.entra.person = BLAKE
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(start)
    cause = failure(caught)
    assert isinstance(cause, SignInRefused)
    assert (cause.code, cause.values) == ("wrong_account", {"wanted": ALEX.address, "actual": BLAKE.address})
    assert stack.mailboxes == [mailbox]


def test_the_same_address_in_another_tenant_is_another_account(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.entra.person = replace(ALEX, tenant_id=OTHER_TENANT)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(start)
    assert "wrong_account" in str(failure(caught))


def test_nobody_renews_or_changes_anothers_mailbox(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    for begin in (stack.sign_in.renew, stack.sign_in.change):
        with pytest.raises(NotFound):
            begin(stack.session(BLAKE), mailbox.id)


def test_changing_the_account_connects_the_new_one_and_disconnects_the_old(stack: AuthorizationStack) -> None:
    old = stack.connect(ALEX)
    start = stack.sign_in.change(stack.session(ALEX), old.id)
    assert stack.entra.begun[-1]["prompt"] == "select_account"
    stack.entra.person = BLAKE
    new = stack.come_back(start).mailbox
    assert new is not None
    assert new.id != old.id
    assert stack.registry.get(old.id).status is Status.DISCONNECTED
    assert list(stack.tokens.stored) == [new.authorization_id]


def test_account_change_works_though_the_old_mailbox_was_erased(stack: AuthorizationStack) -> None:
    old = stack.connect(ALEX)
    start = stack.sign_in.change(stack.session(ALEX), old.id)
    stack.mailbox_commands.erase(old.id, ALEX.owner_id)
    stack.queue.mailboxes.clear()
    stack.entra.person = BLAKE
    outcome = stack.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.new
    assert stack.queued == [outcome.mailbox.id]


def test_changing_to_the_same_account_is_signing_in_again(stack: AuthorizationStack) -> None:
    old = stack.connect(ALEX)
    outcome = stack.come_back(stack.sign_in.change(stack.session(ALEX), old.id))
    assert outcome.mailbox is not None
    assert (outcome.mailbox.id, outcome.mailbox.status) == (old.id, Status.ACTIVE)


def test_looking_at_ones_settings_stores_nothing_and_reconnects_nothing(stack: AuthorizationStack) -> None:
    mailbox = stack.connect()
    stack.mailbox_commands.disconnect(mailbox.id, ALEX.owner_id)
    writes = stack.tokens.writes
    outcome = stack.come_back(stack.sign_in.view("my-sync"))
    assert not stack.entra.begun[-1]["mail"]
    assert outcome.session
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stack.tokens.writes == writes


@pytest.mark.parametrize(
    "trouble",
    [
        AdministratorMustAct(Reason.NO_MAILBOX),
        AdministratorMustAct(Reason.NO_LICENSE),
        AdministratorMustAct(Reason.EWS_BLOCKED),
        PersonMustSignIn(Reason.TOKEN_REJECTED, definite=False),
    ],
    ids=lambda trouble: trouble.reason,
)
def test_who_cannot_be_synced_learns_it_at_once_and_nothing_is_stored(
    stack: AuthorizationStack, trouble: Exception
) -> None:
    stack.sources.trouble[ALEX.address] = trouble
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.connect())
    assert failure(caught) is trouble
    assert stack.mailboxes == []
    assert stack.tokens.stored == {}


def test_a_busy_mail_server_does_not_cost_anybody_their_sign_in(stack: AuthorizationStack) -> None:
    stack.sources.trouble[ALEX.address] = RetryLater(Reason.THROTTLED)
    assert stack.come_back(stack.sign_in.connect()).new


def test_person_whose_tenant_blocks_ews_is_synced_over_graph(stack: AuthorizationStack) -> None:
    stack.sources.ews_blocked = {ALEX.address}

    outcome = stack.come_back(stack.sign_in.connect())

    assert outcome.mailbox is not None
    assert outcome.mailbox.source is SourceName.GRAPH
    assert [access.source for access in stack.sources.checked] == [SourceName.EWS, SourceName.GRAPH]
    assert len({access.token for access in stack.sources.checked}) == 2


def test_person_who_signs_in_again_keeps_the_source_of_what_is_synced(stack: AuthorizationStack) -> None:
    outcome = stack.come_back(stack.sign_in.connect())
    assert outcome.mailbox is not None
    stack.registry.change(outcome.mailbox.id, lambda mailbox: mailbox.with_changes(items=7))
    stack.sources.ews_blocked = {ALEX.address}

    again = stack.come_back(stack.sign_in.connect())

    assert again.mailbox is not None
    assert again.mailbox.source is SourceName.EWS


def test_a_missing_refresh_token_connects_nothing_and_alarms_the_operator(stack: AuthorizationStack) -> None:
    tokens = stack.entra._tokens()

    class Stingy(type(stack.entra)):  # type: ignore[misc]
        def _tokens(self) -> object:
            return replace(tokens, refresh_token="")

    stack.entra.__class__ = Stingy
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.connect())
    assert isinstance(failure(caught), OperatorMustAct)
    assert stack.mailboxes == []


def test_a_challenge_is_passed_on_once(stack: AuthorizationStack) -> None:
    stack.entra.refuse = [PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims="{}")]
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.connect())
    again = stack.sign_in.challenged(caught.value.intent, "{}")
    assert stack.entra.begun[-1]["claims"] == "{}"
    stack.entra.refuse = [PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims="{}")]
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(again)
    assert "again" in caught.value.intent


def test_a_service_account_is_stored_once_whoever_often_it_signs_in(stack: AuthorizationStack) -> None:
    operator = stack.session(replace(BLAKE, roles=("Operator",)))
    first = stack.come_back(stack.sign_in.service(operator))
    second = stack.come_back(stack.sign_in.service(operator))
    assert first.purpose is SignInPurpose.SERVICE
    assert stack.registry.audit[0] == (first.authorization_id, BLAKE.owner_id, "service")
    assert first.session == ""
    assert first.authorization_id == second.authorization_id
    assert stack.authorizations.stored[first.authorization_id].mode is AccessMode.IMPERSONATION
    assert stack.mailboxes == []


def test_a_service_account_that_signs_in_again_starts_its_mailboxes(stack: AuthorizationStack) -> None:
    operator = stack.session(replace(BLAKE, roles=("Operator",)))
    service = stack.come_back(stack.sign_in.service(operator)).authorization_id
    (activated,) = stack.activation.with_service_account(service, ["one@contoso.example"], "op")
    stack.registry.change(activated.mailbox_id, lambda found: found.with_changes(status=Status.NEEDS_SIGN_IN))
    stack.come_back(stack.sign_in.service(operator))
    assert stack.registry.get(activated.mailbox_id).status is Status.ACTIVE


def test_only_an_operator_signs_a_service_account_in(stack: AuthorizationStack) -> None:
    with pytest.raises(NotFound):
        stack.sign_in.service(stack.session(BLAKE))


def test_a_mailbox_is_kept_under_the_address_that_the_server_gives(stack: AuthorizationStack) -> None:
    """M2: the sign-in name is no address of the mailbox; it stays the hint for signing in."""
    quinn = an_identity("quinn@corp.internal")
    stack.sources.primary[quinn.address] = "quinn.baker@contoso.example"
    mailbox = stack.connect(quinn)
    assert (mailbox.address, mailbox.sign_in_name) == ("quinn.baker@contoso.example", quinn.address)
    assert stack.sources.checked[-1].own
    stack.sign_in.renew(stack.session(quinn), mailbox.id)
    assert stack.entra.begun[-1]["hint"] == quinn.address


def test_a_busy_server_leaves_the_address_as_it_is_known(stack: AuthorizationStack) -> None:
    """M2: while it cannot be asked, the sign-in name serves, and what was known of the same name stays."""
    quinn = an_identity("quinn@corp.internal")
    stack.sources.primary[quinn.address] = RetryLater(Reason.THROTTLED)
    assert stack.connect(quinn).address == quinn.address
    stack.sources.primary[quinn.address] = "quinn.baker@contoso.example"
    assert stack.connect(quinn).address == "quinn.baker@contoso.example"
    stack.sources.primary[quinn.address] = RetryLater(Reason.THROTTLED)
    assert stack.connect(quinn).address == "quinn.baker@contoso.example"


def test_a_service_account_waits_until_its_address_is_known(stack: AuthorizationStack) -> None:
    """M2: no pass reads its mailbox, so nothing would ask for the address again."""
    quinn = an_identity("quinn@corp.internal")
    stack.sources.primary[quinn.address] = RetryLater(Reason.THROTTLED)
    operator = stack.session(an_identity("robin@contoso.example", roles=("Operator",)))
    stack.entra.person = quinn
    with pytest.raises(SignInFailed) as failed:
        stack.come_back(stack.sign_in.service(operator))
    assert isinstance(failed.value.cause, RetryLater)
    assert stack.authorizations.service_accounts() == []
    stack.sources.primary[quinn.address] = AdministratorMustAct(Reason.NO_MAILBOX)
    stack.come_back(stack.sign_in.service(operator))
    assert [one.address for one in stack.authorizations.service_accounts()] == [quinn.address]


def test_a_service_account_is_known_by_an_address_of_its_mailbox(stack: AuthorizationStack) -> None:
    """M2: names are looked up from that mailbox, which is opened by its address."""
    quinn = an_identity("quinn@corp.internal")
    stack.sources.primary[quinn.address] = "quinn.baker@contoso.example"
    operator = stack.session(an_identity("robin@contoso.example", roles=("Operator",)))
    stack.entra.person = quinn
    stack.come_back(stack.sign_in.service(operator))
    assert [one.address for one in stack.authorizations.service_accounts()] == ["quinn.baker@contoso.example"]


def test_an_outcome_shows_nothing_secret_or_personal(stack: AuthorizationStack) -> None:
    """Whatever logs it, as the text of an error that names its values."""
    stack.entra.person = an_identity("ada@contoso.example")
    token = stack.invitations.create("ada@contoso.example", return_url="").url.rpartition("/")[2]
    outcome = stack.come_back(stack.sign_in.invited(token))
    assert outcome.session
    shown = repr(outcome)
    for hidden in (outcome.session, "ada@contoso.example", token):
        assert hidden not in shown


def test_a_vault_that_refuses_leaves_no_authorization_of_a_person(stack: AuthorizationStack) -> None:
    """A service account's stays: mailboxes are read with it, and its earlier token is still good."""
    operator = stack.session(an_identity("robin@contoso.example", roles=("Operator",)))
    stack.entra.person = an_identity("service@contoso.example")
    service = stack.come_back(stack.sign_in.service(operator)).authorization_id
    stack.tokens.refuse = [OperatorMustAct(Reason.OUR_STORAGE)]
    with pytest.raises(SignInFailed):
        stack.come_back(stack.sign_in.service(operator))
    assert list(stack.authorizations.stored) == [service]
    stack.tokens.refuse = [OperatorMustAct(Reason.OUR_STORAGE)]
    with pytest.raises(SignInFailed):
        stack.connect(an_identity("ada@contoso.example"))
    assert list(stack.authorizations.stored) == [service]
