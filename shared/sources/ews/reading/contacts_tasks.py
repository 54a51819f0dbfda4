"""Reads contacts, distribution lists and tasks: the rare kinds, for which all properties are requested."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from shared.formats.values.recurrence import Recurrence
from shared.sources.ews.reading.attachments import read_attachments
from shared.sources.ews.reading.items import COMMON, Reader, flag, item, mailbox_of, time, values_of
from shared.sources.ews.recurrence import read_recurrence
from shared.sources.ews.transport.soap_response import T
from shared.sources.model import Item, ItemKind


def _entries(element: etree._Element) -> dict[str, str]:
    return {entry.get("Key") or "": entry.text for entry in element if entry.text}


def _addresses(element: etree._Element) -> dict[str, dict[str, str]]:
    found = {}
    for entry in element:
        parts = {str(part.tag).rpartition("}")[2]: part.text for part in entry if part.text}
        if parts:
            found[entry.get("Key") or ""] = parts
    return found


def _strings(element: etree._Element) -> list[str]:
    return [child.text for child in element if child.text]


def _name(element: etree._Element) -> dict[str, str]:
    return {str(part.tag).rpartition("}")[2]: part.text for part in element if part.text}


def _percent(element: etree._Element) -> int:
    """Parse a percentage as a whole number; Exchange writes a fraction times 100 (28.999999999999996)."""
    try:
        return min(max(round(float(element.text or 0)), 0), 100)
    except (ValueError, OverflowError):
        return 0


def _members(element: etree._Element) -> list[dict[str, str]]:
    mailboxes = [member.find(f"{T}Mailbox") for member in element]
    return [mailbox_of(mailbox) for mailbox in mailboxes if mailbox is not None]


_CONTACT: Mapping[str, tuple[str, Reader]] = {
    **COMMON,
    f"{T}DisplayName": ("name", None),
    f"{T}FileAs": ("file_as", None),
    f"{T}CompleteName": ("name_parts", _name),
    f"{T}GivenName": ("given_name", None),
    f"{T}MiddleName": ("middle_name", None),
    f"{T}Surname": ("surname", None),
    f"{T}Nickname": ("nickname", None),
    f"{T}Initials": ("initials", None),
    f"{T}Generation": ("generation", None),
    f"{T}CompanyName": ("company", None),
    f"{T}Department": ("department", None),
    f"{T}JobTitle": ("job_title", None),
    f"{T}Profession": ("profession", None),
    f"{T}Manager": ("manager", None),
    f"{T}AssistantName": ("assistant", None),
    f"{T}SpouseName": ("spouse", None),
    f"{T}Children": ("children", _strings),
    f"{T}Birthday": ("birthday", time),
    f"{T}WeddingAnniversary": ("anniversary", time),
    f"{T}BusinessHomePage": ("home_page", None),
    f"{T}OfficeLocation": ("office", None),
    f"{T}EmailAddresses": ("emails", _entries),
    f"{T}PhoneNumbers": ("phones", _entries),
    f"{T}ImAddresses": ("im", _entries),
    f"{T}PhysicalAddresses": ("addresses", _addresses),
    f"{T}PostalAddressIndex": ("postal_address", None),
    f"{T}Attachments": ("attachments", read_attachments),
    f"{T}Members": ("members", _members),
}

_TASK: Mapping[str, tuple[str, Reader]] = {
    **COMMON,
    f"{T}StartDate": ("start", time),
    f"{T}DueDate": ("due", time),
    f"{T}CompleteDate": ("completed", time),
    f"{T}Status": ("status", None),
    f"{T}PercentComplete": ("percent", _percent),
    f"{T}Owner": ("owner", None),
    f"{T}ReminderIsSet": ("reminder", flag),
    f"{T}ReminderDueBy": ("reminder_at", time),
    f"{T}Recurrence": ("recurrence", read_recurrence),
    f"{T}Attachments": ("attachments", read_attachments),
}


def read_contact(element: etree._Element) -> dict[str, Any]:
    """Parse a t:Contact or t:DistributionList. Exchange-internal addresses (EX) are not mail addresses."""
    values = values_of(element, _CONTACT)
    emails = values.get("emails", {})
    values["emails"] = [emails[key] for key in sorted(emails)]
    return values


def contact_item(values: dict[str, Any], identifier: str, folder_id: str, kind: ItemKind) -> Item:
    """The item for a contact or list. Consumes `values`; the item's `at` is its last-modified time."""
    people = [{"address": address} for address in values["emails"]] + list(values.get("members", ()))
    return item(values, identifier, folder_id, kind, at=values.get("modified"), people=people)


def read_task(element: etree._Element) -> tuple[dict[str, Any], Recurrence | None]:
    """Parse a t:Task into its properties and its recurrence."""
    values = values_of(element, _TASK)
    recurrence = values.pop("recurrence", None)
    if recurrence is not None:
        values["recurrence"], values["regenerates"] = recurrence.plain_rule, recurrence.regenerates
    return values, recurrence


def task_item(values: dict[str, Any], identifier: str, folder_id: str) -> Item:
    """The item for a task. Consumes `values`; the item's `at` is its last-modified time."""
    return item(values, identifier, folder_id, ItemKind.TASK, at=values.get("modified"), people=[])
