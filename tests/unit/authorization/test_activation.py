"""Lists of mailboxes activated at once."""

from datetime import timedelta

import pytest

from shared.authorization.activation import MOST, WITHIN, Activated, names_in
from shared.authorization.errors import ActivationRefused
from shared.errors import AdministratorMustAct, NotFound, OperatorMustAct, Reason
from shared.mailboxes.model import Status
from shared.sources.port import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.unit.authorization.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def service(stage: Stage) -> str:
    stage.entra.person = an_identity("service@contoso.example")
    operator = stage.session(an_identity("op@contoso.example", roles=("Operator",)))
    return stage.come_back(stage.sign_in.service(operator)).authorization_id


def told(results: list[Activated]) -> dict[str, str]:
    return {result.asked: result.reason or result.result for result in results}


def test_each_mailbox_is_tried_and_each_failure_has_its_reason(stage: Stage, service: str) -> None:
    stage.sources.trouble = {
        "denied@contoso.example": AdministratorMustAct(
            Reason.IMPERSONATION_DENIED, support="ErrorImpersonateUserDenied"
        ),
        "none@contoso.example": AdministratorMustAct(Reason.NO_MAILBOX),
        "unlicensed@contoso.example": AdministratorMustAct(Reason.NO_LICENCE),
        "broken@contoso.example": OperatorMustAct(Reason.OUR_CREDENTIAL),
    }
    names = ["a@contoso.example", *stage.sources.trouble, "b@contoso.example", "a@contoso.example"]
    results = stage.activation.with_service_account(service, names, "op")
    assert told(results) == {
        "a@contoso.example": "active",
        "denied@contoso.example": "impersonation_denied",
        "none@contoso.example": "no_mailbox",
        "unlicensed@contoso.example": "no_licence",
        "broken@contoso.example": "our_credential",
        "b@contoso.example": "active",
    }
    assert results[1].support == "ErrorImpersonateUserDenied"
    assert sorted(box.address for box in stage.mailboxes) == ["a@contoso.example", "b@contoso.example"]
    assert {box.mode for box in stage.mailboxes} == {AccessMode.IMPERSONATION}
    assert sorted(stage.queued) == sorted(box.id for box in stage.mailboxes)


def test_mailbox_that_ews_is_blocked_for_is_activated_over_graph(stage: Stage) -> None:
    stage.sources.ews_blocked = {"b@contoso.example"}

    stage.activation.app_only(TENANT, ["a@contoso.example", "b@contoso.example"], "op")

    assert {box.address: box.source for box in stage.mailboxes} == {
        "a@contoso.example": SourceName.EWS,
        "b@contoso.example": SourceName.GRAPH,
    }


def test_a_mailbox_is_not_activated_twice(stage: Stage, service: str) -> None:
    stage.activation.with_service_account(service, ["a@contoso.example"], "op")
    again = stage.activation.with_service_account(service, ["A@contoso.example"], "op")
    assert told(again) == {"A@contoso.example": "already"}
    assert [again[0].mailbox_id] == [mailbox.id for mailbox in stage.mailboxes]


@pytest.mark.parametrize("way", ["service account", "app-only"])
def test_a_mailbox_that_was_disconnected_is_connected_again_by_activating_it(
    stage: Stage, service: str, way: str
) -> None:
    def activated() -> Activated:
        if way == "app-only":
            return stage.activation.app_only(TENANT, ["a@contoso.example"], "op")[0]
        return stage.activation.with_service_account(service, ["a@contoso.example"], "op")[0]

    first = activated()
    stage.connections.disconnect(first.mailbox_id, "op")
    again = activated()
    assert (again.result, again.mailbox_id) == ("active", first.mailbox_id)
    assert stage.registry.get(first.mailbox_id).status is Status.ACTIVE
    assert stage.queued == [first.mailbox_id] * 2
    stage.connections.pause(first.mailbox_id, "op")
    assert activated().result == "already"
    assert stage.registry.get(first.mailbox_id).status is Status.PAUSED


