"""Checks whether an address, primary or secondary, belongs to the mailbox of the person who signed in."""

from contextlib import closing
from dataclasses import replace

from shared.errors import AdministratorMustAct, PersonMustSignIn
from shared.sources.model import Access
from shared.sources.port import FolderGone, MailSources


def is_same_mailbox(sources: MailSources, access: Access, wanted: str) -> bool:
    """Whether the wanted address opens the account's own mailbox, which is true if both have the same folder ids.

    Only the mail server can prove it. An equal sign-in name proves nothing: two tenants can have accounts of the same
    name, and a guest keeps the name from another tenant. Resolving the address in the directory proves nothing either:
    the search also matches the beginning of display names, which people choose freely.
    https://learn.microsoft.com/exchange/client-developer/web-service-reference/unresolvedentry

    Raises:
        RetryLater: the server is busy, so the question is open.
    """
    own = _folders(sources, access)
    try:
        return not own.isdisjoint(_folders(sources, replace(access, address=wanted, own=False)))
    except (AdministratorMustAct, PersonMustSignIn, FolderGone):
        return False


def _folders(sources: MailSources, access: Access) -> frozenset[str]:
    """Return the ids of a mailbox's folders. Raises the same errors as a pass."""
    with closing(sources.open(access)) as mailbox:
        return frozenset(folder.id for folder in mailbox.folders())
