"""Bulk jobs."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.onboarding import OnboardingComponents

if TYPE_CHECKING:
    from shared.mailboxes.bulk.commands import BulkCommands
    from shared.mailboxes.bulk.jobs import Jobs
    from shared.mailboxes.bulk.queue import StorageJobQueue
    from shared.mailboxes.bulk.runner import JobRunner
    from shared.mailboxes.bulk.table import TableJobs


class JobComponents(OnboardingComponents):
    """One command on many mailboxes."""

    @cached_property
    def job_store(self) -> "TableJobs":
        """The jobs and their slices."""
        from shared.mailboxes.bulk.table import TableJobs

        return TableJobs(self.tables)

    @cached_property
    def job_queue(self) -> "StorageJobQueue":
        """The queue of jobs."""
        from shared.mailboxes.bulk.queue import StorageJobQueue

        return StorageJobQueue(self.queue_address)

    @cached_property
    def bulk_commands(self) -> "BulkCommands":
        """The commands that jobs give."""
        from shared.mailboxes.bulk.commands import BulkCommands

        return BulkCommands(
            registry=self.registry,
            mailboxes=self.mailbox_commands,
            moves=self.move_commands,
            holds=self.hold_commands,
            groups=self.group_commands,
            activate=self.activation.activate,
            check=self.check_mailbox,
        )

    @cached_property
    def jobs(self) -> "Jobs":
        """What an operator does with jobs."""
        from shared.mailboxes.bulk.jobs import Jobs

        return Jobs(self.job_store, self.job_queue, self.bulk_commands, self.registry.record_audit, utc_now)

    @cached_property
    def job_runner(self) -> "JobRunner":
        """Handles the messages of jobs."""
        from shared.mailboxes.bulk.runner import JobRunner

        return JobRunner(
            store=self.job_store,
            queue=self.job_queue,
            commands=self.bulk_commands,
            directory=self.registry.directory,
            clock=utc_now,
            monotonic=self.monotonic,
        )

    def check_mailbox(self, mailbox_id: str) -> None:
        """Ask a mailbox's server whether it can be read now. Raises what a pass would raise; MailboxStopped."""
        from shared.mailboxes.errors import MailboxStopped
        from shared.mailboxes.model import Status, is_own

        mailbox = self.registry.get(mailbox_id)
        if mailbox.status is Status.DISCONNECTED:
            raise MailboxStopped
        own = is_own(mailbox)
        access = self.access_tokens.access(mailbox.authorization_id, mailbox.address, mailbox.source, own=own)
        self.sources.check(access)
