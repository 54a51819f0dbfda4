"""The one table that maps every response code, HTTP status and transport fault to who has to act next.

`table()` returns it for docs/operations.md. forbidden.py decides what a 403 means.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import (
    ActionNeeded,
    Actor,
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.sources.ews.faults import forbidden, response_codes
from shared.sources.fault_table import FaultRow
from shared.sources.port import FolderGone, StateInvalid


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of error is handled.

    `of_item` is the reason of the ItemFailure if the error concerns a single item of a batch; the other items are not
    affected. If it is None, the whole request fails even then.
    """

    actor: Actor
    reason: Reason
    of_item: Reason | None = None
    tenant_wide: bool = False


_RULES_OF_CODES: tuple[tuple[frozenset[str], Rule], ...] = (
    (response_codes.THROTTLED, Rule(Actor.SMALLER, Reason.THROTTLED)),
    (response_codes.SMALLER_BATCH, Rule(Actor.SMALLER, Reason.THROTTLED)),
    (response_codes.TIMED_OUT, Rule(Actor.SMALLER, Reason.TIMED_OUT)),
    (response_codes.UNAVAILABLE, Rule(Actor.QUEUE, Reason.UNAVAILABLE)),
    (response_codes.UNAVAILABLE_OR_ITEM, Rule(Actor.QUEUE, Reason.UNAVAILABLE, Reason.ITEM_UNREADABLE)),
    (response_codes.TOKEN_REJECTED, Rule(Actor.PERSON, Reason.TOKEN_REJECTED)),
    (response_codes.ACCOUNT_DISABLED, Rule(Actor.ADMINISTRATOR, Reason.ACCOUNT_DISABLED)),
    (response_codes.NO_MAILBOX, Rule(Actor.ADMINISTRATOR, Reason.NO_MAILBOX, Reason.ITEM_REFUSED)),
    (response_codes.ORGANIZATION_BLOCKED, Rule(Actor.ADMINISTRATOR, Reason.ACCESS_DENIED)),
    (response_codes.NO_LICENSE, Rule(Actor.ADMINISTRATOR, Reason.NO_LICENSE)),
    (response_codes.IMPERSONATION_DENIED, Rule(Actor.ADMINISTRATOR, Reason.IMPERSONATION_DENIED)),
    (response_codes.ACCESS_DENIED, Rule(Actor.ADMINISTRATOR, Reason.ACCESS_DENIED, Reason.ITEM_REFUSED)),
    (response_codes.STATE_INVALID, Rule(Actor.STATE, Reason.BAD_ANSWER)),
    (response_codes.FOLDER_GONE, Rule(Actor.FOLDER, Reason.ITEM_GONE, Reason.ITEM_GONE)),
    (response_codes.ITEM_GONE, Rule(Actor.FOLDER, Reason.ITEM_GONE, Reason.ITEM_GONE)),
    (response_codes.ITEM_TOO_LARGE, Rule(Actor.SMALLER, Reason.THROTTLED, Reason.ITEM_TOO_LARGE)),
    (response_codes.ITEM_CORRUPT, Rule(Actor.QUEUE, Reason.BAD_ANSWER, Reason.ITEM_CORRUPT)),
    (response_codes.ITEM_REFUSED, Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION, Reason.ITEM_REFUSED)),
    (response_codes.NOT_APPLICABLE, Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION, Reason.ITEM_REFUSED)),
)

RULES: dict[str, Rule] = {code: rule for group, rule in _RULES_OF_CODES for code in group}
"""The rule for each EWS response code."""

UNKNOWN = Rule(Actor.QUEUE, Reason.BAD_ANSWER, Reason.ITEM_UNREADABLE)
"""The rule for an unknown code: the queue retries; for a single item it becomes an issue."""

_UNAVAILABLE = Rule(Actor.QUEUE, Reason.UNAVAILABLE)
_TIMED_OUT = Rule(Actor.QUEUE, Reason.TIMED_OUT)
_BAD_ANSWER = Rule(Actor.QUEUE, Reason.BAD_ANSWER)
_THROTTLED = Rule(Actor.QUEUE, Reason.THROTTLED, tenant_wide=True)
_SIGN_IN = Rule(Actor.PERSON, Reason.TOKEN_REJECTED)
_OURS = Rule(Actor.OPERATOR, Reason.OUR_CONFIGURATION)

STATUSES: dict[int, Rule] = {
    302: _UNAVAILABLE,  # Exchange redirects to its error page in outages; redirects are never followed
    400: _OURS,
    401: _SIGN_IN,
    404: _OURS,
    405: _OURS,
    407: _OURS,
    408: _TIMED_OUT,
    409: _UNAVAILABLE,
    410: _OURS,  # the endpoint itself is gone
    411: _OURS,
    412: _UNAVAILABLE,
    413: _OURS,
    414: _OURS,
    415: _OURS,
    421: _UNAVAILABLE,
    423: _UNAVAILABLE,
    429: _THROTTLED,
    431: _OURS,
    440: _SIGN_IN,  # Exchange: login timeout
    456: _SIGN_IN,  # Exchange Online: the account must sign in interactively
    500: _UNAVAILABLE,
    501: _OURS,
    502: _UNAVAILABLE,
    503: Rule(Actor.QUEUE, Reason.UNAVAILABLE, tenant_wide=True),
    504: _TIMED_OUT,
    507: _UNAVAILABLE,
    509: _THROTTLED,
}
"""The rule for each HTTP status whose body is not a SOAP fault with a known code."""


