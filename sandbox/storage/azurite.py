"""Azurite, Microsoft's Storage emulator, over HTTPS and with OAuth, so that the app needs no account key."""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.tls.authority import Authority

ACCOUNT = "devstoreaccount1"
_HERE = Path(__file__).parent
_SCRIPT = _HERE.parent / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (https://\S+)")
_START_SECONDS = 60
_STOP_SECONDS = 10


class AzuriteFailed(RuntimeError):
    """Azurite did not start."""


@dataclass(frozen=True, slots=True)
class StoragePorts:
    """The ports to listen on; 0 lets the system choose."""

    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True, slots=True)
class Storage:
    """The URLs of the three services, account in the path. azure-data-tables needs 127.0.0.1, not localhost."""

    blob: str
    queue: str
    table: str
    pid: int


@asynccontextmanager
async def azurite(
    authority: Authority, directory: Path | None, ports: StoragePorts, *, as_it_comes: bool = False
) -> AsyncIterator[Storage]:
    """Run Azurite until the block ends. Data goes to the directory; with None it stays in memory.

    `as_it_comes`: run without the patches, which keep large mailboxes and registries from being slow; for benchmarks.

    Raises:
        AzuriteFailed: Node or Azurite is not installed, or Azurite was not ready within a minute.
    """
    process = await asyncio.create_subprocess_exec(
        *_command(authority, directory, ports, as_it_comes), stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    try:
        storage = await _ready(process)
        drain = asyncio.create_task(_drain(process))
        try:
            yield storage
        finally:
            drain.cancel()
    finally:
        await _stop(process)


def _command(authority: Authority, directory: Path | None, ports: StoragePorts, as_it_comes: bool) -> list[str]:
    node = shutil.which("node")
    if node is None or not _SCRIPT.exists():
        raise AzuriteFailed("Azurite is not installed: run `make run` once, or `npm ci` in sandbox/.")
    patches = [] if as_it_comes else ["patch_azurite_lookup.cjs", "patch_azurite_queries.cjs"]
    preloaded = ["exit_with_parent.cjs", *patches]
    where = ["--inMemoryPersistence"] if directory is None else ["--location", str(directory)]
    listen = [("--blobPort", ports.blob), ("--queuePort", ports.queue), ("--tablePort", ports.table)]
    return [
        *(node, *(word for name in preloaded for word in ("--require", str(_HERE / name)))),
        *(str(_SCRIPT), "--silent", "--disableTelemetry"),
        *("--oauth", "basic", "--cert", str(authority.certificate), "--key", str(authority.key)),
        # The newest SDKs send API versions that Azurite does not know yet.
        *("--skipApiVersionCheck", *where),
        *(word for option, port in listen for word in (option, str(port))),
    ]


async def _ready(process: Process) -> Storage:
    """Wait until the three services listen; their addresses are in Azurite's output."""
    found: dict[str, str] = {}
    lines: list[str] = []
    assert process.stdout is not None  # noqa: S101 -- asked for above
    try:
        async with asyncio.timeout(_START_SECONDS):
            while len(found) < 3:
                line = (await process.stdout.readline()).decode(errors="replace")
                if not line:
                    raise AzuriteFailed("Azurite ended while starting: " + " ".join(lines[-5:]))
                lines.append(line.strip())
                if listening := _LISTENING.search(line):
                    found[listening[1].lower()] = f"{listening[2]}/{ACCOUNT}"
    except TimeoutError as exc:
        raise AzuriteFailed(f"Azurite was not ready within {_START_SECONDS} seconds") from exc
    return Storage(**found, pid=process.pid)


async def _drain(process: Process) -> None:
    """Keep reading Azurite's output: a full pipe would block it."""
    assert process.stdout is not None  # noqa: S101 -- asked for above
    while await process.stdout.read(65536):
        pass


async def _stop(process: Process) -> None:
    """Close Azurite's standard input, which ends it; kill it after ten seconds.

    SIGTERM does not work: Azurite then waits for its clients to disconnect. Nothing it holds outlives a run anyway.
    """
    assert process.stdin is not None  # noqa: S101 -- asked for above
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
