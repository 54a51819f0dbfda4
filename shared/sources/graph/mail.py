"""Reads messages: everything that a page of changes carries, so that metadata needs no request of its own."""

import binascii
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.sources.graph.answers import Extended, Named, binary, moment, utc_text, values_of
from shared.sources.graph.ids import ews_id
from shared.sources.graph.queries import extended, query
from shared.sources.item_values import item_of, message_kind
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
    """Somebody that a message or an event names."""

    email_address: EmailAddress | None = None


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
    """A name and an address, as an item's metadata has them."""
    told = recipient.email_address if recipient is not None else None
    if told is None:
        return {}
    found = {}
    if told.name:
        found["name"] = told.name
    if told.address:
        found["address"] = told.address
    return found


def people_of(recipients: Iterable[Recipient] | None) -> list[dict[str, str]]:
    """Several of them."""
    return [person_of(each) for each in recipients] if recipients else []


def addresses_in(people: Iterable[dict[str, str]]) -> Iterator[str]:
    """The addresses of those that have one."""
    return (person["address"] for person in people if "address" in person)


def message_item(message: Message, folder_id: str) -> Item:
    """The item of a message. `at` is when it was received."""
    values = _values(message)
    people = [*values["to"], *values["cc"], *values["bcc"], values["from"], values["sender"]]
    at = moment(values["received"] or values["created"])
    kind = message_kind(values["item_class"])
    return item_of(values, message.id, folder_id, kind, at=at, addresses=addresses_in(people))


def _values(message: Message) -> dict[str, Any]:
    properties = values_of(message.single_value_extended_properties)
    flag = message.flag.flag_status if message.flag is not None else ""
    return {
        "version": message.version,
        "move_key": hexadecimal(properties.get("300b")),
        "item_class": properties.get("001a") or _CLASSES.get(message.type, "IPM.Note"),
        "size": number(properties.get("0e08")),
        "sensitivity": SENSITIVITIES.get(properties.get("0036", ""), "Normal"),
        "subject": message.subject or "",
        "received": utc_text(message.received_date_time),
        "sent": utc_text(message.sent_date_time),
        "created": utc_text(message.created_date_time),
        "modified": utc_text(message.last_modified_date_time),
        "categories": message.categories,
        "importance": capitalized(message.importance),
        "has_attachments": message.has_attachments,
        "draft": message.is_draft,
        "is_read": message.is_read,
        "conversation_id": ews_id(message.conversation_id or ""),
        "flag": capitalized(flag),
        "from": person_of(message.from_),
        "sender": person_of(message.sender),
        "to": people_of(message.to_recipients),
        "cc": people_of(message.cc_recipients),
        "bcc": people_of(message.bcc_recipients),
        "internet_message_id": message.internet_message_id or "",
    }


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
    return binascii.hexlify(binary(text)).decode() if text else ""


def number(text: str | None) -> int:
    """A whole number; 0 when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0
