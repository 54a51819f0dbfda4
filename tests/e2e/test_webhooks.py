"""Webhooks in the whole app: registered by the API, verified by the receiver; test_kill.py kills the app meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.local.local_stack import LocalStack, free_port
from shared.webhooks.signing import new_secret
from tests.e2e.watching import Watched
from tests.e2e.webhook_receiver import Hook
from tests.waiting import eventually

SEED = 20261128
RECEIVER = Path(__file__).parents[2] / "docs" / "examples" / "receive_webhooks.py"


def test_receiver_verifies_what_happens_to_a_mailbox(
    running_app: LocalStack, hook: Hook, sign_in: Callable[[str], str]
) -> None:
    made = hook.register(description="CRM")
    assert made["webhook"]["verified_at"]
    assert made["verification"] == {"status": 200, "fault": ""}
    assert hook.call("POST", f"/{hook.id}/test").json()["status"] == "delivered"
    one = Watched(running_app, 4)
    one.sign_in()
    eventually("connected", lambda: hook.received("mailbox.connected", one.id))
    first = eventually("synced", lambda: hook.received("mailbox.synced", one.id))[0]
    assert (first["after"], first["created"]) == (0, first["items"])
    one.change(["create"], SEED)
    one.synced()
    second = eventually("the change", lambda: hook.received("mailbox.synced", one.id)[1:])[0]
    assert (second["after"], second["created"]) == (first["feed"], 1)
    assert second["feed"] == one.parts.replica.load(one.id).sequence
    position = second["changes_after"]
    changes = hook.call("GET", f"/api/v1/mailboxes/{one.id}/changes?after={position}").text.splitlines()
    assert [json.loads(line)["change"] for line in changes] == ["create"]
    shown = hook.call("GET", f"/{hook.id}/deliveries?limit=200").json()["deliveries"]
    assert {row["event_type"] for row in shown if row["mailbox_id"] == one.id} == {
        "mailbox.connected",
        "mailbox.synced",
    }
    assert all(row["status"] == "delivered" for row in shown if row["mailbox_id"] == one.id)
    listed = hook.call("GET").json()["webhooks"]
    assert [row["description"] for row in listed if row["id"] == hook.id] == ["CRM"]
    assert hook.secret not in str(listed)


def test_documented_receiver_prints_verified_events(running_app: LocalStack, hook: Hook) -> None:
    endpoints, port, secret = running_app.sandbox.endpoints, free_port(), new_secret()
    words = [sys.executable, str(RECEIVER), str(port), endpoints["server_certificate"], endpoints["server_key"]]
    environment = {**os.environ, "WEBHOOK_SECRET": secret}  # noqa: TID251 -- of another program
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as receiver:  # noqa: S603 -- ours
        try:
            assert receiver.stdout is not None
            assert receiver.stdout.readline() == "listening\n"
            made = hook.call("POST", json={"url": f"https://127.0.0.1:{port}/", "secret": secret}).json()
            hook.id = made["webhook"]["id"]
            assert made["webhook"]["verified_at"]
            assert hook.call("POST", f"/{hook.id}/test").json()["status"] == "delivered"
            assert json.loads(receiver.stdout.readline())["type"] == "webhook.test"
        finally:
            receiver.kill()


def test_secret_is_rotated_without_a_refused_delivery(running_app: LocalStack, hook: Hook) -> None:
    hook.register(events=["mailbox.erased"])
    rotated = hook.call("POST", f"/{hook.id}/rotate").json()["secret"]
    assert rotated != hook.secret
    assert hook.call("POST", f"/{hook.id}/test").json()["answer"] == 204
    running_app.sandbox.control.patch(f"/webhooks/{hook.name}", {"secrets": [rotated]})
    assert hook.call("POST", f"/{hook.id}/test").json()["answer"] == 204
    running_app.sandbox.control.patch(f"/webhooks/{hook.name}", {"secrets": ["whsec_" + "A" * 32]})
    assert hook.call("POST", f"/{hook.id}/test").json()["answer"] == 401


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"url": "https://169.254.169.254/metadata"}, "url"),
        ({"url": "http://crm.example/"}, "url"),
        ({"url": "https://crm.example/", "events": ["mailbox.sneezed"]}, "events"),
        ({"url": "https://crm.example/", "secret": "weak"}, "secret"),
        ({"url": "https://crm.example/", "colour": "red"}, "colour"),
        ({}, "url"),
    ],
)
def test_wrong_registration_is_refused_and_named(
    running_app: LocalStack, hook: Hook, fields: dict[str, object], parameter: str
) -> None:
    answer = hook.call("POST", json=fields)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["parameter"] == parameter
