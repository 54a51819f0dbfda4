"""What the anonymous routes, the sessions and the API make of requests that no honest browser sends."""

import html
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.local.local_stack import LocalStack
from shared.app import utc_now
from shared.authorization.model import Identity
from tests.e2e.people import new_person
from tests.e2e.person import Person, title
from tests.waiting import eventually

SECRETS = ("code-that-leaked", "state-that-leaked", "token-that-leaked", "somebody@secret.example")


@pytest.fixture
def somebody(running_app: LocalStack) -> Iterator[Callable[..., Person]]:
    made: list[Person] = []

    def one(address: str = "", **policy: object) -> Person:
        made.append(Person(running_app, address or new_person(running_app.sandbox, **policy)))
        return made[-1]

    yield one
    for person in made:
        person.close()


def flow_cookies(answer: requests.Response) -> list[str]:
    return [line for line in answer.raw.headers.getlist("Set-Cookie") if line.startswith("__Host-flow-")]


def parts_of(line: str) -> set[str]:
    """A Set-Cookie line's attributes; the host writes them in a case of its own."""
    return set(line.lower().split("; "))


def test_cookies_are_for_this_host_over_tls_and_out_of_scripts_reach(somebody: Callable[..., Person]) -> None:
    person = somebody()
    (binding,) = flow_cookies(person.ask("GET", "/sign-in"))
    assert {"secure", "httponly", "path=/", "samesite=none", "max-age=900"} <= parts_of(binding)
    answer = person.come_back(person.begin())
    lines = answer.raw.headers.getlist("Set-Cookie")
    (session,) = [line for line in lines if line.startswith("__Host-session=")]
    assert {"secure", "httponly", "path=/", "samesite=lax", "max-age=1800"} <= parts_of(session)
    assert not any("domain" in line.lower() for line in lines)
    (over,) = flow_cookies(answer)
    assert "max-age=0" in parts_of(over)


def test_an_answer_is_good_once_and_in_its_own_browser(somebody: Callable[..., Person]) -> None:
    person, thief = somebody(), somebody()
    fields = person.begin()
    stolen = thief.come_back(fields)
    assert (stolen.status_code, title(stolen)) == (400, "The sign-in was started in another browser")
    assert not thief.cookie("session")
    assert person.come_back(fields).status_code == 303
    again = person.come_back(fields)
    assert (again.status_code, title(again)) == (400, "This sign-in was already used")


def test_a_victim_cannot_be_signed_in_as_the_attacker(somebody: Callable[..., Person]) -> None:
    attacker, victim = somebody(), somebody().connect()
    before = victim.cookie("session")
    fields = attacker.begin()
    answer = victim.come_back(fields)
    assert title(answer) == "The sign-in was started in another browser"
    assert victim.cookie("session") == before


def test_a_session_that_was_planted_is_replaced_by_signing_in(somebody: Callable[..., Person]) -> None:
    attacker, victim = somebody().connect(), somebody()
    planted = attacker.cookie("session")
    host = urlsplit(victim.stack.url).hostname
    victim.session.cookies.set("__Host-session", planted, domain=f"{host}.local", path="/", secure=True)
    answer = victim.come_back(victim.begin())
    (line,) = [one for one in answer.raw.headers.getlist("Set-Cookie") if one.startswith("__Host-session=")]
    assert planted not in line


def test_an_endless_claims_challenge_is_nobodys_alarm(somebody: Callable[..., Person]) -> None:
    person = somebody()
    state = person.begin()["state"]
    answer = person.come_back({"state": state, "error": "interaction_required", "claims": "x" * 50_000})
    assert (answer.status_code, title(answer)) == (403, "Microsoft wants to verify that it is you")


def test_an_invented_code_is_nobodys_alarm(somebody: Callable[..., Person]) -> None:
    person = somebody()
    answer = person.come_back({"state": person.begin()["state"], "code": "invented"})
    assert (answer.status_code, title(answer)) == (403, "Microsoft did not complete the sign-in")


def test_a_code_in_the_address_is_not_redeemed(somebody: Callable[..., Person]) -> None:
    person = somebody()
    fields = person.begin()
    answer = person.ask("GET", "/sign-in/callback", params=fields)
    assert (answer.status_code, title(answer)) == (400, "This sign-in is not known")
    assert person.come_back(fields).status_code == 303


