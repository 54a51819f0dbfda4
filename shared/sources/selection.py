"""Selects the source that reads a mailbox: Exchange Web Services or Microsoft Graph.

Each mailbox has one source. It is selected when somebody signs in or the mailbox is activated:

| setting | Exchange Server | Exchange Online |
|---|---|---|
| auto | EWS | EWS if one request shows that it is allowed, otherwise Graph |
| ews | EWS | EWS |
| graph | EWS | Graph |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from shared.errors import ActionNeeded, AdministratorMustAct, Reason, RetryLater
from shared.sources.model import Access, SourceName
from shared.sources.port import MailSource, MailSources


class SourceSetting(StrEnum):
    """The values of the setting SYNC_SOURCE."""

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
"""The host names in scopes of Exchange Online, national clouds included. An Exchange Server has its own name."""

BLOCKED = frozenset({Reason.EWS_BLOCKED, Reason.NO_LICENSE})
"""Reasons that concern EWS only and say nothing about Graph: EWS is switched off or not part of the license."""


def is_exchange_online(scope: str) -> bool:
    """Whether an EWS scope belongs to Exchange Online."""
    return (urlsplit(scope).hostname or "").lower() in EXCHANGE_ONLINE


class SelectedSources:
    """Opens each mailbox over the source that its access is for. Implements MailSources."""

    def __init__(self, sources: Mapping[SourceName, MailSources]) -> None:
        self._sources = sources

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet."""
        return self._sources[access.source].open(access, isolate_failures=isolate_failures)

    def check(self, access: Access) -> None:
        """Make one cheap request to find out whether the mailbox can be read. Raises what a pass would raise."""
        self._sources[access.source].check(access)

    def resolve(self, access: Access, query: str) -> list[str]:
        """The primary addresses that match a name or address; empty if it is unknown."""
        return self._sources[access.source].resolve(access, query)

    def primary_address(self, access: Access) -> str:
        """The mailbox's primary address; empty if the server does not provide it."""
        return self._sources[access.source].primary_address(access)


@dataclass(frozen=True, slots=True)
class Choice:
    """The selected source of a mailbox, and the error of its one cheap request.

    `access` is None if no token for the source could be obtained.
    """

    source: SourceName
    access: Access | None
    error: ActionNeeded | None = None

    @property
    def refusal(self) -> ActionNeeded | None:
        """Why no source can read the mailbox; None if one can, or if the server is only busy."""
        return None if isinstance(self.error, RetryLater) else self.error


class SourceSelection:
    """Applies the setting. `is_online` says whether the mailboxes are in Exchange Online."""

    def __init__(self, setting: SourceSetting, sources: MailSources, *, is_online: bool) -> None:
        self._setting = setting
        self._sources = sources
        self._is_online = is_online

    @property
    def candidates(self) -> Sequence[SourceName]:
        """The sources that may read a mailbox, in the order in which they are tried."""
        if not self._is_online or self._setting is SourceSetting.EWS:
            return (SourceName.EWS,)
        if self._setting is SourceSetting.GRAPH:
            return (SourceName.GRAPH,)
        return (SourceName.EWS, SourceName.GRAPH)

    def can_use(self, source: SourceName) -> bool:
        """Whether any mailbox can be read over a source, whatever the setting prefers."""
        return self._is_online or source is SourceName.EWS

    def choose(self, access_to: Callable[[SourceName], Access]) -> Choice:
        """Try the candidates with one cheap request each; `access_to` returns an access with a token for the source.

        A busy server is no reason to select another source. Only a block of EWS leads to the next candidate.
        """
        choice = None
        for source in self.candidates:
            choice = self._try_source(source, access_to)
            if choice.error is None or not is_blocked(choice.error):
                return choice
        if choice is None:
            raise AssertionError("unreachable: there is always a candidate")
        return choice

    def _try_source(self, source: SourceName, access_to: Callable[[SourceName], Access]) -> Choice:
        access = None
        try:
            access = access_to(source)
            self._sources.check(access)
        except ActionNeeded as error:
            return Choice(source, access, error)
        return Choice(source, access)

    def after(self, source: SourceName, error: ActionNeeded) -> SourceName:
        """The source that reads a mailbox after a pass ended with this error.

        A mailbox that has been read already keeps its source until it is moved between sources with its identities.
        """
        moves = source is SourceName.EWS and SourceName.GRAPH in self.candidates and is_blocked(error)
        return SourceName.GRAPH if moves else source


@dataclass(frozen=True, slots=True)
class MoveSchedule:
    """When every mailbox in Exchange Online is moved to Graph: from a day on, spread over some days.

    `is_used` is False where mailboxes are on an Exchange Server, or read over EWS by the operator's setting.
    """

    ends: datetime
    days: int
    is_used: bool = True

    def is_due(self, source: SourceName, offset: float, now: datetime) -> bool:
        """Whether a mailbox is to be moved by now; `offset` is its own place among the days, 0 to 1."""
        if not self.is_used or source is not SourceName.EWS:
            return False
        return now >= self.ends + offset * timedelta(days=self.days)

    def is_near(self, source: SourceName, now: datetime) -> bool:
        """Whether the end is so near that a mailbox has to show that it could be moved."""
        return self.is_used and source is SourceName.EWS and now >= self.ends - ASKED_BEFORE


ASKED_BEFORE = timedelta(days=45)
"""So long before EWS ends a mailbox that lacks Graph's permissions asks for them."""


def is_blocked(error: ActionNeeded) -> bool:
    """Whether an error concerns EWS only."""
    return isinstance(error, AdministratorMustAct) and error.reason in BLOCKED
