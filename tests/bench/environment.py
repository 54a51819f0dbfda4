"""What measurements run on: certificates, the canned server, Storage, and contenders in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from sandbox.tls.authority import Authority, trust

ROOT = Path(__file__).parents[2]
NONE: Mapping[str, str] = MappingProxyType({})
_PATIENCE = 1800


@dataclass(frozen=True, slots=True)
class Canned:
    """A canned server that runs."""

    url: str
    ca: Path

    def served(self) -> dict[str, tuple[int, int]]:
        """How many requests and bytes of each operation since it was last asked."""
        found = {}
        for told in self.got("").split():
            name, _, numbers = told.partition("=")
            count, _, size = numbers.partition("/")
            found[name] = (int(count), int(size))
        return found

    def got(self, path: str) -> str:
        """What the server tells or does outside what is measured."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.url}{path}", verify=str(self.ca), timeout=30).text


class Environment:
    """One run of the benchmark. `scale` 1.0 is the full size."""

    def __init__(self, directory: Path, quick: bool, sdk_python: str = "") -> None:
        self.quick = quick
        self.sdk_python = sdk_python
        """The interpreter of an environment that msgraph-sdk is installed in; empty: it is not measured."""
        self.authority = Authority.at(directory / "tls")
        self.directory = directory

    def size(self, count: int) -> int:
        """How many of something: all, or a tenth."""
        return count // 10 if self.quick else count

    def runs(self, full: int, quick: int = 1) -> int:
        """How often something is measured."""
        return quick if self.quick else full

    @contextmanager
    def canned(self, count: int, mime_bytes: int = 0) -> Iterator[Canned]:
        """A canned server with so many messages."""
        words = ["tests.bench.canned", str(count), str(mime_bytes)]
        with self._running([*words, str(self.authority.certificate), str(self.authority.key)]) as port:
            yield Canned(f"https://127.0.0.1:{port}/EWS/Exchange.asmx", self.authority.ca)

    @contextmanager
    def canned_graph(self, count: int, mime_bytes: int = 0) -> Iterator[Canned]:
        """A canned Graph with so many messages."""
        words = ["tests.bench.graph_canned", str(count), str(mime_bytes)]
        with self._running([*words, str(self.authority.certificate), str(self.authority.key)]) as port:
            yield Canned(f"https://127.0.0.1:{port}", self.authority.ca)

    @contextmanager
    def storage(self, *, as_it_comes: bool = False, rows: Path | None = None) -> Iterator[dict[str, str]]:
        """Azurite: the URLs of its services. By itself it slows down with every row: see
        sandbox/storage/patch_azurite_lookup.cjs.

        `rows` is a folder with ready-made rows: see fill_azurite.cjs.
        """
        words = ["tests.bench.storage", str(self.directory), *(["as-it-comes"] if as_it_comes else [])]
        with self._running(words, _filling(rows) if rows else {}) as told:
            yield dict(json.loads(told))

    def child(self, module: str, *arguments: str, python: str = sys.executable) -> dict[str, Any]:
        """Run a module in a fresh process; gives the JSON object that is its last line."""
        done = subprocess.run(  # noqa: S603 -- ourselves
            [python, "-m", module, *arguments],
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{module} {arguments[0] if arguments else ''} failed:\n{done.stderr[-3000:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    @contextmanager
    def _running(self, words: list[str], variables: Mapping[str, str] = NONE) -> Iterator[str]:
        """A server as a process of its own; gives its first line. It ends when its standard input is closed."""
        with subprocess.Popen(  # noqa: S603 -- ourselves
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**self._environment(), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.stdin.close()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()

    def variables(self) -> dict[str, str]:
        """The environment of children, in which the sandbox's certificate authority is trusted."""
        return self._environment()

    def _environment(self) -> dict[str, str]:
        own = {"PYTHONWARNINGS": "ignore", "MALLOC_ARENA_MAX": "2"}  # the second as infra/modules/app.bicep sets it
        return {**os.environ, **trust(self.authority.ca), **own}  # noqa: TID251 -- for children


def _filling(rows: Path) -> dict[str, str]:
    """The environment in which Azurite takes the rows of a folder."""
    if shutil.which("node") is None:
        raise SystemExit("Node is not installed: run `make setup-tests`")
    script = Path(__file__).parent / "fill_azurite.cjs"
    return {"FILL_AZURITE": str(rows), "NODE_OPTIONS": f"--max-old-space-size=8000 --require {script}"}


@contextmanager
def environment(quick: bool, sdk_python: str = "") -> Iterator[Environment]:
    """A stage and its temporary files."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        yield Environment(Path(directory), quick, sdk_python)
