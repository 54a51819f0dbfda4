"""Starts the sandbox as a separate process and talks to its control port, for make run, the demo and the tests."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 120
_STOP_SECONDS = 20


class Control:
    """A client of the control port. Every method returns the decoded JSON; a refusal raises requests.HTTPError."""

    def __init__(self, url: str, ca: str) -> None:
        self.url = url
        self._session = requests.Session()
        # REQUESTS_CA_BUNDLE would take precedence over this authority, and names another one on many machines.
        self._session.trust_env = False
        self._session.verify = ca

    def call(self, method: str, path: str, json: object = None, **more: Any) -> Any:
        """Send one request; returns the decoded answer, or None when it is empty."""
        response = self._session.request(method, self.url + path, json=json, timeout=60, **more)
        if response.status_code >= 400:
            raise requests.HTTPError(
                f"{method} {path}: {response.status_code} {response.text[:500]}", response=response
            )
        return response.json() if response.content else None

    def get(self, path: str) -> Any:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, json: object = None, **more: Any) -> Any:
        """POST."""
        return self.call("POST", path, json, **more)

    def patch(self, path: str, json: object) -> Any:
        """PATCH."""
        return self.call("PATCH", path, json)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: the contents of endpoints.json, its control port, its process."""

    endpoints: dict[str, Any]
    control: Control
    process: subprocess.Popen[str]

    @property
    def app_environment(self) -> dict[str, str]:
        """The environment of the app's process except APP_URL."""
        environment: dict[str, str] = self.endpoints["app_environment"]
        return environment

    def password(self, address: str) -> str:
        """A person's password."""
        return next(str(p["password"]) for p in self.endpoints["people"] if p["address"] == address)

    def register_app(self, url: str) -> None:
        """Register another URL of the app with the sandbox's Entra ID."""
        self.control.post("/app/urls", {"url": url})


@contextmanager
def running_sandbox(state: Path, *options: str) -> Iterator[Sandbox]:
    """Start `python -m sandbox` on ports that the system chooses, and stop it afterward.

    Raises:
        RuntimeError: it did not start (the message has its output), or it was not ready within two minutes.
    """
    command = [sys.executable, "-m", "sandbox", "--state", str(state), "--tethered", *options]
    process = subprocess.Popen(  # noqa: S603 -- our own module
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    control: Control | None = None
    try:
        endpoints = json.loads(Path(_ready(process)).read_text(encoding="utf-8"))
        control = Control(endpoints["control"], endpoints["ca"])
        yield Sandbox(endpoints, control, process)
    finally:
        if control:
            control.close()
        _stop(process)


def _ready(process: subprocess.Popen[str]) -> str:
    """The path of endpoints.json, once the file exists."""
    assert process.stdout is not None  # noqa: S101 -- asked for above
    deadline = threading.Timer(_START_SECONDS, process.kill)
    deadline.start()
    try:
        line = process.stdout.readline()
    finally:
        deadline.cancel()
        deadline.join()
    if not line:
        raise RuntimeError(f"the sandbox did not start (exit code {process.wait()}); what it said stands above")
    return str(json.loads(line)["endpoints"])


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process: SIGTERM, and closing its input, which has the same effect."""
    process.terminate()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
