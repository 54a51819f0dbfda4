"""Writes contacts and distribution lists as vCard 4.0 (RFC 6350).

Values without a property in RFC 6350 use the names of other programs: X-PHONETIC-… (Apple), X-EVOLUTION-… (Evolution,
KDE).
"""

from collections.abc import Iterable, Sequence

import pybase64

from shared.formats.addresses import link, mailto
from shared.formats.contentlines import component, escaped, line, text_line
from shared.formats.ics.times import utc_line
from shared.formats.plain_text import plain_text
from shared.formats.uids import UNIDENTIFIED
from shared.formats.values.common import Attachment
from shared.formats.values.contact import (
    AddressKind,
    Contact,
    DistributionList,
    PartialDate,
    Phone,
    PhoneKind,
    PostalAddress,
)

_PHONES = {
    PhoneKind.WORK: "work,voice",
    PhoneKind.WORK_FAX: "work,fax",
    PhoneKind.COMPANY: "work,voice",
    PhoneKind.HOME: "home,voice",
    PhoneKind.HOME_FAX: "home,fax",
    PhoneKind.MOBILE: "cell",
    PhoneKind.CAR: "cell",
    PhoneKind.PAGER: "pager",
    PhoneKind.OTHER_FAX: "fax",
    PhoneKind.TEXT: "textphone",
}
_ASSISTANT_PHONE = "X-ASSISTANT-PHONE"
"""The assistant's number is not a TEL, which programs would take for the contact's own number."""
_PLACES = {AddressKind.WORK: "work", AddressKind.HOME: "home"}


def contact_card(contact: Contact, uid: str = UNIDENTIFIED) -> bytes:
    """Write a contact's file; `uid` is a UUID."""
    lines = [
        *_head(contact, uid, _full_name(contact), "individual"),
        line("N", _name(contact)),
        text_line("NICKNAME", contact.nickname),
        *(line("EMAIL", escaped(email.address)) for email in contact.emails if "@" in email.address),
        *map(_phone, contact.phones),
        *(line("IMPP", _im(address)) for address in contact.ims),
        *map(_address, contact.addresses),
        *_phonetic(contact),
        *_organization(contact),
        *_day("BDAY", contact.birthday),
        *_day("ANNIVERSARY", contact.anniversary),
        text_line("NOTE", plain_text(contact.notes)),
        *_photo(contact.photo),
        *_attachments(contact.attachments),
    ]  # fmt: skip
    return component("VCARD", lines).encode()


def list_card(group: DistributionList, uid: str = UNIDENTIFIED) -> bytes:
    """Write a distribution list's file: a group with its members. A member without a mail address has its name only."""
    members = []
    for member in group.members:
        address = mailto(member.address)
        members.append(line("MEMBER", address) if address else text_line("X-MEMBER-NAME", member.name))
    head = _head(group, uid, group.name or "Group", "group")
    note = text_line("NOTE", plain_text(group.notes))
    return component("VCARD", [*head, *members, note, *_attachments(group.attachments)]).encode()


def _head(card: Contact | DistributionList, uid: str, full_name: str, kind: str) -> Iterable[str]:
    yield "VERSION:4.0\r\n"
    yield line("KIND", kind)
    yield line("UID", f"urn:uuid:{uid}")
    yield line("FN", escaped(full_name))
    yield from utc_line("REV", card.modified)
    if card.categories:
        yield line("CATEGORIES", ",".join(escaped(name) for name in card.categories))


def _full_name(contact: Contact) -> str:
    """The name of the card, which vCard requires: the first value that is not empty."""
    composed = " ".join(part for part in (contact.given_name, contact.middle_name, contact.surname) if part)
    first_email = contact.emails[0].address if contact.emails else ""
    candidates = (contact.display_name, contact.full_name, composed, contact.company, contact.file_as, first_email)
    return next((name for name in candidates if name), "Unnamed")


