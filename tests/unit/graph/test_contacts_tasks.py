"""Contacts with their photos and tasks with what belongs to them: metadata as EWS gives it, and their files."""

from typing import Any

import pytest

from shared.errors import Reason
from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, Item, ItemFailure, ItemKind
from tests.unit.graph.service import Answer, Service, error, mailbox_of, page

CONTACTS = Folder("K1", "", "Contacts", "Contacts", FolderKind.CONTACTS, FolderRole.CONTACTS, None)
TASKS = Folder("T1", "", "Tasks", "Tasks", FolderKind.TASKS, FolderRole.TASKS, None)
ADDRESS = "{00062004-0000-0000-c000-000000000046}"


def contact(identifier: str = "P1", **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@odata.etag": f'W/"CK-{identifier}"',
        "id": identifier,
        "changeKey": f"CK-{identifier}",
        "createdDateTime": "2026-01-02T03:04:05Z",
        "lastModifiedDateTime": "2026-02-03T04:05:06Z",
        "categories": [],
        "displayName": "Ada Lovelace",
        "fileAs": "Lovelace, Ada",
        "givenName": "Ada",
        "surname": "Lovelace",
        "birthday": "1815-12-10T11:59:00Z",
        "emailAddresses": [{"name": "Ada", "address": "Ada@X.example"}],
        "businessPhones": ["+1 1"],
        "homePhones": [],
        "mobilePhone": "+1 2",
        "imAddresses": ["sip:ada@x.example"],
        "businessAddress": {"street": "1 Main St", "city": "Town", "countryOrRegion": "UK"},
        "homeAddress": {},
        "personalNotes": "Met in London",
        "singleValueExtendedProperties": [
            {"id": "Binary 0x300b", "value": "AAECAw=="},
            {"id": "String 0x3a21", "value": "+1 3"},
            {"id": f"Integer {ADDRESS} Id 0x8022", "value": "2"},
        ],
    }
    return {**told, **changes}


def task(identifier: str = "X1", **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@odata.etag": 'W/"ETAG-1"',
        "id": identifier,
        "title": "Write report",
        "status": "inProgress",
        "importance": "high",
        "isReminderOn": True,
        "reminderDateTime": {"dateTime": "2026-12-01T08:00:00.0000000", "timeZone": "UTC"},
        "dueDateTime": {"dateTime": "2026-12-03T00:00:00.0000000", "timeZone": "UTC"},
        "createdDateTime": "2026-11-01T09:00:00.1234567Z",
        "lastModifiedDateTime": "2026-11-02T09:00:00.7654321Z",
        "hasAttachments": False,
        "categories": [],
        "body": {"contentType": "text", "content": "All of it"},
    }
    return {**told, **changes}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.script["/mailFolders/inbox"] = page()
    service.script["/todo/lists/T1/tasks/X1/checklistItems"] = page({"displayName": "Outline", "isChecked": True})
    service.script["/todo/lists/T1/tasks/X1/linkedResources"] = page({"webUrl": "https://x.example/1"})
    return service


def fetch(service: Service, folder: Folder, *ids: str, level: ContentLevel = ContentLevel.MIME) -> Item | ItemFailure:
    (found,) = mailbox_of(service).fetch(folder, ids, level)
    return found


def content(found: Item | ItemFailure) -> str:
    assert isinstance(found, Item)
    assert found.content is not None
    return found.content.data.decode()


def test_contact_becomes_an_item_with_the_metadata_that_ews_gives(service: Service) -> None:
    service.script["/contacts/P1"] = Answer(contact())

    found = fetch(service, CONTACTS, "P1", level=ContentLevel.METADATA)

    assert isinstance(found, Item)
    assert (found.kind, found.item_class, found.move_key) == (ItemKind.CONTACT, "IPM.Contact", "00010203")
    assert found.addresses == ("ada@x.example",)
    assert found.metadata["phones"] == {"BusinessPhone": "+1 1", "MobilePhone": "+1 2", "Pager": "+1 3"}
    assert found.metadata["addresses"] == {"Business": {"Street": "1 Main St", "City": "Town", "CountryOrRegion": "UK"}}
    assert found.metadata["postal_address"] == "Business"
    assert found.metadata["im"] == {"ImAddress1": "sip:ada@x.example"}
    assert found.metadata["emails"] == ["Ada@X.example"]


def test_contact_file_has_what_graph_gives_and_what_its_tags_give(service: Service) -> None:
    service.script["/contacts/P1"] = Answer(contact())

    card = content(fetch(service, CONTACTS, "P1"))

    for line in ("FN:Ada Lovelace", "EMAIL:Ada@X.example", "BDAY:18151210", "NOTE:Met in London"):
        assert line in card
    assert "+1 3" in card


