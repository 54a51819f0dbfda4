"""The contact and contactFolder entities.

Source: learn.microsoft.com/graph/api/resources/contact. Phones beyond business, home and mobile, the anniversary and
the sensitivity are had as extended properties only.
"""

from collections.abc import Callable
from typing import Any

from sandbox.graph.views.entity import ABSENT, Context, Entity, extended_navigation, stamp, texts
from sandbox.graph.wire.ids import item_id, rest_id
from sandbox.graph.wire.query import Expand
from sandbox.graph.wire.request import Json
from sandbox.graph.wire.spelling import change_key, saved
from sandbox.mailboxes.fragments import children, local, parse_fragment
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.items import content
from sandbox.mailboxes.items.vcard import entries
from sandbox.mailboxes.store import Folder, Item


def is_contact_folder(folder: Folder) -> bool:
    """Whether a folder is one of contacts."""
    return folder.folder_class == "IPF.Contact" or folder.folder_class.startswith("IPF.Contact.")


def is_contact(item: Item) -> bool:
    """Whether an item is a contact; groups are never returned, though counted."""
    return item.element == "Contact"


def photo(item: Item) -> Attachment | None:
    """A contact's picture."""
    return next((one for one in item.attachments if one.is_photo), None)


CONTACT_FOLDER: Entity[Folder] = Entity(
    name="contactFolder",
    properties={
        "id": lambda folder, context: rest_id(folder.id),
        "parentFolderId": lambda folder, context: rest_id(folder.parent.id) if folder.parent else None,
        "displayName": lambda folder, context: folder.name,
    },
    navigation=extended_navigation(lambda folder, asked: asked.of_folder(folder)),
)


def _text(name: str) -> Callable[[Item, Context], str | None]:
    return lambda item, context: item.text(name) or None


def _phones(*keys: str) -> Callable[[Item, Context], list[str]]:
    def read(item: Item, context: Context) -> list[str]:
        found = dict(entries(item, "PhoneNumbers"))
        return [found[key] for key in keys if found.get(key)]

    return read


def _mobile(item: Item, context: Context) -> str | None:
    return dict(entries(item, "PhoneNumbers")).get("MobilePhone") or None


def _addresses(item: Item) -> list[Json]:
    fragment = item.properties.get("EmailAddresses", "")
    found = []
    for entry in children(parse_fragment(fragment)) if fragment else ():
        if entry.text:
            found.append({"name": entry.get("Name") or entry.text, "address": entry.text})
    return found


def _email(number: int) -> Callable[[Item, Context], Json | None]:
    def read(item: Item, context: Context) -> Json | None:
        found = _addresses(item)
        return found[number] if number < len(found) else None

    return read


_PARTS = {
    "Street": "street",
    "City": "city",
    "State": "state",
    "CountryOrRegion": "countryOrRegion",
    "PostalCode": "postalCode",
}


def _place(key: str) -> Callable[[Item, Context], Json]:
    def read(item: Item, context: Context) -> Json:
        fragment = item.properties.get("PhysicalAddresses", "")
        for entry in children(parse_fragment(fragment)) if fragment else ():
            if entry.get("Key") == key:
                return {_PARTS[local(part)]: part.text for part in children(entry) if part.text}
        return {}

    return read


def _notes(item: Item, context: Context) -> str:
    plain, html = content.bodies(item, item.properties.get("Body", ""))
    return plain or html


def _photo(item: Item, context: Context, expand: Expand) -> Any:
    return ABSENT if photo(item) is None else {"id": "1x1", "height": 1, "width": 1}


CONTACT: Entity[Item] = Entity(
    name="contact",
    properties={
        "id": lambda item, context: item_id(item, context.immutable),
        "createdDateTime": lambda item, context: stamp(item.created),
        "lastModifiedDateTime": lambda item, context: stamp(saved(item.modified)),
        "changeKey": lambda item, context: change_key(item.change_key),
        "categories": lambda item, context: texts(item.properties.get("Categories", "")),
        "parentFolderId": lambda item, context: rest_id(item.folder.id),
        "birthday": _text("Birthday"),
        "fileAs": lambda item, context: item.text("FileAs"),
        "displayName": lambda item, context: item.text("DisplayName"),
        "givenName": _text("GivenName"),
        "initials": _text("Initials"),
        "middleName": _text("MiddleName"),
        "nickName": _text("Nickname"),
        "surname": _text("Surname"),
        "title": lambda item, context: None,
        "yomiGivenName": _text("PhoneticFirstName"),
        "yomiSurname": _text("PhoneticLastName"),
        "yomiCompanyName": lambda item, context: None,
        "generation": _text("Generation"),
        "imAddresses": lambda item, context: [text for _, text in entries(item, "ImAddresses") if text],
        "jobTitle": _text("JobTitle"),
        "companyName": _text("CompanyName"),
        "department": _text("Department"),
        "officeLocation": _text("OfficeLocation"),
        "profession": _text("Profession"),
        "businessHomePage": _text("BusinessHomePage"),
        "assistantName": _text("AssistantName"),
        "manager": _text("Manager"),
        "homePhones": _phones("HomePhone", "HomePhone2"),
        "mobilePhone": _mobile,
        "businessPhones": _phones("BusinessPhone", "BusinessPhone2"),
        "spouseName": _text("SpouseName"),
        "personalNotes": _notes,
        "children": lambda item, context: texts(item.properties.get("Children", "")),
        "emailAddresses": lambda item, context: _addresses(item),
        "primaryEmailAddress": _email(0),
        "secondaryEmailAddress": _email(1),
        "tertiaryEmailAddress": _email(2),
        "homeAddress": _place("Home"),
        "businessAddress": _place("Business"),
        "otherAddress": _place("Other"),
    },
    navigation={"photo": _photo, **extended_navigation(lambda item, asked: asked.of_item(item))},
    etag=lambda item: change_key(item.change_key),
)
