"""Mail in the sandbox's Graph: folders, messages, delta rounds, MIME and attachments, as documented by Microsoft."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.graph.wire.ids import rest_id
from sandbox.mailboxes import deletion
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.mailboxes.store import Item, Mailbox
from tests.contract.exchange_server import ALEX, PEOPLE
from tests.contract.graph_client import Graph, app_only, graph_over

DELTA = "/v1.0/me/mailFolders/inbox/messages/delta"
EXTENDED = (
    "$expand=singleValueExtendedProperties($filter=id eq 'Binary 0x300B' or id eq 'String 0x001A' or id eq "
    "'Integer 0x0E08' or id eq 'String 0x5D01')"
)


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with graph_over() as served:
        yield served


@pytest.fixture
async def full() -> AsyncIterator[Graph]:
    store = MailboxStore(PEOPLE)
    load_default(store, PEOPLE)
    async with graph_over(store) as served:
        yield served


def put(mailbox: Mailbox, number: int = 1, folder: str = "inbox") -> Item:
    """A synthetic message in a folder."""
    return mailbox.insert(mailbox.distinguished[folder], message_samples.synthetic(number, 2000, mailbox.clock()))


def names(body: dict[str, Any]) -> list[str]:
    return [folder["displayName"] for folder in body["value"]]


# Folders


async def test_folder_lists_come_in_pages_of_ten_and_hold_mail_folders_alone(full: Graph) -> None:
    first = await full.get("/v1.0/me/mailFolders", "mailFolder")
    assert len(first["value"]) == 10
    second = await full.get(first["@odata.nextLink"], "mailFolder")
    found = names(first) + names(second)
    assert {"Inbox", "Conversation History", "Projects"} <= set(found)
    assert not {"Calendar", "Contacts", "Tasks", "Notes", "Journal", "Conversation Action Settings"} & set(found)


async def test_folder_delta_gives_the_whole_tree_flat_and_then_its_changes(full: Graph) -> None:
    found, link = await full.round("/v1.0/me/mailFolders/delta", "mailFolder", Prefer="odata.maxpagesize=7")
    box = full.mailbox()
    wanted = {rest_id(one.id) for one in box.top().below() if one.folder_class == "IPF.Note"}
    assert {one["id"] for one in found} == wanted
    assert len(found) == len(wanted)
    renamed = next(one for one in box.top().below() if one.name == "Receipts")
    dropped = next(one for one in box.top().below() if one.name == "Zürich")
    renamed.name = "Bills"
    box.note_folder(renamed)
    box.drop_folder(dropped)
    changed, _ = await full.round(link, "mailFolder")
    assert [one.get("displayName") for one in changed] == ["Bills", None]
    assert changed[1] == {"id": rest_id(dropped.id), "@removed": {"reason": "deleted"}}


async def test_well_known_names_stand_for_ids(graph: Graph) -> None:
    box = graph.mailbox()
    for name in ("inbox", "sentitems", "deleteditems", "junkemail", "archive", "msgfolderroot"):
        body = await graph.get(f"/v1.0/me/mailFolders/{name}?$select=id,displayName", "mailFolder")
        assert body["id"] == rest_id(box.distinguished[name].id)
    assert await graph.code("/v1.0/me/mailFolders/calendar") == (404, "ErrorItemNotFound")


async def test_folders_carry_their_marks_when_asked(graph: Graph) -> None:
    marks = "$expand=singleValueExtendedProperties($filter=id eq 'SystemTime 0x670A' or id eq 'Integer 0x670B')"
    body = await graph.get(f"/v1.0/me/mailFolders?{marks}", "mailFolder")
    asked = [one["id"] for one in body["value"][0]["singleValueExtendedProperties"]]
    assert asked == ["SystemTime 0x670a", "Integer 0x670b"]


async def test_only_beta_lists_the_tree_flat_with_well_known_names(full: Graph) -> None:
    body = await full.get("/beta/me/mailFolders?$top=100")
    found = {one["displayName"]: one["wellKnownName"] for one in body["value"]}
    assert found["Inbox"] == "inbox"
    assert found["Minutes"] is None
    assert await full.code("/v1.0/me/mailFolders?$select=wellKnownName") == (400, "RequestBroker--ParseUri")


async def test_totals_count_what_the_message_api_never_returns(graph: Graph) -> None:
    box = graph.mailbox()
    put(box)
    box.insert(box.distinguished["inbox"], item_samples.distribution_list("Friends"))
    box.insert(box.distinguished["inbox"], item_samples.item("PostItem", Subject="Notice"))
    folder = await graph.get("/v1.0/me/mailFolders/inbox", "mailFolder")
    found, _ = await graph.round(DELTA, "message")
    assert (folder["totalItemCount"], len(found)) == (3, 1)


# Messages and delta


async def test_a_first_round_gives_every_message_once_newest_first(full: Graph) -> None:
    path = f"{DELTA}?$select=subject,receivedDateTime&$orderby=receivedDateTime desc"
    found, _ = await full.round(path, "message", Prefer="odata.maxpagesize=7")
    inbox = full.mailbox().distinguished["inbox"]
    assert {one["id"] for one in found} == {rest_id(item.id) for item in inbox.items.values()}
    assert len(found) == inbox.total
    times = [one["receivedDateTime"] for one in found]
    assert times == sorted(times, reverse=True)


async def test_rounds_tell_what_is_new_changed_and_gone(graph: Graph) -> None:
    box = graph.mailbox()
    kept, changed, gone = (put(box, number) for number in (1, 2, 3))
    _, link = await graph.round(f"{DELTA}?$select=isRead")
    assert (await graph.round(link))[0] == []
    box.set_read(changed, not changed.is_read)
    gone_id = rest_id(gone.id)
    moved = deletion.move_item(gone, box.distinguished["archive"])
    new = put(box, 4)
    found, link = await graph.round(link, "message")
    assert {one["id"] for one in found} == {rest_id(changed.id), gone_id, rest_id(new.id)}
    assert {"id": gone_id, "@removed": {"reason": "deleted"}} in found
    assert next(one for one in found if one["id"] == rest_id(changed.id))["isRead"] == changed.is_read
    assert await graph.code(f"/v1.0/me/messages/{gone_id}") == (404, "ErrorItemNotFound")
    assert (await graph.get(f"/v1.0/me/messages/{rest_id(moved.id)}", "message"))["id"] == rest_id(moved.id)
    assert rest_id(kept.id) not in {one["id"] for one in found}


async def test_changes_while_a_round_is_under_way_come_in_the_next_one(graph: Graph) -> None:
    box = graph.mailbox()
    items = [put(box, number) for number in range(6)]
    page = await graph.get(f"{DELTA}?$select=subject", Prefer="odata.maxpagesize=2")
    given = {one["id"] for one in page["value"]}
    first = next(item for item in items if rest_id(item.id) in given)
    late = next(item for item in items if rest_id(item.id) not in given)
    box.touch(late)
    late_id, first_id = rest_id(late.id), rest_id(first.id)
    deletion.delete_item(first, "HardDelete")
    rest, link = await graph.round(page["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    assert late_id not in {one["id"] for one in rest}
    assert len(rest) == 3
    following, _ = await graph.round(link)
    assert {one["id"] for one in following} == {late_id, first_id}


async def test_extended_properties_come_back_in_another_spelling(graph: Graph) -> None:
    item = put(graph.mailbox())
    found, _ = await graph.round(f"{DELTA}?$select=subject&{EXTENDED}", "message")
    values = {one["id"]: one["value"] for one in found[0]["singleValueExtendedProperties"]}
    assert list(values) == ["Binary 0x300b", "String 0x1a", "Integer 0xe08"]
    assert values["String 0x1a"] == "IPM.Note"
    assert int(values["Integer 0xe08"]) == item.size


async def test_tokens_are_frozen_with_their_parameters(graph: Graph) -> None:
    put(graph.mailbox())
    _, link = await graph.round(f"{DELTA}?$select=subject")
    put(graph.mailbox(), 2)
    found, _ = await graph.round(link)
    assert set(found[0]) == {"@odata.etag", "id", "subject"}
    assert await graph.code(f"{graph.local(link)}&$select=isRead") == (400, "ErrorInvalidUrlQuery")
    other = graph.local(link).replace(rest_id(graph.mailbox().distinguished["inbox"].id), "archive")
    assert await graph.code(other) == (400, "BadRequest")
    assert await graph.code(f"{DELTA}?$deltatoken=rubbish") == (400, "BadRequest")


async def test_a_filtered_round_takes_received_times_only(graph: Graph) -> None:
    for number in range(4):
        put(graph.mailbox(), number)
    times = sorted(item.text("DateTimeReceived") for item in graph.mailbox().distinguished["inbox"].items.values())
    found, _ = await graph.round(f"{DELTA}?$filter=receivedDateTime ge {times[2]}")
    assert len(found) == 2
    assert await graph.code(f"{DELTA}?$filter=isRead eq true") == (400, "ErrorInvalidUrlQuery")
    assert await graph.code(f"{DELTA}?$orderby=subject") == (400, "ErrorInvalidUrlQuery")
    assert await graph.code(f"{DELTA}?$search=x") == (400, "ErrorInvalidUrlQuery")


async def test_top_ends_the_whole_round(graph: Graph) -> None:
    for number in range(5):
        put(graph.mailbox(), number)
    found, _ = await graph.round(f"{DELTA}?$top=3", Prefer="odata.maxpagesize=2")
    assert len(found) == 3


@pytest.mark.parametrize("wanted", ["created", "updated", "deleted"])
async def test_a_round_can_be_of_one_kind_of_change(graph: Graph, wanted: str) -> None:
    box = graph.mailbox()
    changed, gone = put(box, 1), put(box, 2)
    _, link = await graph.round(f"{DELTA}?changeType={wanted}")
    box.touch(changed)
    ids = {"updated": rest_id(changed.id), "deleted": rest_id(gone.id)}
    deletion.delete_item(gone, "HardDelete")
    ids["created"] = rest_id(put(box, 3).id)
    found, _ = await graph.round(link)
    assert [one["id"] for one in found] == [ids[wanted]]


async def test_lists_are_paged_filtered_and_ordered(full: Graph) -> None:
    body = await full.get("/v1.0/me/messages?$top=5&$count=true&$orderby=receivedDateTime", "message")
    assert len(body["value"]) == 5
    assert body["@odata.count"] > 100
    one = body["value"][0]["internetMessageId"].replace("'", "''")
    found = await full.get(f"/v1.0/me/messages?$filter=internetMessageId eq '{one}'", "message")
    assert body["value"][0]["id"] in {each["id"] for each in found["value"]}
    seen, page = 0, await full.get("/v1.0/me/mailFolders/inbox/messages?$select=id,changeKey&$top=30")
    while True:
        seen += len(page["value"])
        if "@odata.nextLink" not in page:
            break
        page = await full.get(page["@odata.nextLink"])
    assert seen == full.mailbox().distinguished["inbox"].total


async def test_every_message_of_every_class_fits_the_metadata(full: Graph) -> None:
    box, kinds = full.mailbox(), set()
    for folder in [one for one in box.top().below() if one.folder_class == "IPF.Note"]:
        path = f"/v1.0/me/mailFolders/{rest_id(folder.id)}/messages"
        body = await full.get(f"{path}?$top=1000&$expand=attachments,{EXTENDED[8:]}", "message")
        kinds |= {one.get("@odata.type", "") for one in body["value"]}
    assert {"#microsoft.graph.eventMessageRequest", "#microsoft.graph.eventMessageResponse", ""} <= kinds


async def test_mime_is_the_message_byte_for_byte(full: Graph) -> None:
    items = [item for item in full.mailbox().distinguished["inbox"].items.values() if item.content()]
    for item in items[:20]:
        assert await full.get(f"/v1.0/me/messages/{rest_id(item.id)}/$value") == item.content()


async def test_opaque_smime_has_no_mime_for_applications(graph: Graph) -> None:
    box = graph.mailbox()
    made = message_samples.specials(ALEX.address, box.clock())
    item = box.insert(box.distinguished["inbox"], next(one for one in made if one.item_class == "IPM.Note.SMIME"))
    path = f"/v1.0/users/{ALEX.address}/messages/{rest_id(item.id)}"
    assert isinstance(await graph.get(f"{path}/$value"), bytes)
    graph.token = app_only()
    assert await graph.code(f"{path}/$value") == (500, "ErrorMimeContentConversionFailed")
    assert (await graph.get(path, "message"))["subject"] == "Encrypted"


async def test_attachments_are_listed_read_and_downloaded(graph: Graph) -> None:
    raw = (
        b"From: a@b.example\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nHi\r\n--x\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--x--"
    )
    box = graph.mailbox()
    item = box.insert(box.distinguished["inbox"], message_samples.message(raw))
    path = f"/v1.0/me/messages/{rest_id(item.id)}/attachments"
    listed = await graph.get(f"{path}?$select=id,name,size", "attachment")
    one = listed["value"][0]
    assert (one["@odata.type"], one["name"], one["size"]) == ("#microsoft.graph.fileAttachment", "a.pdf", 4)
    assert (await graph.get(f"{path}/{one['id']}", "attachment"))["contentBytes"] == "JVBERg=="
    assert await graph.get(f"{path}/{one['id']}/$value") == b"%PDF"
