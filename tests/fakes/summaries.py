"""An in-memory fake of the summaries."""

from shared.errors import MailboxSyncError
from shared.mailboxes.summary.model import ShardSummary


class MemorySummaries:
    """Implements SummaryStore. `failure` is raised by every write while it is set."""

    def __init__(self) -> None:
        self.by_shard: dict[int, ShardSummary] = {}
        self.failure: MailboxSyncError | None = None

    def put(self, summary: ShardSummary) -> None:
        """Replace the shard's summary."""
        if self.failure is not None:
            raise self.failure
        self.by_shard[summary.shard] = summary

    def get(self, shard: int) -> ShardSummary | None:
        """The shard's summary."""
        return self.by_shard.get(shard)

    def all(self) -> list[ShardSummary]:
        """All summaries."""
        return list(self.by_shard.values())
