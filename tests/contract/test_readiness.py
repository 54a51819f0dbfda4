"""GET /api/ready on the sandbox's Storage, Key Vault and Entra ID."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue import QueueClient

from functions.readiness import ready
from shared.app import App
from shared.mailboxes.queue import MAILBOXES
from shared.readiness.queue import oldest_wait
from tests.contract.api_server import ApiServer
from tests.fakes.clock import FakeClock

DEPENDENCIES = ["blob_storage", "queue_storage", "table_storage", "key_vault", "entra_keys", "queue_age"]


def ask(api: ApiServer, *roles: str, **query: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {api.token(*roles)}"} if roles else {}
    answer = ready(func.HttpRequest("GET", "https://localhost/api/ready", headers=headers, params=query, body=b""))
    return answer.status_code, json.loads(answer.get_body())


@pytest.fixture
def queue(api: ApiServer) -> QueueClient:
    client = api.app.queues.get_queue_client(MAILBOXES)
    client.clear_messages()
    return client


@pytest.fixture(autouse=True)
def asked_anew(api: ApiServer) -> None:
    """No answer is kept from the test before."""
    vars(api.app).pop("readiness", None)


@pytest.mark.parametrize("role", ["Operator", "Operator.Read"])
def test_every_dependency_answers_with_its_latency(api: ApiServer, queue: QueueClient, role: str) -> None:
    status, body = ask(api, role)
    assert (status, body["status"]) == (200, "ready"), body
    assert [one["name"] for one in body["dependencies"]] == DEPENDENCIES
    assert all(one["status"] == "ok" and one["milliseconds"] >= 0 for one in body["dependencies"])
    assert body["dependencies"][-1]["age_seconds"] == 0


def test_only_those_who_may_read_the_state_are_answered(api: ApiServer) -> None:
    assert ask(api)[0] == 401
    assert ask(api, "Replica.Read")[0] == 403
    assert ask(api, "Operator", verbose="1")[0] == 400


def test_message_that_waits_too_long_makes_the_app_not_ready(api: ApiServer, queue: QueueClient) -> None:
    api.app.queue.send_mailbox("mailbox-1", scheduled=datetime.now(UTC) - timedelta(hours=1))
    status, body = ask(api, "Operator")
    queue.clear_messages()
    assert (status, body["status"]) == (503, "not_ready")
    assert [one["name"] for one in body["dependencies"] if one["status"] != "ok"] == ["queue_age"]
    assert body["dependencies"][-1]["status"] == "late"
    assert body["dependencies"][-1]["age_seconds"] >= 3600


def test_service_that_cannot_be_reached_is_named(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_AUTHORITY", "https://127.0.0.1:9")
    found = {one.name: one.status for one in App().readiness.check().dependencies}
    assert found.pop("entra_keys") == "unavailable"
    assert set(found.values()) == {"ok"}


def test_age_of_the_queue_is_that_of_its_first_message(api: ApiServer, queue: QueueClient) -> None:
    clock = FakeClock()
    api.app.queue.send_mailbox("mailbox-1", scheduled=clock())
    clock.pass_by(minutes=20)
    assert oldest_wait(api.app.queues, (MAILBOXES,), clock) == pytest.approx(1200, abs=1)
    queue.clear_messages()
    api.app.queue.send_mailbox("mailbox-1")
    clock.pass_by(days=3650)
    assert oldest_wait(api.app.queues, (MAILBOXES,), clock) == 0
    queue.clear_messages()
    api.app.queue.send_mailbox("mailbox-1", continuation=3)
    assert oldest_wait(api.app.queues, (MAILBOXES,), clock) > 86_400
    queue.clear_messages()
    queue.send_message("not ours")
    assert oldest_wait(api.app.queues, (MAILBOXES,), clock) > 86_400
    queue.clear_messages()
