"""Bulk jobs in the whole app: created by the API, run by the queue, with progress and an audit trail."""

from typing import Any

from sandbox.local.local_stack import LocalStack
from tests.e2e.people import new_person
from tests.e2e.webhook_receiver import Hook
from tests.waiting import eventually

NUMBER = 12


def done(hook: Hook, **fields: object) -> dict[str, Any]:
    """Create a job and wait for its end."""
    answer = hook.call("POST", "/api/v1/jobs", json=fields)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job"]["id"]

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = hook.call("GET", f"/api/v1/jobs/{job_id}").json()
        return found if found["state"] == "done" else None

    return eventually(f"the job {fields['command']}", look)


def test_many_mailboxes_are_activated_paused_and_erased(running_app: LocalStack, hook: Hook) -> None:
    sandbox, registry = running_app.sandbox, running_app.parts().registry
    tenant = next(iter(sandbox.endpoints["tenants"].values()))
    addresses = [new_person(sandbox) for _ in range(NUMBER)]
    wrong = "nobody-is-called-so@contoso.example"
    activated = done(hook, command="activate", addresses=[*addresses, wrong], tenant=tenant)
    assert (activated["done"], activated["failed"], activated["left"]) == (NUMBER, 1, 0)
    assert [(failure["target"], failure["reason"]) for failure in activated["failures"]] == [(wrong, "no_mailbox")]
    ids = [mailbox.id for address in addresses if (mailbox := registry.at_address(tenant, address))]
    assert done(hook, command="check", mailboxes=ids)["done"] == NUMBER
    assert done(hook, command="pause", mailboxes=ids)["done"] == NUMBER
    assert {registry.get(one).status.value for one in ids} == {"paused"}
    one = done(hook, command="start", filter={"prefix": addresses[0], "status": "paused"})
    assert (one["total"], one["done"]) == (1, 1)
    trail = hook.call("GET", f"/api/v1/audit/{ids[0]}").json()["entries"]
    assert {"activate", "pause", "start"} <= {entry["act"] for entry in trail}
    assert done(hook, command="erase", mailboxes=ids)["done"] == NUMBER
    assert [address for address in addresses if registry.at_address(tenant, address)] == []
    refused = hook.call("POST", "/api/v1/jobs", json={"command": "erase", "all": True})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "filter")
