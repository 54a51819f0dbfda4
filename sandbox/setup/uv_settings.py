"""Prints pip's configuration as uv's environment variables, for `eval`: uv does not read pip's configuration.

uv settings that are already in the environment are not changed.
"""

import os
import shlex
import subprocess
import sys

NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
}
"""pip's options and uv's names for them. Hashes are checked, so any index may serve any package."""


def exports(configuration: str, taken: frozenset[str]) -> list[str]:
    """The lines for a shell; `configuration` is the output of `pip config list`."""
    said: dict[str, str] = {}
    for line in configuration.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            said[name.rpartition(".")[2]] = value.strip("'\"")
    lines = [
        f"export {NAMES[option]}={shlex.quote(' '.join(value.split()))}"
        for option, value in said.items()
        if option in NAMES and NAMES[option] not in taken
    ]
    return [*lines, "export UV_INDEX_STRATEGY=unsafe-best-match"]


if __name__ == "__main__":
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)  # noqa: PLW1510
    print("\n".join(exports(told.stdout, frozenset(os.environ))))  # noqa: TID251 -- this machine's own
