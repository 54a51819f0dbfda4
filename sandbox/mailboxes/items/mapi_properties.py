"""MAPI properties that follow from an item's properties; clients request them where an API has no name for them.

Sources: [MS-OXPROPS] for tags and ids, [MS-OXOCNTC] for contacts, [MS-OXOTASK] for tasks, [MS-OXOCAL] for events.
"""

import base64
from collections.abc import Callable

from sandbox.mailboxes.calendar.events import zone_of
from sandbox.mailboxes.calendar.mapi import recurrence_blob, zone_definition, zone_struct
from sandbox.mailboxes.calendar.zones import from_definition
from sandbox.mailboxes.fragments import children, local, parse_fragment
from sandbox.mailboxes.items.vcard import entries
from sandbox.mailboxes.store import Item

type Read = Callable[[Item], str]

APPOINTMENT = "00062002-0000-0000-c000-000000000046"
ADDRESS = "00062004-0000-0000-c000-000000000046"
TASK = "00062003-0000-0000-c000-000000000046"
MEETING = "6ed8da90-450b-101b-98da-00aa003f1305"

_SENSITIVITIES = {"Personal": "1", "Private": "2", "Confidential": "3"}
_IMPORTANCES = {"Low": "0", "High": "2"}
_STATUSES = {"InProgress": "1", "Completed": "2", "WaitingOnOthers": "3", "Deferred": "4"}
_FLAGS = {"Complete": "1", "Flagged": "2"}
_BUSY = {"Free": "0", "Tentative": "1", "OOF": "3", "WorkingElsewhere": "4"}


def _text(name: str) -> Read:
    return lambda item: item.text(name)


def _entry(dictionary: str, key: str) -> Read:
    """One entry of a contact's dictionary."""
    return lambda item: next((text for name, text in entries(item, dictionary) if name == key), "")


def _address(key: str, part: str) -> Read:
    """One part of one of a contact's addresses."""

    def read(item: Item) -> str:
        fragment = item.properties.get("PhysicalAddresses", "")
        for entry in children(parse_fragment(fragment)) if fragment else ():
            if entry.get("Key") == key:
                return next((each.text or "" for each in entry if local(each) == part), "")
        return ""

    return read


def _binary(read: Callable[[Item], bytes]) -> Read:
    """Bytes in base64, for events only."""
    return lambda item: base64.b64encode(read(item)).decode() if item.element == "CalendarItem" else ""


def _global_object_id(item: Item) -> bytes:
    try:
        return bytes.fromhex(item.text("UID"))
    except ValueError:
        return item.text("UID").encode()


def _end_zone(item: Item) -> bytes:
    fragment = item.properties.get("EndTimeZone")
    return zone_definition(from_definition(parse_fragment(fragment)) if fragment else zone_of(item), recurring=False)


def _fraction(item: Item) -> str:
    done = item.text("PercentComplete")
    return str(float(done) / 100) if done else ""


_PHONES = {
    "AssistantPhone": 0x3A2E, "BusinessFax": 0x3A24, "BusinessPhone": 0x3A08, "BusinessPhone2": 0x3A1B,
    "Callback": 0x3A02, "CarPhone": 0x3A1E, "CompanyMainPhone": 0x3A57, "HomeFax": 0x3A25, "HomePhone": 0x3A09,
    "HomePhone2": 0x3A2F, "Isdn": 0x3A2D, "MobilePhone": 0x3A1C, "OtherFax": 0x3A23, "OtherTelephone": 0x3A1F,
    "Pager": 0x3A21, "PrimaryPhone": 0x3A1A, "RadioPhone": 0x3A1D, "Telex": 0x3A2C, "TtyTddPhone": 0x3A4B,
}  # fmt: skip

_NAMES = {
    "AssistantName": 0x3A30, "BusinessHomePage": 0x3A51, "CompanyName": 0x3A16, "Department": 0x3A18,
    "DisplayName": 0x3001, "Generation": 0x3A05, "GivenName": 0x3A06, "Initials": 0x3A0A, "JobTitle": 0x3A17,
    "Manager": 0x3A4E, "MiddleName": 0x3A44, "Mileage": 0x3A5F, "Nickname": 0x3A4F, "OfficeLocation": 0x3A19,
    "Profession": 0x3A46, "SpouseName": 0x3A48, "Surname": 0x3A11,
}  # fmt: skip

_STRINGS = {**{tag: _entry("PhoneNumbers", key) for key, tag in _PHONES.items()},
            **{tag: _text(name) for name, tag in _NAMES.items()}}  # fmt: skip

