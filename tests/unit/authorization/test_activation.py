"""Lists of mailboxes activated at once."""

from datetime import timedelta

import pytest

from shared.authorization.errors import ActivationRefused
from shared.authorization.onboarding.activation import MAX_NAMES, TIME_LIMIT, ActivationResult, parse_names
from shared.errors import AdministratorMustAct, NotFound, OperatorMustAct, Reason
from shared.mailboxes.groups.model import GroupSettings
from shared.mailboxes.model import Status
from shared.sources.model import AccessMode, SourceName
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.fixture
def service(stack: AuthorizationStack) -> str:
    stack.entra.person = an_identity("service@contoso.example")
    operator = stack.session(an_identity("op@contoso.example", roles=("Operator",)))
    return stack.come_back(stack.sign_in.service(operator)).authorization_id


def told(results: list[ActivationResult]) -> dict[str, str]:
    return {result.asked: result.reason or result.result for result in results}


def test_each_mailbox_is_tried_and_each_failure_has_its_reason(stack: AuthorizationStack, service: str) -> None:
    stack.sources.trouble = {
        "denied@contoso.example": AdministratorMustAct(
            Reason.IMPERSONATION_DENIED, support="ErrorImpersonateUserDenied"
        ),
        "none@contoso.example": AdministratorMustAct(Reason.NO_MAILBOX),
        "unlicensed@contoso.example": AdministratorMustAct(Reason.NO_LICENSE),
        "broken@contoso.example": OperatorMustAct(Reason.OUR_CREDENTIAL),
    }
    names = ["a@contoso.example", *stack.sources.trouble, "b@contoso.example", "a@contoso.example"]
    results = stack.activation.with_service_account(service, names, "op")
    assert told(results) == {
        "a@contoso.example": "active",
        "denied@contoso.example": "impersonation_denied",
        "none@contoso.example": "no_mailbox",
        "unlicensed@contoso.example": "no_licence",
        "broken@contoso.example": "our_credential",
        "b@contoso.example": "active",
    }
    assert results[1].support == "ErrorImpersonateUserDenied"
    assert sorted(box.address for box in stack.mailboxes) == ["a@contoso.example", "b@contoso.example"]
    assert {box.mode for box in stack.mailboxes} == {AccessMode.IMPERSONATION}
    assert sorted(stack.queued) == sorted(box.id for box in stack.mailboxes)


def test_mailbox_that_ews_is_blocked_for_is_activated_over_graph(stack: AuthorizationStack) -> None:
    stack.sources.ews_blocked = {"b@contoso.example"}

    stack.activation.app_only(TENANT, ["a@contoso.example", "b@contoso.example"], "op")

    assert {box.address: box.source for box in stack.mailboxes} == {
        "a@contoso.example": SourceName.EWS,
        "b@contoso.example": SourceName.GRAPH,
    }


def test_a_mailbox_is_not_activated_twice(stack: AuthorizationStack, service: str) -> None:
    stack.activation.with_service_account(service, ["a@contoso.example"], "op")
    again = stack.activation.with_service_account(service, ["A@contoso.example"], "op")
    assert told(again) == {"A@contoso.example": "already"}
    assert [again[0].mailbox_id] == [mailbox.id for mailbox in stack.mailboxes]


@pytest.mark.parametrize("way", ["service account", "app-only"])
def test_activating_a_disconnected_mailbox_connects_it_again(stack: AuthorizationStack, service: str, way: str) -> None:
    def activated() -> ActivationResult:
        if way == "app-only":
            return stack.activation.app_only(TENANT, ["a@contoso.example"], "op")[0]
        return stack.activation.with_service_account(service, ["a@contoso.example"], "op")[0]

    first = activated()
    stack.mailbox_commands.disconnect(first.mailbox_id, "op")
    again = activated()
    assert (again.result, again.mailbox_id) == ("active", first.mailbox_id)
    assert stack.registry.get(first.mailbox_id).status is Status.ACTIVE
    assert stack.queued == [first.mailbox_id] * 2
    stack.mailbox_commands.pause(first.mailbox_id, "op")
    assert activated().result == "already"
    assert stack.registry.get(first.mailbox_id).status is Status.PAUSED


@pytest.mark.parametrize("way", ["service account", "app-only"])
def test_activated_mailbox_belongs_to_the_group_before_its_first_pass(
    stack: AuthorizationStack, service: str, way: str
) -> None:
    stack.groups.put("legal", "", GroupSettings(), "op")
    access = {"authorization": service} if way == "service account" else {"tenant": TENANT}
    (result,) = stack.activation.activate(access | {"group": "legal"}, ["a@contoso.example"], "op")
    assert stack.registry.get(result.mailbox_id).group == "legal"
    acts = [(actor, act) for subject, actor, act in stack.registry.audit if subject == result.mailbox_id]
    assert acts == [("op", "activate"), ("op", "set_group")]
    assert stack.queued == [result.mailbox_id]
    (plain,) = stack.activation.activate(access | {"group": "default"}, ["b@contoso.example"], "op")
    assert stack.registry.get(plain.mailbox_id).group == ""


