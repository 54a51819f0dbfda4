"""Writes contacts and distribution lists as vCard 4.0 (RFC 6350)."""

from collections.abc import Iterable

from shared.formats.contact import AddressKind, Contact, DistributionList, PartialDate, PhoneKind, PostalAddress
from shared.formats.contentlines import component, escaped, line, text_line
from shared.formats.ics.times import utc_line

_PHONES = {
    PhoneKind.WORK: "work,voice",
    PhoneKind.WORK_FAX: "work,fax",
    PhoneKind.COMPANY: "work,voice",
    PhoneKind.ASSISTANT: "work,voice",
    PhoneKind.HOME: "home,voice",
    PhoneKind.HOME_FAX: "home,fax",
    PhoneKind.MOBILE: "cell",
    PhoneKind.CAR: "cell",
    PhoneKind.PAGER: "pager",
    PhoneKind.OTHER_FAX: "fax",
    PhoneKind.TEXT: "textphone",
}
_PLACES = {AddressKind.WORK: "work", AddressKind.HOME: "home"}


def contact_card(contact: Contact, uid: str) -> bytes:
    """A contact's file; `uid` is a URI's end: a UUID."""
    lines = [
        *_head(contact, uid, _full_name(contact), "individual"),
        line("N", _name(contact)),
        text_line("NICKNAME", contact.nickname),
        *(line("EMAIL", escaped(email.address)) for email in contact.emails if "@" in email.address),
        *(line("TEL", escaped(phone.number), _typed(_PHONES.get(phone.kind, "")) | {"VALUE": "text"})
          for phone in contact.phones),
        *(line("IMPP", _im(address)) for address in contact.ims),
        *(line("ADR", _address(address), _typed(_PLACES.get(address.kind, ""))) for address in contact.addresses),
        *_organization(contact),
        *_day("BDAY", contact.birthday),
        *_day("ANNIVERSARY", contact.anniversary),
        text_line("NOTE", contact.notes.text),
    ]  # fmt: skip
    return component("VCARD", lines).encode()


def list_card(group: DistributionList, uid: str) -> bytes:
    """A distribution list's file: a group with its members. A member without a mail address is written by name."""
    members = []
    for member in group.members:
        address = _without_blanks(member.address)
        if "@" in address:
            members.append(line("MEMBER", f"mailto:{address}"))
        else:
            members.append(text_line("X-MEMBER-NAME", member.name))
    head = _head(group, uid, group.name or "Group", "group")
    return component("VCARD", [*head, *members, text_line("NOTE", group.notes.text)]).encode()


def _head(card: Contact | DistributionList, uid: str, full_name: str, kind: str) -> Iterable[str]:
    yield "VERSION:4.0\r\n"
    yield line("KIND", kind)
    yield line("UID", f"urn:uuid:{uid}")
    yield line("FN", escaped(full_name))
    yield from utc_line("REV", card.modified)
    if card.categories:
        yield line("CATEGORIES", ",".join(escaped(name) for name in card.categories))


def _full_name(contact: Contact) -> str:
    """What the card is called: a card must be called something."""
    composed = " ".join(part for part in (contact.given_name, contact.middle_name, contact.surname) if part)
    first_email = contact.emails[0].address if contact.emails else ""
    candidates = (contact.display_name, contact.full_name, composed, contact.company, contact.file_as, first_email)
    return next((name for name in candidates if name), "Unnamed")


def _name(contact: Contact) -> str:
    parts = (contact.surname, contact.given_name, contact.middle_name, contact.prefix, contact.suffix)
    return ";".join(escaped(part) for part in parts)


def _typed(types: str) -> dict[str, str]:
    return {"TYPE": types} if types else {}


def _im(address: str) -> str:
    """An address with its scheme; a bare one gets one that claims nothing."""
    scheme, colon, _ = address.partition(":")
    bare = _without_blanks(address)
    return bare if colon and scheme.isalnum() else f"x-im:{bare}"


def _address(address: PostalAddress) -> str:
    parts = (address.street, address.city, address.state, address.postal_code, address.country)
    return f"{escaped(address.post_office_box)};;" + ";".join(escaped(part) for part in parts)


def _organization(contact: Contact) -> Iterable[str]:
    if contact.company or contact.department:
        yield line("ORG", f"{escaped(contact.company)};{escaped(contact.department)}")
    yield text_line("TITLE", contact.job_title)
    yield text_line("ROLE", contact.profession)
    for url in contact.urls:
        yield line("URL", _without_blanks(url))
    related = [(contact.spouse, "spouse"), (contact.manager, "co-worker"), (contact.assistant, "co-worker")]
    for name, relation in [*related, *((child, "child") for child in contact.children)]:
        yield text_line("RELATED", name, {"TYPE": relation, "VALUE": "text"})


def _day(name: str, day: PartialDate | None) -> Iterable[str]:
    if day is not None:
        year = "--" if day.year is None else f"{day.year:04d}"
        yield line(name, f"{year}{day.month:02d}{day.day:02d}")


def _without_blanks(text: str) -> str:
    return "".join(mark for mark in text if mark > " ")
