"""The control port's routes for mailboxes, and the HTTP behavior of the EWS endpoint."""

import hashlib
import mailbox
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from lxml import etree

from sandbox.ews import EwsService
from sandbox.ews.control import COMMANDS
from sandbox.ews.http import application
from sandbox.ews.wire import MESSAGES, SOAP
from sandbox.mailboxes.control import routes
from sandbox.mailboxes.editor import KINDS
from sandbox.mailboxes.fragments import TYPES
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import CORPUS, fill, load_default, load_maildir, load_mbox
from tests.contract.exchange_server import ALEX, BO, PEOPLE, Someone, claims, delegated
from tests.unit.exchange.bench import codes, get, sync

type Control = TestClient[web.Request, web.Application]

EWS = "/EWS/Exchange.asmx"


@pytest.fixture
def exchange() -> EwsService:
    made = EwsService(MailboxStore(PEOPLE), claims)
    fill(made.store, ALEX, sorted((CORPUS / "easy-ham-1").glob("*.txt"))[:60])
    return made


@pytest.fixture
async def control(exchange: EwsService) -> AsyncIterator[Control]:
    app = web.Application(client_max_size=1 << 28)
    app.add_routes(routes(exchange.store, COMMANDS))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def ews(exchange: EwsService) -> AsyncIterator[Control]:
    async with TestClient(TestServer(application(exchange))) as client:
        yield client


async def post(control: Control, what: str, body: Any = None, **query: Any) -> Any:
    answer = await control.post(f"/mailboxes/{ALEX.address}/{what}", json=body, params=query)
    assert answer.status < 300, (answer.reason, await answer.text())
    return await answer.json()


async def truth(control: Control, address: str = ALEX.address) -> dict[str, Any]:
    answer = await control.get(f"/mailboxes/{address}/truth")
    assert answer.status == 200
    return dict(await answer.json())


async def test_the_truth_is_every_folder_and_item_with_the_digest_of_its_bytes(
    control: Control, exchange: EwsService
) -> None:
    snapshot = await truth(control, "alexander@contoso.example")
    stored = exchange.store.mailbox(ALEX.address)
    assert {item["id"] for item in snapshot["items"]} <= set(stored.items)
    assert {item["folder_id"] for item in snapshot["items"]} <= {folder["id"] for folder in snapshot["folders"]}
    files = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (CORPUS / "easy-ham-1").glob("*.txt")}
    real = [item for item in snapshot["items"] if item["sha256"] in files]
    assert len(real) == 60
    left_out = {"junkemail", "deleteditems", "outbox"}
    distinguished = {folder["id"]: folder["distinguished"] for folder in snapshot["folders"]}
    assert not [item for item in real if distinguished[item["folder_id"]] in left_out or item["private"]]
    assert {item["kind"] for item in snapshot["items"]} == {"message", "event", "contact", "list", "task", "other"}


async def test_unknown_mailboxes_and_nonsense_are_said_to_be_so(control: Control) -> None:
    assert (await control.get("/mailboxes/nobody@x.example/truth")).status == 404
    for what, body in (
        ("change", {"kinds": ["explode"]}),
        ("marks", {"resolution": "vague"}),
        ("block", {"variant": "mood"}),
        ("items", {"kind": "elephant"}),
        ("items", {"xml": "<t:Elephant/>"}),
        ("items", {"xml": "<t:Task><t:Nose/></t:Task>"}),
        ("answer-empty", {"how": "half"}),
        ("corrupt-item", {"folder": "drafts"}),
        ("change", []),
    ):
        answer = await control.post(f"/mailboxes/{ALEX.address}/{what}", json=body)
        assert 400 <= answer.status < 500, (what, body)


async def test_a_message_is_put_in_byte_for_byte(control: Control) -> None:
    raw = b"Subject: here\n\n\xff\x00 bytes"
    url = f"/mailboxes/{ALEX.address}/messages"
    answer = await control.post(url, data=raw, params={"folder": "New/Deep%2FEr", "read": "true"})
    item = await answer.json()
    assert answer.status == 201
    assert (item["subject"], item["sha256"]) == ("here", hashlib.sha256(raw).hexdigest())
    assert (item["is_read"], item["folder"]) == (True, "New/Deep%2FEr")


async def test_items_of_every_kind_and_of_one_s_own_xml(control: Control) -> None:
    for kind in ("event", "series", "contact", "list", "task", "note"):
        assert (await post(control, "items", {"kind": kind}))["id"]
    secret = await post(control, "items", {"kind": "event", "subject": "Hush", "sensitivity": "Private"})
    assert (secret["subject"], secret["private"], secret["kind"]) == ("Hush", True, "event")
    own = await post(control, "items", {"xml": "<t:Task><t:Subject>Own &amp; mine</t:Subject></t:Task>"})
    assert (own["subject"], own["kind"], own["folder"]) == ("Own & mine", "task", "Tasks")


async def test_ten_thousand_messages_take_no_time_and_no_room(control: Control, exchange: EwsService) -> None:
    made = await post(control, "generate", {"folder": "Bulk", "count": 10_000, "size": 20_000})
    folder = exchange.store.mailbox(ALEX.address).folders[made["folder_id"]]
    first = next(iter(folder.items.values()))
    content = first.content() or b""
    assert folder.total == 10_000
    assert (len(content), content) == (20_000, first.content())


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_every_kind_of_change_can_be_asked_for_by_name(control: Control, kind: str) -> None:
    before = await truth(control)
    done = await post(control, "change", {"kinds": [kind], "count": 3, "seed": 7})
    after = await truth(control)
    assert {change["change"] for change in done["changes"]} == {kind}
    assert before["commits"] < after["commits"]


