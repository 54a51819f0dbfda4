"""Reads messages: everything that a page of changes carries, so that metadata needs no request of its own."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from shared.sources.graph.ids import ews_id
from shared.sources.graph.transport.answers import Extended, Named, binary, moment, property_key, utc_text
from shared.sources.graph.transport.queries import extended, query
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
    """A name and an address, without what is empty."""
    told = recipient.email_address if recipient is not None else None
    if told is None:
        return {}
    name, address = told.name, told.address
    if name and address:
        return {"name": name, "address": address}
    return {"name": name} if name else {"address": address} if address else {}


def addresses_in(people: Iterable[dict[str, str]]) -> Iterator[str]:
    """The addresses of those that have one."""
    return (person["address"] for person in people if "address" in person)


def message_item(message: Message, folder_id: str) -> Item:
    """The item of a message, written for speed: a first sync does little else. `at` is when it was received."""
    told = {_SPELLED[each.id]: each.value for each in message.single_value_extended_properties or ()}
    item_class = told.get(ITEM_CLASS) or _CLASSES.get(message.type, "IPM.Note")
    kind = message_kind(item_class)
    sensitivity = SENSITIVITIES.get(told.get(SENSITIVITY) or "", "Normal")
    metadata = _metadata(message, sensitivity)
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
        private=sensitivity == "Private",
        at=moment(message.received_date_time or message.created_date_time),
        addresses=_addresses(message),
        metadata=metadata,
    )


def _metadata(message: Message, sensitivity: str) -> dict[str, Any]:
    """The metadata in one piece; then what is not there is taken out, except that something is not so."""
    flag = message.flag.flag_status if message.flag is not None else ""
    metadata = {
        "from": person_of(message.from_),
        "sender": person_of(message.sender),
        "to": [person_of(each) for each in message.to_recipients or ()],
        "cc": [person_of(each) for each in message.cc_recipients or ()],
        "bcc": [person_of(each) for each in message.bcc_recipients or ()],
        "sensitivity": sensitivity,
        "received": utc_text(message.received_date_time),
        "sent": utc_text(message.sent_date_time),
        "created": utc_text(message.created_date_time),
        "modified": utc_text(message.last_modified_date_time),
        "categories": message.categories,
        "importance": _WORDS[message.importance or ""],
        "has_attachments": message.has_attachments,
        "draft": message.is_draft,
        "conversation_id": ews_id(message.conversation_id or ""),
        "flag": _WORDS[flag],
        "internet_message_id": message.internet_message_id,
    }
    for name in [name for name, value in metadata.items() if not value and value is not False]:
        del metadata[name]
    return metadata


def _addresses(message: Message) -> tuple[str, ...]:
    """The addresses of everybody whom a message names, in lower case, each once."""
    named = [message.from_, message.sender]
    for several in (message.to_recipients, message.cc_recipients, message.bcc_recipients):
        if several:
            named += several
    told = [each.email_address for each in named if each is not None]
    return tuple({each.address.lower() for each in told if each is not None and each.address})


class _Learned(dict[str, str]):
    """What a word of the service is to us: worked out once, since it is always the same few words."""

    def __init__(self, meaning: Callable[[str], str]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, word: str) -> str:
        meant = self._meaning(word)
        if len(self) < _MOST_LEARNED:
            self[word] = meant
        return meant


_MOST_LEARNED = 256

_OURS = {property_key(each): each for each in (SEARCH_KEY, ITEM_CLASS, SIZE, SENSITIVITY)}
_SPELLED = _Learned(lambda spelled: _OURS.get(property_key(spelled), ""))
"""The name by which an extended property was asked for, by how the service spells it."""

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


_WORDS = _Learned(capitalized)


def hexadecimal(text: str | None) -> str:
    """A binary property in hexadecimal."""
    return binary(text).hex() if text else ""


def number(text: str | None) -> int:
    """A whole number; 0 when it is none."""
    return int(text) if text and len(text) < 16 and text.isdecimal() and text.isascii() else 0
