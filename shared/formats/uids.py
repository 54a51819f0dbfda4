"""The UID of a file whose source has none.

Two copies of a contact share every property that a source has, and would replace each other where they are imported.
Only the store can tell them apart: it gives every item a key that stays with it, moves included. So a source writes
files with UNIDENTIFIED in the UID's place, and the store puts the UID of the item's key there.
"""

from uuid import NAMESPACE_OID, uuid5

UNIDENTIFIED = "\0" * 36
"""Stands where a UUID belongs and is as long as one. Nothing else that a file can hold has a NUL."""


def uid_of(key: str) -> str:
    """The UID of the item with this key: a UUID."""
    return str(uuid5(NAMESPACE_OID, key))


def identified(data: bytes, key: str) -> bytes:
    """The .ics or .vcf file of the item with this key."""
    return data.replace(UNIDENTIFIED.encode(), uid_of(key).encode())
