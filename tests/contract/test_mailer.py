"""The mailer on Azure Communication Services' stand-in, and the queue of notices."""

import json
from collections.abc import Iterator, Mapping
from datetime import date

import pytest
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy

from sandbox.local.sandbox_process import Sandbox
from shared.errors import OperatorMustAct, RetryLater
from shared.notices.communication_email import CommunicationMailer
from shared.notices.model import Mail, NoticeKind
from shared.notices.queue import NOTICES, StorageNoticeQueue
from tests.conftest import Azurite, Faults

MAIL = Mail(("ada@contoso.example", "bo@contoso.example"), "Subject: ä", "Text\n\nhttps://sync.contoso.example/\n")


@pytest.fixture
def mailer(sandbox: Sandbox, credential: DefaultAzureCredential) -> Iterator[CommunicationMailer]:
    sandbox.control.delete("/mails")
    yield CommunicationMailer(sandbox.endpoints["mail"], "sync@contoso.example", credential)
    sandbox.control.delete("/mails")


def test_a_mail_arrives_as_it_is_and_once(mailer: CommunicationMailer, sandbox: Sandbox) -> None:
    key = "3f2b8a94-6d1c-4e57-9a0b-1c2d3e4f5a6b"
    for _ in range(2):
        mailer.send(MAIL, key)
    (arrived,) = sandbox.control.get("/mails")["mails"]
    assert arrived == {
        "id": key,
        "from": "sync@contoso.example",
        "to": list(MAIL.to),
        "subject": MAIL.subject,
        "text": MAIL.text,
    }


@pytest.mark.parametrize(("status", "error"), [(401, OperatorMustAct), (403, OperatorMustAct), (503, RetryLater)])
def test_a_refusal_is_the_operators_and_an_outage_is_retried(
    mailer: CommunicationMailer, faults: Faults, status: int, error: type[Exception]
) -> None:
    faults.add("mail", {"kind": "status", "status": status, "body": "{}"})
    with pytest.raises(error):
        mailer.send(MAIL, "3f2b8a94-6d1c-4e57-9a0b-1c2d3e4f5a6c")


def test_a_message_of_the_queue_has_ids_alone(
    storage: Azurite, credential: DefaultAzureCredential, azure_environment: Mapping[str, str]
) -> None:
    with QueueServiceClient(storage.queue, credential=credential) as queues:
        queue = StorageNoticeQueue(queues)
        queue.send("ab12", NoticeKind.SIGN_IN, "m1")
        queue.send_digest(date(2026, 11, 23))
        client = queues.get_queue_client(NOTICES, message_decode_policy=TextBase64DecodePolicy())
        found = [json.loads(message.content) for message in client.receive_messages(max_messages=10)]
        client.clear_messages()
    assert {"event": "ab12", "kind": "sign-in", "mailbox": "m1"} in found
    assert {"digest": "2026-11-23"} in found
