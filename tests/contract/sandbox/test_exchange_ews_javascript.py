"""An independent client, npm's ews-javascript-api under Node, works with the sandbox's Exchange."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.ews import EwsService
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.tls.authority import Authority
from tests.contract.exchange_server import ALEX, PEOPLE, Served, claims, delegated, served

HERE = Path(__file__).parent / "ews_javascript"
MODULES = Path(__file__).parents[3] / "sandbox" / "node_modules"


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Served]:
    exchange = EwsService(MailboxStore(PEOPLE), claims)
    load_default(exchange.store, PEOPLE, messages=150)
    with served(exchange, authority) as running:
        yield running


@pytest.fixture(scope="module")
def expected(server: Served) -> dict[str, bytes | None]:
    """The inbox before the client's changes: the bytes of every message by its id."""
    inbox = server.mailbox(ALEX).distinguished["inbox"]
    return {item.id: item.content() for item in inbox.items.values()}


@pytest.fixture(scope="module")
def report(server: Served, expected: dict[str, bytes | None]) -> dict[str, Any]:
    """The client's report about its requests."""
    node = shutil.which("node")
    assert node, "Node is needed: make set-up"
    environment = {"NODE_EXTRA_CA_CERTS": str(server.ca), "PATH": os.defpath, "HOME": str(HERE)}
    command = [node, str(HERE / "client.cjs"), server.url, delegated(ALEX), str(MODULES)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_it_finds_every_folder(report: dict[str, Any], server: Served) -> None:
    known = {folder.id: folder.name for folder in server.mailbox(ALEX).top().below()}
    assert {folder["id"]: folder["name"] for folder in report["folders"]} == known


def test_it_syncs_the_inbox_page_by_page(report: dict[str, Any], expected: dict[str, bytes | None]) -> None:
    assert {change["kind"] for change in report["synced"]} == {"Create"}
    assert [change["id"] for change in report["synced"]] == list(expected)


def test_it_gets_every_message_byte_for_byte(report: dict[str, Any], expected: dict[str, bytes | None]) -> None:
    assert {item["id"]: base64.b64decode(item["mime"]) for item in report["fetched"]} == expected


def test_what_it_puts_in_comes_out_byte_for_byte_also_after_a_move(report: dict[str, Any]) -> None:
    sent = report["sent"]
    assert sent["mime"] == sent["afterMove"] == sent["raw"]
    assert sent["id"] != sent["movedTo"]


def test_only_the_read_flag_is_told_later_and_nothing_that_came_and_went(report: dict[str, Any]) -> None:
    assert report["later"] == [{"kind": "ReadFlagChange"} | report["flipped"]]


def test_it_finds_items_and_resolves_names(report: dict[str, Any], expected: dict[str, bytes | None]) -> None:
    assert report["found"]["total"] == len(expected)
    assert set(report["found"]["ids"]) <= set(expected)
    assert report["resolved"] == ALEX.address
