"""Creates the UID of a file if the source has none.

Two copies of a contact have all source properties in common. With equal UIDs they would replace each other on import.
Only the replica can distinguish them: it gives every item a key that stays the same when the item moves. A source
therefore writes UNIDENTIFIED instead of a UID, and the replica replaces it with a UID derived from the item key.
"""

from uuid import NAMESPACE_OID, uuid5

UNIDENTIFIED = "\0" * 36
"""The placeholder for a UUID, of the same length. Nothing else in such a file can contain a NUL."""


def uid_of(key: str) -> str:
    """The UID (a UUID) of the item with this key."""
    return str(uuid5(NAMESPACE_OID, key))


def identified(data: bytes, key: str) -> bytes:
    """The .ics or .vcf file with the UID of the item with this key."""
    return data.replace(UNIDENTIFIED.encode(), uid_of(key).encode())
