"""Contacts and To Do in the sandbox's Graph: folders, lists, deltas, photos, steps, files, and what Graph lacks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from sandbox.graph.wire.ids import rest_id
from sandbox.mailboxes import deletion
from sandbox.mailboxes.fragments import tag
from sandbox.mailboxes.item_parts import Attachment, ChecklistItem
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Item
from tests.contract.exchange_server import ALEX
from tests.contract.graph_client import Graph, app_only, delegated, graph_over

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTACTS = "/v1.0/me/contacts/delta"


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with graph_over() as served:
        box = served.mailbox()
        for item in [*item_samples.contacts(9), item_samples.distribution_list("Crew")]:
            box.insert(box.distinguished["contacts"], item)
        for item in item_samples.tasks(START):
            box.insert(box.distinguished["tasks"], item)
        yield served


def items(graph: Graph, folder: str) -> list[Item]:
    return list(graph.mailbox().distinguished[folder].items.values())


# Contacts


async def test_groups_of_contacts_are_never_returned(graph: Graph) -> None:
    found, link = await graph.round(CONTACTS, "contact", Prefer="odata.maxpagesize=4")
    assert len(found) == 9
    listed = await graph.get("/v1.0/me/contacts?$top=100", "contact")
    assert {one["id"] for one in listed["value"]} == {one["id"] for one in found}
    group = next(item for item in items(graph, "contacts") if item.element == "DistributionList")
    assert await graph.code(f"/v1.0/me/contacts/{rest_id(group.id)}") == (404, "ErrorItemNotFound")
    graph.mailbox().touch(group)
    assert (await graph.round(link))[0] == []


async def test_contact_deltas_tell_changes_and_removals(graph: Graph) -> None:
    options = "$select=displayName&$expand=singleValueExtendedProperties($filter=id eq 'Binary 0x300B')"
    _, link = await graph.round(f"{CONTACTS}?{options}", "contact")
    gone, changed = items(graph, "contacts")[:2]
    gone_id = rest_id(gone.id)
    deletion.delete_item(gone, "HardDelete")
    changed.properties["DisplayName"] = tag("DisplayName", "Somebody else")
    graph.mailbox().touch(changed)
    found, _ = await graph.round(link, "contact")
    assert found[0] == {"id": gone_id, "@removed": {"reason": "deleted"}}
    assert set(found[1]) == {"@odata.etag", "id", "displayName", "singleValueExtendedProperties"}
    assert found[1]["displayName"] == "Somebody else"
    assert await graph.code(f"{CONTACTS}?$filter=displayName eq 'x'") == (400, "ErrorInvalidUrlQuery")


async def test_a_contact_has_its_names_phones_and_places(graph: Graph) -> None:
    item = items(graph, "contacts")[1]
    found = await graph.get(f"/v1.0/me/contacts/{rest_id(item.id)}", "contact")
    assert (found["displayName"], found["givenName"], found["surname"]) == ("Björn Ångström", "Björn", "Ångström")
    assert found["emailAddresses"] == [{"name": "Björn", "address": "contact1@partners.example"}]
    assert (found["businessPhones"], found["mobilePhone"]) == (["+49 30 0000001"], "+49 170 0000001")
    assert found["businessAddress"]["city"] == "Berlin"
    assert found["personalNotes"] == "Met in 2001."


async def test_other_fields_are_extended_properties(graph: Graph) -> None:
    item = items(graph, "contacts")[0]
    item.properties["Sensitivity"] = tag("Sensitivity", "Private")
    item.properties["WeddingAnniversary"] = tag("WeddingAnniversary", "2001-05-05T00:00:00Z")
    phones = '<t:Entry Key="BusinessFax">+1</t:Entry><t:Entry Key="CarPhone">+2</t:Entry>'
    item.properties["PhoneNumbers"] = f"<t:PhoneNumbers>{phones}</t:PhoneNumbers>"
    names = ("Integer 0x36", "SystemTime 0x3A41", "String 0x3A24", "String 0x3A1E", "String 0x3A21")
    asked = " or ".join(f"id eq '{name}'" for name in names)
    path = f"/v1.0/me/contacts/{rest_id(item.id)}?$expand=singleValueExtendedProperties($filter={asked})"
    found = (await graph.get(path, "contact"))["singleValueExtendedProperties"]
    assert {one["id"]: one["value"] for one in found} == {
        "Integer 0x36": "2",
        "SystemTime 0x3a41": "2001-05-05T00:00:00Z",
        "String 0x3a24": "+1",
        "String 0x3a1e": "+2",
    }


async def test_photos_are_asked_for_one_by_one(graph: Graph) -> None:
    item = items(graph, "contacts")[0]
    path = f"/v1.0/me/contacts/{rest_id(item.id)}"
    assert await graph.code(f"{path}/photo/$value") == (404, "ErrorItemNotFound")
    item.attachments.append(Attachment("ContactPicture.jpg", "image/jpeg", b"\xff\xd8", is_photo=True))
    status, body, headers = await graph.ask("GET", f"{path}/photo/$value")
    assert (status, body, headers["Content-Type"]) == (200, b"\xff\xd8", "image/jpeg")


async def test_the_default_folder_is_not_among_the_folders(graph: Graph) -> None:
    box = graph.mailbox()
    sailing = box.add_folder(box.distinguished["contacts"], "Sailing", "IPF.Contact")
    deep = box.add_folder(sailing, "Crew", "IPF.Contact")
    listed = await graph.get("/v1.0/me/contactFolders", "contactFolder")
    assert [one["displayName"] for one in listed["value"]] == ["Sailing"]
    found, link = await graph.round("/v1.0/me/contactFolders/delta", "contactFolder")
    assert {one["displayName"] for one in found} == {"Sailing", "Crew"}
    assert (await graph.get("/v1.0/me/contactFolders/contacts", "contactFolder"))["displayName"] == "Contacts"
    box.drop_folder(deep)
    found, _ = await graph.round(link)
    assert found == [{"id": rest_id(deep.id), "@removed": {"reason": "deleted"}}]
    assert (await graph.round(f"/v1.0/me/contactFolders/{rest_id(sailing.id)}/contacts/delta"))[0] == []


# To Do

LISTS = "/v1.0/me/todo/lists"


def tasks_path(graph: Graph) -> str:
    return f"{LISTS}/{rest_id(graph.mailbox().distinguished['tasks'].id)}/tasks"


async def test_lists_are_task_folders_and_one_of_flagged_mail(graph: Graph) -> None:
    box = graph.mailbox()
    box.add_folder(box.top(), "House", "IPF.Task")
    listed = await graph.get(LISTS, "todoTaskList")
    assert [one["wellknownListName"] for one in listed["value"]] == ["defaultList", "none", "flaggedEmails"]
    found, link = await graph.round(f"{LISTS}/delta", "todoTaskList")
    assert {one["id"] for one in found} == {one["id"] for one in listed["value"]}
    added = box.add_folder(box.top(), "Garden", "IPF.Task")
    found, _ = await graph.round(link, "todoTaskList")
    assert [one["id"] for one in found] == [rest_id(added.id)]


async def test_flagged_mail_is_mirrored_as_tasks(graph: Graph) -> None:
    box = graph.mailbox()
    item = box.insert(box.distinguished["inbox"], message_samples.synthetic(1, 500, START))
    flagged = next(one["id"] for one in (await graph.get(LISTS))["value"] if one["displayName"] == "Flagged Emails")
    found, link = await graph.round(f"{LISTS}/{flagged}/tasks/delta")
    assert found == []
    item.properties["Flag"] = "<t:Flag><t:FlagStatus>Flagged</t:FlagStatus></t:Flag>"
    box.touch(item)
    found, link = await graph.round(link, "todoTask")
    assert [one["title"] for one in found] == [item.text("Subject")]
    del item.properties["Flag"]
    box.touch(item)
    found, _ = await graph.round(link)
    assert found == [{"id": rest_id(item.id), "@removed": {"reason": "deleted"}}]


async def test_tasks_have_what_to_do_knows_of_them(graph: Graph) -> None:
    listed = await graph.get(tasks_path(graph), "todoTask")
    found = {one["title"]: one for one in listed["value"]}
    assert (found["File taxes"]["status"], found["Renew passport"]["importance"]) == ("completed", "high")
    assert found["File taxes"]["completedDateTime"]["dateTime"].startswith("2026-02-27T00:00:00")
    assert found["Water the plants"]["recurrence"]["pattern"]["type"] == "weekly"
    assert found["Water the plants"]["dueDateTime"]["timeZone"] == "UTC"
    assert "percentComplete" not in found["Renew passport"]
    assert "changeKey" not in found["Renew passport"]


async def test_task_deltas_tell_changes_and_removals(graph: Graph) -> None:
    found, link = await graph.round(f"{tasks_path(graph)}/delta", "todoTask", Prefer="odata.maxpagesize=2")
    assert len(found) == 5
    gone, changed = items(graph, "tasks")[:2]
    gone_id = rest_id(gone.id)
    deletion.delete_item(gone, "HardDelete")
    graph.mailbox().touch(changed)
    found, _ = await graph.round(link, "todoTask")
    assert [one["id"] for one in found] == [gone_id, rest_id(changed.id)]


async def test_tasks_have_no_extended_properties(graph: Graph) -> None:
    asked = "$expand=singleValueExtendedProperties($filter=id eq 'Binary 0x300B')"
    assert (await graph.code(f"{tasks_path(graph)}?{asked}"))[0] == 400
    assert (await graph.code(f"{tasks_path(graph)}/delta?{asked}"))[0] == 400


async def test_steps_and_files_are_requests_of_their_own(graph: Graph) -> None:
    task = items(graph, "tasks")[0]
    task.checklist = [ChecklistItem("Photo", is_checked=True), ChecklistItem("Form")]
    task.attachments.append(Attachment("form.pdf", "application/pdf", b"%PDF"))
    path = f"{tasks_path(graph)}/{rest_id(task.id)}"
    steps = (await graph.get(f"{path}/checklistItems", "checklistItem"))["value"]
    assert [(one["displayName"], one["isChecked"]) for one in steps] == [("Photo", True), ("Form", False)]
    (file,) = (await graph.get(f"{path}/attachments", "attachmentBase"))["value"]
    assert (file["name"], file["size"], "contentBytes" in file) == ("form.pdf", 4, False)
    whole = await graph.get(f"{path}/attachments/{file['id']}", "attachmentBase")
    assert whole["contentBytes"] == "JVBERg=="
    assert await graph.get(f"{path}/attachments/{file['id']}/$value") == b"%PDF"
    assert (await graph.get(f"{path}/linkedResources"))["value"] == []


async def test_each_kind_needs_its_own_permission(graph: Graph) -> None:
    graph.token = delegated(ALEX, "Mail.Read")
    assert await graph.code(CONTACTS) == (403, "ErrorAccessDenied")
    assert await graph.code(LISTS) == (403, "accessDenied")
    graph.token = app_only("Contacts.Read", "Tasks.Read")
    assert (await graph.ask("GET", f"/v1.0/users/{ALEX.address}/contacts"))[0] == 200
    assert await graph.code(f"/v1.0/users/{ALEX.address}/todo/lists") == (403, "accessDenied")
