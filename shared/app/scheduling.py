"""The scheduled work: the dispatch, the poison queue, and the daily work."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.api import ApiComponents
from shared.app.base import utc_now
from shared.app.jobs import JobComponents
from shared.app.webhooks import WebhookComponents

if TYPE_CHECKING:
    from shared.scheduling.daily import Daily
    from shared.scheduling.dispatch import Dispatch
    from shared.scheduling.poison import Poison


class SchedulingComponents(ApiComponents, JobComponents, WebhookComponents):
    """What timers and queues start besides the sync itself."""

    @cached_property
    def dispatch(self) -> "Dispatch":
        """The dispatch, which queues the due mailboxes."""
        from shared.scheduling.dispatch import SENDERS, Dispatch
        from shared.scheduling.ncrontab import Schedule

        return Dispatch(
            self.registry,
            self.queue,
            self.settings.sync_shards,
            self.interval,
            utc_now,
            summaries=self.summaries,
            next_tick=Schedule.parse(self.settings.sync_schedule).next_after,
            senders=SENDERS,
        )

    @cached_property
    def daily(self) -> "Daily":
        """The daily work."""
        from shared.scheduling.daily import Daily

        return Daily(
            self.dispatch,
            self.flows,
            finish_erasures=self.mailbox_commands.finish_erasures,
            delete_unused=self.token_revocation.delete_unused,
            keep_alive=self.access_tokens.refresh_idle,
            index_addresses=self.registry.index_addresses,
            repair_directory=self.registry.repair_directory,
            sweep_deliveries=self.deliverer.sweep,
            forget_old=self.forget_old,
            sweep_jobs=self.jobs.sweep,
            send_digest=self._queue_digest,
            credential_ends=self.credential_ends,
            clock=utc_now,
        )

    def _queue_digest(self) -> int:
        """Queue the operators' digest, if mail is sent at all."""
        if not (self.settings.mail_endpoint and self.settings.mail_operators):
            return 0
        self.notice_queue.send_digest(utc_now().date())
        return 1

    @cached_property
    def poison(self) -> "Poison":
        """Handles messages that failed at every attempt."""
        from shared.scheduling.poison import Poison

        return Poison(self.registry, self.thresholds, self.interval, utc_now)
