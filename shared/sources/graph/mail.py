"""Reads messages: everything that a page of changes carries, so that metadata needs no request of its own."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.sources.graph.answers import Extended, Named, binary, moment, property_key, utc_text
from shared.sources.graph.ids import ews_id
from shared.sources.graph.queries import extended, query
from shared.sources.item_values import content_key, message_kind
from shared.sources.port import Item

SEARCH_KEY = "Binary 0x300B"
"""PR_SEARCH_KEY: stays with an item when it moves; its copies share it."""

ITEM_CLASS = "String 0x001A"
SIZE = "Integer 0x0E08"
SENSITIVITY = "Integer 0x0036"

_SELECT = (
    "changeKey,subject,receivedDateTime,sentDateTime,createdDateTime,lastModifiedDateTime,categories,importance,"
    "hasAttachments,isDraft,isRead,conversationId,flag,from,sender,toRecipients,ccRecipients,bccRecipients,"
    "internetMessageId"
)
_EXPAND = extended((SEARCH_KEY, ITEM_CLASS, SIZE, SENSITIVITY))

METADATA = query(select=_SELECT, expand=_EXPAND)
"""What is asked of every message; frozen into a delta token by the first request."""

FIRST_ROUND = query(select=_SELECT, expand=_EXPAND, orderby="receivedDateTime desc")
"""The same, newest first. Never with $filter, which ends a round after 5,000 messages."""

BODY = query(select="body")
HEADERS = query(select="internetMessageHeaders")


class EmailAddress(msgspec.Struct, gc=False):
    """A name and an address."""

    name: str | None = None
    address: str | None = None


class Recipient(msgspec.Struct, rename="camel", gc=False):
    """Somebody that a message or an event names, by "name" and "address": as an item's metadata has them."""

    email_address: dict[str, Any] | None = None


class _Flag(msgspec.Struct, rename="camel", gc=False):
    flag_status: str = ""


class Message(Named, rename="camel", gc=False):
    """A message, or one of the meeting messages that stand beside messages."""

    type: str = msgspec.field(default="", name="@odata.type")
    subject: str | None = None
    received_date_time: str | None = None
    sent_date_time: str | None = None
    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    categories: list[str] | None = None
    importance: str | None = None
    has_attachments: bool | None = None
    is_draft: bool | None = None
    is_read: bool | None = None
    conversation_id: str | None = None
    flag: _Flag | None = None
    from_: Recipient | None = msgspec.field(default=None, name="from")
    sender: Recipient | None = None
    to_recipients: list[Recipient] | None = None
    cc_recipients: list[Recipient] | None = None
    bcc_recipients: list[Recipient] | None = None
    internet_message_id: str | None = None
    single_value_extended_properties: list[Extended] | None = None


def person_of(recipient: Recipient | None) -> dict[str, str]:
    """A name and an address, without what is empty."""
    return people_of([recipient])[0] if recipient is not None else {}


def people_of(recipients: Iterable[Recipient] | None) -> list[dict[str, str]]:
    """Several of them. Most are given as they were decoded: there are more of them than of anything else."""
    return [
        told if (told := each.email_address) and told.get("name") and told.get("address") else _without_empty(told)
        for each in recipients or ()
    ]


def _without_empty(told: dict[str, str] | None) -> dict[str, str]:
    return {name: text for name, text in (told or {}).items() if text and name in ("name", "address")}


def addresses_in(people: Iterable[dict[str, str]]) -> Iterator[str]:
    """The addresses of those that have one."""
    return (person["address"] for person in people if "address" in person)


