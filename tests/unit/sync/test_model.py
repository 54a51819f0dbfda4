"""The model under a small, fixed budget; `make soak` runs many thousands of steps of it, and shrinks what fails."""

from hypothesis import HealthCheck, Phase, settings

from tests.unit.sync.model import SyncModel

TestSyncModel = SyncModel.TestCase
TestSyncModel.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
