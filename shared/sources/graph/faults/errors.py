"""The one table that maps every error code, HTTP status and transport fault of Graph to who has to act next.

`table()` returns it for docs/operations.md. Codes are compared without regard to letter case, which differs between
Graph's services; messages are not compared. Sources: https://learn.microsoft.com/graph/errors, and the clients that
read mailboxes over Graph.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from shared.errors import (
    Actor,
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.sources.fault_table import FaultRow
from shared.sources.graph.faults import codes
from shared.sources.https_pool import TransportFault
from shared.sources.port import FolderGone, StateInvalid


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of error is handled.

    `of_item` is the reason of the ItemFailure if the error concerns a single item; the other items are not affected. If
    it is None, the whole request fails even then. `loses_state`: for a request with a delta token, the token is
    invalid.
    """

    actor: Actor
    reason: Reason
    of_item: Reason | None = None
    loses_state: bool = False


_OUTAGE = Rule(Actor.SMALLER, Reason.UNAVAILABLE)
_BAD_ANSWER = Rule(Actor.QUEUE, Reason.BAD_ANSWER)
_THROTTLED = Rule(Actor.QUEUE, Reason.THROTTLED)
_TIMED_OUT = Rule(Actor.SMALLER, Reason.TIMED_OUT)
_UNAVAILABLE = Rule(Actor.QUEUE, Reason.UNAVAILABLE)
_SIGN_IN = Rule(Actor.PERSON, Reason.TOKEN_REJECTED)
_OURS = Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION, Reason.ITEM_REFUSED)
_OURS_OR_STATE = Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION, Reason.ITEM_REFUSED, loses_state=True)
_GONE = Rule(Actor.FOLDER, Reason.ITEM_GONE, Reason.ITEM_GONE)
_DENIED = Rule(Actor.ADMINISTRATOR, Reason.ACCESS_DENIED, Reason.ITEM_REFUSED)

_RULES_OF_CODES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (codes.THROTTLED, _THROTTLED),
    (codes.UNAVAILABLE, _OUTAGE),
    (codes.UNAVAILABLE_OR_ITEM, Rule(Actor.SMALLER, Reason.UNAVAILABLE, Reason.ITEM_UNREADABLE)),
    (codes.TIMED_OUT, _TIMED_OUT),
    (codes.TOKEN_REJECTED, _SIGN_IN),
    (codes.ACCOUNT_DISABLED, Rule(Actor.ADMINISTRATOR, Reason.ACCOUNT_DISABLED)),
    (codes.NO_MAILBOX, Rule(Actor.ADMINISTRATOR, Reason.NO_MAILBOX)),
    (codes.ON_PREMISES, Rule(Actor.ADMINISTRATOR, Reason.NO_MAILBOX)),
    (codes.NO_LICENSE, Rule(Actor.ADMINISTRATOR, Reason.NO_LICENSE)),
    (codes.ACCESS_DENIED, _DENIED),
    (codes.MAILBOX_FULL, Rule(Actor.LISTING, Reason.UNAVAILABLE)),
    (codes.STATE_LOST, Rule(Actor.STATE, Reason.BAD_ANSWER, loses_state=True)),
    (codes.GONE, _GONE),
    (codes.MALFORMED_ID, _OURS_OR_STATE),
    (codes.ITEM_TOO_LARGE, Rule(Actor.SMALLER, Reason.BAD_ANSWER, Reason.ITEM_TOO_LARGE)),
    (codes.ITEM_CORRUPT, Rule(Actor.SMALLER, Reason.BAD_ANSWER, Reason.ITEM_CORRUPT)),
    (codes.ITEM_REFUSED, Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION, Reason.ITEM_REFUSED)),
    (codes.BAD_REQUEST, _OURS_OR_STATE),
)

RULES: dict[str, Rule] = {code: rule for group, rule in _RULES_OF_CODES for code in group}
"""What each error code leads to, as it is written in the documentation."""

_BY_LOWER_CASE = {code.lower(): rule for code, rule in RULES.items()}

STATUSES: dict[int, Rule] = {
    302: _UNAVAILABLE,  # nothing is ever followed but a 308 within our own host
    308: _UNAVAILABLE,
    400: _OURS_OR_STATE,
    401: _SIGN_IN,
    403: _DENIED,
    404: _GONE,
    405: _OURS,
    406: _OURS,
    408: _TIMED_OUT,
    409: _UNAVAILABLE,
    410: Rule(Actor.STATE, Reason.BAD_ANSWER, Reason.ITEM_GONE, loses_state=True),
    411: _OURS,
    412: _UNAVAILABLE,
    413: _OURS,
    414: _OURS,
    415: _OURS,
    421: _UNAVAILABLE,
    422: _OURS,
    423: _UNAVAILABLE,
    424: _UNAVAILABLE,  # in a batch: what it depended on failed, and nothing of ours depends on anything
    429: _THROTTLED,
    431: _OURS,
    500: _OUTAGE,
    501: _OURS,
    502: _OUTAGE,
    503: _OUTAGE,
    504: _TIMED_OUT,
    507: _UNAVAILABLE,
    509: _THROTTLED,  # bandwidth
}
"""How a status is handled if the body contains no known code."""


class JsonFault(StrEnum):
    """What can be wrong with the body of a response."""

    MALFORMED = "malformed JSON"
    UNEXPECTED = "JSON that is no such answer"
    FOREIGN_LINK = "a link to another host"