def test_a_service_accounts_own_mailbox_is_its_persons_to_connect_again(stage: Stage, service: str) -> None:
    own = stage.connect(an_identity("service@contoso.example"))
    stage.connections.disconnect(own.id, own.owner_id)
    result = stage.activation.with_service_account(service, [own.address], "op")[0]
    assert result.result == "already"
    assert stage.registry.get(own.id).status is Status.DISCONNECTED


def test_names_are_looked_up_from_the_service_accounts_own_mailbox(stage: Stage, service: str) -> None:
    stage.sources.directory = {
        "Blake": ["blake@contoso.example"],
        "Smith": ["s1@contoso.example", "s2@contoso.example"],
    }
    results = stage.activation.with_service_account(service, ["Blake", "Smith", "Nobody"], "op")
    assert told(results) == {"Blake": "active", "Smith": "ambiguous_name", "Nobody": "unknown_name"}
    assert results[0].address == "blake@contoso.example"


def test_app_only_needs_no_person(stage: Stage) -> None:
    results = stage.activation.app_only(TENANT, ["a@contoso.example"], "op")
    assert told(results) == {"a@contoso.example": "active"}
    assert stage.mailboxes[0].mode is AccessMode.APP_ONLY
    assert stage.tokens.stored == {}
    assert told(stage.activation.app_only(TENANT, ["b@contoso.example"], "op")) == {"b@contoso.example": "active"}


@pytest.mark.parametrize("tenant", [OTHER_TENANT, "", "organizations", "../x"])
def test_a_tenant_that_is_not_served_is_refused(stage: Stage, tenant: str) -> None:
    with pytest.raises(ActivationRefused):
        stage.activation.app_only(tenant, ["a@contoso.example"], "op")


@pytest.mark.parametrize(
    "names", [[], [" "], [f"{n}@contoso.example" for n in range(MOST + 1)], ["x" * 321], ["a\nb"]], ids=len
)
def test_a_list_that_is_none_or_too_long_is_refused(stage: Stage, service: str, names: list[str]) -> None:
    with pytest.raises(ActivationRefused):
        stage.activation.with_service_account(service, names, "op")


def test_only_a_service_accounts_authorization_serves(stage: Stage) -> None:
    mailbox = stage.connect()
    with pytest.raises(ActivationRefused):
        stage.activation.with_service_account(mailbox.authorization_id, ["b@contoso.example"], "op")
    with pytest.raises(NotFound):
        stage.activation.with_service_account("invented", ["b@contoso.example"], "op")


def test_what_could_not_be_begun_in_time_is_said(stage: Stage, service: str) -> None:
    class Slow(type(stage.sources)):  # type: ignore[misc]
        def check(self, access: object) -> None:
            stage.clock.pass_by(seconds=(WITHIN + timedelta(seconds=1)).total_seconds())

    stage.sources.__class__ = Slow
    results = stage.activation.with_service_account(service, [f"{n}@contoso.example" for n in range(40)], "op")
    assert {result.result for result in results} == {"active", "not_tried"}
    assert len(stage.mailboxes) == sum(result.result == "active" for result in results)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a@x.example\nb@x.example\n", ["a@x.example", "b@x.example"]),
        ('Name,Address\r\nA,a@x.example\r\n\r\n"B, the",b@x.example\r\n', ["a@x.example", "b@x.example"]),
        ("\ufeffaddress;name\na@x.example;A\n", ["a@x.example"]),
        ("Alex Ample\nBlake\n", ["Alex Ample", "Blake"]),
        ("Alex Ample\nb@x.example\n", ["b@x.example"]),
        ("", []),
        ("\n , \n", []),
    ],
)
def test_typed_lists_and_csv_files_are_read(text: str, names: list[str]) -> None:
    assert names_in(text) == names
