"""The API in the real worker: a mailbox is synced, read, and followed while it changes."""

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.local.local_stack import LocalStack
from shared.api.openapi import document
from tests.e2e.watching import Watched, insist, wait_for
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
OPERATOR = "robin@contoso.example"


class Program:
    """A program with an access token."""

    def __init__(self, stack: LocalStack, *roles: str) -> None:
        self._url = stack.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = stack.ca
        asked = {"person": OPERATOR, "kind": "api", "claims": {"roles": list(roles)}}
        token = stack.sandbox.control.post("/tokens", asked)["token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> requests.Response:
        """GET a path of the app."""
        return self._session.get(self._url + path, params=query, timeout=300)

    def changes(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Read a feed."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.content.splitlines()]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


@pytest.fixture(scope="module")
def reader(running_app: LocalStack) -> Iterator[Program]:
    program = Program(running_app, "Replica.Read")
    yield program
    program.close()


@pytest.fixture(scope="module")
def connected(running_app: LocalStack) -> Watched:
    """A small mailbox, synced once."""
    one = Watched(running_app, 20)
    one.sign_in()
    wait_for([one], one.mailbox.created_at)
    return one


def test_description_and_page_are_served_to_anybody(running_app: LocalStack, reader: Program) -> None:
    described = reader.get("/api/openapi.json")
    assert described.content == document()
    page = reader.get("/api/docs")
    assert page.status_code == 200
    assert "/api/v1/mailboxes/{mailbox}/items" in page.text


def test_synced_mailbox_is_read_item_by_item(connected: Watched, reader: Program) -> None:
    path = f"/api/v1/mailboxes/{connected.id}"
    items, cursor = list[dict[str, Any]](), ""
    while True:
        page = reader.get(f"{path}/items", limit=7, **({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            break
    assert {item["id"] for item in items} == {item.key for item in connected.parts.replica.items(connected.id)}
    message = next(item for item in items if item["kind"] == "message" and item["content"])
    content = reader.get(f"{path}/items/{message['id']}/content")
    assert content.headers["ETag"] == f'"{message["content"]["sha256"]}"'
    assert len(content.content) == message["content"]["size"]
    assert content.headers["Content-Security-Policy"].startswith("sandbox")
    parsed = reader.get(f"{path}/items/{message['id']}/parsed").json()
    assert parsed["text"] or parsed["html"]


def test_waiting_reader_gets_the_change_of_a_pass(connected: Watched, reader: Program) -> None:
    """Readers wait, more of them than the worker has threads, and other requests are answered meanwhile."""
    path = f"/api/v1/mailboxes/{connected.id}/changes"
    known = reader.changes(path, limit=10_000)[-1]["number"]
    found: list[list[dict[str, Any]]] = []

    def wait() -> None:
        own = Program(connected.stack, "Replica.Read")
        for _ in range(6):
            if lines := own.changes(path, after=known, wait=30):
                found.append(lines)
                break
        own.close()

    waiting = [threading.Thread(target=wait) for _ in range(12)]
    for thread in waiting:
        thread.start()
    assert reader.get("/api/health").status_code == 200
    items = connected.mailbox.items
    connected.change(["create"] * 4, 1)
    insist("a pass with new items", connected.ask, lambda: connected.mailbox.items > items)
    for thread in waiting:
        thread.join(200)
    assert len(found) == len(waiting)
    assert all(lines[0]["number"] > known for lines in found)


def test_feed_over_all_mailboxes_comes_to_the_change(connected: Watched, reader: Program) -> None:
    """First every mailbox's feed, then the change log, half a minute after the pass."""
    seen, position = set[str](), [""]

    def read(wait: int) -> bool:
        """Read on; returns whether there was nothing new."""
        query = {"after": position[0]} if position[0] else {}
        *changes, last = reader.changes("/api/v1/changes", limit=5_000, wait=wait, **query)
        position[0] = last["position"]
        seen.update(line["item"]["id"] for line in changes if line["mailbox_id"] == connected.id)
        return not changes

    eventually("the end of the feed", lambda: read(0), 120)
    before = {item.key for item in connected.parts.replica.items(connected.id)}
    assert before <= seen

    def new_items() -> set[str]:
        return {item.key for item in connected.parts.replica.items(connected.id)} - before

    connected.change(["create"] * 4, 2)
    insist("a pass with new items", connected.ask, lambda: bool(new_items()))
    connected.synced()
    new = new_items()
    eventually("the new item in the feed", lambda: not read(10) and new <= seen, 180)


def _blocks(heading: str) -> list[str]:
    """The code blocks of a section of docs/api.md."""
    section = (ROOT / "docs" / "api.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found, block = list[str](), list[str]()
    for line in [*section.splitlines(), ""]:
        if line.startswith("    ") or (block and not line):
            block.append(line[4:])
        elif block:
            found.append("\n".join(block).strip())
            block = []
    return [*found, "\n".join(block).strip()] if block else found


def test_documented_quick_start_leads_to_the_first_change(connected: Watched, tmp_path: Path) -> None:
    """The blocks of docs/api.md as they are, but for the sandbox's port and folder, and a folder of their own."""
    _azure, sandbox, asking, changing, python = _blocks("Quick start")
    (mirror,) = _blocks("A consumer that mirrors mailboxes")
    replica = connected.parts.replica
    keys = [item.key for item in replica.items(connected.id)]
    contents = {item.key: replica.content(connected.id, item) for item in replica.items(connected.id) if item.located}
    sandbox = sandbox.replace("https://localhost:7071", connected.stack.url)
    sandbox = sandbox.replace(".sandbox/endpoints.json", str(connected.stack.state / "endpoints.json"))
    asking = asking.replace("address=alex", f"address={connected.address}").replace("wait=30", "wait=1")
    changing = changing.replace("alex@contoso.example", connected.address)
    python = python.replace("address=alex", f"address={connected.address}")
    (tmp_path / "quick_start.py").write_text(
        f"import os\nAPP_URL, TOKEN = os.environ['APP_URL'], os.environ['TOKEN']\n{python}"
    )
    script = [
        "set -eu", sandbox, asking, "echo $ITEM > item", "export APP_URL TOKEN", "python3 quick_start.py",
        mirror.replace("docs/examples", str(ROOT / "docs" / "examples")), changing,
    ]  # fmt: skip
    (tmp_path / "quick_start.sh").write_text("\n".join(script))
    bash = ["bash", "quick_start.sh"]
    done = subprocess.run(bash, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert '"roles":["Operator"]' in done.stdout
    asked_for = (tmp_path / "item").read_text().strip()
    assert (tmp_path / "message.eml").read_bytes() == contents[asked_for]
    assert " create " in done.stdout
    with sqlite3.connect(tmp_path / "mirror.db") as db:
        mirrored = {row[0] for row in db.execute("SELECT id FROM item WHERE mailbox = ?", [connected.id])}
    db.close()
    assert mirrored == set(keys)
