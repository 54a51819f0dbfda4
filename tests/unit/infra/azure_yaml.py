"""Reads azure.yaml: the little of YAML that it uses, so that no test needs a YAML library."""

import re
from pathlib import Path

FILE = Path(__file__).parents[3] / "azure.yaml"


def values(text: str) -> dict[str, str]:
    """Every value by its path, as in services.app.project."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"( *)([\w-]+):(?: +(.*))?$", line)
        if not match or line.lstrip().startswith("#"):
            continue
        depth = len(match[1])
        path = [*(entry for entry in path if entry[0] < depth), (depth, match[2])]
        if match[3]:
            found[".".join(name for _, name in path)] = match[3].strip().strip('"')
    return found


def hook(what: str) -> str:
    """Of the service: its project folder (`project`), or the prepackage hook's command on POSIX (`run`)."""
    keys = {"project": "services.app.project", "run": "services.app.hooks.prepackage.posix.run"}
    return values(FILE.read_text())[keys[what]]