def test_an_error_in_the_address_ends_its_own_flow_alone(somebody: Callable[..., Person]) -> None:
    person = somebody()
    fields = person.begin()
    params = {"error": "access_denied", "error_description": "AADSTS65004", "state": fields["state"]}
    stranger = somebody().ask("GET", "/sign-in/callback", params=params)
    assert title(stranger) == "The sign-in was started in another browser"
    assert title(person.ask("GET", "/sign-in/callback", params=params)) == "The permission was declined"


def test_a_foreign_host_header_changes_nothing(somebody: Callable[..., Person]) -> None:
    person = somebody()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = person.ask("GET", "/sign-in", headers=headers)
    assert "evil" not in f"{answer.headers} {answer.text}"
    redirect_uri = parse_qs(urlsplit(answer.headers["Location"]).query)["redirect_uri"]
    assert redirect_uri == [f"{person.stack.url}/sign-in/callback"]


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?choose=%0d%0aSet-Cookie:%20x=1",
        "/sign-in?to=https://evil.example",
        "/sign-in?to=//evil.example",
        "/sign-in?next=https://evil.example&return_url=https://evil.example",
    ],
)
def test_nothing_in_the_address_leads_elsewhere(somebody: Callable[..., Person], path: str) -> None:
    person = somebody()
    answer = person.ask("GET", path)
    entra = urlsplit(person.stack.sandbox.endpoints["entra"]).netloc
    assert urlsplit(answer.headers["Location"]).netloc == entra
    assert "evil" not in str(answer.headers)
    assert "x=1" not in str(answer.headers)
    after = person.come_back(person.begin(path))
    assert after.headers["Location"].startswith("/my-sync")


def test_no_answer_carries_what_was_sent(somebody: Callable[..., Person]) -> None:
    person = somebody()
    code, state, token, address = SECRETS
    markup = "<script>alert(1)</script>"
    sent = {"code": code, "state": state, "error": markup, "error_description": f"{markup} {address} AADSTS50000"}
    answers = [
        person.come_back(sent),
        person.ask("GET", "/sign-in/callback", params=sent),
        person.ask("GET", "/approval/callback", params=sent | {"tenant": address, "admin_consent": "True"}),
        person.ask("GET", f"/invitation/{token}"),
        person.ask("GET", f"/approval/for/{token}"),
        person.ask("GET", "/sign-in", params={"invitation": token}),
        person.ask("GET", "/my-sync", params={"mailbox": token}),
        person.ask("GET", "/approval/waiting", params={"support": markup}),
        person.ask(
            "POST", "/api/v1/invitations", json={"address": address}, headers={"Authorization": f"Bearer {token}"}
        ),
    ]
    for answer in answers:
        shown = f"{answer.headers} {answer.text}"
        assert not any(secret in shown for secret in SECRETS)
        assert markup not in shown
        assert 400 <= answer.status_code < 500
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    log = person.stack.log.read_text(errors="replace")
    assert not any(secret in log for secret in SECRETS)


def test_text_of_the_identity_provider_is_never_shown(somebody: Callable[..., Person]) -> None:
    person = somebody()
    fields = person.begin()
    hostile = {"error": "access_denied", "error_description": "<b>AADSTS50105</b> call +1 555 0100"}
    answer = person.come_back({"state": fields["state"]} | hostile)
    assert title(answer) == "The application is not assigned to you"
    assert "AADSTS50105" in answer.text
    assert "555" not in answer.text


def test_a_name_full_of_markup_is_shown_as_it_is(somebody: Callable[..., Person]) -> None:
    person = somebody(display_name='<img src=x onerror="alert(1)">').connect()
    page = person.ask("GET", "/my-sync").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_no_form_of_another_site_is_carried_out(somebody: Callable[..., Person]) -> None:
    person = somebody().connect()
    csrf, mailbox = person.csrf(), person.mailbox()
    other = somebody().connect()
    tries: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (f"/my-sync/{act}", {"mailbox": mailbox} | given, headers)
        for act in ("sync", "pause", "start", "sign-in", "change-account", "disconnect", "erase")
        for given, headers in (
            ({}, {}),
            ({"csrf": "guessed"}, {}),
            ({"csrf": other.csrf()}, {}),
            ({"csrf": csrf}, {"Sec-Fetch-Site": "cross-site"}),
            ({"csrf": csrf}, {"Sec-Fetch-Site": "same-site"}),
        )
    ]
    tries += [("/sign-out", {"csrf": "guessed"}, {}), ("/sign-out", {"csrf": csrf}, {"Sec-Fetch-Site": "cross-site"})]
    for path, given, headers in tries:
        assert person.ask("POST", path, data=given, headers=headers).status_code == 403, path
    assert person.stack.parts().registry.get(mailbox).status == "active"


