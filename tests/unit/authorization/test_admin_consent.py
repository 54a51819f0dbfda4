"""Administrators' approval: who waits, who comes back, and what may not be believed."""

import pytest

from shared.authorization.errors import FlowReplayed, FlowUnknown, OtherBrowser, SignInRefused
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect
from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.errors import AdministratorMustAct, NotFound, Reason
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.fakes.authorization_stack import APP, AuthorizationStack


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def granted(start: AuthorizeRedirect, **more: str) -> dict[str, str]:
    return {"state": start.url.rpartition("state=")[2], "admin_consent": "True", "tenant": OTHER_TENANT} | more


def stopped(stack: AuthorizationStack, address: str, reason: Reason, tenant: str = TENANT) -> Mailbox:
    mailbox = stack.connect(an_identity(address, tenant_id=tenant))
    return stack.registry.change(mailbox.id, lambda it: it.with_changes(status=Status.NEEDS_ADMIN, reason=reason))


def test_a_person_who_waits_is_told_and_carries_on_with_what_they_began(stack: AuthorizationStack) -> None:
    token = stack.invitations.create("alex@contoso.example").url.rpartition("/")[2]
    stack.entra.refuse = [AdministratorMustAct(Reason.ADMIN_CONSENT_REQUIRED)]
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(stack.sign_in.invited(token))
    kept = stack.consent.wait(caught.value.intent)
    waiting = stack.consent.waiting(kept)
    assert waiting.granted_at is None
    link = stack.consent.link(waiting)
    assert link == f"{APP}/approval/for/{waiting.id}"
    start = stack.consent.start(waiting.id)
    assert stack.consent.callback(granted(start), start.binding) == 1
    told = stack.consent.waiting(kept)
    assert told.granted_at is not None
    assert stack.come_back(stack.sign_in.resume(told.resume, None)).mailbox is not None


def test_a_link_that_is_not_ours_leads_nowhere(stack: AuthorizationStack) -> None:
    with pytest.raises(NotFound):
        stack.consent.start("invented")
    with pytest.raises(NotFound):
        stack.consent.waiting("")


def test_the_error_is_looked_at_before_the_consent(stack: AuthorizationStack) -> None:
    kept = stack.consent.wait({"act": "connect"})
    start = stack.consent.start(stack.consent.waiting(kept).id)
    answer = granted(start, error="access_denied", error_description="AADSTS65004: declined")
    with pytest.raises(SignInRefused) as caught:
        stack.consent.callback(answer, start.binding)
    assert caught.value.code == "approval_declined"
    assert stack.consent.waiting(kept).granted_at is None


@pytest.mark.parametrize(
    ("answer", "support"),
    [
        ({"error": "server_error", "error_description": "AADSTS50000: x"}, "AADSTS50000"),
        ({"error": "access_denied", "error_description": "AADSTS90094: x"}, "AADSTS90094"),
        ({"admin_consent": "False"}, ""),
        ({"admin_consent": ""}, ""),
    ],
)
def test_anything_else_is_no_approval(stack: AuthorizationStack, answer: dict[str, str], support: str) -> None:
    start = stack.consent.start()
    with pytest.raises(SignInRefused) as caught:
        stack.consent.callback(granted(start) | answer, start.binding)
    assert (caught.value.code, caught.value.support) == ("approval_failed", support)


def test_an_approval_is_bound_to_its_browser_and_good_once(stack: AuthorizationStack) -> None:
    start = stack.consent.start()
    with pytest.raises(OtherBrowser):
        stack.consent.callback(granted(start), "guess")
    stack.consent.callback(granted(start), start.binding)
    with pytest.raises(FlowReplayed):
        stack.consent.callback(granted(start), start.binding)
    with pytest.raises(FlowUnknown):
        stack.consent.callback({"admin_consent": "True", "tenant": TENANT}, "")


def test_a_sign_ins_state_does_not_serve_for_an_approval(stack: AuthorizationStack) -> None:
    start = stack.sign_in.connect()
    with pytest.raises(SignInRefused, match="flow_unknown"):
        stack.consent.callback(granted(start), start.binding)


def test_the_tenant_that_comes_back_is_not_believed(stack: AuthorizationStack) -> None:
    mailbox = stopped(stack, "a@contoso.example", Reason.ADMIN_CONSENT_REQUIRED)
    start = stack.consent.start()
    assert stack.consent.callback(granted(start, tenant=TENANT), start.binding) == 0
    assert stack.registry.get(mailbox.id).status is Status.NEEDS_ADMIN


def test_the_mailboxes_that_stopped_for_it_are_tried_again_and_no_others(stack: AuthorizationStack) -> None:
    ours = stopped(stack, "a@contoso.example", Reason.ADMIN_CONSENT_REQUIRED)
    blocked = stopped(stack, "b@contoso.example", Reason.EWS_BLOCKED)
    foreign = stopped(stack, "c@contoso.example", Reason.ADMIN_CONSENT_REQUIRED, OTHER_TENANT)
    start = stack.consent.start(stack.consent.link_for(stack.session(an_identity())).rpartition("/")[2])
    assert TENANT in start.url
    assert stack.consent.callback(granted(start), start.binding) == 1
    assert stack.registry.get(ours.id).status is Status.ACTIVE
    assert stack.registry.get(blocked.id).status is Status.NEEDS_ADMIN
    assert stack.registry.get(foreign.id).status is Status.NEEDS_ADMIN


def test_a_session_makes_one_link_however_often_its_page_is_loaded(stack: AuthorizationStack) -> None:
    """S12: each link is a row that is kept for a month."""
    session, other = stack.session(an_identity()), stack.session(an_identity("b@contoso.example"))
    links = {stack.consent.link_for(session) for _ in range(100)}
    assert len(links) == len(stack.approvals.stored) == 1
    stack.consent.link_for(other)
    assert len(stack.approvals.stored) == 2
    (link,) = links
    start = stack.consent.start(link.rpartition("/")[2])
    stack.consent.callback(granted(start), start.binding)
    assert {stack.consent.link_for(session)} == links
    (kept,) = [one for one in stack.approvals.stored.values() if link.endswith(one.id)]
    assert kept.granted_at is not None, "loading the page again does not forget that it was approved"


def test_the_link_of_a_session_does_not_show_the_sessions_id(stack: AuthorizationStack) -> None:
    session = stack.session(an_identity())
    assert session.id not in stack.consent.link_for(session)
    with pytest.raises(NotFound):
        stack.consent.waiting(session.id)
