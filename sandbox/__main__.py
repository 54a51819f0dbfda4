"""python -m sandbox: starts the sandbox, prints one JSON line when it is ready, ends on SIGTERM, SIGINT or Ctrl-C."""

import asyncio
import json
import os
import signal
import sys

from sandbox.composition import sandbox
from sandbox.endpoints import publish
from sandbox.options import Options, parse
from sandbox.state_folder import AlreadyRunning
from sandbox.storage.azurite import AzuriteFailed


async def run(options: Options) -> None:
    """Run until a signal arrives or, when tethered, until standard input closes."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    if options.tethered:
        # The process that started us may be killed with SIGKILL; our standard input then closes all the same.
        loop.add_reader(sys.stdin.fileno(), _end_at_end_of_input, ending)
    async with sandbox(options) as endpoints:
        path = publish(endpoints, options.state)
        print(json.dumps({"ready": True, "endpoints": str(path.resolve())}), flush=True)
        await ending.wait()
        path.unlink(missing_ok=True)


def _end_at_end_of_input(ending: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        ending.set()


def main() -> None:
    """The command."""
    try:
        asyncio.run(run(parse()))
    except (AlreadyRunning, AzuriteFailed, OSError, ValueError) as problem:
        sys.exit(f"The sandbox could not start: {problem}")


if __name__ == "__main__":
    main()
