"""Dataclasses as table entities and back. Plain: an entity is a dict of str, int, bool and aware datetimes.

An int beyond 32 bits is a pair of its value and its type's name: Table Storage keeps it as another type than the rest.
"""

import hashlib
import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.errors import OperatorMustAct, Reason
from shared.mailboxes.model import Mailbox

BUCKETS = 256
"""Into how many partitions the registry is dealt, for good; a shard is a run of neighbouring ones, so that
the number of shards may be changed at any time."""

_END_OF_TIME_MS = 10**14


def to_entity(value: Any, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A dataclass's fields as properties; None is left out, as Table Storage has no null."""
    entity = {}
    for declared in fields(value):
        content = getattr(value, declared.name)
        if declared.name not in without and content is not None:
            entity[declared.name] = _property(content)
    return entity


def _property(content: Any) -> Any:
    """A field's value as a property."""
    if isinstance(content, StrEnum):
        return content.value
    if isinstance(content, int) and not -(2**31) <= content < 2**31:
        return content, "Edm.Int64"
    return content


def from_entity[T](kind: type[T], entity: Mapping[str, Any], **given: object) -> T:
    """The dataclass again. Properties it does not know (of a newer version) are ignored; missing ones take defaults.

    Raises:
        OperatorMustAct: our_storage, of this row alone: a newer version wrote something that this one cannot read.
    """
    hints = typing.get_type_hints(kind)
    try:
        known = {
            declared.name: _typed(hints[declared.name], entity[declared.name])
            for declared in fields(typing.cast(Any, kind))
            if declared.name in entity and declared.name not in given
        }
        return kind(**known, **given)
    except (ValueError, TypeError, AttributeError) as error:
        detail = "a row cannot be read by this version"
        raise OperatorMustAct(Reason.OUR_STORAGE, detail, support="RowNotReadable", of_one=True) from error


def _typed(hint: Any, content: Any) -> Any:
    """A property's value as its field's type has it. Raises ValueError where it does not fit."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(content, tuple):
        return content[0]
    if isinstance(content, datetime) and datetime in options:
        return datetime.fromtimestamp(content.timestamp(), UTC)
    for option in options:
        if isinstance(option, type) and issubclass(option, StrEnum):
            return option(content)
    if not any(isinstance(content, option) for option in options if isinstance(option, type)):
        raise ValueError("a property of another type")
    return content


def bucket_of(mailbox_id: str) -> int:
    """A mailbox's bucket, 0 to 255, by its id alone."""
    return hashlib.sha256(mailbox_id.encode()).digest()[0]


def partition(mailbox_id: str) -> str:
    """A mailbox's partition key in the registry."""
    return f"{bucket_of(mailbox_id):02x}"


def shard_bounds(shard: int, shards: int) -> tuple[str, str]:
    """The first partition key of a shard and the first one past it (`g` sorts after every hexadecimal key)."""
    first, past = shard * BUCKETS // shards, (shard + 1) * BUCKETS // shards
    return f"{first:02x}", f"{past:02x}" if past < BUCKETS else "g"


def newest_first(moment: datetime) -> str:
    """A row key that sorts later moments before earlier ones."""
    return f"{_END_OF_TIME_MS - int(moment.timestamp() * 1000):015d}"


def row_digest(text: str) -> str:
    """A table-safe key for a text that may be personal or hold any character."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def owner_partition(tenant_id: str, owner_id: str) -> str:
    """An owner's partition key in the registry's index."""
    return f"{tenant_id}_{owner_id}"


def owner_keys(mailbox: Mailbox) -> dict[str, Any]:
    """The keys of a mailbox's entry in the index: one an owner and address."""
    return {
        "PartitionKey": owner_partition(mailbox.tenant_id, mailbox.owner_id),
        "RowKey": row_digest(mailbox.address.lower()),
    }


def mailbox_entity(mailbox: Mailbox) -> dict[str, Any]:
    """A mailbox as the registry stores it."""
    keys = {"PartitionKey": partition(mailbox.id), "RowKey": mailbox.id}
    return keys | to_entity(mailbox, without=frozenset({"version"}))
