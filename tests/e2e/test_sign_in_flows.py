"""Every way in and each way it fails, through the real pages of app and identity provider, without script."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from sandbox.local.form_browser import Page
from sandbox.local.local_stack import LocalStack
from shared.app import utc_now
from shared.errors import NotFound
from shared.mailboxes.model import Status
from tests.e2e.people import new_person
from tests.e2e.person import Person, title
from tests.waiting import eventually

OPERATOR = "robin@contoso.example"


@pytest.fixture
def somebody(running_app: LocalStack) -> Iterator[Callable[..., Person]]:
    made: list[Person] = []

    def one(address: str = "", **policy: object) -> Person:
        made.append(Person(running_app, address or new_person(running_app.sandbox, **policy)))
        return made[-1]

    yield one
    for person in made:
        person.close()


@pytest.fixture
def api(running_app: LocalStack) -> Callable[..., Any]:
    """The operator's API, called with an operator's token."""
    asked = {"person": OPERATOR, "kind": "api"}
    token = running_app.sandbox.control.post("/tokens", asked)["token"]
    caller = Person(running_app, OPERATOR)

    def call(method: str, path: str, json: object = None) -> Any:
        return caller.ask(method, f"/api/v1/{path}", json=json, headers={"Authorization": f"Bearer {token}"})

    if call("GET", "mailboxes").status_code == 401:
        pytest.skip("the stage names no tenant whose people may be operators")
    return call


@pytest.mark.parametrize(
    ("number", "heading"),
    [
        (65004, "The permission was declined"),
        (53003, "Your organization's rules do not allow this"),
        (50105, "The application is not assigned to you"),
        (50034, "The account is not active"),
        (50057, "The account is not active"),
        (50076, "Microsoft wants to verify that it is you"),
        (50020, "Your organization is not on the list"),
        (50011, "Microsoft did not complete the sign-in"),
        (7000222, "Microsoft did not complete the sign-in"),
        (90033, "The service is temporarily unavailable"),
    ],
)
def test_each_refusal_at_the_sign_in_has_its_page(somebody: Callable[..., Person], number: int, heading: str) -> None:
    person = somebody(authorize_error=number)
    answer = person.come_back(person.begin())
    assert title(answer) == heading
    assert f"AADSTS{number}" in answer.text or number == 65004
    assert person.address not in answer.text
    assert not person.cookie("session")


@pytest.mark.parametrize(
    ("number", "heading"),
    [
        (53003, "Your organization's rules do not allow this"),
        (50105, "The application is not assigned to you"),
        (7000222, "This service could not authenticate to Microsoft"),
        (50173, "Please sign in again"),
    ],
)
def test_each_refusal_of_the_code_has_its_page(somebody: Callable[..., Person], number: int, heading: str) -> None:
    person = somebody(token_error=number)
    assert title(person.come_back(person.begin())) == heading


@pytest.mark.parametrize("number", [90094, 90093, 90095, 65001, 700016])
def test_need_for_approval_in_every_shape_leads_to_the_waiting_page(
    somebody: Callable[..., Person], number: int
) -> None:
    person = somebody(authorize_error=number)
    answer = person.come_back(person.begin())
    assert answer.headers["Location"].startswith("/approval/waiting")
    page = person.ask("GET", answer.headers["Location"])
    assert title(page) == "Your administrator has to approve"
    assert re.search(r"/approval/for/[\w-]{30,}", page.text)
    assert page.headers["Refresh"] == "60"


def test_an_invitation_that_expired_while_waiting_allows_sign_in(
    somebody: Callable[..., Person], api: Callable[..., Any], running_app: LocalStack
) -> None:
    person = somebody(authorize_error=90094)
    made = api("POST", "invitations", {"address": person.address}).json()
    token = made["url"].rpartition("/")[2]
    assert person.come_back(person.begin(f"/sign-in?invitation={token}")).status_code == 303
    assert person.cookie("waiting")
    running_app.parts().invitations.use(made["id"])
    assert "/authorize" in person.ask("GET", "/sign-in").headers["Location"]


def test_who_waited_only_to_look_can_connect_a_mailbox_afterwards(somebody: Callable[..., Person]) -> None:
    person = somebody(authorize_error=90094)
    person.come_back(person.begin("/sign-in?to=my-sync"))
    assert person.cookie("waiting")
    person.stack.sandbox.control.patch(f"/people/{person.address}", {"authorize_error": 0})
    assert person.come_back(person.begin()).headers["Location"] == "/my-sync"
    assert person.come_back(person.begin()).headers["Location"] == "/my-sync?done=connected"


def test_a_service_account_sign_in_is_not_resumed_by_the_next_user(
    somebody: Callable[..., Person],
) -> None:
    operator, account, next_one = somebody(OPERATOR), somebody(authorize_error=90094), somebody()
    operator.come_back(operator.begin("/sign-in?to=operator"))
    interstitial = operator.ask("POST", "/operator/service-account", data={"csrf": operator.csrf("/operator")})
    url = next(href for href, _ in Page(interstitial.text).links if "/authorize" in href)
    refused = operator.come_back(operator.at_microsoft(url, account.address))
    assert title(refused) == "Your administrator has to approve"
    assert ("/operator/activate", "Sign in again") in Page(refused.text).links
    url = operator.ask("GET", "/sign-in").headers["Location"]
    answer = operator.come_back(operator.at_microsoft(url, next_one.address))
    assert answer.headers["Location"] == "/my-sync?done=connected"


def test_signing_out_ends_what_the_browser_waited_for(somebody: Callable[..., Person]) -> None:
    person, next_one = somebody(authorize_error=90094), somebody()
    person.come_back(person.begin())
    assert person.cookie("waiting")
    url = person.ask("GET", "/sign-in?to=my-sync").headers["Location"]
    person.come_back(person.at_microsoft(url, next_one.address))
    assert person.cookie("waiting")
    assert person.ask("POST", "/sign-out", data={"csrf": person.csrf()}).status_code == 200
    assert not person.cookie("waiting")


def test_an_administrator_who_declines_or_whose_account_may_not_is_told_so(somebody: Callable[..., Person]) -> None:
    person, administrator = somebody(authorize_error=90094), somebody()
    waiting = person.ask("GET", person.come_back(person.begin()).headers["Location"])
    found = re.search(r"/approval/for/[\w-]{30,}", waiting.text)
    assert found
    state = parse_qs(urlsplit(administrator.ask("GET", found[0]).headers["Location"]).query)["state"][0]
    declined = {"state": state, "error": "access_denied", "error_description": "AADSTS65004", "admin_consent": "True"}
    answer = administrator.ask("GET", "/approval/callback", params=declined)
    assert title(answer) == "The approval was not given"
    assert title(person.ask("GET", "/approval/waiting")) == "Your administrator has to approve"


def test_approval_by_a_persons_link_retries_the_tenants_mailboxes(
    somebody: Callable[..., Person], running_app: LocalStack
) -> None:
    person, administrator = somebody().connect(), somebody(OPERATOR)
    mailbox, registry = person.mailbox(), running_app.parts().registry
    eventually("the first sync", lambda: registry.get(mailbox).first_sync_done)
    stopped = {"status": Status.NEEDS_ADMIN, "reason": "admin_consent_required"}
    registry.change(mailbox, lambda found: found.with_changes(**stopped, due_at=utc_now() + timedelta(hours=20)))
    page = person.ask("GET", f"/my-sync/approval?mailbox={mailbox}")
    found = re.search(r"/approval/for/[\w-]{30,}", page.text)
    assert found
    sent = urlsplit(administrator.ask("GET", found[0]).headers["Location"])
    assert registry.get(mailbox).tenant_id in sent.path
    answer = {"state": parse_qs(sent.query)["state"][0], "admin_consent": "True", "tenant": "anybodys"}
    assert title(administrator.ask("GET", "/approval/callback", params=answer)) == "Approved for your organization"
    after = registry.get(mailbox)
    assert (after.status, after.due_at) == (Status.ACTIVE, None)


def test_a_demanded_second_factor_is_passed_on_and_satisfied(somebody: Callable[..., Person]) -> None:
    person = somebody(mfa="step_up")
    answer = person.come_back(person.begin())
    assert answer.status_code == 303
    location = urlsplit(answer.headers["Location"])
    assert "claims" in parse_qs(location.query)


def test_a_lapsed_flow_says_that_an_administrator_may_be_asked(somebody: Callable[..., Person]) -> None:
    person = somebody()
    fields = person.begin()
    flows = person.stack.parts().flows
    rows = [row for row in flows._table.list_entities() if "binding_digest" in row]
    newest = max(rows, key=lambda row: row["expires_at"])
    flows._table.update_entity(newest | {"expires_at": newest["expires_at"].replace(year=2020)})
    answer = person.come_back(fields)
    assert title(answer) == "The sign-in took too long"
    assert "administrator" in answer.text


def test_an_invitation_by_the_api_connects_its_address_and_goes_back(
    somebody: Callable[..., Person], api: Callable[..., Any], running_app: LocalStack
) -> None:
    person = somebody()
    made = api("POST", "invitations", {"address": person.address, "reference": "case 7"})
    assert made.status_code == 201
    path = made.json()["url"].removeprefix(running_app.url)
    page = person.ask("GET", path)
    assert title(page) == "You are invited to set up sync"
    assert person.address in page.text
    begin = next(href for href, _ in Page(page.text).links if "invitation=" in href)
    assert person.come_back(person.begin(begin)).headers["Location"] == "/my-sync?done=connected"
    assert title(person.ask("GET", path)) == "This invitation was already used"
    assert title(person.ask("GET", f"{path[:-2]}AA")) == "This invitation is not valid"


def test_the_wrong_person_for_an_invitation_learns_which_account_it_needs(
    somebody: Callable[..., Person], api: Callable[..., Any], running_app: LocalStack
) -> None:
    wanted, other = somebody(), somebody()
    path = api("POST", "invitations", {"address": wanted.address}).json()["url"].removeprefix(running_app.url)
    answer = other.come_back(other.begin(f"/sign-in?invitation={path.rpartition('/')[2]}"))
    assert title(answer) == "That is a different account"
    assert wanted.address in answer.text
    assert other.address in answer.text
    again = next(href for href, _ in Page(answer.text).links if "choose=account" in href)
    assert "invitation=" in again
    assert "select_account" in other.ask("GET", again).headers["Location"]


def test_an_invitation_is_refused_for_a_return_address_that_is_not_listed(api: Callable[..., Any]) -> None:
    wrong = api("POST", "invitations", {"address": "a@contoso.example", "return_url": "https://evil.example"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "return_url_not_allowed")
    bodies: list[object] = [
        {},
        {"address": "nobody"},
        {"address": 7},
        {"address": "a@contoso.example", "more": "x"},
        [],
    ]
    for body in bodies:
        assert api("POST", "invitations", body).status_code == 400


def test_an_alias_is_the_same_mailbox(
    somebody: Callable[..., Person], api: Callable[..., Any], running_app: LocalStack
) -> None:
    alex = somebody("alex@contoso.example")
    made = api("POST", "invitations", {"address": "alexander@contoso.example"}).json()
    token = made["url"].rpartition("/")[2]
    answer = alex.come_back(alex.begin(f"/sign-in?invitation={token}"))
    assert answer.headers["Location"].startswith("/my-sync?done=")


def test_a_list_of_mailboxes_is_activated_by_a_service_account(
    somebody: Callable[..., Person], api: Callable[..., Any], running_app: LocalStack
) -> None:
    operator = somebody(OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    interstitial = operator.ask("POST", "/operator/service-account", data={"csrf": operator.csrf("/operator")})
    assert title(interstitial) == "Continue to Microsoft"
    url = next(href for href, _ in Page(interstitial.text).links if "/authorize" in href)
    back = operator.come_back(operator.at_microsoft(url, "service@contoso.example")).headers["Location"]
    authorization = parse_qs(urlsplit(back).query)["authorization"][0]
    targets = [new_person(running_app.sandbox) for _ in range(2)]
    body = {"authorization": authorization, "addresses": [*targets, "nobody@contoso.example"]}
    results = {one["asked"]: one for one in api("POST", "activations", body).json()["results"]}
    assert [results[address]["result"] for address in targets] == ["active", "active"]
    assert results["nobody@contoso.example"]["result"] == "failed"
    assert results["nobody@contoso.example"]["reason"]
    registry = running_app.parts().registry

    def first_sync_done(mailbox_id: str) -> bool:
        return registry.get(mailbox_id).first_sync_done

    for address in targets:
        eventually("the first sync", partial(first_sync_done, results[address]["mailbox_id"]))
    (account,) = api("GET", "service-accounts").json()["service_accounts"]
    assert (account["id"], account["mailboxes"]) == (authorization, 2)
    assert api("POST", f"service-accounts/{authorization}/revoke").status_code == 409
    for address in targets:
        api("POST", f"mailboxes/{results[address]['mailbox_id']}/disconnect")
    revoked = operator.ask(
        "POST",
        "/operator/service-account/revoke",
        data={"csrf": operator.csrf("/operator/activate"), "authorization": authorization},
    )
    assert revoked.headers["Location"] == "/operator/activate?done=revoked"
    assert api("GET", "service-accounts").json() == {"service_accounts": []}
    with pytest.raises(NotFound):
        running_app.parts().token_store.read(authorization)
    assert api("POST", f"service-accounts/{authorization}/revoke").status_code == 404


def test_a_mailbox_is_read_and_stopped_by_the_api(somebody: Callable[..., Person], api: Callable[..., Any]) -> None:
    person = somebody().connect()
    mailbox = person.mailbox()
    registry = person.stack.parts().registry
    eventually("the first sync", lambda: registry.get(mailbox).first_sync_done)
    told = api("GET", f"mailboxes/{mailbox}").json()
    assert (told["address"], told["status"]) == (person.address, "active")
    assert api("GET", f"mailboxes/{mailbox}/runs").json()["runs"][0]["outcome"] == "done"
    assert not {"claims", "authorization_id"} & told.keys()
    assert mailbox in [one["id"] for one in api("GET", "mailboxes").json()["mailboxes"]]
    assert api("POST", f"mailboxes/{mailbox}/pause").json()["status"] == "paused"
    assert api("POST", f"mailboxes/{mailbox}/sync").status_code == 409
    assert api("POST", f"mailboxes/{mailbox}/start").json()["status"] == "active"
    receipt = api("POST", f"mailboxes/{mailbox}/erase").json()
    assert receipt["erased"]["mailboxes"] == 1
    assert receipt["held_until"]
    assert api("GET", f"mailboxes/{mailbox}").status_code == 404
    assert api("POST", f"mailboxes/{mailbox}/nonsense").status_code == 404


def test_a_revoked_grant_asks_for_signing_in_again_and_keeps_the_mailbox(somebody: Callable[..., Person]) -> None:
    person = somebody().connect()
    mailbox = person.mailbox()
    parts = person.stack.parts()
    eventually("the first sync", lambda: parts.registry.get(mailbox).first_sync_done)
    person.stack.sandbox.control.patch(f"/people/{person.address}", {"revoke_grants": True})
    person.stack.restart()
    parts.queue.send_mailbox(mailbox)
    eventually("the refusal", lambda: parts.registry.get(mailbox).status is Status.NEEDS_SIGN_IN)
    assert parts.registry.get(mailbox).reason == "grant_revoked"
    answer = person.come_back(person.begin())
    assert answer.headers["Location"] == "/my-sync?done=renewed"
    assert (person.mailbox(), parts.registry.get(mailbox).status) == (mailbox, Status.ACTIVE)


def test_the_outcome_of_an_invitation_can_be_checked_by_any_library(running_app: LocalStack) -> None:
    parts = running_app.parts()
    invitations = parts.invitations
    invitations._return_urls = ("https://crm.example/back",)
    made = invitations.create("a@contoso.example", "case 7", "https://crm.example/back")
    token = invitations.return_url(made.id, "connected", "m1").partition("outcome=")[2]
    key = parts.secrets.get_secret("signing-outcomes").value or ""
    claims = jwt.decode(token, key, algorithms=["HS256"], audience="https://crm.example", issuer=running_app.url)
    assert (claims["reference"], claims["outcome"], claims["jti"]) == ("case 7", "connected", made.id)
