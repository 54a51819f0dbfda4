"""The model under a small, fixed budget; `make soak` runs many thousands of steps of it."""

from hypothesis import HealthCheck, settings

from tests.unit.sync.model import SyncModel

TestSyncModel = SyncModel.TestCase
TestSyncModel.settings = settings(
    max_examples=60, stateful_step_count=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
