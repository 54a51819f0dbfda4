"""A contact as a vCard, which Exchange gives as the MIME content of a contact."""

from sandbox.mailboxes.fragments import children, local, parse_fragment
from sandbox.mailboxes.store import Item

_SIMPLE = (("CompanyName", "ORG"), ("JobTitle", "TITLE"), ("Birthday", "BDAY"), ("Nickname", "NICKNAME"))
_PHONES = {
    "BusinessPhone": "WORK,VOICE", "HomePhone": "HOME,VOICE", "MobilePhone": "CELL,VOICE",
    "BusinessFax": "WORK,FAX", "HomeFax": "HOME,FAX", "Pager": "PAGER",
}  # fmt: skip
_PLACES = {"Business": "WORK", "Home": "HOME", "Other": "POSTAL"}


def card(item: Item) -> bytes:
    """The vCard 3.0 of a contact."""
    text = item.text
    lines = ["BEGIN:VCARD", "PROFILE:VCARD", "VERSION:3.0", "MAILER:Microsoft Exchange", "PRODID:Microsoft Exchange"]
    lines.append(f"FN:{_safe(text('DisplayName') or text('FileAs'))}")
    lines.append(f"N:{_safe(text('Surname'))};{_safe(text('GivenName'))};{_safe(text('MiddleName'))};;")
    lines += [f"{key}:{_safe(text(name))}" for name, key in _SIMPLE if text(name)]
    lines += [f"EMAIL;TYPE=INTERNET:{_safe(address)}" for _, address in entries(item, "EmailAddresses") if address]
    for key, number in entries(item, "PhoneNumbers"):
        if number:
            lines.append(f"TEL;TYPE={_PHONES.get(key, 'VOICE')}:{_safe(number)}")
    lines += _places(item)
    if text("Body"):
        lines.append(f"NOTE:{_safe(text('Body'))}")
    lines += [f"CLASS:{'PRIVATE' if text('Sensitivity') == 'Private' else 'PUBLIC'}", "END:VCARD", ""]
    return "\r\n".join(lines).encode()


def entries(item: Item, name: str) -> list[tuple[str, str]]:
    """The (key, text) pairs of one of a contact's dictionaries."""
    if name not in item.properties:
        return []
    return [(str(entry.get("Key")), entry.text or "") for entry in children(parse_fragment(item.properties[name]))]


def _places(item: Item) -> list[str]:
    if "PhysicalAddresses" not in item.properties:
        return []
    lines = []
    for entry in children(parse_fragment(item.properties["PhysicalAddresses"])):
        part = {local(each): _safe(each.text or "") for each in entry}
        place = ";".join(part.get(name, "") for name in ("Street", "City", "State", "PostalCode", "CountryOrRegion"))
        lines.append(f"ADR;TYPE={_PLACES.get(str(entry.get('Key')), 'POSTAL')}:;;{place}")
    return lines


def _safe(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")
