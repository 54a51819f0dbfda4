"""The command about legal holds."""

import argparse
import sys
from typing import TextIO

from shared.cli.components import CliApp


def hold(app: CliApp, arguments: argparse.Namespace, out: TextIO) -> int:
    """Put a mailbox on legal hold, so that nothing of its copy is deleted; --lift ends it. Without either, show it."""
    if arguments.lift and arguments.reason is not None:
        print("name a reason or --lift, not both", file=sys.stderr)
        return 2
    if arguments.lift:
        app.hold_commands.lift(arguments.mailbox, "operator")
        print("lifted", file=out)
        return 0
    if arguments.reason is not None:
        app.hold_commands.hold(arguments.mailbox, arguments.reason, "operator")
    mailbox = app.registry.get(arguments.mailbox)
    if mailbox.hold_since is None:
        print("not on hold", file=out)
    else:
        print(
            f"on hold since {mailbox.hold_since:%Y-%m-%d %H:%M}, by {mailbox.hold_by}: {mailbox.hold_reason}", file=out
        )
    return 0
