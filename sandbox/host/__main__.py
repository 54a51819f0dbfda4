"""The command line of the local host."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from sandbox.host.config import ConfigInvalid
from sandbox.host.host import Host, Options
from sandbox.host.worker import AppInvalid


def options(arguments: list[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description="Run a Functions app on this machine.")
    parser.add_argument("--app", type=Path, default=Path(), help="the folder with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="0: any free port")
    parser.add_argument("--certificate", type=Path, required=True, help="PEM, for localhost")
    parser.add_argument("--key", type=Path, required=True, help="PEM")
    parser.add_argument("--schedule", action="append", default=[], metavar="NAME=CRON", help="another schedule")
    parser.add_argument(
        "--timer-status", type=Path, metavar="FILE", help="a file that keeps the timers' last ticks across restarts"
    )
    parser.add_argument(
        "--drain", type=float, default=10.0, metavar="SECONDS", help="how long running functions may take at the end"
    )
    parser.add_argument(
        "--lease", type=float, default=600.0, metavar="SECONDS", help="how long a message stays invisible"
    )
    parser.add_argument(
        "--longest-poll", type=float, metavar="SECONDS", help="how long an empty queue is left alone at most"
    )
    parser.add_argument("--tethered", action="store_true", help="end when standard input closes")
    given = parser.parse_args(arguments)
    if unreadable := [text for text in given.schedule if "=" not in text]:
        parser.error(f"--schedule takes NAME=CRON, not {unreadable[0]}")
    return Options(
        app=given.app.resolve(),
        port=given.port,
        certificate=given.certificate,
        key=given.key,
        schedules=dict(text.split("=", 1) for text in given.schedule),
        timer_status=given.timer_status,
        drain=given.drain,
        lease=given.lease,
        longest_poll=given.longest_poll,
        tethered=given.tethered,
    )


def main() -> int:
    """Run until stopped."""
    try:
        settings = dict(os.environ)  # noqa: TID251 -- app settings come to a host as its environment
        ended = asyncio.run(Host(options(sys.argv[1:]), settings).run())
    except (AppInvalid, ConfigInvalid, OSError) as problem:
        print(f"The host cannot start.\n{problem}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    if not ended:
        # Functions that still run occupy threads that cannot be stopped, and Python would wait for them.
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
