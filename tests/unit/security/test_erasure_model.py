"""The model of erasures under a small, fixed budget."""

from hypothesis import HealthCheck, Phase, settings

from tests.unit.security.erasure_model import ErasureModel

TestErasureModel = ErasureModel.TestCase
TestErasureModel.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
