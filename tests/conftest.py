"""The sandbox for contract and e2e tests: one a worker, on ports of the system's choice.

authority           the certificate authority (files), also for servers that a test runs itself
sandbox             the whole sandbox as a process: .endpoints, .control, .app_environment, .password(address)
azurite             where its Storage is: .blob, .queue, .table
azure_environment   this process's environment made such that an unmodified DefaultAzureCredential and
                    requests get on with the sandbox
faults              add(rule) puts a fault into a service; all are gone after the test
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

from sandbox.local.sandbox_process import Sandbox, running_sandbox
from sandbox.tls.authority import Authority

ROOT = Path(__file__).parent

settings.register_profile("any machine", settings(), deadline=None)
settings.load_profile("any machine")
# An example may take any time: a deadline would measure the machine.

UNMEASURED = ("architecture", "contract", "e2e", "unit/exchange", "unit/infra", "unit/sandbox")
"""Folders of tests without measured coverage: what they run is not the program, or more than a unit of it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Measure coverage in unit tests of the program, each of them an example that somebody chose.

    Elsewhere it costs time and counts what servers happen to do meanwhile, and what generated examples happen to reach.
    """
    measured = Coverage.current()
    if measured is None or _is_measured(item):
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()


def _is_measured(item: pytest.Item) -> bool:
    is_generated = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    if is_generated or item.get_closest_marker("memory"):
        return False
    return not any(item.path.is_relative_to(ROOT / folder) for folder in UNMEASURED)


@pytest.fixture(scope="session")
def sandbox_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def authority(sandbox_state: Path) -> Authority:
    return Authority.at(sandbox_state / "tls")


@pytest.fixture(scope="session")
def sandbox(sandbox_state: Path, authority: Authority) -> Iterator[Sandbox]:
    with running_sandbox(sandbox_state, "--in-memory", "--storage-proxy", "--messages", "120") as running:
        assert running.endpoints["ca"] == str(authority.ca)
        yield running


@dataclass(frozen=True, slots=True)
class Azurite:
    blob: str
    queue: str
    table: str


@pytest.fixture(scope="session")
def azurite(sandbox: Sandbox) -> Azurite:
    return Azurite(*(sandbox.endpoints[service] for service in ("blob", "queue", "table")))


@pytest.fixture(scope="session")
def azure_environment(sandbox: Sandbox) -> Iterator[Mapping[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.app_environment.items():
            patch.setenv(name, value)
        yield sandbox.app_environment


class Faults:
    """Puts faults into the sandbox's services, and tells what was asked of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._control = sandbox.control

    def add(self, service: str, fault: Mapping[str, Any], **rule: Any) -> str:
        """Add a rule (match, skip, times besides); gives its id."""
        return str(self._control.post("/faults", {"service": service, "fault": dict(fault)} | rule)["id"])

    def hits(self, rule: str) -> int:
        """How often a rule has struck."""
        return int(next(r["hits"] for r in self._control.get("/faults")["rules"] if r["id"] == rule))

    def clear(self) -> None:
        """Take every rule out."""
        self._control.delete("/faults")


@pytest.fixture
def faults(sandbox: Sandbox) -> Iterator[Faults]:
    plan = Faults(sandbox)
    yield plan
    plan.clear()
