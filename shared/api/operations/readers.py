"""Who calls, and what readers are limited to."""

import re

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed
from shared.api.port import ReaderLimits
from shared.api.resources import onboarding as resources
from shared.authorization.model import GUID
from shared.errors import NotFound

EXPECTED_READER = "the object id of an account or a program, in lower case; its own GET /me returns it"

_OBJECT_ID = re.compile(GUID)


@operation("GET", "/me", tag="access", answer=resources.Me)
def get_me(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Me:
    """Return the caller's object id, roles, and limits."""
    caller = call.caller
    limits = _reader(caller.limits) if caller.limits is not None else None
    return resources.Me(caller.object_id, sorted(caller.roles), limits)


@operation("GET", "/readers", tag="access", roles=STATE_READERS, answer=resources.ReaderList)
def list_readers(components: ApiComponents, call: Call[NoQuery, None]) -> resources.ReaderList:
    """List the readers that are limited to tenants or mailboxes."""
    return resources.ReaderList([_reader(limits) for limits in components.readers.all()])


@operation("GET", "/readers/{reader}", tag="access", roles=STATE_READERS, answer=resources.Reader)
def get_reader(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Reader:
    """Return what one reader is limited to."""
    limits = components.readers.get(call.path["reader"])
    if limits is None:
        raise NotFound("not limited")
    return _reader(limits)


@operation(
    "PUT",
    "/readers/{reader}",
    tag="access",
    roles=OPERATORS,
    body=resources.ReaderChange,
    answer=resources.Reader,
    named=EXPECTED_READER,
)
def limit_reader(components: ApiComponents, call: Call[NoQuery, resources.ReaderChange]) -> resources.Reader:
    """Limit a reader, by its object id, to tenants and mailboxes. Takes effect within a minute."""
    if not _OBJECT_ID.fullmatch(call.path["reader"]):
        raise Malformed("reader", expected=EXPECTED_READER)
    limits = ReaderLimits(call.path["reader"], frozenset(call.body.tenants), frozenset(call.body.mailboxes))
    for mailbox_id in limits.mailboxes:
        try:
            components.registry.get(mailbox_id)
        except NotFound as exc:
            raise Malformed("mailboxes", expected="ids of mailboxes that exist") from exc
    components.readers.put(limits)
    components.registry.record_audit(limits.object_id, call.caller.object_id, "limit_reader")
    return _reader(limits)


@operation("DELETE", "/readers/{reader}", tag="access", roles=OPERATORS, status=204)
def unlimit_reader(components: ApiComponents, call: Call[NoQuery, None]) -> None:
    """Let a reader read all mailboxes again. Takes effect within a minute."""
    components.registry.record_audit(call.path["reader"], call.caller.object_id, "unlimit_reader")
    components.readers.delete(call.path["reader"])


def _reader(limits: ReaderLimits) -> resources.Reader:
    return resources.Reader(limits.object_id, sorted(limits.tenants), sorted(limits.mailboxes))


OPERATIONS = (get_me, list_readers, get_reader, limit_reader, unlimit_reader)