def test_another_persons_mailbox_is_answered_like_none(somebody: Callable[..., Person]) -> None:
    one, other = somebody().connect(), somebody().connect()
    theirs, csrf = one.mailbox(), other.csrf()
    for mailbox in (theirs, "0" * 32):
        for act in ("sync", "pause", "disconnect", "erase", "sign-in"):
            answer = other.ask("POST", f"/my-sync/{act}", data={"mailbox": mailbox, "csrf": csrf})
            assert (answer.status_code, title(answer)) == (404, "Page not found")
        assert other.ask("GET", "/my-sync", params={"mailbox": mailbox}).status_code == 404
    assert one.ask("GET", "/my-sync").status_code == 200


@pytest.mark.parametrize(
    "odd", ["..%2f..%2fetc", "%00", "a'%20or%20'1'eq'1", "%0d%0aX:1", "x" * 3000, "%F0%9F%98%80", "<script>"]
)
def test_odd_ids_are_answered_like_unknown_ones(somebody: Callable[..., Person], odd: str) -> None:
    person = somebody()
    session = {"__Host-session": somebody().connect().cookie("session")}
    for path in (f"/invitation/{odd}", f"/approval/for/{odd}"):
        assert person.ask("GET", path).status_code in (400, 404), path
    for path in (f"/my-sync?mailbox={odd}", f"/my-sync/progress?mailbox={odd}"):
        assert person.ask("GET", path, cookies=session).status_code in (400, 404), path


def test_a_session_does_not_open_the_api(somebody: Callable[..., Person]) -> None:
    robin = somebody("robin@contoso.example")
    robin.come_back(robin.begin("/sign-in?to=operator"))
    for method, path in (
        ("GET", "/api/v1/mailboxes"),
        ("POST", "/api/v1/invitations"),
        ("POST", "/api/v1/mailboxes/x/erase"),
    ):
        answer = robin.ask(method, path, json={} if method == "POST" else None)
        assert answer.status_code == 401, path
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_looking_at_ones_settings_does_not_reconnect(somebody: Callable[..., Person]) -> None:
    person = somebody().connect()
    mailbox = person.mailbox()
    registry = person.stack.parts().registry
    eventually("the first sync", lambda: registry.get(mailbox).first_sync_done)
    person.ask("POST", "/my-sync/disconnect", data={"mailbox": mailbox, "csrf": person.csrf()})
    back = person.come_back(person.begin("/sign-in?to=my-sync"))
    assert back.headers["Location"] == "/my-sync"
    assert registry.get(mailbox).status == "disconnected"


def test_one_client_with_endless_requests_is_asked_to_wait(somebody: Callable[..., Person]) -> None:
    """Whatever it writes into X-Forwarded-For: the platform's own entry, the last one, is what counts."""
    person = somebody()
    for _ in range(200):
        answer = person.send("GET", "/invitation/none", headers={"X-Forwarded-For": secrets.token_hex(4)})
        if answer.status_code == 429:
            break
    assert (answer.status_code, title(answer)) == (429, "Too many requests")
    assert int(answer.headers["Retry-After"]) >= 1
    assert person.ask("GET", "/my-sync").status_code == 401


def test_refusals_are_logged_and_invitations_audited(somebody: Callable[..., Person]) -> None:
    """S11: by their kind alone, without what was sent; an invitation by the API has its row in the audit trail."""
    person, thief = somebody().connect(), somebody()
    bearer = {"Authorization": "Bearer token-that-leaked"}
    forged = {"mailbox": person.mailbox(), "csrf": "guess-that-leaked"}
    refused: dict[str, Callable[[], object]] = {
        "bearer": lambda: person.send("GET", "/api/v1/mailboxes", headers=bearer),
        "csrf": lambda: person.send("POST", "/my-sync/erase", data=forged),
        "other_browser": lambda: thief.come_back(person.begin()),
    }

    def logged(kind: str) -> bool:
        refused[kind]()
        return f'"refusal": "{kind}"' in person.stack.log.read_text(errors="replace").replace("\\", "")

    for kind in refused:  # again while other tests have used the lines up: one is free every two seconds
        eventually(f"a line of {kind}", partial(logged, kind))
    log = person.stack.log.read_text(errors="replace")
    assert "that-leaked" not in log
    operator = person.stack.sandbox.control.post("/tokens", {"person": "robin@contoso.example", "kind": "api"})["token"]
    invited = person.ask(
        "POST", "/api/v1/invitations", json={"address": "new@contoso.example"},
        headers={"Authorization": f"Bearer {operator}"},
    ).json()  # fmt: skip
    rows = person.stack.parts().tables.get_table_client("audit").query_entities(f"PartitionKey eq '{invited['id']}'")
    assert [row["act"] for row in rows] == ["invite"]