def test_photo_is_asked_only_where_there_is_one(service: Service) -> None:
    picture = [{"id": f"Boolean {ADDRESS} Id 0x8015", "value": "true"}]
    service.script["/contacts/P1"] = Answer(contact())
    service.script["/contacts/P2"] = Answer(contact("P2", singleValueExtendedProperties=picture))
    service.script["/contacts/P2/photo/$value"] = Answer(b"\xff\xd8jpeg")
    service.script["/contacts/P3"] = Answer(contact("P3", singleValueExtendedProperties=picture))
    service.script["/contacts/P3/photo/$value"] = error(404, "ErrorItemNotFound")

    found = list(mailbox_of(service).fetch(CONTACTS, ["P1", "P2", "P3"], ContentLevel.MIME))

    assert all(isinstance(each, Item) and each.content is not None for each in found)
    assert [path for path in service.paths() if "photo" in path] == [
        "/contacts/P2/photo/$value",
        "/contacts/P3/photo/$value",
    ]


def test_contact_on_a_page_of_changes_is_not_asked_again(service: Service) -> None:
    service.script["/contactFolders/K1/contacts/delta"] = page(contact(), delta="/contactFolders/K1/contacts/delta?x")
    mailbox = mailbox_of(service)
    known = mailbox.changes(CONTACTS, None).items

    (found,) = mailbox.fetch(CONTACTS, ["P1"], ContentLevel.MIME, known)

    assert "FN:Ada Lovelace" in content(found)
    assert service.requests == 1


def test_task_becomes_an_item_with_its_etag_for_a_version(service: Service) -> None:
    service.script["/todo/lists/T1/tasks/delta"] = page(task(), delta="/todo/lists/T1/tasks/delta?x")

    changes = mailbox_of(service).changes(TASKS, None)

    assert changes.changes[0].version == "ETAG-1"
    found = changes.items["X1"]
    assert (found.kind, found.item_class, found.move_key, found.version) == (ItemKind.TASK, "IPM.Task", "", "ETAG-1")
    assert found.metadata["status"] == "InProgress"
    assert found.metadata["due"] == "2026-12-03T00:00:00Z"


def test_task_file_has_its_days_steps_and_links(service: Service) -> None:
    service.script["/todo/lists/T1/tasks/X1"] = Answer(task())

    written = content(fetch(service, TASKS, "X1"))

    assert "SUMMARY:Write report" in written
    assert "20261203" in written
    assert service.requests == 3


def test_task_with_attachments_asks_for_them(service: Service) -> None:
    service.script["/todo/lists/T1/tasks/X1"] = Answer(task(hasAttachments=True))
    service.script["/todo/lists/T1/tasks/X1/attachments"] = page({"id": "A1", "name": "a.txt", "size": 3})
    service.script["/todo/lists/T1/tasks/X1/attachments/A1"] = Answer({"id": "A1", "contentBytes": "YWJj"})

    assert content(fetch(service, TASKS, "X1"))
    assert "/todo/lists/T1/tasks/X1/attachments/A1" in service.paths()


def test_recurring_task_has_its_rule(service: Service) -> None:
    recurrence = {
        "pattern": {"type": "absoluteMonthly", "interval": 2, "dayOfMonth": 3},
        "range": {"type": "noEnd", "startDate": "2026-12-03"},
    }
    start = {"dateTime": "2026-12-03T00:00:00.0000000", "timeZone": "UTC"}
    service.script["/todo/lists/T1/tasks/X1"] = Answer(task(recurrence=recurrence, startDateTime=start))

    found = fetch(service, TASKS, "X1")

    assert "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=3" in content(found)


@pytest.mark.parametrize("folder", [CONTACTS, TASKS])
def test_what_is_gone_is_a_failure(service: Service, folder: Folder) -> None:
    found = fetch(service, folder, "Z9")

    assert isinstance(found, ItemFailure)
    assert found.reason is Reason.ITEM_GONE


def test_listing_gives_ids_and_versions(service: Service) -> None:
    service.script["/contactFolders/K1/contacts"] = page(
        {"id": "P1", "changeKey": "1"}, following="/contactFolders/K1/contacts?$skip=1"
    )
    service.script["/contactFolders/K1/contacts?$skip=1"] = page({"id": "P2", "@odata.etag": 'W/"2"'})

    assert [(ref.id, ref.version) for ref in mailbox_of(service).list_items(CONTACTS)] == [("P1", "1"), ("P2", "2")]
