"""Bulk jobs and webhooks in the API: who may use them, what they answer, and that no secret is stored or shown."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.api_server import ApiServer, body_of

NOBODY = "00000000-0000-0000-0000-000000000000"
"""A tenant that is not served."""


@pytest.fixture
def webhook(api: ApiServer) -> Iterator[dict[str, Any]]:
    """A registered endpoint of the sandbox's receivers."""
    url = f"{api.sandbox.endpoints['webhooks']}/contract"
    answer = api.ask("POST", "/webhooks", json_body={"url": url, "events": ["mailbox.erased"], "tenants": ["t1"]})
    assert answer.status_code == 201, answer.get_body()
    made: dict[str, Any] = body_of(answer)
    yield made
    assert api.ask("DELETE", f"/webhooks/{made['webhook']['id']}").status_code == 204


def test_roles_decide_who_may_use_jobs_and_webhooks(api: ApiServer, webhook: dict[str, Any]) -> None:
    path = f"/webhooks/{webhook['webhook']['id']}"
    for role, read, write in (("Operator.Read", 200, 403), ("Replica.Read", 403, 403)):
        for readable in ("/webhooks", path, f"{path}/deliveries", "/jobs"):
            assert api.ask("GET", readable, roles=(role,)).status_code == read, (role, readable)
        for body, writable in (({"command": "sync", "all": True}, "/jobs"), (None, f"{path}/rotate")):
            assert api.ask("POST", writable, roles=(role,), json_body=body).status_code == write, (role, writable)


def test_webhook_is_shown_changed_and_tested(api: ApiServer, webhook: dict[str, Any]) -> None:
    path = f"/webhooks/{webhook['webhook']['id']}"
    assert webhook["verification"] == {"status": 200, "fault": ""}
    assert webhook["secret"].startswith("whsec_")
    shown = body_of(api.ask("GET", path))
    assert (shown, shown["events"], shown["tenants"]) == (webhook["webhook"], ["mailbox.erased"], ["t1"])
    changed = body_of(api.ask("PATCH", path, json_body={"description": "CRM", "events": []}))
    assert (changed["description"], changed["events"], changed["tenants"]) == ("CRM", [], ["t1"])
    assert body_of(api.ask("POST", f"{path}/verify"))["webhook"]["verified_at"]
    tested = body_of(api.ask("POST", f"{path}/test"))
    assert (tested["status"], tested["answer"]) == ("delivered", 204)
    assert body_of(api.ask("GET", f"{path}/deliveries", limit="1"))["deliveries"] == [tested]
    assert body_of(api.ask("POST", f"{path}/redeliver")) == {"queued": 0}
    assert webhook["secret"] not in str(body_of(api.ask("GET", "/webhooks")))


def test_url_registered_twice_is_refused_with_the_existing_endpoint(api: ApiServer, webhook: dict[str, Any]) -> None:
    first = webhook["webhook"]
    other = body_of(api.ask("POST", "/webhooks", json_body={"url": first["url"] + "2"}))["webhook"]
    for method, path in (("POST", "/webhooks"), ("PATCH", f"/webhooks/{other['id']}")):
        refused = api.ask(method, path, json_body={"url": first["url"]})
        problem = body_of(refused)
        assert (refused.status_code, problem["code"]) == (409, "webhook_exists")
        assert (problem["parameter"], problem["existing"]) == ("url", first["id"])
        assert first["id"] in problem["detail"]
        assert first["id"] in problem["remedy"]
    assert api.ask("DELETE", f"/webhooks/{other['id']}").status_code == 204


@pytest.mark.parametrize(
    ("fields", "parameter", "expected"),
    [
        ({"url": "http://crm.example/"}, "url", "an https:// URL"),
        ({"url": "https://crm.example:25/"}, "url", "port 443"),
        ({"url": "https://169.254.169.254/"}, "url", "a public address"),
        ({"url": "https://user@crm.example/"}, "url", "without a user name"),
        ({"url": "https://crm.example/", "tenants": ["a b"]}, "tenants", "tenant ids"),
        ({"url": "https://crm.example/", "description": "a\nb"}, "description", "printable characters"),
        ({"url": "https://crm.example/", "secret": "weak"}, "secret", "24 to 64 bytes"),
        ({"url": "https://crm.example/", "events": ["mailbox.sneezed"]}, "events", "mailbox.connected"),
    ],
)
def test_refused_webhook_names_its_field_and_what_is_expected(
    api: ApiServer, fields: dict[str, Any], parameter: str, expected: str
) -> None:
    refused = body_of(api.ask("POST", "/webhooks", json_body=fields))
    assert (refused["status"], refused["parameter"]) == (400, parameter)
    assert expected in refused["expected"]
    assert expected in refused["detail"]


def test_answer_with_a_secret_takes_no_idempotency_key(api: ApiServer, webhook: dict[str, Any]) -> None:
    url = f"{api.sandbox.endpoints['webhooks']}/keyed"
    for path, body in (("/webhooks", {"url": url}), (f"/webhooks/{webhook['webhook']['id']}/rotate", None)):
        answer = api.ask("POST", path, json_body=body, headers={"Idempotency-Key": "k1"})
        assert (answer.status_code, body_of(answer)["parameter"]) == (400, "Idempotency-Key")
        assert "must be left out here" in body_of(answer)["detail"]
    assert [one["url"] for one in body_of(api.ask("GET", "/webhooks"))["webhooks"]].count(url) == 0