def _name(contact: Contact) -> str:
    parts = (contact.surname, contact.given_name, contact.middle_name, contact.prefix, contact.suffix)
    return ";".join(escaped(part) for part in parts)


def _typed(types: str) -> dict[str, str]:
    return {"TYPE": types} if types else {}


def _phone(phone: Phone) -> str:
    if phone.kind is PhoneKind.ASSISTANT:
        return line(_ASSISTANT_PHONE, escaped(phone.number), {"VALUE": "text"})
    return line("TEL", escaped(phone.number), _typed(_PHONES.get(phone.kind, "")) | {"VALUE": "text"})


def _im(address: str) -> str:
    """An address with its scheme; one without a scheme gets the neutral scheme `x-im`."""
    scheme, colon, _ = address.strip().partition(":")
    return link(address) if colon and scheme.isalnum() else f"x-im:{link(address)}"


def _address(address: PostalAddress) -> str:
    parts = (address.street, address.city, address.state, address.postal_code, address.country)
    value = f"{escaped(address.post_office_box)};;" + ";".join(escaped(part) for part in parts)
    return line("ADR", value, _typed(_PLACES.get(address.kind, "")) | ({"PREF": "1"} if address.is_preferred else {}))


def _phonetic(contact: Contact) -> Iterable[str]:
    """The pronunciation of the name, and the name to sort by."""
    yield text_line("X-PHONETIC-FIRST-NAME", contact.phonetic_given_name)
    yield text_line("X-PHONETIC-LAST-NAME", contact.phonetic_surname)
    yield text_line("X-PHONETIC-ORG", contact.phonetic_company)
    yield text_line("X-EVOLUTION-FILE-AS", contact.file_as)


def _organization(contact: Contact) -> Iterable[str]:
    if contact.company or contact.department:
        yield line("ORG", f"{escaped(contact.company)};{escaped(contact.department)}")
    yield text_line("TITLE", contact.job_title)
    yield text_line("ROLE", contact.profession)
    yield text_line("X-EVOLUTION-OFFICE", contact.office)
    yield text_line("X-EVOLUTION-MANAGER", contact.manager)
    yield text_line("X-EVOLUTION-ASSISTANT", contact.assistant)
    for url in contact.urls:
        yield line("URL", link(url))
    related = [(contact.spouse, "spouse"), (contact.manager, "co-worker"), (contact.assistant, "co-worker")]
    for name, relation in [*related, *((child, "child") for child in contact.children)]:
        yield text_line("RELATED", name, {"TYPE": relation, "VALUE": "text"})


def _day(name: str, day: PartialDate | None) -> Iterable[str]:
    if day is not None:
        year = "--" if day.year is None else f"{day.year:04d}"
        yield line(name, f"{year}{day.month:02d}{day.day:02d}")


def _photo(photo: Attachment | None) -> Iterable[str]:
    if photo is not None and photo.data is not None:
        yield line("PHOTO", _data_uri(photo, photo.data, "image/jpeg"))
    elif photo is not None:
        yield from _missing(photo)


def _attachments(attachments: Sequence[Attachment]) -> Iterable[str]:
    """The attachments as X-ATTACH, modeled on iCalendar's ATTACH, since vCard has no property for them."""
    for each in attachments:
        parameters = {"MEDIATYPE": each.media_type, "X-FILENAME": each.name}
        if each.data is not None:
            yield line("X-ATTACH", _data_uri(each, each.data, "application/octet-stream"), parameters)
        elif each.url:
            yield line("X-ATTACH", link(each.url), parameters)
        else:
            yield from _missing(each)


def _missing(attachment: Attachment) -> Iterable[str]:
    yield text_line("X-MISSING-ATTACHMENT", attachment.name or "unnamed", {"X-SIZE": str(attachment.size or "")})


def _data_uri(attachment: Attachment, data: bytes, default_type: str) -> str:
    """A data URI that contains the bytes (RFC 2397)."""
    return f"data:{link(attachment.media_type) or default_type};base64,{pybase64.b64encode(data).decode()}"
