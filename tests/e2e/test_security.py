"""The whole app as an attacker finds it: what other sites can start, what strangers reach, what an erasure leaves."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from sandbox.local.local_stack import LocalStack
from shared.app import App
from shared.storage import storage_layout
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
def api(running_app: LocalStack, somebody: Callable[..., Person]) -> Callable[..., requests.Response]:
    """The operator's API, called with an operator's token."""
    token = running_app.sandbox.control.post("/tokens", {"person": OPERATOR, "kind": "api"})["token"]
    caller = somebody(OPERATOR)

    def call(method: str, path: str, **more: Any) -> requests.Response:
        return caller.ask(method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, **more)

    return call


# ---------------------------------------------------------------- what another site can start


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in?to=my-sync", "/approval"])
@pytest.mark.parametrize("kind", ["image", "iframe", "empty", "script", "embed"])
def test_no_part_of_another_page_begins_a_flow(somebody: Callable[..., Person], path: str, kind: str) -> None:
    """Each would leave a cookie of a flow, and enough of them leave the browser no room for the session."""
    answer = somebody().ask("GET", path, headers={"Sec-Fetch-Dest": kind, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_no_parameter_of_a_foreign_link_skips_the_invitation_page(
    somebody: Callable[..., Person], api: Callable[..., requests.Response]
) -> None:
    person = somebody()
    token = api("POST", "invitations", json={"address": person.address}).json()["url"].rpartition("/")[2]
    answer = person.ask(
        "GET", "/sign-in", params={"to": "my-sync", "invitation": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.headers["Location"] == f"/invitation/{token}"
    assert "Set-Cookie" not in answer.headers


def test_a_foreign_link_shows_its_purpose_before_anything_is_connected(
    somebody: Callable[..., Person],
) -> None:
    """Whoever has consented once is asked nothing by Microsoft: one click elsewhere would connect them again."""
    person = somebody()
    from_elsewhere = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
    plain = person.ask("GET", "/sign-in", headers=from_elsewhere)
    assert (plain.status_code, plain.headers["Location"]) == (303, "/")
    invited = person.ask("GET", "/sign-in", params={"invitation": "a/../b?c"}, headers=from_elsewhere)
    assert invited.headers["Location"] == "/invitation/a%2F..%2Fb%3Fc"
    assert not person.session.cookies
    typed = person.ask("GET", "/sign-in", headers=from_elsewhere | {"Sec-Fetch-Site": "none"})
    assert urlsplit(typed.headers["Location"]).netloc != ""


def test_the_administrators_link_does_not_let_others_resume_the_sign_in(
    somebody: Callable[..., Person],
) -> None:
    person, holder = somebody(authorize_error=90094), somebody()
    page = person.ask("GET", person.come_back(person.begin()).headers["Location"]).text
    found = re.search(r"/approval/for/([\w-]{30,})", page)
    assert found
    assert found[1] != person.cookie("waiting")
    stolen = {"__Host-waiting": found[1]}
    assert holder.ask("GET", "/approval/waiting", cookies=stolen).status_code == 404
    begun = holder.ask("GET", "/sign-in", cookies=stolen)
    assert person.address not in unquote(begun.headers["Location"])


# ---------------------------------------------------------------- what strangers reach

PERSONAL = (
    "/my-sync",
    "/my-sync/progress?mailbox={id}",
    "/my-sync/erase?mailbox={id}",
    "/my-sync/approval?mailbox={id}",
)
OPERATORS = (
    "/operator",
    "/operator/activate",
    "/operator/invitations",
    "/operator/jobs",
    "/operator/jobs/{id}",
    "/operator/mailboxes",
    "/operator/mailboxes/{id}",
    "/operator/mailboxes/{id}/erase",
    "/operator/moves",
    "/operator/moves/{id}",
)
OPERATORS_FORMS = (
    "/operator/jobs",
    "/operator/invitations",
    "/operator/mailboxes",
    "/operator/moves",
    "/operator/activate",
    "/operator/service-account",
    "/operator/service-account/revoke",
)
API = (
    ("GET", "/api/v1/mailboxes"),
    ("GET", "/api/v1/mailboxes/{id}"),
    ("POST", "/api/v1/mailboxes/{id}/erase"),
    ("POST", "/api/v1/invitations"),
    ("POST", "/api/v1/activations"),
    ("GET", "/api/v1/service-accounts"),
    ("POST", "/api/v1/service-accounts/{id}/revoke"),
)


def test_nobodys_pages_and_calls_open_without_a_session_or_a_token(somebody: Callable[..., Person]) -> None:
    mailbox, stranger = somebody().connect().mailbox(), somebody()
    for path in (*PERSONAL, *OPERATORS):
        assert stranger.ask("GET", path.format(id=mailbox)).status_code == 401, path
    for path in ("/my-sync/erase", *OPERATORS_FORMS):
        assert stranger.ask("POST", path, data={"mailbox": mailbox, "csrf": "x"}).status_code == 401, path
    for method, path in API:
        answer = stranger.ask(method, path.format(id=mailbox), json={} if method == "POST" else None)
        assert answer.status_code == 401, path


def test_a_person_reaches_no_page_and_no_call_of_the_operators(somebody: Callable[..., Person]) -> None:
    person = somebody().connect()
    mailbox, csrf = person.mailbox(), person.csrf()
    for path in OPERATORS:
        assert person.ask("GET", path.format(id=mailbox)).status_code == 403, path
    for path in OPERATORS_FORMS:
        assert person.ask("POST", path, data={"csrf": csrf, "names": "a@contoso.example"}).status_code == 403, path
    for method, path in API:
        assert person.ask(method, path.format(id=mailbox), json={} if method == "POST" else None).status_code == 401


def test_what_the_progress_of_a_mailbox_shows_is_its_owners_alone(somebody: Callable[..., Person]) -> None:
    owner, other = somebody().connect(), somebody().connect()
    mailbox = owner.mailbox()
    assert owner.ask("GET", f"/my-sync/progress?mailbox={mailbox}").status_code == 200
    for path in PERSONAL[1:]:
        stolen, invented = (other.ask("GET", path.format(id=one)) for one in (mailbox, "0" * 32))
        assert (stolen.status_code, stolen.text) == (404, invented.text), path


def test_personal_pages_are_kept_by_no_cache_and_framed_by_nobody(somebody: Callable[..., Person]) -> None:
    person = somebody().connect()
    mailbox = person.mailbox()
    operator = somebody(OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    asked = [(person, path.format(id=mailbox)) for path in PERSONAL] + [
        (operator, path.format(id=mailbox)) for path in OPERATORS
    ]
    for who, path in asked:
        answer = who.ask("GET", path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert "Access-Control-Allow-Origin" not in answer.headers, path


@pytest.mark.parametrize(
    "body",
    [
        {"csv": "x" * 200_000},
        {"csv": "\x00"},
        {"addresses": ["a@contoso.example"] * 3 + [7]},
        {"addresses": [f"a{number}@contoso.example" for number in range(5000)]},
        {"addresses": ["a@contoso.example"], "tenant": "../evil"},
        {"addresses": ["a@contoso.example"], "tenant": "t", "more": "x"},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_list_that_cannot_be_activated_is_the_callers_mistake(
    api: Callable[..., requests.Response], body: dict[str, object]
) -> None:
    assert api("POST", "activations", json=body).status_code == 400


@pytest.mark.parametrize("path", ["invitations", "activations"])
def test_a_body_without_end_is_refused(api: Callable[..., requests.Response], path: str) -> None:
    assert api("POST", path, json={"address": "x" * 300_000}).status_code == 413


# ---------------------------------------------------------------- what an erasure leaves


def everything(app: App) -> dict[str, str]:
    """All that is kept of anybody: table rows, blobs with their contents, secrets, queued messages, by where it is."""
    found: dict[str, str] = {}
    for name in storage_layout.TABLES:
        for row in app.tables.get_table_client(name).list_entities():
            found[f"{name} {row['PartitionKey']}/{row['RowKey']}"] = repr(dict(row))
    for name in storage_layout.CONTAINERS:
        container = app.blobs.get_container_client(name)
        for blob in container.list_blobs():
            found[f"{name} {blob.name}"] = blob.name + container.download_blob(blob.name).readall().decode("latin-1")
    for secret in app.secrets.list_properties_of_secrets():
        found[f"vault {secret.name}"] = str(secret.name)
    return found


def test_an_erasure_leaves_neither_the_mailbox_nor_its_address_anywhere(
    somebody: Callable[..., Person], api: Callable[..., requests.Response], running_app: LocalStack
) -> None:
    parts = running_app.parts()
    vault_before = {name for name in everything(parts) if name.startswith("vault ")}
    person = somebody()
    token = api("POST", "invitations", json={"address": person.address}).json()["url"].rpartition("/")[2]
    assert person.come_back(person.begin(f"/sign-in?invitation={token}")).status_code == 303
    mailbox = person.mailbox()
    eventually("the first sync", lambda: parts.registry.get(mailbox).first_sync_done)
    assert any(mailbox in text for text in everything(parts).values())
    person.come_back(person.begin())
    parts.queue.send_mailbox(mailbox)
    erased = person.ask("POST", "/my-sync/erase", data={"mailbox": mailbox, "csrf": person.csrf()})
    assert title(erased) == "Everything was erased"
    left = everything(parts)
    assert [where for where, text in left.items() if person.address in text.lower()] == []
    named = {where.partition(" ")[0] for where, text in left.items() if mailbox in text}
    # The change log has ids and numbers alone, for thirty days; of a mailbox without items it has nothing.
    assert named - {"changes"} == {"audit", "erasures", "items"}, (
        "for some weeks a record and a tombstone, without contents or names"
    )
    assert all("erased" in text for where, text in left.items() if where.startswith("items ") and mailbox in text)
    assert {where for where in left if where.startswith("vault ")} - vault_before <= {
        "vault signing-sessions",
        "vault signing-invitations",
        "vault signing-outcomes",
    }
