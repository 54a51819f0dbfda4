"""Which source reads a mailbox: Exchange Web Services or Microsoft Graph.

Each mailbox has a source of its own. It is chosen when somebody signs in or the mailbox is activated:

| setting | Exchange Server | Exchange Online |
|---|---|---|
| auto | EWS | EWS where one request shows that it is allowed, else Graph |
| ews | EWS | EWS |
| graph | EWS | Graph |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from shared.errors import ActionNeeded, AdministratorMustAct, Reason, RetryLater
from shared.sources.port import Access, MailSource, MailSources, SourceName


class SourceSetting(StrEnum):
    """What SYNC_SOURCE may say."""

    AUTO = "auto"
    EWS = "ews"
    GRAPH = "graph"


EXCHANGE_ONLINE = frozenset(
    {
        "outlook.office365.com",
        "outlook.office.com",
        "outlook.office365.us",
        "outlook-dod.office365.us",
        "webmail.apps.mil",
        "partner.outlook.cn",
    }
)
"""Whom tokens for Exchange Online are issued for, national clouds included. An Exchange Server has its own name."""

BLOCKED = frozenset({Reason.EWS_BLOCKED, Reason.NO_LICENSE})
"""Verdicts on EWS that say nothing about Graph: it is switched off, or not in the license."""


def is_exchange_online(scope: str) -> bool:
    """Whether a scope of EWS is one of Exchange Online's."""
    return (urlsplit(scope).hostname or "").lower() in EXCHANGE_ONLINE


class SelectedSources:
    """Opens each mailbox over the source that its access is for. Fulfills MailSources."""

    def __init__(self, sources: Mapping[SourceName, MailSources]) -> None:
        self._sources = sources

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet."""
        return self._sources[access.source].open(access, isolate_failures=isolate_failures)

    def check(self, access: Access) -> None:
        """One cheap request that tells whether the mailbox can be read; raises as a pass would."""
        self._sources[access.source].check(access)

    def resolve(self, access: Access, query: str) -> list[str]:
        """Primary addresses that a name or address stands for; empty when unknown."""
        return self._sources[access.source].resolve(access, query)

    def primary_address(self, access: Access) -> str:
        """The mailbox's primary address; empty when the server does not say."""
        return self._sources[access.source].primary_address(access)


@dataclass(frozen=True, slots=True)
class Choice:
    """The source that a mailbox is to be read by, and what its one cheap request raised.

    `access` is None when not even a token for the source could be had.
    """

    source: SourceName
    access: Access | None
    error: ActionNeeded | None = None

    @property
    def refusal(self) -> ActionNeeded | None:
        """Why no source can read the mailbox; a server that is busy is no refusal."""
        return None if isinstance(self.error, RetryLater) else self.error


class SourceSelection:
    """The setting as a rule. `is_online`: whether mailboxes are in Exchange Online."""

    def __init__(self, setting: SourceSetting, sources: MailSources, *, is_online: bool) -> None:
        self._setting = setting
        self._sources = sources
        self._is_online = is_online

    @property
    def candidates(self) -> Sequence[SourceName]:
        """The sources that may read a mailbox, the one to try first at the beginning."""
        if not self._is_online or self._setting is SourceSetting.EWS:
            return (SourceName.EWS,)
        if self._setting is SourceSetting.GRAPH:
            return (SourceName.GRAPH,)
        return (SourceName.EWS, SourceName.GRAPH)

    def choose(self, access_to: Callable[[SourceName], Access]) -> Choice:
        """Try the candidates, one cheap request each; `access_to` gives an access with a token for the source.

        A server that is busy is no reason to choose another source. Only a block leads on to the next.
        """
        choice = None
        for source in self.candidates:
            choice = self._tried(source, access_to)
            if choice.error is None or not is_blocked(choice.error):
                return choice
        if choice is None:
            raise AssertionError("there is always a candidate")
        return choice

    def _tried(self, source: SourceName, access_to: Callable[[SourceName], Access]) -> Choice:
        access = None
        try:
            access = access_to(source)
            self._sources.check(access)
        except ActionNeeded as error:
            return Choice(source, access, error)
        return Choice(source, access)

    def after(self, source: SourceName, error: ActionNeeded) -> SourceName:
        """The source that a mailbox is to be read by after a pass ended with this error.

        A mailbox that has been read already keeps its source until it is moved, ids and all.
        """
        moves = source is SourceName.EWS and SourceName.GRAPH in self.candidates and is_blocked(error)
        return SourceName.GRAPH if moves else source


def is_blocked(error: ActionNeeded) -> bool:
    """Whether an error is a verdict on EWS alone."""
    return isinstance(error, AdministratorMustAct) and error.reason in BLOCKED
