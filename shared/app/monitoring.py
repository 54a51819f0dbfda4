"""The components of monitoring: the metrics and the readiness check."""

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.authorization import AuthorizationComponents
from shared.app.base import utc_now
from shared.app.stores import StoreComponents
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.metrics.recording import Recorder
    from shared.readiness.checking import ReadinessCheck


class MonitoringComponents(AuthorizationComponents, StoreComponents):
    """What tells the operator how the program does."""

    def open_metrics(self) -> "Recorder | None":
        """Start sending metrics; None if the settings name no target. Raises SettingsInvalid, ValueError."""
        if not self.settings.application_insights:
            return None
        from shared.metrics.application_insights import open_recorder

        return open_recorder(self.settings.application_insights, self.credential)

    @cached_property
    def readiness(self) -> "ReadinessCheck":
        """The check of every dependency."""
        from shared.readiness.checking import ReadinessCheck

        probes = {
            "blob_storage": self._ask_blobs,
            "queue_storage": self._ask_queues,
            "table_storage": self._ask_tables,
            "key_vault": self._ask_vault,
            "entra_keys": self._ask_entra,
            "queue_age": self._queue_age,
        }
        return ReadinessCheck(probes, utc_now, self.monotonic)

    def _ask_blobs(self) -> None:
        from shared.storage.azure_errors import translate_errors

        with translate_errors():
            self.blobs.get_container_client("cursors").get_container_properties()

    def _ask_queues(self) -> None:
        from shared.mailboxes.queue import MAILBOXES
        from shared.storage.azure_errors import translate_errors

        with translate_errors():
            self.queues.get_queue_client(MAILBOXES).get_queue_properties()

    def _ask_tables(self) -> None:
        """Ask for a row that is never there."""
        from shared.storage.azure_errors import translate_errors

        with translate_errors():
            next(iter(self.tables.get_table_client("summaries").query_entities("PartitionKey eq 'none'")), None)

    def _ask_vault(self) -> None:
        """List a secret's versions; nothing secret is read, and it may not be there yet."""
        from shared.storage.azure_errors import raise_not_found, translate_errors

        versions = self.secrets.list_properties_of_secret_versions("signing-sessions", max_page_size=1)
        with translate_errors(), suppress(NotFound):
            raise_not_found(lambda: next(iter(versions), None))

    def _ask_entra(self) -> None:
        from shared.authorization.identity.entra import fetch_published_keys

        fetch_published_keys(self.settings.entra_authority, self.keys_tenant)

    def _queue_age(self) -> float:
        from shared.mailboxes.queue import MAILBOXES, SHARDS
        from shared.readiness.queue import oldest_wait

        return oldest_wait(self.queues, (SHARDS, MAILBOXES), utc_now)
