"""Administrators' approval: who waits, who comes back, and what may not be believed."""

import pytest

from shared.authorization.acts import SignInFailed
from shared.authorization.errors import FlowReplayed, FlowUnknown, OtherBrowser, SignInRefused
from shared.authorization.start import Start
from shared.errors import AdministratorMustAct, NotFound, Reason
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.unit.authorization.stage import APP, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def granted(start: Start, **more: str) -> dict[str, str]:
    return {"state": start.url.rpartition("state=")[2], "admin_consent": "True", "tenant": OTHER_TENANT} | more


def stopped(stage: Stage, address: str, reason: Reason, tenant: str = TENANT) -> Mailbox:
    mailbox = stage.connect(an_identity(address, tenant_id=tenant))
    return stage.registry.change(mailbox.id, lambda it: it.having(status=Status.NEEDS_ADMIN, reason=reason))


def test_a_person_who_waits_is_told_and_carries_on_with_what_they_began(stage: Stage) -> None:
    token = stage.invitations.create("alex@contoso.example").url.rpartition("/")[2]
    stage.entra.refuse = [AdministratorMustAct(Reason.ADMIN_CONSENT_REQUIRED)]
    with pytest.raises(SignInFailed) as caught:
        stage.come_back(stage.sign_in.invited(token))
    kept = stage.consent.wait(caught.value.intent)
    waiting = stage.consent.waiting(kept)
    assert waiting.granted_at is None
    link = stage.consent.link(waiting)
    assert link == f"{APP}/approval/for/{waiting.id}"
    start = stage.consent.start(waiting.id)
    assert stage.consent.callback(granted(start), start.binding) == 1
    told = stage.consent.waiting(kept)
    assert told.granted_at is not None
    assert stage.come_back(stage.sign_in.resume(told.resume, None)).mailbox is not None


def test_a_link_that_is_not_ours_leads_nowhere(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.consent.start("invented")
    with pytest.raises(NotFound):
        stage.consent.waiting("")


def test_the_error_is_looked_at_before_the_consent(stage: Stage) -> None:
    kept = stage.consent.wait({"act": "connect"})
    start = stage.consent.start(stage.consent.waiting(kept).id)
    answer = granted(start, error="access_denied", error_description="AADSTS65004: declined")
    with pytest.raises(SignInRefused) as caught:
        stage.consent.callback(answer, start.binding)
    assert caught.value.code == "approval_declined"
    assert stage.consent.waiting(kept).granted_at is None


@pytest.mark.parametrize(
    ("answer", "support"),
    [
        ({"error": "server_error", "error_description": "AADSTS50000: x"}, "AADSTS50000"),
        ({"error": "access_denied", "error_description": "AADSTS90094: x"}, "AADSTS90094"),
        ({"admin_consent": "False"}, ""),
        ({"admin_consent": ""}, ""),
    ],
)
def test_anything_else_is_no_approval(stage: Stage, answer: dict[str, str], support: str) -> None:
    start = stage.consent.start()
    with pytest.raises(SignInRefused) as caught:
        stage.consent.callback(granted(start) | answer, start.binding)
    assert (caught.value.code, caught.value.support) == ("approval_failed", support)


def test_an_approval_is_bound_to_its_browser_and_good_once(stage: Stage) -> None:
    start = stage.consent.start()
    with pytest.raises(OtherBrowser):
        stage.consent.callback(granted(start), "guess")
    stage.consent.callback(granted(start), start.binding)
    with pytest.raises(FlowReplayed):
        stage.consent.callback(granted(start), start.binding)
    with pytest.raises(FlowUnknown):
        stage.consent.callback({"admin_consent": "True", "tenant": TENANT}, "")


def test_a_sign_ins_state_does_not_serve_for_an_approval(stage: Stage) -> None:
    start = stage.sign_in.connect()
    with pytest.raises(SignInRefused, match="flow_unknown"):
        stage.consent.callback(granted(start), start.binding)


def test_the_tenant_that_comes_back_is_not_believed(stage: Stage) -> None:
    mailbox = stopped(stage, "a@contoso.example", Reason.ADMIN_CONSENT_REQUIRED)
    start = stage.consent.start()
    assert stage.consent.callback(granted(start, tenant=TENANT), start.binding) == 0
    assert stage.registry.get(mailbox.id).status is Status.NEEDS_ADMIN


def test_the_mailboxes_that_stopped_for_it_are_tried_again_and_no_others(stage: Stage) -> None:
    ours = stopped(stage, "a@contoso.example", Reason.ADMIN_CONSENT_REQUIRED)
    blocked = stopped(stage, "b@contoso.example", Reason.EWS_BLOCKED)
    foreign = stopped(stage, "c@contoso.example", Reason.ADMIN_CONSENT_REQUIRED, OTHER_TENANT)
    start = stage.consent.start(stage.consent.link_for(stage.session(an_identity())).rpartition("/")[2])
    assert TENANT in start.url
    assert stage.consent.callback(granted(start), start.binding) == 1
    assert stage.registry.get(ours.id).status is Status.ACTIVE
    assert stage.registry.get(blocked.id).status is Status.NEEDS_ADMIN
    assert stage.registry.get(foreign.id).status is Status.NEEDS_ADMIN


def test_a_session_makes_one_link_however_often_its_page_is_loaded(stage: Stage) -> None:
    """S12: each link is a row that is kept for a month."""
    session, other = stage.session(an_identity()), stage.session(an_identity("b@contoso.example"))
    links = {stage.consent.link_for(session) for _ in range(100)}
    assert len(links) == len(stage.approvals.stored) == 1
    stage.consent.link_for(other)
    assert len(stage.approvals.stored) == 2
    (link,) = links
    start = stage.consent.start(link.rpartition("/")[2])
    stage.consent.callback(granted(start), start.binding)
    assert {stage.consent.link_for(session)} == links
    (kept,) = [one for one in stage.approvals.stored.values() if link.endswith(one.id)]
    assert kept.granted_at is not None, "loading the page again does not forget that it was approved"


def test_the_link_of_a_session_does_not_show_the_sessions_id(stage: Stage) -> None:
    session = stage.session(an_identity())
    assert session.id not in stage.consent.link_for(session)
    with pytest.raises(NotFound):
        stage.consent.waiting(session.id)
