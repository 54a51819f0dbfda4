"""Whether an address is of the mailbox that somebody has signed in for, by any of its names."""

from contextlib import closing
from dataclasses import replace

from shared.errors import AdministratorMustAct, PersonMustSignIn
from shared.sources.port import Access, FolderGone, MailSources


def is_same_mailbox(sources: MailSources, access: Access, wanted: str) -> bool:
    """Whether the wanted address opens the account's own mailbox: then both have the same folders.

    Only the mail server proves it. An equal sign-in name does not: two tenants can have accounts of one name, and a
    guest keeps the name of another tenant. The directory does not either: it looks for the beginning of an address
    among names as well, and a name is free to choose.
    https://learn.microsoft.com/exchange/client-developer/web-service-reference/unresolvedentry

    Raises:
        RetryLater: the server is busy, so nothing is proved.
    """
    own = _folders(sources, access)
    try:
        return not own.isdisjoint(_folders(sources, replace(access, address=wanted, own=False)))
    except (AdministratorMustAct, PersonMustSignIn, FolderGone):
        return False


def _folders(sources: MailSources, access: Access) -> frozenset[str]:
    """The ids of a mailbox's folders. Raises as a pass would."""
    with closing(sources.open(access)) as mailbox:
        return frozenset(folder.id for folder in mailbox.folders())
