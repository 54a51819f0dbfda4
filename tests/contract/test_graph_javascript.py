"""An independent client, npm's @microsoft/microsoft-graph-client under Node, works with the sandbox's Graph."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.graph.wire.ids import ews_id, rest_id
from sandbox.mailboxes.calendar.events import between
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.mailboxes.store import Mailbox
from sandbox.tls.authority import Authority
from tests.contract.exchange_server import ALEX, PEOPLE, claims, listening
from tests.contract.graph_client import delegated

HERE = Path(__file__).parent / "graph_javascript"
MODULES = Path(__file__).parents[2] / "sandbox" / "node_modules"


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    store = MailboxStore(PEOPLE, lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
    load_default(store, PEOPLE, messages=150)
    return store.mailbox(ALEX.address)


@pytest.fixture(scope="module")
def report(mailbox: Mailbox, authority: Authority) -> Iterator[dict[str, Any]]:
    """The client's report about its requests."""
    node = shutil.which("node")
    assert node, "Node is needed: make set-up"
    store = MailboxStore(PEOPLE)
    store.adopt(mailbox)
    with listening(application(GraphService(store, claims)), authority) as url:
        environment = {"NODE_EXTRA_CA_CERTS": str(authority.ca), "PATH": os.defpath, "HOME": str(HERE)}
        command = [node, str(HERE / "client.cjs"), f"{url}/", delegated(ALEX), str(MODULES)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)


def test_it_reads_the_person_and_the_tree(report: dict[str, Any], mailbox: Mailbox) -> None:
    assert report["me"] == ALEX.address
    wanted = [folder.name for folder in mailbox.top().below() if folder.folder_class == "IPF.Note"]
    assert sorted(report["folders"]) == sorted(wanted)


def test_it_reads_a_folder_in_pages_and_nothing_afterwards(report: dict[str, Any], mailbox: Mailbox) -> None:
    inbox = mailbox.distinguished["inbox"]
    assert set(report["inbox"]) == {rest_id(item.id) for item in inbox.items.values()}
    assert (len(report["inbox"]), report["later"]) == (inbox.total, 0)


def test_it_downloads_mime_byte_for_byte(report: dict[str, Any], mailbox: Mailbox) -> None:
    wanted = [mailbox.items[ews_id(one)].content() for one in report["inbox"][:3]]
    assert [base64.b64decode(raw) for raw in report["mimes"]] == wanted


def test_its_batches_are_answered_in_parts(report: dict[str, Any]) -> None:
    assert sorted(report["batched"]) == sorted(report["subjects"])


def test_it_views_a_week_in_its_own_zone(report: dict[str, Any], mailbox: Mailbox) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    items = mailbox.distinguished["calendar"].items.values()
    assert len(report["events"]) == sum(len(between(item, start, start + timedelta(days=7))) for item in items)
    assert {zone for _, zone in report["events"]} == {"W. Europe Standard Time"}


def test_it_reads_contacts_and_lists(report: dict[str, Any], mailbox: Mailbox) -> None:
    people = [item for item in mailbox.distinguished["contacts"].items.values() if item.element == "Contact"]
    assert len(report["contacts"]) == len(people)
    assert report["lists"] == ["defaultList", "flaggedEmails"]


def test_it_understands_errors(report: dict[str, Any]) -> None:
    assert report["refused"] == {"status": 400, "code": "ErrorInvalidIdMalformed", "hasRequestId": True}
