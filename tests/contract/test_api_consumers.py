"""Programs of others against the API: the documented consumer, and a client that was generated from the description."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import azure.functions as func
import msgspec

from shared.api.paging import encode_cursor
from shared.mailboxes.model import Mailbox
from shared.replica.change_log.port import entry_key
from shared.replica.port import FeedChange, FeedKind, item_key
from tests.contract.api_server import OPERATOR, ApiServer, body_of
from tests.unit.replica.samples import an_item, created, cursor_with, folder

ROOT = Path(__file__).parents[2]
MIRROR = ROOT / "docs" / "examples" / "mirror.py"


def mirrored(database: Path, mailbox: Mailbox) -> set[str]:
    """The items of a mailbox in the mirror."""
    with sqlite3.connect(database) as db:
        found = {row[0] for row in db.execute("SELECT id FROM item WHERE mailbox = ?", [mailbox.id])}
    db.close()
    return found


def run(url: str, token: str, database: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "APP_URL": url, "TOKEN": token}  # noqa: TID251 -- of another program
    return subprocess.Popen([sys.executable, str(MIRROR), str(database)], env=environment)  # noqa: S603 -- ours


def test_documented_consumer_mirrors_a_mailbox(api: ApiServer, tmp_path: Path) -> None:
    """It is killed at its second request, and goes on from where it was."""
    mailbox = api.connect(*(created(f"{number}", b"") for number in range(20)))
    database, requests = tmp_path / "mirror.db", list[int]()
    consumer: list[subprocess.Popen[bytes]] = []

    def seen() -> None:
        requests.append(1)
        if len(requests) == 2:
            consumer[0].kill()

    with api.served(seen) as url:
        consumer.append(run(url, api.token("Replica.Read"), database))
        consumer[0].wait(60)
        api.commit(mailbox, FeedChange(FeedKind.DELETE, api.app.replica.item(mailbox.id, item_key("3"))))
        for path in (database, tmp_path / "fresh.db"):
            assert run(url, api.token("Replica.Read"), path).wait(60) == 0
            assert mirrored(path, mailbox) == {item_key(f"{number}") for number in range(20) if number != 3}


def test_documented_consumer_drops_an_erased_mailbox(api: ApiServer, tmp_path: Path) -> None:
    erased, kept = (api.connect(created("A", b"")) for _ in range(2))
    database = tmp_path / "mirror.db"
    with api.served() as url:
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
        assert mirrored(database, erased) == mirrored(database, kept) == {item_key("A")}
        assert api.ask("POST", f"/mailboxes/{erased.id}/erase").status_code == 200
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
    assert (mirrored(database, erased), mirrored(database, kept)) == (set(), {item_key("A")})


def test_documented_consumer_begins_again_when_its_position_is_too_old(api: ApiServer, tmp_path: Path) -> None:
    """It was off for more than the thirty days: an item was deleted meanwhile, and one came."""
    mailbox = api.connect(created("A", b""), created("B", b""))
    database = tmp_path / "mirror.db"
    expired = encode_cursor(msgspec.json.encode([entry_key(api.app.clock() - timedelta(days=31)), 0, "", ""]).decode())
    assert body_of(api.ask("GET", "/changes", after=expired))["code"] == "position_expired"
    with api.served() as url:
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
        with closing(sqlite3.connect(database)) as db, db:
            db.execute("UPDATE place SET position = ?", [expired])
        gone = FeedChange(FeedKind.DELETE, api.app.replica.item(mailbox.id, item_key("A")))
        api.commit(mailbox, gone, created("C", b""))
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
    assert mirrored(database, mailbox) == {item_key("B"), item_key("C")}
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT position FROM place").fetchone() != (expired,)


def test_documented_consumer_reads_a_mailbox_anew_that_it_may_read_again(api: ApiServer, tmp_path: Path) -> None:
    """The feed over all mailboxes is begun again, because the limits have changed. It is killed once then."""
    own, other = api.connect(*(created(f"{number}", b"") for number in range(3))), api.connect(created("X", b""))
    reader = str(uuid.uuid4())
    claims = {"oid": reader, "roles": ["Replica.Read"]}
    token = api.sandbox.control.post("/tokens", {"person": OPERATOR, "kind": "api", "claims": claims})["token"]
    database, requests = tmp_path / "mirror.db", list[int]()
    consumer: list[subprocess.Popen[bytes]] = []

    def seen() -> None:
        requests.append(1)
        if len(requests) == 2:  # after the position was refused
            consumer[-1].kill()

    def ended(url: str, *mailboxes: Mailbox) -> int:
        limits = {"tenants": [], "mailboxes": [each.id for each in mailboxes]}
        assert api.ask("PUT", f"/readers/{reader}", json_body=limits).status_code == 200
        consumer.append(run(url, token, database))
        return consumer[-1].wait(60)

    try:
        with api.served() as url:
            assert ended(url, own, other) == 0
            assert len(mirrored(database, own)) == 3
            assert ended(url, other) == 0
            assert mirrored(database, own) == set()
        with api.served(seen) as url:
            assert ended(url, own, other) == -signal.SIGKILL
            assert mirrored(database, own) == set()
            assert ended(url, own, other) == 0
    finally:
        assert api.ask("DELETE", f"/readers/{reader}").status_code == 204
    assert (len(mirrored(database, own)), mirrored(database, other)) == (3, {item_key("X")})


def test_documented_consumer_passes_over_a_mailbox_that_it_may_see_and_not_read(api: ApiServer, tmp_path: Path) -> None:
    """Its account may also see the state of every mailbox, so that the list has more than it may read."""
    own, other = (api.connect(created("A", b"")) for _ in range(2))
    reader = str(uuid.uuid4())
    claims = {"oid": reader, "roles": ["Replica.Read", "Operator.Read"]}
    token = api.sandbox.control.post("/tokens", {"person": OPERATOR, "kind": "api", "claims": claims})["token"]
    assert api.ask("PUT", f"/readers/{reader}", json_body={"mailboxes": [own.id]}).status_code == 200
    database = tmp_path / "mirror.db"
    try:
        with api.served() as url:
            assert run(url, token, database).wait(60) == 0
    finally:
        assert api.ask("DELETE", f"/readers/{reader}").status_code == 204
    assert (mirrored(database, own), mirrored(database, other)) == ({item_key("A")}, set())


def test_documented_consumer_reads_what_came_before_the_change_of_an_unknown_mailbox(
    api: ApiServer, tmp_path: Path
) -> None:
    """It had deleted the mailbox, which was withdrawn for a moment, and hears of it by its next change."""
    mailbox = api.connect(created("A", b""), created("B", b""))
    database = tmp_path / "mirror.db"
    with api.served() as url:
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
        with closing(sqlite3.connect(database)) as db, db:
            db.execute("DELETE FROM item WHERE mailbox = ?", [mailbox.id])
            db.execute("DELETE FROM seen WHERE mailbox = ?", [mailbox.id])
        api.commit(mailbox, created("C", b""))
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
    assert mirrored(database, mailbox) == {item_key(name) for name in "ABC"}


def test_documented_consumer_renames_a_folder_that_no_feed_tells_of(api: ApiServer, tmp_path: Path) -> None:
    mailbox = api.connect(created("A", b""), folders=cursor_with(folder(path="Plans", items=1)))
    database = tmp_path / "mirror.db"
    with api.served() as url:
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
        cursor = api.app.replica.load(mailbox.id)
        renamed = {"inbox": replace(cursor.folders["inbox"], path="Old plans")}
        api.commit(mailbox, created("B", b""), folders=replace(cursor, folders=renamed))
        assert run(url, api.token("Replica.Read"), database).wait(60) == 0
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT id, folder FROM item WHERE mailbox = ?", [mailbox.id]).fetchall()
    assert dict(rows) == {item_key("A"): "Old plans", item_key("B"): "Old plans"}


def test_documented_consumer_waits_while_the_api_is_busy(api: ApiServer, tmp_path: Path) -> None:
    """Its first two requests are refused: there were too many, and Storage is busy."""
    mailbox = api.connect(created("A", b""))
    refused = [func.HttpResponse(status_code=status, headers={"Retry-After": "1"}) for status in (429, 503)]
    with api.served(refused=refused) as url:
        assert run(url, api.token("Replica.Read"), tmp_path / "mirror.db").wait(60) == 0
    assert not refused
    assert mirrored(tmp_path / "mirror.db", mailbox) == {item_key("A")}


READ = """
import json, sys
from mailbox_sync_client import AuthenticatedClient
from mailbox_sync_client.api.items import get_item, list_items
from mailbox_sync_client.api.mailboxes import get_mailbox, list_folders
from mailbox_sync_client.models import Problem

