"""The single requests about a mailbox outside a pass: check, resolve, primary address."""

from abc import ABC, abstractmethod
from contextlib import closing
from typing import Protocol

from shared.sources.model import Access


class QueriedMailbox(Protocol):
    """An open mailbox of one source."""

    def check(self) -> None:
        """See MailSources.check."""
        ...

    def resolve(self, query: str) -> list[str]:
        """See MailSources.resolve."""
        ...

    def primary_address(self) -> str:
        """See MailSources.primary_address."""
        ...

    def close(self) -> None:
        """See MailSource.close."""
        ...


class AccountQueries(ABC):
    """The part of MailSources that opens a mailbox for one request and closes it."""

    @abstractmethod
    def _open(self, access: Access) -> QueriedMailbox:
        """Open the mailbox without a request."""

    def check(self, access: Access) -> None:
        """Make one cheap request to find out whether the mailbox can be read. Raises what a pass would raise."""
        with closing(self._open(access)) as mailbox:
            mailbox.check()

    def resolve(self, access: Access, query: str) -> list[str]:
        """The primary addresses that match a name or address; empty if it is unknown."""
        with closing(self._open(access)) as mailbox:
            return mailbox.resolve(query)

    def primary_address(self, access: Access) -> str:
        """The mailbox's primary address; empty if the server does not provide it."""
        with closing(self._open(access)) as mailbox:
            return mailbox.primary_address()
