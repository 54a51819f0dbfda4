"""The operator's API for moves between EWS and Graph: what it refuses, a dry run, a move, the way back, the report."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests

from sandbox.local.local_stack import LocalStack
from shared.sources.model import SourceName
from tests.e2e.people import new_person
from tests.e2e.person import Person
from tests.e2e.watching import Watched, insist, wait_for

OPERATOR = "robin@contoso.example"
UNKNOWN = "0" * 32

type Call = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def api(running_app: LocalStack) -> Call:
    """The API, called with an operator's token."""
    token = running_app.sandbox.control.post("/tokens", {"person": OPERATOR, "kind": "api"})["token"]
    caller = Person(running_app, OPERATOR)
    return partial(_call, caller, token)


def _call(caller: Person, token: str, method: str, path: str, **more: Any) -> requests.Response:
    return caller.ask(method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, **more)


@pytest.fixture(scope="module")
def connected(running_app: LocalStack) -> Watched:
    """A small mailbox, synced once over EWS."""
    one = Watched(running_app, 20)
    one.sign_in()
    wait_for([one], one.mailbox.created_at)
    return one


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "to"),
        ({"to": "graph"}, "mailboxes, tenant, all"),
        ({"to": "graph", "all": True, "tenant": "t"}, "mailboxes, tenant, all"),
        ({"to": "graph", "all": False}, "all"),
        ({"to": "graph", "tenant": ""}, "tenant"),
        ({"to": "graph", "tenant": 7}, "tenant"),
        ({"to": "graph", "mailboxes": "all"}, "mailboxes"),
        ({"to": "graph", "mailboxes": [7]}, "mailboxes"),
        ({"to": "graph", "mailboxes": ["../../x"]}, "mailboxes"),
        ({"mailboxes": [UNKNOWN]}, "to"),
        ({"to": "imap", "mailboxes": [UNKNOWN]}, "to"),
        ({"to": ["graph"], "mailboxes": [UNKNOWN]}, "to"),
        ({"to": "graph", "mailboxes": [UNKNOWN], "dry_run": "yes"}, "dry_run"),
        ({"to": "graph", "mailboxes": [UNKNOWN], "force": 1}, "force"),
        ({"to": "graph", "mailboxes": [UNKNOWN], "dryrun": True}, "dryrun"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_malformed_move_names_the_field_at_fault(api: Call, body: dict[str, object], parameter: str) -> None:
    answer = api("POST", "moves", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["parameter"] == parameter


def test_move_takes_one_method_and_one_json_object(api: Call) -> None:
    assert api("GET", "moves").status_code == 405
    assert api("POST", "moves", data="to=graph").status_code == 415
    assert api("POST", "moves", json=["graph"]).status_code == 400
    assert api("POST", "moves", json={"mailboxes": ["x" * 300_000]}).status_code == 413


def test_unknown_mailbox_is_not_found_and_no_other_is_moved(api: Call, connected: Watched) -> None:
    body = {"to": "graph", "mailboxes": [connected.id, UNKNOWN]}
    assert api("POST", "moves", json=body).status_code == 404
    assert connected.mailbox.moving_to is None
    assert api("GET", f"mailboxes/{UNKNOWN}/parity").status_code == 404
    assert api("GET", "mailboxes/a'b/parity").status_code == 404


def test_parity_is_read_and_nothing_else_is(api: Call, connected: Watched) -> None:
    assert api("GET", f"mailboxes/{connected.id}/erase").status_code == 405
    assert api("POST", f"mailboxes/{connected.id}/parity").status_code == 405


def test_persons_and_strangers_move_nothing(running_app: LocalStack, connected: Watched) -> None:
    person = Person(running_app, new_person(running_app.sandbox))
    token = running_app.sandbox.control.post("/tokens", {"person": person.address, "kind": "api"})["token"]
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {token}"}, 403)):
        body = {"to": "graph", "mailboxes": [connected.id]}
        assert person.ask("POST", "/api/v1/moves", json=body, headers=headers).status_code == status
        assert person.ask("GET", f"/api/v1/mailboxes/{connected.id}/parity", headers=headers).status_code == status
    assert connected.mailbox.moving_to is None


def test_dry_run_reports_then_a_move_and_the_way_back(api: Call, connected: Watched) -> None:
    path = f"mailboxes/{connected.id}/parity"
    assert api("GET", path).status_code == 404

    answer = api("POST", "moves", json={"to": "graph", "mailboxes": [connected.id], "dry_run": True})
    assert answer.status_code == 202
    (listed,) = answer.json()["mailboxes"]
    assert (listed["id"], listed["moving_to"], listed["move_dry"]) == (connected.id, "graph", True)
    report = _reported(api, connected, "surveyed", SourceName.EWS)
    assert (report["from"], report["to"], report["outcome"]) == ("ews", "graph", "surveyed")
    assert report["total"]["same"] > 0
    assert report["total"]["gone"] == report["total"]["changed"] == 0
    assert connected.address not in api("GET", path).text

    for target in ("graph", "ews"):
        assert api("POST", "moves", json={"to": target, "mailboxes": [connected.id]}).status_code == 202
        report = _reported(api, connected, "moved", SourceName(target))
        assert (report["to"], report["total"]["gone"]) == (target, 0)


def test_a_move_that_was_not_made_is_taken_back(api: Call, connected: Watched) -> None:
    tenant = connected.mailbox.tenant_id
    assert api("POST", "moves", json={"to": "graph", "tenant": f"no-{tenant}"}).json() == {"mailboxes": []}
    target = "graph" if connected.mailbox.source is SourceName.EWS else "ews"
    api("POST", "moves", json={"to": target, "mailboxes": [connected.id]})
    answer = api("POST", "moves", json={"to": "", "mailboxes": [connected.id]})
    assert answer.status_code == 202
    assert connected.mailbox.moving_to is None


def _reported(api: Call, one: Watched, outcome: str, source: SourceName) -> dict[str, Any]:
    """The parity report of the move that was asked for, once its passes have made it."""
    insist("the report", one.ask, lambda: one.mailbox.moving_to is None and one.mailbox.source is source)
    report: dict[str, Any] = api("GET", f"mailboxes/{one.id}/parity").json()
    assert report["outcome"] == outcome, report
    return report
