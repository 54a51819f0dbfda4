"""Decodes contacts: Graph's own properties, and extended properties for those that Graph has no names for.

The service counts contact groups but does not return them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shared.formats.values.contact import PhoneKind
from shared.sources.graph.mail.messages import (
    ITEM_CLASS,
    SEARCH_KEY,
    SENSITIVITIES,
    SENSITIVITY,
    SIZE,
    EmailAddress,
    hexadecimal,
    number,
)
from shared.sources.graph.transport.answers import Extended, Named, moment, utc_text, values_of
from shared.sources.graph.transport.queries import extended, query
from shared.sources.item_values import item_of
from shared.sources.model import Item, ItemKind

_SET = "00062004-0000-0000-c000-000000000046"
"""PSETID_Address."""

_HAS_PICTURE = f"Boolean {{{_SET}}} Id 0x8015"
_MAILING_ADDRESS = f"Integer {{{_SET}}} Id 0x8022"
_ANNIVERSARY = "SystemTime 0x3A41"
_SUBJECT = "String 0x0037"
"""Graph has no name for the subject, which is not always the display name ([MS-OXOCNTC], PidTagNormalizedSubject)."""

PHONES: Mapping[str, tuple[str, PhoneKind]] = {
    "AssistantPhone": ("3a2e", PhoneKind.ASSISTANT),
    "BusinessFax": ("3a24", PhoneKind.WORK_FAX),
    "BusinessPhone": ("3a08", PhoneKind.WORK),
    "BusinessPhone2": ("3a1b", PhoneKind.WORK),
    "Callback": ("3a02", PhoneKind.CALLBACK),
    "CarPhone": ("3a1e", PhoneKind.CAR),
    "CompanyMainPhone": ("3a57", PhoneKind.COMPANY),
    "HomeFax": ("3a25", PhoneKind.HOME_FAX),
    "HomePhone": ("3a09", PhoneKind.HOME),
    "HomePhone2": ("3a2f", PhoneKind.HOME),
    "Isdn": ("3a2d", PhoneKind.ISDN),
    "MobilePhone": ("3a1c", PhoneKind.MOBILE),
    "OtherFax": ("3a23", PhoneKind.OTHER_FAX),
    "OtherTelephone": ("3a1f", PhoneKind.OTHER),
    "Pager": ("3a21", PhoneKind.PAGER),
    "PrimaryPhone": ("3a1a", PhoneKind.PRIMARY),
    "RadioPhone": ("3a1d", PhoneKind.RADIO),
    "Telex": ("3a2c", PhoneKind.TELEX),
    "TtyTddPhone": ("3a4b", PhoneKind.TEXT),
}
"""EWS's names of phone numbers, in its order, with the property tag and the kind of each."""

_SELECT = (
    "changeKey,createdDateTime,lastModifiedDateTime,categories,displayName,fileAs,title,givenName,middleName,surname,"
    "generation,initials,nickName,yomiGivenName,yomiSurname,yomiCompanyName,companyName,department,jobTitle,profession,"
    "manager,assistantName,spouseName,children,birthday,businessHomePage,officeLocation,emailAddresses,businessPhones,"
    "homePhones,mobilePhone,imAddresses,businessAddress,homeAddress,otherAddress,personalNotes"
)
_TAGS = (
    SEARCH_KEY,
    ITEM_CLASS,
    SIZE,
    SENSITIVITY,
    _HAS_PICTURE,
    _MAILING_ADDRESS,
    _ANNIVERSARY,
    _SUBJECT,
    *(f"String 0x{tag.upper()}" for tag, _ in PHONES.values()),
)
FULL = query(select=_SELECT, expand=extended(_TAGS))
"""The properties that are requested of every contact; its photo is a separate request."""


class _Address(msgspec.Struct, rename="camel", gc=False):
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None
    postal_code: str | None = None


class GraphContact(Named, rename="camel", gc=False):
    """A contact."""

    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    categories: list[str] | None = None
    display_name: str | None = None
    file_as: str | None = None
    title: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    surname: str | None = None
    generation: str | None = None
    initials: str | None = None
    nick_name: str | None = None
    yomi_given_name: str | None = None
    yomi_surname: str | None = None
    yomi_company_name: str | None = None
    company_name: str | None = None
    department: str | None = None
    job_title: str | None = None
    profession: str | None = None
    manager: str | None = None
    assistant_name: str | None = None
    spouse_name: str | None = None
    children: list[str] | None = None
    birthday: str | None = None
    business_home_page: str | None = None
    office_location: str | None = None
    email_addresses: list[EmailAddress] | None = None
    business_phones: list[str] | None = None
    home_phones: list[str] | None = None
    mobile_phone: str | None = None
    im_addresses: list[str] | None = None
    business_address: _Address | None = None
    home_address: _Address | None = None
    other_address: _Address | None = None
    personal_notes: str | None = None
    single_value_extended_properties: list[Extended] | None = None

    @property
    def properties(self) -> dict[str, str]:
        """The extended properties, by `property_key`."""
        return values_of(self.single_value_extended_properties)


