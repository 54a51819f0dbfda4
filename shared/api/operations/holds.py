"""The legal hold of a mailbox."""

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed, Missing
from shared.api.operations.mailboxes import visible_mailbox
from shared.api.resources import holds as resources
from shared.mailboxes.errors import HoldReasonInvalid
from shared.mailboxes.holds import MAX_REASON
from shared.mailboxes.model import Mailbox

_PATH = "/mailboxes/{mailbox}/hold"


@operation("GET", _PATH, tag="holds", roles=STATE_READERS, answer=resources.Hold)
def get_hold(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Hold:
    """Return the legal hold of a mailbox. 404: it has none."""
    return _hold(visible_mailbox(components, call))


@operation("PUT", _PATH, tag="holds", roles=OPERATORS, body=resources.HoldChange, answer=resources.Hold)
def put_hold(components: ApiComponents, call: Call[NoQuery, resources.HoldChange]) -> resources.Hold:
    """Put a mailbox on legal hold, or replace the reason. Syncing goes on; nothing of the copy is deleted.

    409, `erasure_begun`: its erasure has begun.
    """
    try:
        held = components.hold_commands.hold(call.path["mailbox"], call.body.reason, call.caller.object_id)
    except HoldReasonInvalid as exc:
        raise Malformed("reason", expected=f"a text of 1 to {MAX_REASON} printable characters") from exc
    return _hold(held)


@operation("DELETE", _PATH, tag="holds", roles=OPERATORS, status=204)
def lift_hold(components: ApiComponents, call: Call[NoQuery, None]) -> None:
    """Lift the legal hold. The contents of items that have left the mailbox are deleted again."""
    components.hold_commands.lift(call.path["mailbox"], call.caller.object_id)


def _hold(mailbox: Mailbox) -> resources.Hold:
    if mailbox.hold_since is None:
        raise Missing("hold")
    return resources.Hold(mailbox.hold_since, mailbox.hold_by, mailbox.hold_reason)


OPERATIONS = (get_hold, put_hold, lift_hold)