class Fault(StrEnum):
    """The faults below HTTP and in the body of a response."""

    CONNECT = "no connection"
    CERTIFICATE = "certificate not trusted"
    SILENCE = "no answer in time"
    DRIP = "answer too slow"
    RESET = "connection broken"
    CUT = "answer cut short"
    NOT_XML = "wrong content type"
    MALFORMED = "malformed XML"
    DOCTYPE = "document type or entities in the XML"
    UNEXPECTED = "XML that is no such answer"
    OVERSIZED = "answer too large"


FAULTS: dict[Fault, Rule] = {
    Fault.CONNECT: _UNAVAILABLE,
    Fault.CERTIFICATE: _OURS,
    Fault.SILENCE: _TIMED_OUT,
    Fault.DRIP: _TIMED_OUT,
    Fault.RESET: _UNAVAILABLE,
    Fault.CUT: _BAD_ANSWER,
    Fault.NOT_XML: _BAD_ANSWER,
    Fault.MALFORMED: Rule(Actor.QUEUE, Reason.BAD_ANSWER, Reason.ITEM_UNREADABLE),
    Fault.DOCTYPE: _BAD_ANSWER,
    Fault.UNEXPECTED: _BAD_ANSWER,
    Fault.OVERSIZED: Rule(Actor.SMALLER, Reason.BAD_ANSWER, Reason.ITEM_TOO_LARGE),
}
"""The rule for each transport fault."""


class BatchTooLarge(RetryLater):
    """The server could not handle the whole batch. A smaller one may succeed; a single item is retried later."""


class ResponseUnreadable(RetryLater):
    """The response is complete but cannot be parsed, or reports a fault of no certain item: one may be the cause."""


def rule_of_status(status: int) -> Rule:
    """The rule for an HTTP status."""
    return STATUSES.get(status) or (_UNAVAILABLE if status >= 500 else _BAD_ANSWER)


def rule_of_code(code: str) -> Rule:
    """The rule for an EWS response code."""
    return RULES.get(code, UNKNOWN)


def error_of_rule(rule: Rule, support: str, *, retry_after: float | None = None, claims: str = "") -> MailboxSyncError:
    """The exception for a rule. `support` identifies the cause: a response code, `http_503`, or a fault."""
    if rule.actor is Actor.PERSON:
        return PersonMustSignIn(rule.reason, support=support, definite=False, claims=claims)
    if rule.actor is Actor.SMALLER and not retry_after:
        return BatchTooLarge(rule.reason, support=support)
    if rule.actor is Actor.QUEUE and rule.of_item and not retry_after:
        return ResponseUnreadable(rule.reason, support=support)
    plain = _PLAIN.get(rule.actor)
    if plain is not None:
        return plain(rule.reason, support)
    wide = rule.tenant_wide and retry_after is not None
    return RetryLater(rule.reason, support=support, retry_after=retry_after, tenant_wide=wide)


_PLAIN: dict[Actor, Callable[[Reason, str], MailboxSyncError]] = {
    Actor.ADMINISTRATOR: lambda reason, support: AdministratorMustAct(reason, support=support),
    Actor.OPERATOR: lambda reason, support: OperatorMustAct(reason, support=support),
    Actor.STATE: lambda _, support: StateInvalid(support),
    Actor.FOLDER: lambda _, support: FolderGone(support),
}


def item_reason(support: str) -> Reason:
    """The reason why an item cannot be fetched for which Exchange reported this code."""
    return rule_of_code(support).of_item or Reason.ITEM_UNREADABLE


def part_reason(error: ActionNeeded) -> Reason | None:
    """The reason why one item or folder cannot be read, if it alone may cause this error of a request; else None."""
    if isinstance(error, ResponseUnreadable):
        return item_reason(error.support)
    rule = RULES.get(error.support)
    return rule.of_item if rule and isinstance(error, AdministratorMustAct) else None


def error_of_fault(fault: Fault) -> MailboxSyncError:
    """The exception for a transport fault."""
    return error_of_rule(FAULTS[fault], fault.name.lower())


def table() -> list[FaultRow]:
    """Every response code, HTTP status and transport fault with who has to act next, in a fixed order."""
    return list(_rows())


def _rows() -> Iterator[FaultRow]:
    for fault, rule in FAULTS.items():
        yield _row(fault.value, rule)
    for status, rule in sorted(STATUSES.items()):
        yield _row(f"HTTP {status}", rule)
    for reason in forbidden.REASONS:
        yield _row("HTTP 403", Rule(Actor.ADMINISTRATOR, reason))
    yield _row("any other HTTP 4xx or 3xx", _BAD_ANSWER)
    yield _row("any other HTTP 5xx", _UNAVAILABLE)
    for code, rule in sorted(RULES.items()):
        yield _row(code, rule)
    yield _row("any other response code", UNKNOWN)


def _row(answer: str, rule: Rule) -> FaultRow:
    return FaultRow(answer, rule.actor.value, rule.reason.value, rule.of_item.value if rule.of_item else "")