def message_item(message: Message, folder_id: str) -> Item:
    """The item of a message, written for speed: a first sync does little else. `at` is when it was received."""
    told = _extended(message.single_value_extended_properties)
    item_class = told.get(ITEM_CLASS) or _CLASSES.get(message.type, "IPM.Note")
    kind = message_kind(item_class)
    metadata, addresses = _people(message)
    _add_facts(metadata, message, told.get(SENSITIVITY))
    move_key, size, subject = hexadecimal(told.get(SEARCH_KEY)), number(told.get(SIZE)), message.subject or ""
    return Item(
        id=message.id,
        version=message.change_key or message.version,
        folder_id=folder_id,
        kind=kind,
        item_class=item_class,
        move_key=move_key,
        content_key=content_key((move_key, kind, subject, size), metadata) if move_key else "",
        subject=subject,
        size=size,
        is_read=message.is_read,
        private=metadata["sensitivity"] == "Private",
        at=moment(message.received_date_time or message.created_date_time),
        addresses=addresses,
        metadata=metadata,
    )


def _people(message: Message) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Whom a message names, as metadata, and their addresses."""
    found: dict[str, Any] = {}
    people: list[dict[str, str]] = []
    for name, one in (("from", message.from_), ("sender", message.sender)):
        if one is not None and (told := person_of(one)):
            found[name] = told
            people.append(told)
    for name, several in (
        ("to", message.to_recipients),
        ("cc", message.cc_recipients),
        ("bcc", message.bcc_recipients),
    ):
        if several:
            found[name] = named = people_of(several)
            people += named
    return found, tuple({person["address"].lower() for person in people if "address" in person})


def _add_facts(metadata: dict[str, Any], message: Message, sensitivity: str | None) -> None:
    """Add the rest of the metadata; what is not there is left out, except that something is not so."""
    flag = message.flag.flag_status if message.flag is not None else ""
    metadata["sensitivity"] = SENSITIVITIES.get(sensitivity or "", "Normal")
    facts = (
        ("received", utc_text(message.received_date_time)),
        ("sent", utc_text(message.sent_date_time)),
        ("created", utc_text(message.created_date_time)),
        ("modified", utc_text(message.last_modified_date_time)),
        ("categories", message.categories),
        ("importance", _WORDS.get(message.importance or "") or capitalized(message.importance)),
        ("has_attachments", message.has_attachments),
        ("draft", message.is_draft),
        ("conversation_id", ews_id(message.conversation_id or "")),
        ("flag", _WORDS.get(flag) or capitalized(flag)),
        ("internet_message_id", message.internet_message_id),
    )
    for name, value in facts:
        if value or value is False:
            metadata[name] = value


_WORDS = {"normal": "Normal", "low": "Low", "high": "High", "notFlagged": "NotFlagged", "flagged": "Flagged"}

_OURS = {property_key(each): each for each in (SEARCH_KEY, ITEM_CLASS, SIZE, SENSITIVITY)}
_SPELLED: dict[str, str] = {}
"""How the service spells the properties that were asked for: learned, since it is always the same few."""


def _extended(properties: list[Extended] | None) -> dict[str, str | None]:
    """The extended properties of a message under the names that they were asked by."""
    found: dict[str, str | None] = {}
    for each in properties or ():
        name = _SPELLED.get(each.id) or _learned(each.id)
        found[name] = each.value
    return found


def _learned(spelled: str) -> str:
    name = _OURS.get(property_key(spelled), "")
    if name:
        _SPELLED[spelled] = name
    return name


SENSITIVITIES = {"0": "Normal", "1": "Personal", "2": "Private", "3": "Confidential"}

_CLASSES = {
    "#microsoft.graph.eventMessageRequest": "IPM.Schedule.Meeting.Request",
    "#microsoft.graph.eventMessageResponse": "IPM.Schedule.Meeting.Resp",
    "#microsoft.graph.eventMessage": "IPM.Schedule.Meeting",
    "#microsoft.graph.calendarSharingMessage": "IPM.Sharing",
}
"""What a message is taken for that comes without its class."""


def capitalized(word: str | None) -> str:
    """A word of an enumeration as the metadata has it: notFlagged is NotFlagged."""
    return word[0].upper() + word[1:] if word else ""


def hexadecimal(text: str | None) -> str:
    """A binary property in hexadecimal."""
    return binary(text).hex() if text else ""


def number(text: str | None) -> int:
    """A whole number; 0 when it is none."""
    return int(text) if text and len(text) < 16 and text.isdecimal() and text.isascii() else 0
