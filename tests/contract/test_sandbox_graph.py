"""The sandbox's Graph as part of the whole sandbox: Entra's tokens, endpoint, faults, control port, blocked EWS."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.graph.wire.ids import rest_id
from sandbox.local.sandbox_process import Sandbox
from tests.conftest import Faults

ALEX = "alex@contoso.example"
DELTA = "/v1.0/me/mailFolders/inbox/messages/delta?$select=subject"


class Client:
    """Sends requests to the sandbox's Graph over HTTPS."""

    def __init__(self, sandbox: Sandbox, **token: Any) -> None:
        self.url = sandbox.endpoints["graph"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = sandbox.endpoints["ca"]
        asked = token or {"person": ALEX}
        self.token = sandbox.control.post("/tokens", {"kind": "graph", **asked})["token"]

    def get(self, path: str, **headers: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        return self.session.get(self.url + path, headers=headers, timeout=300)

    def batch(self, *paths: str) -> list[dict[str, Any]]:
        asked = [{"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)]
        answer = self.session.post(
            self.url + "/v1.0/$batch",
            json={"requests": asked},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=300,
        )
        found: list[dict[str, Any]] = answer.json()["responses"]
        return found


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox)
    yield made
    made.session.close()


def test_the_app_is_told_where_graph_is(sandbox: Sandbox, client: Client) -> None:
    assert sandbox.app_environment["GRAPH_URL"] == client.url
    me = client.get("/v1.0/me")
    assert me.json()["mail"] == ALEX
    assert me.headers["Content-Type"].startswith("application/json;odata.metadata=minimal")


def test_tokens_of_another_resource_are_refused(sandbox: Sandbox, client: Client) -> None:
    client.token = sandbox.control.post("/tokens", {"person": ALEX, "kind": "exchange"})["token"]
    answer = client.get("/v1.0/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    client.token = sandbox.control.post("/tokens", {"person": ALEX, "kind": "graph", "lifetime": -3600})["token"]
    assert client.get("/v1.0/me").status_code == 401


def test_applications_have_the_roles_that_were_granted(sandbox: Sandbox) -> None:
    client = Client(sandbox, tenant="contoso.example")
    assert client.get(f"/v1.0/users/{ALEX}/mailFolders/inbox").json()["displayName"] == "Inbox"
    client.session.close()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ErrorQuotaExceeded", 403),
        ("syncStateNotFound", 410),
        ("ApplicationThrottled", 429),
        ("ErrorContentConversionFailed", 500),
        ("UnknownError", 503),
    ],
)
def test_a_fault_answers_with_any_code(client: Client, faults: Faults, code: str, status: int) -> None:
    fault = {"kind": "graph", "code": code, "status": status, "headers": {"Retry-After": "3"}}
    faults.add("graph", fault, match={"operation": "GET messages/delta"})
    assert client.get("/v1.0/me/mailFolders").status_code == 200
    answer = client.get(DELTA)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["Retry-After"] == "3"
    assert client.get(DELTA).status_code == 200


def test_a_fault_answers_503_without_a_body(client: Client, faults: Faults) -> None:
    faults.add("graph", {"kind": "graph", "status": 503, "empty": True})
    answer = client.get(DELTA)
    assert (answer.status_code, answer.content) == (503, b"")


def test_a_fault_demands_more_claims(client: Client, faults: Faults) -> None:
    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true}}}').decode()
    faults.add("graph", {"kind": "graph", "claims": claims})
    answer = client.get("/v1.0/me")
    assert answer.status_code == 401
    assert f'error="insufficient_claims", claims="{claims}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("location", ["", "https://elsewhere.example/v1.0/me"])
def test_a_fault_redirects(client: Client, faults: Faults, location: str) -> None:
    faults.add("graph", {"kind": "graph", "status": 308, "location": location})
    answer = client.session.get(
        client.url + "/v1.0/me",
        headers={"Authorization": f"Bearer {client.token}"},
        allow_redirects=False,
        timeout=300,
    )
    assert answer.status_code == 308
    assert answer.headers["Location"] == (location or client.url + "/v1.0/me")


def test_a_round_repeats_items_and_has_empty_pages(client: Client, faults: Faults) -> None:
    faults.add("graph", {"kind": "graph", "behavior": "duplicates"}, match={"operation": "GET messages/delta"})
    page = client.get(DELTA, Prefer="odata.maxpagesize=3").json()
    assert [one["id"] for one in page["value"][:3]] == [one["id"] for one in page["value"][3:]]
    faults.add("graph", {"kind": "graph", "behavior": "empty_page"}, match={"operation": "GET messages/delta"})
    empty = client.get(page["@odata.nextLink"].removeprefix(client.url), Prefer="odata.maxpagesize=3").json()
    assert empty["value"] == []
    following = client.get(empty["@odata.nextLink"].removeprefix(client.url), Prefer="odata.maxpagesize=3").json()
    assert len(following["value"]) == 3
    assert not {one["id"] for one in page["value"]} & {one["id"] for one in following["value"]}


