"""The sync engine and its configuration."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.authorization import AuthorizationComponents
from shared.app.base import utc_now
from shared.app.sources import SourceComponents
from shared.app.stores import StoreComponents

if TYPE_CHECKING:
    from shared.sync.engine import SyncEngine
    from shared.sync.group_scopes import GroupScopes
    from shared.sync.limits import Limits


class SyncComponents(AuthorizationComponents, SourceComponents, StoreComponents):
    """The sync of one mailbox."""

    @cached_property
    def engine(self) -> "SyncEngine":
        """Handles one queue message about one mailbox."""
        from shared.scheduling.slots import spread_offset
        from shared.sync.back_off.table import TableTenantBackOff
        from shared.sync.engine import SyncEngine

        return SyncEngine(
            sources=self.sources,
            replica=self.replica,
            registry=self.registry,
            leases=self.leases,
            queue=self.queue,
            access_tokens=self.access_tokens,
            scope_of=self._scope_of,
            limits=self._limits,
            back_off=TableTenantBackOff(self.tables, self.monotonic),
            clock=utc_now,
            monotonic=self.monotonic,
            source_after=self.source_selection.after,
            move_schedule=self._move_schedule,
            spread_offset=spread_offset,
            change_log=self.change_log,
        )

    @cached_property
    def _scope_of(self) -> "GroupScopes":
        """What is synced of a mailbox."""
        from shared.mailboxes.groups.cache import CachedGroups
        from shared.sync.group_scopes import GroupScopes

        return GroupScopes(self.scope_settings, CachedGroups(self.group_store, self.monotonic).get)

    @property
    def _limits(self) -> "Limits":
        """The sync's limits of time, amount and frequency."""
        from shared.sync.limits import Limits

        settings = self.settings
        return Limits(
            budget_seconds=settings.sync_budget_seconds,
            interval=self.interval,
            thresholds=self.thresholds,
            deleted_days=settings.deleted_days,
            occurrence_days_back=settings.occurrence_days_back,
            occurrence_days_ahead=settings.occurrence_days_ahead,
        )
