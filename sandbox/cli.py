"""python -m sandbox.cli COMMAND: the program's own command line, shared.cli, at the storage of a sandbox under way.

The environment that shared.cli asks for is in the sandbox's endpoints.json; everything else is shared.cli's.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from sandbox.local.local_stack import USUAL_STATE
from shared import cli

NOT_SERVED = "https://localhost:7071"
"""The settings want an address of the app; nothing that is read here depends on it."""


def environment_of(state: Path) -> dict[str, str]:
    """What the app's process has in its environment. Raises OSError: no sandbox is under way there."""
    said = json.loads((state / "endpoints.json").read_text(encoding="utf-8"))
    environment: dict[str, str] = said["app_environment"]
    return {"APP_URL": NOT_SERVED} | environment


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    given, command = _parser().parse_known_args(arguments)
    try:
        os.environ.update(environment_of(given.state))  # noqa: TID251 -- shared.cli's own settings
    except OSError:
        if not {"-h", "--help"} & set(command):
            print(f"No sandbox is under way in {given.state}: start one with make run.", file=sys.stderr)
            return 1
    sys.argv[1:] = command
    return cli.main()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.cli", allow_abbrev=False, add_help=False)
    parser.add_argument("--state", type=Path, default=USUAL_STATE, help="the sandbox's state directory")
    return parser


if __name__ == "__main__":
    sys.exit(main())