TAGGED: dict[tuple[int, str], Read] = {
    **{(tag, "String"): read for tag, read in _STRINGS.items()},
    (0x17, "Integer"): lambda item: _IMPORTANCES.get(item.text("Importance"), "1"),
    (0x36, "Integer"): lambda item: _SENSITIVITIES.get(item.text("Sensitivity"), "0"),
    (0x1090, "Integer"): lambda item: next((value for name, value in _FLAGS.items() if name in _flag(item)), ""),
    (0x3A41, "SystemTime"): _text("WeddingAnniversary"),
    (0x3A42, "SystemTime"): _text("Birthday"),
    (0x65E0, "Binary"): lambda item: base64.b64encode(item.immutable_key + item.number.to_bytes(6)).decode(),
    (0xE23, "Integer"): lambda item: str(item.number),
    (0xFF9, "Binary"): lambda item: base64.b64encode(item.immutable_key).decode(),
}
"""By tag and type."""


def _flag(item: Item) -> str:
    fragment = item.properties.get("Flag", "")
    return fragment.partition("<t:FlagStatus>")[2].partition("<")[0]


def _recurrence_type(item: Item) -> str:
    """PidLidRecurrenceType: 0 of a single event, 1 daily, 2 weekly, 3 monthly, 4 yearly."""
    if item.element != "CalendarItem":
        return ""
    pattern = item.properties.get("Recurrence", "")
    kinds = enumerate(("Daily", "Weekly", "Monthly", "Yearly"), start=1)
    return next((str(number) for number, kind in kinds if f"{kind}Recurrence>" in pattern), "0")


NAMED: dict[tuple[str, int, str], Read] = {
    (MEETING, 0x3, "Binary"): _binary(_global_object_id),
    (MEETING, 0x23, "Binary"): _binary(_global_object_id),
    (APPOINTMENT, 0x8205, "Integer"): lambda item: _BUSY.get(item.text("LegacyFreeBusyStatus"), "2"),
    (APPOINTMENT, 0x8208, "String"): _text("Location"),
    (APPOINTMENT, 0x8216, "Binary"): _binary(recurrence_blob),
    (APPOINTMENT, 0x8223, "Boolean"): lambda item: (
        ("true" if "Recurrence" in item.properties else "false") if item.element == "CalendarItem" else ""
    ),
    (APPOINTMENT, 0x8231, "Integer"): _recurrence_type,
    (APPOINTMENT, 0x8233, "Binary"): _binary(lambda item: zone_struct(zone_of(item))),
    (APPOINTMENT, 0x8234, "String"): lambda item: zone_of(item).name if item.element == "CalendarItem" else "",
    (APPOINTMENT, 0x825E, "Binary"): _binary(lambda item: zone_definition(zone_of(item), recurring=False)),
    (APPOINTMENT, 0x825F, "Binary"): _binary(_end_zone),
    (APPOINTMENT, 0x8260, "Binary"): _binary(lambda item: zone_definition(zone_of(item), recurring=True)),
    (ADDRESS, 0x8005, "String"): _text("FileAs"),
    (ADDRESS, 0x8015, "Boolean"): lambda item: item.text("HasPicture") if item.element == "Contact" else "",
    (ADDRESS, 0x802C, "String"): _text("PhoneticFirstName"),
    (ADDRESS, 0x802D, "String"): _text("PhoneticLastName"),
    (ADDRESS, 0x8062, "String"): _entry("ImAddresses", "ImAddress1"),
    **{(ADDRESS, 0x8083 + 16 * n, "String"): _entry("EmailAddresses", f"EmailAddress{n + 1}") for n in range(3)},
    (ADDRESS, 0x8045, "String"): _address("Business", "Street"),
    (ADDRESS, 0x8046, "String"): _address("Business", "City"),
    (ADDRESS, 0x8047, "String"): _address("Business", "State"),
    (ADDRESS, 0x8048, "String"): _address("Business", "PostalCode"),
    (ADDRESS, 0x8049, "String"): _address("Business", "CountryOrRegion"),
    (TASK, 0x8101, "Integer"): lambda item: _STATUSES.get(item.text("Status"), "0"),
    (TASK, 0x8102, "Double"): _fraction,
    (TASK, 0x8110, "Integer"): _text("ActualWork"),
    (TASK, 0x8111, "Integer"): _text("TotalWork"),
    (TASK, 0x811F, "String"): _text("Owner"),
}
"""By property set, id and type."""
