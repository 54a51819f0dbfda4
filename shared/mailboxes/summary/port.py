"""The port of the summaries."""

from typing import Protocol

from shared.mailboxes.summary.model import ShardSummary


class SummaryStore(Protocol):
    """Keeps the latest summary of each shard."""

    def put(self, summary: ShardSummary) -> None:
        """Store a shard's summary in place of the one before."""
        ...

    def get(self, shard: int) -> ShardSummary | None:
        """Return a shard's summary; None if there is none that this version can read."""
        ...

    def all(self) -> list[ShardSummary]:
        """Return the summaries of all shards, in no particular order."""
        ...