url, token, mailbox = sys.argv[1:]
client = AuthenticatedClient(base_url=url + "/api/v1", token=token, raise_on_unexpected_status=True)
items = list_items.sync(mailbox, client=client, folder="Inbox", fields="subject,content").items
one = get_item.sync(mailbox, items[0].id, client=client)
refused = get_mailbox.sync("none", client=client)
print(json.dumps({
    "address": get_mailbox.sync(mailbox, client=client).address,
    "folders": [folder.path for folder in list_folders.sync(mailbox, client=client).folders],
    "subject": one.subject,
    "sender": one.from_.address,
    "refused": isinstance(refused, Problem) and refused.code,
}))
"""


def test_generated_client_reads_a_mailbox(api: ApiServer, tmp_path: Path) -> None:
    mailbox = api.connect(created("A", b"Subject: hi"), folders=cursor_with(folder(items=1)))
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    words = ["--path", str(ROOT / "docs" / "openapi.json"), "--config", "config.yml", "--output-path", "client"]
    generate = [sys.executable, "-m", "openapi_python_client", "generate", *words]
    subprocess.run(generate, cwd=tmp_path, check=True)  # noqa: S603 -- ours
    with api.served() as url:
        arguments = [url, api.token("Replica.Read"), mailbox.id]
        done = subprocess.run(  # noqa: S603 -- ours
            [sys.executable, "-c", READ, *arguments],
            cwd=tmp_path / "client",
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(done.stdout) == {
        "address": mailbox.address,
        "folders": ["Inbox"],
        "subject": an_item().subject,
        "sender": "ann@contoso.example",
        "refused": "not_found",
    }