@pytest.mark.parametrize(
    ("path", "body", "parameter"),
    [
        ("/webhooks", {"url": "https://10.0.0.1/"}, "url"),
        ("/webhooks", {"url": "https://crm.example/", "events": ["mailbox.sneezed"]}, "events"),
        ("/webhooks", {"url": "https://crm.example/", "colour": "red"}, "colour"),
        ("/jobs", {"command": "sneeze", "all": True}, "command"),
        ("/jobs", {"command": "pause"}, "all, filter, mailboxes"),
        ("/jobs", {"command": "pause", "all": True, "mailboxes": ["a"]}, "all, filter, mailboxes"),
        ("/jobs", {"command": "pause", "addresses": ["a@contoso.example"]}, "addresses"),
        ("/jobs", {"command": "pause", "filter": {"status": "asleep"}}, "filter.status"),
        ("/jobs", {"command": "erase", "all": True}, "filter"),
        ("/jobs", {"command": "activate", "addresses": ["a@contoso.example"]}, "authorization, tenant"),
    ],
)
def test_wrong_field_is_named(api: ApiServer, path: str, body: dict[str, Any], parameter: str) -> None:
    answer = api.ask("POST", path, json_body=body)
    assert (answer.status_code, body_of(answer)["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    ("path", "body", "parameter", "expected"),
    [
        ("/jobs", {"command": "sneeze", "all": True}, "command", "activate, check, sync"),
        ("/jobs", {"command": "pause", "all": False}, "all", "true, or left out"),
        ("/jobs", {"command": "pause", "mailboxes": []}, "mailboxes", "1 to 100000 ids of mailboxes"),
        ("/jobs", {"command": "pause", "filter": {"status": "asleep"}}, "filter.status", "active, paused"),
        ("/jobs", {"command": "erase", "all": True}, "filter", "disconnect and erase do not take all"),
        ("/jobs", {"command": "move", "all": True, "to": "imap"}, "to", "one of ews, graph, or empty"),
        (
            "/jobs",
            {"command": "hold", "all": True, "reason": "a\nb"},
            "reason",
            "a text of 1 to 500 printable characters",
        ),
        ("/jobs", {"command": "activate", "addresses": ["a\nb"], "tenant": NOBODY}, "addresses", "addresses or names"),
        ("/jobs", {"command": "activate", "csv": "", "tenant": NOBODY}, "csv", "addresses or names"),
        ("/activations", {"csv": "a", "tenant": "x"}, "tenant", "a text that matches"),
        ("/moves", {"to": "imap", "all": True}, "to", "one of ews, graph, or empty"),
        ("/moves", {"to": "graph", "all": False}, "all", "true, or left out"),
        (
            "/jobs",
            {"command": "activate", "addresses": ["a"], "tenant": NOBODY, "group": "none"},
            "group",
            "GET /groups",
        ),
        ("/jobs", {"command": "group", "all": True, "group": "none"}, "group", "make the group first"),
        ("/invitations", {"address": "a@b.example", "group": "none"}, "group", "make the group first"),
        ("/invitations", {"address": "nobody"}, "address", "an email address"),
        ("/invitations", {"address": "a@b.example", "reference": "a\nb"}, "reference", "printable characters"),
    ],
)
def test_wrong_value_of_a_command_says_what_is_expected(
    api: ApiServer, path: str, body: dict[str, Any], parameter: str, expected: str
) -> None:
    refused = body_of(api.ask("POST", path, json_body=body))
    assert (refused["status"], refused["parameter"]) == (400, parameter)
    assert expected in refused["expected"]
    assert expected in refused["detail"]


def test_list_of_names_to_activate_is_named_by_its_field(api: ApiServer) -> None:
    tenant = api.app.settings.operator_tenant
    for fields, parameter in (({"addresses": []}, "addresses"), ({"csv": " "}, "csv")):
        refused = body_of(api.ask("POST", "/activations", json_body=fields | {"tenant": tenant}))
        assert (refused["parameter"], "1 to 500 addresses or names" in refused["expected"]) == (parameter, True)


@pytest.mark.parametrize(
    ("path", "body", "missing"),
    [
        ("/moves", {"to": "graph", "mailboxes": ["none"]}, "mailbox"),
        ("/activations", {"addresses": ["a@b.example"], "authorization": "none"}, "service account"),
    ],
)
def test_problem_says_what_a_body_names_and_does_not_exist(
    api: ApiServer, path: str, body: dict[str, Any], missing: str
) -> None:
    answer = api.ask("POST", path, json_body=body)
    assert (answer.status_code, body_of(answer)["missing"]) == (404, missing)


def test_job_is_created_once_with_a_key_followed_and_canceled(api: ApiServer) -> None:
    body = {"command": "pause", "filter": {"prefix": "nobody-begins-so", "status": "active"}}
    made, again = (api.ask("POST", "/jobs", json_body=body, headers={"Idempotency-Key": "job-1"}) for _ in range(2))
    assert (made.status_code, again.get_body()) == (202, made.get_body())
    job = body_of(made)["job"]
    assert (job["command"], job["filter"]) == ("pause", {"prefix": "nobody-begins-so", "status": "active"})
    assert body_of(made)["state"] == "planning"
    assert body_of(api.ask("POST", f"/jobs/{job['id']}/cancel"))["state"] == "canceled"
    assert body_of(api.ask("GET", f"/jobs/{job['id']}"))["left"] == 0
    assert job["id"] in [one["id"] for one in body_of(api.ask("GET", "/jobs"))["jobs"]]
    acts = [entry["act"] for entry in body_of(api.ask("GET", f"/audit/{job['id']}"))["entries"]]
    assert acts == ["job_cancel", "job_pause"]
    assert api.ask("GET", "/jobs/none").status_code == 404
