"""The rows of the directory: one for each list that can be asked for, each with every field that is filtered by.

A list is a partition, ordered by its row keys. Which partition answers a query is decided by the query's rarest filter.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.mailboxes.directory.model import CursorInvalid, DirectoryEntry, DirectoryQuery, Sort, WayIn
from shared.mailboxes.entities import newest_first
from shared.mailboxes.groups.model import shown_name
from shared.mailboxes.model import Status
from shared.sources.model import SourceName

type RowPlace = tuple[str, str]
"""A partition key and a row key."""

ALL = "all"
NEWEST = "newest"
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789@.-_+")
_LONGEST = 900
"""Characters of an address in a key, which may have 1,024."""


def address_key(address: str) -> str:
    """The address as a key: a prefix of the address gives a prefix of the key.

    Table Storage does not take some characters in keys. They become `!` and two hexadecimal digits a byte.
    """
    encoded = "".join(chr(byte) if byte in _PLAIN else f"!{byte:02x}" for byte in address.lower().encode())
    return encoded[:_LONGEST]


def past(prefix: str) -> str:
    """The first key after all keys with this prefix: no key has a tilde."""
    return f"{prefix}~"


def places(entry: DirectoryEntry) -> frozenset[RowPlace]:
    """Where the directory has an entry.

    Most mailboxes are active and have no reason and no hold; these are no lists of their own. Those without a group
    are one, because an operator looks for them where most mailboxes are in groups.
    """
    partitions = [ALL, f"tenant_{entry.tenant_id}", f"source_{entry.source.value}", f"way_{entry.way.value}"]
    partitions.append(f"group_{shown_name(entry.group)}")
    if entry.status is not Status.ACTIVE:
        partitions.append(f"status_{entry.status.value}")
    if entry.reason:
        partitions.append(f"reason_{entry.reason}")
    if entry.hold:
        partitions.append(f"hold_{entry.hold}")
    by_address = f"{address_key(entry.address)}_{entry.id}"
    by_age = f"{newest_first(entry.created_at)}_{entry.id}"
    return frozenset({(NEWEST, by_age), *((partition, by_address) for partition in partitions)})


def partition_of(query: DirectoryQuery) -> str:
    """The partition that is read for a query: the one that is likely to hold the fewest mailboxes."""
    if query.sort is Sort.NEWEST:
        return NEWEST
    rarest_first = {
        "hold": query.hold,
        "reason": query.reason,
        "status": query.status if query.status != Status.ACTIVE else "",
        "group": query.group,
        "tenant": query.tenant,
        "source": query.source,
        "way": query.way,
    }
    return next((f"{name}_{wanted}" for name, wanted in rarest_first.items() if wanted), ALL)


def filter_of(query: DirectoryQuery) -> tuple[str, dict[str, str]]:
    """The OData filter of a query and its parameters."""
    clauses, parameters = ["PartitionKey eq @partition"], {"partition": partition_of(query)}
    if query.prefix:
        key = "address_key" if query.sort is Sort.NEWEST else "RowKey"
        parameters |= {"first": address_key(query.prefix), "past": past(address_key(query.prefix))}
        clauses.append(f"{key} ge @first and {key} lt @past")
    for name, wanted in query.filters.items():
        clauses.append(f"{name} eq @{name}")
        parameters[name] = wanted
    return " and ".join(clauses), parameters


def fields_of(entry: DirectoryEntry) -> dict[str, Any]:
    """The properties of each of an entry's rows."""
    return {
        "mailbox_id": entry.id,
        "tenant_id": entry.tenant_id,
        "address": entry.address,
        "address_key": address_key(entry.address),
        "created_at": entry.created_at,
        "status": entry.status.value,
        "reason": entry.reason,
        "source": entry.source.value,
        "way": entry.way.value,
        "hold": entry.hold,
        "group": entry.group,
    }


def entry_from(row: Mapping[str, Any]) -> DirectoryEntry | None:
    """The entry of a row; None for one that only a newer version can read."""
    try:
        return DirectoryEntry(
            id=str(row["mailbox_id"]),
            tenant_id=str(row["tenant_id"]),
            address=str(row["address"]),
            created_at=datetime.fromtimestamp(row["created_at"].timestamp(), UTC),
            status=Status(row["status"]),
            reason=str(row["reason"]),
            source=SourceName(row["source"]),
            way=WayIn(row["way"]),
            hold=str(row.get("hold", "")),
            group=str(row.get("group", "")),
        )
    except (KeyError, ValueError, AttributeError):
        return None


def encode_cursor(token: Mapping[str, str] | None) -> str:
    """A continuation token of Table Storage as a text that a URL can carry; empty for none."""
    if not token:
        return ""
    parts = [token.get("PartitionKey") or "", token.get("RowKey") or ""]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, str] | None:
    """The continuation token of a cursor. Raises CursorInvalid."""
    if not cursor:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise CursorInvalid("not a cursor") from None
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise CursorInvalid("not a cursor")
    return {"PartitionKey": parts[0], "RowKey": parts[1]}
