"""Ids, change keys, times and sizes that cannot be told from those of EWS, for a mailbox whose switches say so.

What is documented fits ids that are spelled alike (see ids.py), and change keys that are equal over both protocols, but
nobody promises either. A program that moves from EWS to Graph has to ask translateExchangeIds, and to compare.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from sandbox.graph.behavior import Behavior

_AS_DOCUMENTED = Behavior()
_behavior: ContextVar[Behavior] = ContextVar("behavior", default=_AS_DOCUMENTED)
"""The switches of the mailbox that the present request is about."""

_MASK = 0xA5
_MORE_BYTES = 42
_LATER = timedelta(seconds=1)


@contextmanager
def spelled_for(behavior: Behavior) -> Iterator[None]:
    """Write and read ids and change keys within this block as a mailbox's switches say."""
    token = _behavior.set(behavior)
    try:
        yield
    finally:
        _behavior.reset(token)


def masked_id(base64_id: str) -> str:
    """An id with every byte masked if the mailbox's ids are its own; the same function reads it back.

    Raises:
        binascii.Error: it is not Base64.
    """
    if not _behavior.get().own_ids:
        return base64_id
    return base64.b64encode(bytes(byte ^ _MASK for byte in base64.b64decode(base64_id, validate=True))).decode()


def change_key(key: str) -> str:
    """A change key as it is written: another one than over EWS if the mailbox's are its own."""
    return f"CQ{key[::-1]}" if _behavior.get().own_change_keys else key


def size(told: str) -> str:
    """An item's size as it is written: more than over EWS if the mailbox's are its own."""
    return str(int(told) + _MORE_BYTES) if _behavior.get().own_sizes else told


def saved(moment: datetime) -> datetime:
    """A last-modified time as it is written: later than over EWS if the mailbox's are its own."""
    return moment + _LATER if _behavior.get().own_times else moment
