"""Starts the local host as a separate process, for make run, the demo and the tests."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

START_SECONDS = 60.0
STOP_SECONDS = 30.0
KEPT_LINES = 2000
"""How many of the latest log lines are kept."""

_STARTED = "Host started: "


class HostFailed(RuntimeError):
    """The host did not start or has ended; the message has its last log lines."""


@dataclass(slots=True)
class RunningHost:
    """A running host: its process, its URL, its latest log lines."""

    process: subprocess.Popen[str]
    ca: Path
    url: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    listener: threading.Thread = field(default_factory=threading.Thread)

    def status(self) -> dict[str, Any]:
        """The host's state. Raises requests.RequestException when the host does not answer."""
        answer: dict[str, Any] = self._ask("GET", "/admin/host/status").json()
        return answer

    def fire(self, function: str, text: str = "") -> None:
        """Fire a timer or run a queue function now, without waiting for it to end."""
        self._ask("POST", f"/admin/functions/{function}", {"input": text})

    def log(self) -> list[dict[str, Any]]:
        """The latest log lines, decoded; lines that are not JSON are left out."""
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def kill(self) -> None:
        """Kill the process, which looks like a crash."""
        self.process.kill()
        self._ended()

    def stop(self) -> None:
        """Stop the process, and kill it if it does not end. Idempotent."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._ended()

    def _ended(self) -> None:
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        self.listener.join(STOP_SECONDS)

    def _ask(self, method: str, path: str, json: object = None) -> requests.Response:
        with requests.Session() as session:
            # REQUESTS_CA_BUNDLE would take precedence over the authority named here, and may name another one.
            session.trust_env = False
            response = session.request(method, self.url + path, json=json, verify=str(self.ca), timeout=30)
        response.raise_for_status()
        return response


def start_host(
    app: Path, environment: Mapping[str, str], ca: Path, *options: str, log: Path | None = None
) -> RunningHost:
    """Start `python -m sandbox.host` and wait until it serves.

    `environment` is merged into this process's own; `options` are the command line's (certificate, key, port...);
    `log` is a file that receives every line too. Raises HostFailed.
    """
    process = subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", "sandbox.host", "--app", str(app), "--tethered", *options],
        env=os.environ | dict(environment),  # noqa: TID251 -- handed on to the process, not read
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    host = RunningHost(process, ca)
    host.listener = threading.Thread(target=_listen, args=(host, log), daemon=True)
    host.listener.start()
    try:
        _wait(host)
    except HostFailed:
        host.kill()
        raise
    return host


@contextmanager
def running_host(
    app: Path, environment: Mapping[str, str], ca: Path, *options: str, log: Path | None = None
) -> Iterator[RunningHost]:
    """Run start_host's host until the block ends."""
    host = start_host(app, environment, ca, *options, log=log)
    try:
        yield host
    finally:
        host.stop()


def _listen(host: RunningHost, log: Path | None) -> None:
    """Collect the host's output until it closes; the thread ends then."""
    assert host.process.stdout is not None  # noqa: S101 -- asked for above
    with host.process.stdout as output, (log or Path(os.devnull)).open("a", encoding="utf-8") as file:
        for line in output:
            host.lines.append(line.rstrip("\n"))
            file.write(line)
            file.flush()
            if not host.url and _STARTED in line:
                host.url = str(json.loads(line)["message"]).removeprefix(_STARTED)


def _wait(host: RunningHost) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not host.url:
        if host.process.poll() is not None:
            time.sleep(0.2)
            raise HostFailed("the host ended at once:\n" + "\n".join(host.lines))
        if time.monotonic() > deadline:
            raise HostFailed(f"the host did not start within {START_SECONDS:.0f} s:\n" + "\n".join(host.lines))
        time.sleep(0.05)
