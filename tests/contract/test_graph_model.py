"""The model over Microsoft Graph under a small, fixed budget; `make soak` runs many more steps of it."""

from hypothesis import HealthCheck, Phase, settings

from tests.contract.graph_model import GraphModel

TestGraphModel = GraphModel.TestCase
TestGraphModel.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
