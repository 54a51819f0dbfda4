"""Finds what the command line names: a mailbox by its address, an item by the beginning of its key, a day."""

import argparse
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain

from shared.errors import NotFound
from shared.mailboxes.port import MailboxRegistry
from shared.replica.port import ReplicaItem
from shared.replica.reading.port import ReplicaReader

SHORTEST = 4
"""Letters that the beginning of an id has at least."""


def name(text: str) -> str:
    """What can name a mailbox."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}|[^\s/@]{1,64}@[^\s/@]{1,255}", text):
        raise argparse.ArgumentTypeError("is neither a mailbox id nor an address: see the command mailboxes")
    return text


def mailbox_id(registry: MailboxRegistry, named: str) -> str:
    """The mailbox of an id, of the beginning of an id, or of an address.

    Raises:
        NotFound: there is none, or more than one.
    """
    try:
        return registry.get(named).id
    except NotFound:
        found = [one.id for one in registry.all() if _is_named(one.id, named) or _is_same(one.address, named)]
    return _only(found, "mailbox", "the command mailboxes")


def item(reader: ReplicaReader, mailbox: str, named: str) -> ReplicaItem:
    """The item of a key, or of the beginning of a key. Raises NotFound."""
    try:
        return reader.item(mailbox, named)
    except NotFound:
        items = chain(reader.every_item(mailbox), reader.every_item(mailbox, left=True))
        found = [one.key for one in items if _is_named(one.key, named)]
    return reader.item(mailbox, _only(found, "item", "the command list"))


def sender_of(item: ReplicaItem) -> str:
    """The name and address of who sent it; of an event, who organizes it."""
    for key in ("from", "sender", "organizer"):
        person = item.metadata.get(key)
        if isinstance(person, Mapping):
            return f"{person.get('name', '')} <{person.get('address', '')}>"
    return ""


def day(text: str) -> datetime:
    """The beginning of a day, UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date as 2026-03-31") from None


def _only(found: Iterable[str], kind: str, where: str) -> str:
    each = list(found)
    if len(each) != 1:
        how_many = "more than one such" if each else "no such"
        raise NotFound(f"there is {how_many} {kind}: see {where}")
    return each[0]


def _is_named(identifier: str, named: str) -> bool:
    return len(named) >= SHORTEST and identifier.startswith(named)


def _is_same(address: str, named: str) -> bool:
    return address.casefold() == named.casefold()
