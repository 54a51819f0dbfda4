"""Whether an address is of the mailbox that somebody has signed in for, by any of its names."""

from contextlib import closing
from dataclasses import replace

from shared.errors import AdministratorMustAct, PersonMustSignIn
from shared.sources.port import Access, FolderGone, MailSources


def is_same_mailbox(sources: MailSources, access: Access, wanted: str) -> bool:
    """Whether the wanted address is the account's, or opens the same one mailbox: then both have the same folders.

    The directory is no witness: it looks for the beginning of an address among names as well, and a name is free to
    choose. https://learn.microsoft.com/exchange/client-developer/web-service-reference/unresolvedentry
    """
    if wanted.casefold() == access.address.casefold():
        return True
    own = _folders(sources, access)
    try:
        return not own.isdisjoint(_folders(sources, replace(access, address=wanted)))
    except (AdministratorMustAct, PersonMustSignIn, FolderGone):
        return False


def _folders(sources: MailSources, access: Access) -> frozenset[str]:
    """The ids of a mailbox's folders. Raises as a pass would."""
    with closing(sources.open(access)) as mailbox:
        return frozenset(folder.id for folder in mailbox.folders())