async def test_random_changes_are_the_same_for_the_same_seed(exchange: EwsService, control: Control) -> None:
    done = await post(control, "change", {"count": 200, "seed": 3})
    assert len({change["change"] for change in done["changes"]}) > 10
    snapshot = await truth(control)
    assert len(snapshot["items"]) == len({item["id"] for item in snapshot["items"]})
    for folder in exchange.store.mailbox(ALEX.address).folders.values():
        assert folder.unread == sum(not item.is_read for item in folder.items.values())


async def ask(ews: Control, request: str, person: Someone = ALEX) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {delegated(person)}", "Content-Type": "text/xml; charset=utf-8"}
    answer = await ews.post(EWS, data=envelope(request), headers=headers)
    return answer.status, await answer.text()


def envelope(request: str) -> bytes:
    names = f'xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"'
    return f"<s:Envelope {names}><s:Body>{request}</s:Body></s:Envelope>".encode()


async def test_a_corrupt_item_fails_as_often_as_was_ordered(control: Control, ews: Control) -> None:
    broken = await post(control, "corrupt-item", {"code": "ErrorItemCorrupt", "times": 2})
    seen = [(await ask(ews, get(broken["id"])))[1] for _ in range(3)]
    assert ["ErrorItemCorrupt" in text for text in seen] == [True, True, False]


async def test_a_mailbox_under_way_elsewhere_or_blocked_says_so(control: Control, ews: Control) -> None:
    request = get("x")
    await post(control, "move-in-progress", {"on": True})
    assert (await ask(ews, request))[0] == 500
    assert "ErrorMailboxMoveInProgress" in (await ask(ews, request))[1]
    await post(control, "move-in-progress", {"on": False})
    await post(control, "block", {"variant": "app_not_listed"})
    status, text = await ask(ews, request)
    assert (status, "EwsAllowedAppIDs" in text) == (403, True)
    await post(control, "block", {"body": "words of Microsoft's", "headers": {"x-ms-diagnostics": "1;reason=x"}})
    assert await ask(ews, request) == (403, "words of Microsoft's")
    assert (await ask(ews, request, BO))[0] == 200
    await post(control, "block", {"variant": "off"})
    assert (await ask(ews, request))[0] == 200


async def test_the_endpoint_minds_its_manners(ews: Control) -> None:
    assert (await ews.get(EWS)).status == 401, "X1: who does not say who they are is asked to"
    assert (await ews.post("/elsewhere", data=b"")).status == 404
    assert (await ews.post(EWS, data=b"{}", headers={"Content-Type": "application/json"})).status == 415
    assert (await ews.post(EWS.lower(), data=b"<x/>", headers={"Content-Type": "text/xml"})).status == 401


async def test_a_shared_folder_and_an_archive_can_be_ordered(
    control: Control, ews: Control, exchange: EwsService
) -> None:
    await post(control, "grant", {"to": BO.address, "folder": "calendar"})
    calendar = exchange.store.mailbox(ALEX.address).distinguished["calendar"]
    assert "NoError" in (await ask(ews, sync(calendar), BO))[1]
    await post(control, "grant", {"to": BO.address, "revoke": True})
    assert "ErrorAccessDenied" in (await ask(ews, sync(calendar), BO))[1]
    await post(control, "archive", {"messages": 5})
    snapshot = await truth(control)
    archived = {folder["id"] for folder in snapshot["folders"] if folder["archive"]}
    assert sum(item["folder_id"] in archived for item in snapshot["items"]) == 5


def test_people_get_what_they_say_and_an_empty_mailbox_is_empty(exchange: EwsService) -> None:
    load_default(exchange.store, PEOPLE, messages=30)
    counts = {person.address: len(exchange.store.mailbox(person.address).items) for person in PEOPLE}
    assert counts["finn@contoso.example"] == 0
    assert counts[ALEX.address] > counts[BO.address] > 20


def test_one_s_own_mail_is_loaded_byte_for_byte(exchange: EwsService, tmp_path: Path) -> None:
    letters = [b"Subject: one\n\nFrom here on\n", b"Subject: two\n\nx\n"]
    box = mailbox.mbox(tmp_path / "mail.mbox")
    for letter in letters:
        box.add(letter)
    box.close()
    assert load_mbox(exchange.store, BO.address, tmp_path / "mail.mbox") == 2
    inbox = exchange.store.mailbox(BO.address).distinguished["inbox"]
    assert [item.text("Subject") for item in inbox.items.values()] == ["one", "two"]
    assert [item.content() for item in inbox.items.values()] == letters, "U13: the file's quoting of From is undone"
    maildir = mailbox.Maildir(tmp_path / "maildir")
    maildir.add(letters[0])
    maildir.add_folder("Work.Plans").add(letters[1])
    assert load_maildir(exchange.store, BO.address, tmp_path / "maildir") == 2
    found = {item.folder.path: item.content() for item in exchange.store.mailbox(BO.address).items.values()}
    assert found == {"Inbox": letters[0], "Work/Plans": letters[1]}


def test_answers_name_each_thing_once(exchange: EwsService) -> None:
    item = next(iter(exchange.store.mailbox(ALEX.address).items.values()))
    headers = {"Authorization": f"Bearer {delegated(ALEX)}"}
    answer = exchange.answer(envelope(get(item.id, item.id)), headers)
    assert codes(etree.fromstring(answer.text.encode())) == ["NoError", "NoError"]
