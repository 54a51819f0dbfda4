"""The whole product on one machine: the sandbox, and the real app in the local host, configured to use the sandbox."""

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from sandbox.host.process import RunningHost, start_host
from sandbox.local.sandbox_process import Sandbox, running_sandbox
from sandbox.storage.provision import provision
from shared.app import App
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
USUAL_PORT = 7071
USUAL_STATE = Path(".sandbox")
SHORT_MESSAGE_LEASE = 30
"""Seconds until the messages of a killed app become visible again; 600 in Azure. Tests do not wait for longer.

A mailbox stays leased for 60 seconds after its pass was killed. A message that comes sooner finds the lease and ends;
the mailbox is then synced by the next dispatch.
"""
MESSAGE_LEASE = 75
"""The same, longer than a mailbox stays leased: the message continues the pass, as in Azure."""
LONGEST_POLL = "1"
"""Seconds between two polls of an empty queue, at most; 5 in Azure (host.json)."""

_BINDINGS = ("SYNC_SCHEDULE", "SWEEP_SCHEDULE")
"""Settings that bindings refer to. The host reads them itself and does not know our defaults."""


@dataclass(slots=True)
class LocalStack:
    """A running sandbox and app. `environment` is what the app's process got in addition to this process's own.

    `app` is the folder of the functions app: this project's, or a copy with another host.json.
    """

    sandbox: Sandbox
    host: RunningHost
    state: Path
    environment: dict[str, str]
    app: Path = ROOT
    message_lease: int = SHORT_MESSAGE_LEASE

    @property
    def url(self) -> str:
        """The URL of the app."""
        return self.environment["APP_URL"]

    @property
    def ca(self) -> str:
        """The file with the sandbox's certificate authority."""
        return str(self.sandbox.endpoints["ca"])

    @property
    def log(self) -> Path:
        """The file with everything the app has logged."""
        return self.state / "app.log"

    def parts(self) -> App:
        """The program's own services in this process, on the same storage, to inspect what the app has done."""
        os.environ.update(self.environment)  # noqa: TID251 -- settings are read from nowhere else
        return App()

    def restart(self) -> None:
        """Start the app again on the same port, after it was killed or has died."""
        self.host.stop()
        self.host = _start_app(self.sandbox, self.environment, self.state, self.app, self.message_lease)


@contextmanager
def local_stack(
    state: Path,
    *options: str,
    port: int = 0,
    settings: Mapping[str, str] | None = None,
    app: Path = ROOT,
    message_lease: int = SHORT_MESSAGE_LEASE,
) -> Iterator[LocalStack]:
    """Start the sandbox and the app, and stop both afterward.

    `options` are the sandbox's; `port` is the app's (0: any); `settings` override the app's usual ones; `app` is the
    functions app's folder; `message_lease` is in seconds.

    Raises:
        RuntimeError: one of them did not start; the message has its output.
    """
    url = f"https://localhost:{port or free_port()}"
    with running_sandbox(state, "--app-url", url, *options) as sandbox:
        environment = {"APP_URL": url} | _defaults() | sandbox.app_environment | dict(settings or {})
        _deploy(environment)
        host = _start_app(sandbox, environment, state, app, message_lease)
        running = LocalStack(sandbox, host, state, environment, app, message_lease)
        try:
            yield running
        finally:
            running.host.stop()


def _deploy(environment: Mapping[str, str]) -> None:
    """Create in Storage what the app expects to find."""
    from azure.identity import DefaultAzureCredential

    blob, queue, table = (environment[f"MailboxStorage__{name}ServiceUri"] for name in ("blob", "queue", "table"))
    with _app_environment(environment), DefaultAzureCredential() as credential:
        provision(blob, queue, table, credential)


@contextmanager
def _app_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Give this process the app's environment until the block ends: the identity is configured only there."""
    before = dict(os.environ)  # noqa: TID251 -- put back as it was
    os.environ.update(environment)  # noqa: TID251
    try:
        yield
    finally:
        os.environ.clear()  # noqa: TID251
        os.environ.update(before)  # noqa: TID251


def _start_app(
    sandbox: Sandbox, environment: Mapping[str, str], state: Path, app: Path, message_lease: int
) -> RunningHost:
    port = environment["APP_URL"].rpartition(":")[2]
    certificate, key = sandbox.endpoints["server_certificate"], sandbox.endpoints["server_key"]
    options = ("--port", port, "--certificate", certificate, "--key", key, "--lease", str(message_lease))
    polling = ("--longest-poll", LONGEST_POLL)
    status = ("--timer-status", str(state / "timers.json"))
    return start_host(
        app, environment, Path(sandbox.endpoints["ca"]), *options, *polling, *status, log=state / "app.log"
    )


def _defaults() -> dict[str, str]:
    declared = {field.metadata["name"]: field.metadata["default"] for field in fields(Settings)}
    return {name: declared[name] for name in _BINDINGS}


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def usual_port() -> int:
    """The app's usual port, or a free one when the usual port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            return free_port()
    return USUAL_PORT


def end_as_by_ctrl_c() -> None:
    """Make SIGTERM end this process as Ctrl-C does, with everything it started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
