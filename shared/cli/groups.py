"""The commands about groups of mailboxes."""

import argparse
import json
from typing import Any, TextIO

from shared.cli.components import CliApp
from shared.cli.terminal import show_table
from shared.mailboxes.groups.model import DEFAULT, shown_name


def groups(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """List the groups of mailboxes with the settings that each has of its own. The group default has none."""
    made = [(one.name, one.description, one.settings.own()) for one in app.group_commands.all()]
    found: list[tuple[str, str, dict[str, Any]]] = [(DEFAULT, "", {}), *made]
    if arguments.json:
        for name, description, own in found:
            print(json.dumps({"name": name, "description": description, "settings": own}), file=out)
        return 0
    show_table(out, ("name", "description", "settings"), ((one[0], one[1], _words(one[2])) for one in found))
    return 0


def _words(own: dict[str, Any]) -> str:
    return "; ".join(f"{name}={_word(value)}" for name, value in own.items())


def _word(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value).lower()


def group(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Show the group whose settings apply to a mailbox, or put it into another one with --set."""
    if arguments.set is not None:
        app.group_commands.assign(arguments.mailbox, arguments.set, "operator")
    print(shown_name(app.registry.get(arguments.mailbox).group), file=out)
    return 0
