"""The mail sources, and the selection between them."""

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import BaseComponents

if TYPE_CHECKING:
    from shared.sources.selection import MoveSchedule, SelectedSources, SourceSelection


class SourceComponents(BaseComponents):
    """EWS and Microsoft Graph behind one port."""

    @cached_property
    def sources(self) -> "SelectedSources":
        """All mailboxes, each over its own source."""
        from shared.sources.ews.sources import EwsSources
        from shared.sources.graph.sources import GraphSources
        from shared.sources.model import SourceName
        from shared.sources.selection import SelectedSources

        settings = self.settings
        largest = settings.largest_item_mb << 20
        ews = EwsSources(
            settings.ews_url,
            connections=settings.sync_connections,
            largest_item_bytes=largest,
            archives=settings.archives,
        )
        graph = GraphSources(settings.graph_url, largest_item_bytes=largest)
        return SelectedSources({SourceName.EWS: ews, SourceName.GRAPH: graph})

    @cached_property
    def source_selection(self) -> "SourceSelection":
        """Selects the source that reads a mailbox."""
        from shared.sources.selection import SourceSelection, SourceSetting, is_exchange_online

        return SourceSelection(
            SourceSetting(self.settings.sync_source),
            self.sources,
            is_online=is_exchange_online(self.settings.ews_delegated_scope),
        )

    @property
    def _move_schedule(self) -> "MoveSchedule":
        """When mailboxes leave EWS."""
        from shared.sources.model import SourceName
        from shared.sources.selection import MoveSchedule

        is_used = SourceName.GRAPH in self.source_selection.candidates
        ends = datetime.fromisoformat(self.settings.ews_ends).replace(tzinfo=UTC)
        return MoveSchedule(ends, self.settings.cut_over_days, is_used)
