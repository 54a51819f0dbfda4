"""The components of monitoring: the metrics and the readiness check."""

from typing import TYPE_CHECKING

from shared.app.authorization import AuthorizationComponents
from shared.app.stores import StoreComponents

if TYPE_CHECKING:
    from shared.metrics.recording import Recorder


class MonitoringComponents(AuthorizationComponents, StoreComponents):
    """What tells the operator how the program does."""

    def open_metrics(self) -> "Recorder | None":
        """Start sending metrics; None if the settings name no target. Raises SettingsInvalid, ValueError."""
        if not self.settings.application_insights:
            return None
        from shared.metrics.application_insights import open_recorder

        return open_recorder(self.settings.application_insights, self.credential)