def test_faults_strike_single_requests_of_a_batch(sandbox: Sandbox, client: Client, faults: Faults) -> None:
    faults.add("graph", {"kind": "graph", "code": "ErrorInternalServerError"}, match={"operation": "GET mailFolders"})
    answers = client.batch("/me", "/me/mailFolders", "/me/mailFolders")
    assert [one["status"] for one in answers] == [200, 500, 200]
    counted = sandbox.control.get("/requests")["graph"]
    assert counted["POST $batch"] >= 1
    assert counted["GET mailFolders"] >= 2


def test_mailboxes_misbehave_as_the_control_port_says(sandbox: Sandbox, client: Client) -> None:
    switches = sandbox.control.patch(f"/mailboxes/{ALEX}/graph", {"over_quota": True})
    assert switches["over_quota"] is True
    try:
        assert client.get(DELTA).json()["error"]["code"] == "ErrorQuotaExceeded"
    finally:
        sandbox.control.patch(f"/mailboxes/{ALEX}/graph", {"over_quota": False})
    assert client.get(DELTA).status_code == 200


def test_a_tenant_blocks_ews_while_graph_goes_on(sandbox: Sandbox) -> None:
    person = "jo@fabrikam.example"
    client, token = Client(sandbox, person=person), sandbox.control.post("/tokens", {"person": person})["token"]
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
        'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body><m:GetFolder><m:FolderShape>'
        "<t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
        '<t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>'
    )

    def ews() -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/xml"}
        url = sandbox.endpoints["exchange"]
        return client.session.post(url, data=envelope, headers=headers, timeout=300).status_code

    assert ews() == 200
    sandbox.control.patch("/tenants/fabrikam.example", {"ews_block": "tenant_off"})
    try:
        assert ews() == 403
        assert client.get("/v1.0/me/mailFolders/inbox").status_code == 200
    finally:
        sandbox.control.patch("/tenants/fabrikam.example", {"ews_block": ""})
    assert ews() == 200
    client.session.close()


def test_a_round_can_begin_with_an_empty_page(client: Client, faults: Faults) -> None:
    whole = client.get(DELTA, Prefer="odata.maxpagesize=1000").json()
    faults.add("graph", {"kind": "graph", "behavior": "empty_page"}, times=2)
    page = client.get(DELTA).json()
    for _ in range(2):
        page = client.get(page["@odata.nextLink"].removeprefix(client.url), Prefer="odata.maxpagesize=1000").json()
    assert len(page["value"]) == len(whole["value"])


def test_a_round_tells_of_removals_that_nobody_knows(client: Client, faults: Faults) -> None:
    faults.add("graph", {"kind": "graph", "behavior": "removed"})
    page = client.get(DELTA).json()
    assert "@removed" in page["value"][0]
    assert page["value"][0]["id"] not in {one["id"] for one in page["value"][1:]}


def test_changes_come_late_and_are_told_again(sandbox: Sandbox, client: Client, faults: Faults) -> None:
    path = "/v1.0/me/mailFolders/outbox/messages/delta"

    def following(page: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = client.get(page["@odata.deltaLink"].removeprefix(client.url)).json()
        return answer

    page = client.get(path).json()
    sandbox.control.post(f"/mailboxes/{ALEX}/generate", {"folder": "outbox", "count": 1, "size": 500})
    faults.add("graph", {"kind": "graph", "behavior": "late"})
    page = following(page)
    assert page["value"] == []
    page = following(page)
    assert len(page["value"]) == 1
    page = following(page)
    assert page["value"] == []
    faults.add("graph", {"kind": "graph", "behavior": "replay"})
    page = following(page)
    assert len(page["value"]) == 1
    assert following(page)["value"] == []


def test_files_and_steps_are_attached_through_the_control_port(sandbox: Sandbox, client: Client) -> None:
    task = sandbox.control.post(f"/mailboxes/{ALEX}/items", {"kind": "task"})
    content = base64.b64encode(b"hello").decode()
    sandbox.control.post(f"/mailboxes/{ALEX}/attach", {"id": task["id"], "name": "a.txt", "content": content})
    sandbox.control.post(f"/mailboxes/{ALEX}/checklist", {"id": task["id"], "steps": [{"name": "one"}]})
    contact = sandbox.control.post(f"/mailboxes/{ALEX}/items", {"kind": "contact"})
    photo = {"id": contact["id"], "content_type": "image/png", "content": content, "photo": True}
    sandbox.control.post(f"/mailboxes/{ALEX}/attach", photo)
    lists = {one["wellknownListName"]: one["id"] for one in client.get("/v1.0/me/todo/lists").json()["value"]}
    path = f"/v1.0/me/todo/lists/{lists['defaultList']}/tasks/{rest_id(task['id'])}"
    assert [one["name"] for one in client.get(f"{path}/attachments").json()["value"]] == ["a.txt"]
    assert [one["displayName"] for one in client.get(f"{path}/checklistItems").json()["value"]] == ["one"]
    assert client.get(f"/v1.0/me/contacts/{rest_id(contact['id'])}/photo/$value").content == b"hello"