def test_group_of_a_mailbox_that_is_there_stays_unless_it_was_disconnected(stack: AuthorizationStack) -> None:
    for name in ("legal", "board"):
        stack.groups.put(name, "", GroupSettings(), "op")

    def activated(group: str) -> tuple[str, str]:
        (result,) = stack.activation.app_only(TENANT, ["a@contoso.example"], "op", group=group)
        return result.result, stack.registry.get(result.mailbox_id).group

    assert activated("legal") == ("active", "legal")
    assert activated("board") == ("already", "legal")
    (mailbox,) = stack.mailboxes
    for group, expected in (("", "legal"), ("board", "board"), ("default", "")):
        stack.mailbox_commands.disconnect(mailbox.id, "op")
        assert activated(group) == ("active", expected)


def test_group_that_does_not_exist_refuses_the_whole_list(stack: AuthorizationStack, service: str) -> None:
    for given in ({"authorization": service, "group": "none"}, {"tenant": TENANT, "group": "No such"}):
        with pytest.raises(ActivationRefused) as refused:
            stack.activation.activate(given, ["a@contoso.example"], "op")
        assert refused.value.parameter == "group"
        with pytest.raises(ActivationRefused):
            stack.activation.require_usable(given)
    assert stack.mailboxes == []


def test_a_service_accounts_own_mailbox_is_its_persons_to_connect_again(
    stack: AuthorizationStack, service: str
) -> None:
    own = stack.connect(an_identity("service@contoso.example"))
    stack.mailbox_commands.disconnect(own.id, own.owner_id)
    result = stack.activation.with_service_account(service, [own.address], "op")[0]
    assert result.result == "already"
    assert stack.registry.get(own.id).status is Status.DISCONNECTED


def test_names_are_looked_up_from_the_service_accounts_own_mailbox(stack: AuthorizationStack, service: str) -> None:
    stack.sources.directory = {
        "Blake": ["blake@contoso.example"],
        "Smith": ["s1@contoso.example", "s2@contoso.example"],
    }
    results = stack.activation.with_service_account(service, ["Blake", "Smith", "Nobody"], "op")
    assert told(results) == {"Blake": "active", "Smith": "ambiguous_name", "Nobody": "unknown_name"}
    assert results[0].address == "blake@contoso.example"


def test_app_only_needs_no_person(stack: AuthorizationStack) -> None:
    results = stack.activation.app_only(TENANT, ["a@contoso.example"], "op")
    assert told(results) == {"a@contoso.example": "active"}
    assert stack.mailboxes[0].mode is AccessMode.APP_ONLY
    assert stack.tokens.stored == {}
    assert told(stack.activation.app_only(TENANT, ["b@contoso.example"], "op")) == {"b@contoso.example": "active"}


@pytest.mark.parametrize("tenant", [OTHER_TENANT, "", "organizations", "../x"])
def test_a_tenant_that_is_not_served_is_refused(stack: AuthorizationStack, tenant: str) -> None:
    with pytest.raises(ActivationRefused):
        stack.activation.app_only(tenant, ["a@contoso.example"], "op")


@pytest.mark.parametrize(
    "names", [[], [" "], [f"{n}@contoso.example" for n in range(MAX_NAMES + 1)], ["x" * 321], ["a\nb"]], ids=len
)
def test_a_list_that_is_none_or_too_long_is_refused(stack: AuthorizationStack, service: str, names: list[str]) -> None:
    with pytest.raises(ActivationRefused):
        stack.activation.with_service_account(service, names, "op")


def test_only_a_service_accounts_authorization_serves(stack: AuthorizationStack) -> None:
    mailbox = stack.connect()
    with pytest.raises(ActivationRefused):
        stack.activation.with_service_account(mailbox.authorization_id, ["b@contoso.example"], "op")
    with pytest.raises(NotFound):
        stack.activation.with_service_account("invented", ["b@contoso.example"], "op")


def test_what_could_not_be_begun_in_time_is_said(stack: AuthorizationStack, service: str) -> None:
    class Slow(type(stack.sources)):  # type: ignore[misc]
        def check(self, access: object) -> None:
            stack.clock.pass_by(seconds=(TIME_LIMIT + timedelta(seconds=1)).total_seconds())

    stack.sources.__class__ = Slow
    results = stack.activation.with_service_account(service, [f"{n}@contoso.example" for n in range(40)], "op")
    assert {result.result for result in results} == {"active", "not_tried"}
    assert len(stack.mailboxes) == sum(result.result == "active" for result in results)


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
    assert parse_names(text) == names


def test_a_name_is_not_looked_up_from_a_mailbox_that_cannot_be_opened(stack: AuthorizationStack, service: str) -> None:
    """Each name has the reason; an address in the list is tried by itself."""
    stack.sources.trouble = {"service@contoso.example": AdministratorMustAct(Reason.ACCESS_DENIED)}
    stack.sources.directory = {"Ada": ["ada@contoso.example"]}
    results = stack.activation.with_service_account(service, ["Ada", "bo@contoso.example"], "op")
    assert told(results) == {"Ada": "access_denied", "bo@contoso.example": "active"}
    assert [box.address for box in stack.mailboxes] == ["bo@contoso.example"]
