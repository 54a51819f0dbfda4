"""The documented receiver in JavaScript, at deliveries that this program signs and sends."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from sandbox.tls.authority import Authority
from shared.sources.bounded_tls import tls_context
from shared.webhooks.https_client import HttpsWebhookClient
from shared.webhooks.model import TEST_EVENT, VERIFICATION_EVENT, Answer, SigningSecrets, event_body
from shared.webhooks.signing import new_secret, signed_headers

RECEIVER = Path(__file__).parents[2] / "docs" / "examples" / "receive_webhooks.mjs"
SECRET = new_secret()
BODY = event_body(TEST_EVENT, datetime(2026, 11, 23, 12, tzinfo=UTC), {"endpoint_id": "e1"})


@dataclass
class Receiver:
    """The receiver in a process of its own, and the client that deliveries are sent with."""

    url: str
    printed: IO[str]
    client: HttpsWebhookClient

    def post(
        self, secrets: SigningSecrets, event_id: str, *, sent: str = BODY, late: timedelta = timedelta()
    ) -> Answer:
        """Sign BODY as of `late` before now, and send `sent`."""
        headers = signed_headers(secrets, event_id, BODY, datetime.now(UTC) - late)
        return self.client.post(self.url, headers, sent.encode())

    def event(self) -> Any:
        """The next event that it prints."""
        return json.loads(self.printed.readline())


@pytest.fixture(scope="module")
def receiver(authority: Authority) -> Iterator[Receiver]:
    node = shutil.which("node")
    assert node, "Node is needed: make set-up"
    command = [node, str(RECEIVER), "0", str(authority.certificate), str(authority.key)]
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET}  # noqa: TID251 -- of another program
    client = HttpsWebhookClient(lambda: tls_context(str(authority.ca)), ["localhost"], lambda host, port: ["127.0.0.1"])
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- ours
        try:
            assert process.stdout is not None
            port = process.stdout.readline().removeprefix("listening on ").strip()
            yield Receiver(f"https://localhost:{port}/", process.stdout, client)
        finally:
            process.kill()


def test_signed_delivery_is_verified_and_printed_once(receiver: Receiver) -> None:
    for event_id in ("msg_1", "msg_1", "msg_2"):
        assert receiver.post(SigningSecrets(SECRET), event_id).status == 204
    assert [receiver.event(), receiver.event()] == [json.loads(BODY)] * 2


def test_delivery_is_verified_with_either_secret_while_rotating(receiver: Receiver) -> None:
    rotated = SigningSecrets(new_secret(), SECRET, datetime.now(UTC) + timedelta(hours=1))
    assert receiver.post(rotated, "msg_3").status == 204
    assert receiver.event() == json.loads(BODY)


@pytest.mark.parametrize(
    ("secret", "sent", "late"),
    [
        (new_secret(), BODY, timedelta()),
        (SECRET, BODY.replace("e1", "e2"), timedelta()),
        (SECRET, BODY, timedelta(hours=1)),
        (SECRET, BODY, timedelta(hours=-1)),
    ],
    ids=["other secret", "other body", "too old", "too new"],
)
def test_delivery_that_is_not_ours_is_refused(receiver: Receiver, secret: str, sent: str, late: timedelta) -> None:
    assert receiver.post(SigningSecrets(secret), "msg_4", sent=sent, late=late).status == 401


def test_unsigned_request_is_refused(receiver: Receiver) -> None:
    assert receiver.client.post(receiver.url, {"webhook-id": "msg_5"}, BODY.encode()).status == 401


def test_challenge_is_returned(receiver: Receiver) -> None:
    body = event_body(VERIFICATION_EVENT, datetime.now(UTC), {"challenge": "x9k"})
    headers = signed_headers(SigningSecrets(SECRET), "msg_6", body, datetime.now(UTC))
    answer = receiver.client.post(receiver.url, headers, body.encode())
    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "x9k"})


def test_document_shows_the_verification_of_the_receiver() -> None:
    """The page repeats the function, so that what it shows is what is tested here."""
    page = (RECEIVER.parents[1] / "webhooks.md").read_text(encoding="utf-8")
    source = RECEIVER.read_text(encoding="utf-8")
    function = source[
        source.index("function verified(") : source.index("\n}\n", source.index("function verified(")) + 2
    ]
    assert "\n".join(f"    {line}" for line in function.splitlines()) in page
