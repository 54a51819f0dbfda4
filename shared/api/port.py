"""The ports of the API's own stores."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The mailboxes that one reader (by object id) may read: those of whole tenants, and single ones, by id."""

    object_id: str
    tenants: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()


class ReaderStore(Protocol):
    """The limits of accounts and applications with the role Replica.Read. Who is not listed may read all mailboxes."""

    def get(self, object_id: str) -> ReaderLimits | None:
        """Return a reader's limits, or None if it has none."""
        ...

    def all(self) -> list[ReaderLimits]:
        """Return all limits, ordered by object id."""
        ...

    def put(self, limits: ReaderLimits) -> None:
        """Store a reader's limits in place of the previous ones."""
        ...

    def delete(self, object_id: str) -> None:
        """Remove a reader's limits, so that it may read all mailboxes; no error if it has none."""
        ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that is kept for a repeated request."""

    status: int
    body: bytes
    media_type: str


ANSWERS_KEPT = timedelta(days=1)
"""How long an answer is kept for a repeated request."""


class IdempotencyStore(Protocol):
    """Answers to writes, by caller and idempotency key, for a day.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """

    def begin(self, caller: str, key: str, request: str) -> StoredAnswer | None:
        """Claim a key for a request (its digest); None: carry it out. A stored answer: it was carried out before.

        Raises:
            Refused: idempotency_key_reused, if the key was used with another request; idempotency_key_in_use, if the
                same request is being carried out.
        """
        ...

    def finish(self, caller: str, key: str, answer: StoredAnswer) -> None:
        """Store the answer of a request that was carried out."""
        ...

    def abandon(self, caller: str, key: str) -> None:
        """Release the key of a request that was not carried out, so that it can be repeated."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete what was stored before this time; return how many."""
        ...
