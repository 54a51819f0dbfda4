"""python -m sandbox.cli COMMAND: runs the program's command line (shared.cli) on the storage of a running sandbox.

The environment that shared.cli needs comes from the sandbox's endpoints.json; shared.cli does everything else.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from sandbox.local.local_stack import USUAL_STATE
from shared.cli import main as cli

NOT_SERVED = "https://localhost:7071"
"""The settings require an address of the app; no command here uses it."""


def environment_of(state: Path) -> dict[str, str]:
    """The environment of the app's process. Raises OSError when no sandbox runs there."""
    endpoints = json.loads((state / "endpoints.json").read_text(encoding="utf-8"))
    environment: dict[str, str] = endpoints["app_environment"]
    return {"APP_URL": NOT_SERVED} | environment


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    given, command = _parser().parse_known_args(arguments)
    try:
        os.environ.update(environment_of(given.state))  # noqa: TID251 -- shared.cli's own settings
    except OSError:
        if not {"-h", "--help"} & set(command):
            print(f"No sandbox is running in {given.state}: start one with make run.", file=sys.stderr)
            return 1
    sys.argv[1:] = command
    return cli.main("python -m sandbox.cli")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.cli", allow_abbrev=False, add_help=False)
    parser.add_argument("--state", type=Path, default=USUAL_STATE, help="the sandbox's state directory")
    return parser


if __name__ == "__main__":
    sys.exit(main())
