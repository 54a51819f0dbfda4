"""The address that a mailbox is registered under: the mail server's primary address, not the sign-in name."""

import logging

from shared.authorization.model import Identity
from shared.errors import ActionNeeded, RetryLater
from shared.mailboxes.model import Mailbox
from shared.sources.model import Access
from shared.sources.port import MailSources

_log = logging.getLogger(__name__)


def primary_address_of(
    sources: MailSources,
    access: Access | None,
    identity: Identity,
    existing: Mailbox | None = None,
    *,
    waits_for_server: bool = False,
) -> str:
    """Return the primary address of the mailbox that this access opens.

    A sign-in name may be a secondary address of the mailbox, or no address of it at all. If the server cannot be asked
    (`access` is None, or an error), the result is the address known for the same sign-in name, else the sign-in name;
    the mailbox's first sync and its daily sweeps ask again.

    Raises:
        RetryLater: the server is busy, and the caller `waits_for_server`.
    """
    known = existing.address if existing is not None and existing.sign_in_name == identity.address else ""
    try:
        asked = sources.primary_address(access) if access is not None else ""
    except ActionNeeded as error:
        if waits_for_server and isinstance(error, RetryLater):
            raise
        _log.info("primary address not found", exc_info=error)
        asked = ""
    return asked or known or identity.address