FAULTS: dict[TransportFault | JsonFault, Rule] = {
    TransportFault.CONNECT: _UNAVAILABLE,
    TransportFault.CERTIFICATE: Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION),
    TransportFault.SILENCE: _TIMED_OUT,
    TransportFault.DRIP: _TIMED_OUT,
    TransportFault.RESET: _UNAVAILABLE,
    TransportFault.CUT: _BAD_ANSWER,
    TransportFault.OVERSIZED: Rule(Actor.SMALLER, Reason.BAD_ANSWER, Reason.ITEM_TOO_LARGE),
    JsonFault.MALFORMED: Rule(Actor.SMALLER, Reason.BAD_ANSWER, Reason.ITEM_UNREADABLE),
    JsonFault.UNEXPECTED: _BAD_ANSWER,
    JsonFault.FOREIGN_LINK: _BAD_ANSWER,
}
"""How a fault of the connection, or of a body, is handled."""

_OTHER_SERVER_ERROR, _OTHER = _OUTAGE, _BAD_ANSWER


class AskForLess(RetryLater):
    """The service failed on this request and named no time to wait: a smaller page may succeed."""


class MailboxFull(RetryLater):
    """The mailbox is over its quota, so delta cannot store its state there. Other reads succeed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An unsuccessful response."""

    status: int
    code: str = ""
    """The most specific known error code, else the first one; empty if there is none."""
    retry_after: float | None = None
    """Seconds."""
    claims: str = ""
    tenant_wide: bool = False
    """Whether several mailboxes of the tenant are throttled."""

    @property
    def rule(self) -> Rule:
        """How it is handled."""
        found = _BY_LOWER_CASE.get(self.code.lower()) or STATUSES.get(self.status)
        return found or (_OTHER_SERVER_ERROR if self.status >= 500 else _OTHER)

    @property
    def support(self) -> str:
        """Graph's error code, or the status, for support requests."""
        return self.code or f"http_{self.status}"

    def error(self, *, with_state: bool = False) -> MailboxSyncError:
        """The error to raise. `with_state`: the request had a delta token."""
        rule = self.rule
        if with_state and rule.loses_state:
            return StateInvalid(self.support)
        error = error_of(rule, self.support, retry_after=self.retry_after, claims=self.claims)
        if isinstance(error, RetryLater):
            error.tenant_wide = self.tenant_wide
        return error

    def of_item(self) -> Reason | None:
        """Return the reason of an item's failure if this refuses a request about it alone; None if it is no cause."""
        return self.rule.of_item


_SPEAKABLE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def code_in(body: bytes) -> str:
    """Return the most specific known code in an error's body and its nested inner errors; else the first code."""
    found = [code for code in _codes(body) if _SPEAKABLE.fullmatch(code)]
    known = [code for code in found if code.lower() in _BY_LOWER_CASE]
    return known[-1] if known else next(iter(found), "")


def _codes(body: bytes) -> Iterator[str]:
    """Yield every code, from the outer error to the innermost."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if isinstance(error, str):
        yield error
    for _ in range(10):
        if not isinstance(error, Mapping):
            return
        code = error.get("code")
        if isinstance(code, str):
            yield code
        error = error.get("innerError") or error.get("innererror")


def error_of(rule: Rule, support: str, *, retry_after: float | None = None, claims: str = "") -> MailboxSyncError:
    """Return the error of a rule. `support` is Graph's error code, a status (`http_503`), or a fault."""
    if rule.actor is Actor.PERSON:
        return PersonMustSignIn(rule.reason, support=support, definite=False, claims=claims)
    if rule.actor is Actor.SMALLER and not retry_after:
        return AskForLess(rule.reason, support=support)
    if rule.actor is Actor.LISTING:
        return MailboxFull(rule.reason, support=support)
    plain = _PLAIN.get(rule.actor)
    return plain(rule.reason, support) if plain else RetryLater(rule.reason, support=support, retry_after=retry_after)


_PLAIN: dict[Actor, Callable[[Reason, str], MailboxSyncError]] = {
    Actor.ADMINISTRATOR: lambda reason, support: AdministratorMustAct(reason, support=support),
    Actor.OPERATOR: lambda reason, support: OperatorMustAct(reason, support=support),
    # The request had no token that could be the cause, so reading from the beginning would never end.
    Actor.STATE: lambda reason, support: RetryLater(reason, support=support),
    Actor.FOLDER: lambda _, support: FolderGone(support),
}


def of_fault(fault: TransportFault | JsonFault) -> MailboxSyncError:
    """Return the error of a fault."""
    return error_of(FAULTS[fault], fault.name.lower())


def of_item(support: str) -> Reason:
    """Return the reason of the failure of an item on which a request failed with this code or fault."""
    rule = _BY_LOWER_CASE.get(support.lower()) or _BY_FAULT.get(support)
    return (rule.of_item if rule else None) or Reason.ITEM_UNREADABLE


_BY_FAULT = {fault.name.lower(): rule for fault, rule in FAULTS.items()}


def table() -> list[FaultRow]:
    """Return every error code, HTTP status and transport fault with who has to act next, in a fixed order."""
    return list(_rows())


def _rows() -> Iterator[FaultRow]:
    for fault, rule in FAULTS.items():
        yield _row(fault.value, rule)
    for status, rule in sorted(STATUSES.items()):
        yield _row(f"HTTP {status}", rule)
    yield _row("any other HTTP 4xx or 3xx", _OTHER)
    yield _row("any other HTTP 5xx", _OTHER_SERVER_ERROR)
    for code, rule in sorted(RULES.items()):
        yield _row(code, rule)


def _row(answer: str, rule: Rule) -> FaultRow:
    actor = f"{rule.actor}; after a delta token {Actor.STATE}" if rule.loses_state else rule.actor.value
    if rule.actor is Actor.STATE:
        actor = rule.actor.value
    return FaultRow(answer, actor, rule.reason.value, rule.of_item.value if rule.of_item else "")
