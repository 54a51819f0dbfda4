"""Which address a mailbox is kept under: the one that the mail server gives, not what its person signs in with."""

import logging

from shared.authorization.port import Identity
from shared.errors import ActionNeeded
from shared.mailboxes.model import Mailbox
from shared.sources.port import Access, MailSources

_log = logging.getLogger(__name__)


def primary_address_of(
    sources: MailSources, access: Access | None, identity: Identity, existing: Mailbox | None = None
) -> str:
    """The primary address of the mailbox that this access opens.

    A sign-in name need not be an address of the mailbox, or is only a secondary one. While the server cannot be asked
    (`access` None, or an error) it is what it was for the same sign-in name, else that name; the next sign-in asks
    again.
    """
    kept = existing.address if existing is not None and existing.sign_in_name == identity.address else ""
    try:
        asked = sources.primary_address(access) if access is not None else ""
    except ActionNeeded as error:
        _log.info("the primary address is not known yet", exc_info=error)
        asked = ""
    return asked or kept or identity.address
