"""The whole product for e2e tests: sandbox and app, one pair a worker, with a clock that ticks only when told to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.local.form_browser import FormBrowser
from sandbox.local.local_stack import LocalStack, local_stack
from sandbox.local.sandbox_process import Sandbox
from tests.e2e.fault_bench import Bench
from tests.e2e.webhook_receiver import Hook

NEVER = "0 0,1 0 1 1 *"
"""Two ticks a year, a minute apart: a mailbox is due every minute, and no timer fires during a test."""


@pytest.fixture(scope="session")
def running_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The stage: .url, .sandbox (control, people), .host (fire timers, kill, log), .parts() at the same storage."""
    state: Path = tmp_path_factory.mktemp("stage")
    settings = {"SYNC_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
    with local_stack(state, "--in-memory", "--messages", "200", settings=settings) as running:
        yield running


@pytest.fixture
def sign_in(running_app: LocalStack) -> Callable[[str], str]:
    """Signs a person in through the real pages, without script; gives the last page's heading."""

    def through_the_pages(address: str) -> str:
        browser = FormBrowser(running_app.ca, address, running_app.sandbox.password(address))
        try:
            return browser.sign_in(running_app.url)
        finally:
            browser.close()

    return through_the_pages


@pytest.fixture(scope="session")
def _benches() -> list[Bench]:
    return []


@pytest.fixture
def bench(sandbox: Sandbox, _benches: list[Bench], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """One connected mailbox, whole and synced in this process, at the sandbox whose services `faults` spoils.

    The environment is that sandbox's for the length of a test alone: the stage of other tests has another one.
    """
    for name, value in sandbox.app_environment.items():
        monkeypatch.setenv(name, value)
    if not _benches:
        _benches.append(Bench(sandbox, sandbox.app_environment))
    made = _benches[0]
    if made.spoilt:
        sandbox.control.delete("/faults")
        made.get_over_it()
    return made


@pytest.fixture
def hook(running_app: LocalStack, request: pytest.FixtureRequest) -> Iterator[Hook]:
    """A webhook endpoint that a test may register; it is deleted afterward."""
    made = Hook(running_app, request.node.name.replace("_", "-")[:40])
    yield made
    if made.id:
        assert made.call("DELETE", f"/{made.id}").status_code == 204