def has_photo(contact: GraphContact) -> bool:
    """Whether the contact has a picture to request."""
    return contact.properties.get(f"{_SET}/8015", "").lower() in ("true", "1")


def contact_item(contact: GraphContact, folder_id: str) -> Item:
    """Return the item of a contact. Metadata has EWS's names; `at` is the last-modified time."""
    values = contact_values(contact)
    at = moment(values["modified"])
    return item_of(values, contact.id, folder_id, ItemKind.CONTACT, at=at, addresses=values["emails"])


def contact_values(contact: GraphContact) -> dict[str, Any]:
    """Return the contact's metadata under EWS's names."""
    properties = contact.properties
    return {
        "version": contact.version,
        "move_key": hexadecimal(properties.get("300b")),
        "item_class": properties.get("001a") or "IPM.Contact",
        "size": number(properties.get("0e08")),
        "subject": properties.get("0037") or contact.display_name or "",
        "sensitivity": SENSITIVITIES.get(properties.get("0036", ""), "Normal"),
        "categories": contact.categories,
        "created": utc_text(contact.created_date_time),
        "modified": utc_text(contact.last_modified_date_time),
        "name": contact.display_name,
        "file_as": contact.file_as,
        "name_parts": _name_parts(contact),
        "given_name": contact.given_name,
        "middle_name": contact.middle_name,
        "surname": contact.surname,
        "nickname": contact.nick_name,
        "initials": contact.initials,
        "generation": contact.generation,
        "company": contact.company_name,
        "department": contact.department,
        "job_title": contact.job_title,
        "profession": contact.profession,
        "manager": contact.manager,
        "assistant": contact.assistant_name,
        "spouse": contact.spouse_name,
        "children": contact.children,
        "birthday": utc_text(contact.birthday),
        "anniversary": utc_text(properties.get("3a41")),
        "home_page": contact.business_home_page,
        "office": contact.office_location,
        "emails": [each.address for each in contact.email_addresses or () if each.address],
        "phones": _phones(contact, properties),
        "im": {f"ImAddress{place}": each for place, each in enumerate(contact.im_addresses or (), 1) if each},
        "addresses": {name: _parts(each) for name, each in _addresses(contact) if _parts(each)},
        "postal_address": _MAILING.get(properties.get(f"{_SET}/8022", ""), ""),
    }


_MAILING = {"1": "Home", "2": "Business", "3": "Other"}


def _name_parts(contact: GraphContact) -> dict[str, str]:
    """Return the parts of the name under EWS's names."""
    parts = {
        "Title": contact.title,
        "FirstName": contact.given_name,
        "MiddleName": contact.middle_name,
        "LastName": contact.surname,
        "Suffix": contact.generation,
        "Initials": contact.initials,
        "FullName": contact.display_name,
        "Nickname": contact.nick_name,
        "YomiFirstName": contact.yomi_given_name,
        "YomiLastName": contact.yomi_surname,
    }
    return {name: part for name, part in parts.items() if part}


def _phones(contact: GraphContact, properties: Mapping[str, str]) -> dict[str, str]:
    """Return phone numbers by EWS's names: from the tagged properties, else from Graph's own lists."""
    found = {name: properties[tag] for name, (tag, _) in PHONES.items() if properties.get(tag)}
    business, home = contact.business_phones or [], contact.home_phones or []
    listed = {
        **dict(zip(("BusinessPhone", "BusinessPhone2"), business, strict=False)),
        **dict(zip(("HomePhone", "HomePhone2"), home, strict=False)),
        "MobilePhone": contact.mobile_phone or "",
    }
    found |= {name: each for name, each in listed.items() if each and name not in found}
    return {name: found[name] for name in PHONES if name in found}


def _addresses(contact: GraphContact) -> Iterable[tuple[str, _Address | None]]:
    return (
        ("Business", contact.business_address),
        ("Home", contact.home_address),
        ("Other", contact.other_address),
    )


def _parts(address: _Address | None) -> dict[str, str]:
    if address is None:
        return {}
    parts = {
        "Street": address.street,
        "City": address.city,
        "State": address.state,
        "CountryOrRegion": address.country_or_region,
        "PostalCode": address.postal_code,
    }
    return {name: part for name, part in parts.items() if part}