def test_a_caller_with_bad_tokens_waits_before_the_next_is_looked_at(somebody: Callable[..., Person]) -> None:
    """S9: a token with an invented key id can make us ask Entra ID."""
    person = somebody()
    for number in range(60):
        answer = person.send("GET", "/api/v1/mailboxes", headers={"Authorization": f"Bearer bad{number}"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


def test_signing_out_ends_every_copy_of_the_session(somebody: Callable[..., Person]) -> None:
    """S14."""
    person, thief = somebody().connect(), somebody()
    copied = {"__Host-session": person.cookie("session")}
    assert thief.ask("GET", "/my-sync", cookies=copied).status_code == 200
    assert title(person.ask("POST", "/sign-out", data={"csrf": person.csrf()})) == "You are signed out"
    answer = thief.ask("GET", "/my-sync", cookies=copied)
    assert (answer.status_code, title(answer)) == (401, "Please sign in")


def test_erasing_from_an_old_session_asks_to_sign_in_again(somebody: Callable[..., Person]) -> None:
    """S14: a browser that was left signed in cannot erase; its person signs in again and confirms once more."""
    person = somebody().connect()
    mailbox, parts = person.mailbox(), person.stack.parts()
    owned = parts.registry.get(mailbox)
    proved = utc_now() - timedelta(minutes=11)
    identity = Identity(owned.tenant_id, owned.owner_id, owned.address, "", authenticated_at=proved)
    host = urlsplit(person.stack.url).hostname
    person.session.cookies.set(
        "__Host-session", parts.sessions.open(identity), domain=f"{host}.local", path="/", secure=True
    )
    asked = person.ask("GET", "/my-sync/erase", params={"mailbox": mailbox})
    assert "asks you to sign in again first" in asked.text
    answer = person.ask("POST", "/my-sync/erase", data={"mailbox": mailbox, "csrf": person.csrf()})
    assert parts.registry.get(mailbox).erasing_since is None
    (url,) = re.findall(r'href="(https://[^"]+authorize[^"]+)"', answer.text)
    assert "prompt=login" in url
    back = person.come_back(person.at_microsoft(html.unescape(url)))
    assert back.headers["Location"] == f"/my-sync/erase?mailbox={mailbox}"
    page = person.ask("GET", back.headers["Location"])
    assert "asks you to sign in again first" not in page.text
    erased = person.ask("POST", "/my-sync/erase", data={"mailbox": mailbox, "csrf": person.csrf()})
    assert title(erased) == "Everything was erased"


def test_an_operators_page_looks_at_the_role_again(somebody: Callable[..., Person]) -> None:
    """S14: after a quarter of an hour by way of a sign-in; a form of such a session is not carried out."""
    robin = somebody("robin@contoso.example")
    robin.come_back(robin.begin("/sign-in?to=activate"))
    assert robin.ask("GET", "/operator").status_code == 200
    found = {"prefix": "nobody@nowhere.example", "csrf": robin.csrf("/operator/activate")}
    assert "No mailbox matches" in robin.ask("POST", "/operator/mailboxes", data=found).text  # U2
    assert robin.ask("POST", "/operator/mailboxes", data=found | {"csrf": "x"}).status_code == 403
    parts = robin.stack.parts()
    session = parts.sessions.read(robin.cookie("session"))
    assert session is not None
    clock = parts.sessions._clock
    parts.sessions._clock = parts.sessions._signer._clock = lambda: clock() - timedelta(minutes=16)
    identity = Identity(session.tenant_id, session.owner_id, robin.address, "", ("Operator",))
    old = {"__Host-session": parts.sessions.open(identity)}
    parts.sessions._clock = parts.sessions._signer._clock = clock
    robin.session.cookies.clear()
    for path, to in (("/operator", "operator"), ("/operator/activate", "activate")):
        answer = robin.ask("GET", path, cookies=old)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?to={to}")
    assert robin.ask("POST", "/operator/activate", cookies=old, data={}).status_code == 401
