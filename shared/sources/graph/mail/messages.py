"""Decodes messages. A page of changes contains all of their metadata, so that no further request is needed."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypedDict

import msgspec

from shared.sources.graph.ids import ews_id
from shared.sources.graph.transport.answers import Extended, Named, binary, moment, property_key, utc_text
from shared.sources.graph.transport.queries import extended, query
from shared.sources.item_values import content_key, message_kind
from shared.sources.model import Item

SEARCH_KEY = "Binary 0x300B"
"""PR_SEARCH_KEY. It survives a move, and copies share it."""

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
"""The properties of every message. The first request of a delta round fixes them for all later ones."""

FIRST_ROUND = query(select=_SELECT, expand=_EXPAND, orderby="receivedDateTime desc")
"""The same, newest first. No $filter, since a round with one ends after 5,000 messages."""

BODY = query(select="body")
HEADERS = query(select="internetMessageHeaders")


class EmailAddress(msgspec.Struct, gc=False):
    """A name and an address."""

    name: str | None = None
    address: str | None = None


class Person(TypedDict, total=False):
    """A name and an address, decoded in the form that the metadata has."""

    name: str | None
    address: str | None


class Recipient(msgspec.Struct, rename="camel", gc=False):
    """A sender or recipient of a message, or an attendee of an event."""

    email_address: Person | None = None


class _Flag(msgspec.Struct, rename="camel", gc=False):
    flag_status: str = ""


class Message(Named, rename="camel", gc=False):
    """A message, or a meeting message."""

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
    """Return a name and an address, without empty ones."""
    person = recipient.email_address if recipient is not None else None
    if not person:
        return {}
    found = {"name": person.get("name"), "address": person.get("address")}
    return {field: value for field, value in found.items() if value}


def addresses_in(people: Iterable[dict[str, str]]) -> Iterator[str]:
    """Yield the addresses of the people who have one."""
    return (person["address"] for person in people if "address" in person)


def message_item(message: Message, folder_id: str) -> Item:
    """Return the item of a message; `at` is the time received. Optimized: most of a first sync is spent here."""
    values = {_SPELLED[each.id]: each.value for each in message.single_value_extended_properties or ()}
    item_class = values.get(ITEM_CLASS) or _CLASSES.get(message.type, "IPM.Note")
    kind = _kind(item_class)
    metadata: dict[str, Any] = {}
    addresses = _add_people(message, metadata)
    sensitivity = metadata["sensitivity"] = SENSITIVITIES.get(values.get(SENSITIVITY) or "", "Normal")
    _add_the_rest(message, metadata)
    move_key, size, subject = hexadecimal(values.get(SEARCH_KEY)), number(values.get(SIZE)), message.subject or ""
    return Item(
        message.id,
        message.change_key or message.version,
        folder_id,
        kind,
        item_class,
        move_key,
        content_key((move_key, kind, subject, size), metadata) if move_key else "",
        subject,
        size,
        message.is_read,
        sensitivity == "Private",
        moment(message.received_date_time or message.created_date_time),
        addresses,
        metadata,
    )


_kind = lru_cache(512)(message_kind)


def _add_people(message: Message, metadata: dict[str, Any]) -> tuple[str, ...]:
    """Add the sender and the recipients of a message; returns their addresses in lower case.

    The decoded values are used as they are, unless a name or an address is missing. Changing the case of all addresses
    in one joined text is three times as fast as changing each of them.
    """
    people: list[Any] = []
    if message.from_ is not None and message.from_.email_address:
        metadata["from"] = message.from_.email_address
        people.append(message.from_.email_address)
    if message.sender is not None and message.sender.email_address:
        metadata["sender"] = message.sender.email_address
        people.append(message.sender.email_address)
    if message.to_recipients:
        metadata["to"] = persons = [each.email_address for each in message.to_recipients]
        people += persons
    if message.cc_recipients:
        metadata["cc"] = persons = [each.email_address for each in message.cc_recipients]
        people += persons
    if message.bcc_recipients:
        metadata["bcc"] = persons = [each.email_address for each in message.bcc_recipients]
        people += persons
    try:
        addresses = "\n".join([person["name"] and person["address"] for person in people]).lower().split("\n")
    except (KeyError, TypeError):
        return _add_incomplete_people(message, metadata)
    return _add_incomplete_people(message, metadata) if "" in addresses else tuple(addresses)


def _add_incomplete_people(message: Message, metadata: dict[str, Any]) -> tuple[str, ...]:
    """Do the same for a message in which a name or an address is missing."""
    people: dict[str, Any] = {"from": person_of(message.from_), "sender": person_of(message.sender)}
    several = {"to": message.to_recipients, "cc": message.cc_recipients, "bcc": message.bcc_recipients}
    people |= {name: [person_of(each) for each in recipients or ()] for name, recipients in several.items()}
    metadata.clear()
    metadata.update({name: value for name, value in people.items() if value})
    everybody = [people["from"], people["sender"], *people["to"], *people["cc"], *people["bcc"]]
    return tuple(address.lower() for address in addresses_in(everybody))


def _add_the_rest(message: Message, metadata: dict[str, Any]) -> None:
    """Add the other metadata. Empty values are left out, but not those that are false."""
    if text := utc_text(message.received_date_time):
        metadata["received"] = text
    if text := utc_text(message.sent_date_time):
        metadata["sent"] = text
    if text := utc_text(message.created_date_time):
        metadata["created"] = text
    if text := utc_text(message.last_modified_date_time):
        metadata["modified"] = text
    if categories := message.categories:
        metadata["categories"] = categories
    if importance := message.importance:
        metadata["importance"] = _WORDS[importance]
    if (has_attachments := message.has_attachments) is not None:
        metadata["has_attachments"] = has_attachments
    if (is_draft := message.is_draft) is not None:
        metadata["draft"] = is_draft
    if conversation := message.conversation_id:
        metadata["conversation_id"] = ews_id(conversation)
    if message.flag is not None and message.flag.flag_status:
        metadata["flag"] = _WORDS[message.flag.flag_status]
    if message_id := message.internet_message_id:
        metadata["internet_message_id"] = message_id


class _Learned(dict[str, str]):
    """Our names for the service's names. Each is computed once, because there are only a few."""

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
"""The names of the requested extended properties, by the names in the responses."""

SENSITIVITIES = {"0": "Normal", "1": "Personal", "2": "Private", "3": "Confidential"}

_CLASSES = {
    "#microsoft.graph.eventMessageRequest": "IPM.Schedule.Meeting.Request",
    "#microsoft.graph.eventMessageResponse": "IPM.Schedule.Meeting.Resp",
    "#microsoft.graph.eventMessage": "IPM.Schedule.Meeting",
    "#microsoft.graph.calendarSharingMessage": "IPM.Sharing",
}
"""The class of a message that comes without one, by its type."""


def capitalized(word: str | None) -> str:
    """Return the value of an enumeration in the form that the metadata has: NotFlagged for notFlagged."""
    return word[0].upper() + word[1:] if word else ""


_WORDS = _Learned(capitalized)


def hexadecimal(text: str | None) -> str:
    """A binary property in hexadecimal."""
    return binary(text).hex() if text else ""


def number(text: str | None) -> int:
    """A whole number; 0 when it is none."""
    return int(text) if text and len(text) < 16 and text.isdecimal() and text.isascii() else 0
