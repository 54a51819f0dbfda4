"""Keeps a mailbox's address current: the registry holds the primary address, which the mail server knows.

The server may have been busy at the sign-in, and then the sign-in name stands for the address. People are renamed too.
"""

import logging

from shared.errors import ActionNeeded
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry
from shared.sources.port import MailSource
from shared.sync.recording.pass_result import PassResult
from shared.sync.recording.run_recorder import RunRecorder

_log = logging.getLogger(__name__)


def new_address(mailbox: Mailbox, result: PassResult, source: MailSource) -> str:
    """Ask the server for the primary address at the end of a first sync and of each daily sweep.

    Returns an empty string if nothing is to be changed, or if the server does not tell: the next sweep asks again.
    """
    if not result.finished or (mailbox.first_sync_done and result.swept is None):
        return ""
    try:
        address = source.primary_address()
    except ActionNeeded as error:
        _log.info("the primary address is not known", exc_info=error)
        return ""
    return "" if address.casefold() == mailbox.address.casefold() else address


def update_address(mailbox: Mailbox, address: str, *, registry: MailboxRegistry, recorder: RunRecorder) -> None:
    """Keep a new primary address. If another mailbox has it, because it was activated meanwhile, the log names both."""
    if not address:
        return
    holder = registry.at_address(mailbox.tenant_id, address)
    recorder.change(mailbox.id, lambda before: before.with_changes(address=address))
    if holder is not None and holder.id != mailbox.id:
        _log.warning("two mailboxes have one address", extra={"other_mailbox_id": holder.id})
