"""The person themselves, and ids translated from one format into another.

Sources: learn.microsoft.com/graph/api/user-get, /user-translateexchangeids.
"""

import base64
from collections.abc import Callable
from typing import Any

from sandbox.graph.call import Call
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import GraphError, parse_error
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes.ids import entry_of
from sandbox.mailboxes.store import Item, Mailbox

LARGEST_TRANSLATION = 1000


def _proxy_addresses(call: Call) -> list[str]:
    """The primary address is the one with capital letters."""
    return [f"SMTP:{call.person.address}", *(f"smtp:{alias}" for alias in call.person.aliases)]


_USER: dict[str, Callable[[Call], Any]] = {
    "id": lambda call: call.person.oid,
    "displayName": lambda call: call.person.display_name,
    "givenName": lambda call: call.person.display_name.partition(" ")[0],
    "surname": lambda call: call.person.display_name.rpartition(" ")[2],
    "mail": lambda call: call.person.address if call.person.has_mailbox else None,
    "userPrincipalName": lambda call: call.person.sign_in_name or call.person.address,
    "businessPhones": lambda call: [],
    "jobTitle": lambda call: None,
    "mobilePhone": lambda call: None,
    "officeLocation": lambda call: None,
    "preferredLanguage": lambda call: None,
    "proxyAddresses": _proxy_addresses,
}
_NOT_DEFAULT = {"proxyAddresses"}


def get_user(call: Call) -> GraphResponse:
    """The person."""
    call.query.allow("$select")
    call.caller.check_profile(call.person)
    names = call.query.select(_USER, "user") or [name for name in _USER if name not in _NOT_DEFAULT]
    return call.answer({"@odata.context": f"{call.request.base}/{call.request.version}/$metadata#users/$entity"} | {
        name: _USER[name](call) for name in names
    })  # fmt: skip


# Ids

_FORMATS = ("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")


def translate_ids(call: Call) -> GraphResponse:
    """Up to a thousand ids of one mailbox, each with its translation or what is wrong with it."""
    call.query.allow()
    body = call.request.body if isinstance(call.request.body, dict) else {}
    fields = {name[:1].lower() + name[1:]: value for name, value in body.items()}
    if unknown := sorted(set(fields) - {"inputIds", "sourceIdType", "targetIdType"}):
        raise GraphError(400, "BadRequest", f"The parameter '{unknown[0]}' in the request payload is not valid.")
    source, target, given = (fields.get(name) for name in ("sourceIdType", "targetIdType", "inputIds"))
    if source not in _FORMATS or target not in _FORMATS or not isinstance(given, list):
        raise parse_error("inputIds, sourceIdType and targetIdType are required.")
    if len(given) > LARGEST_TRANSLATION:
        raise GraphError(400, "ErrorInvalidArgument", f"At most {LARGEST_TRANSLATION} ids can be translated at once.")
    found = [_translated(call.mailbox, str(one), str(source), str(target)) for one in given]
    return call.answer({"@odata.context": call.metadata("translateExchangeIds"), "value": found})


def _translated(mailbox: Mailbox, given: str, source: str, target: str) -> Json:
    try:
        return {"sourceId": given, "targetId": _WRITE[target](_READ[source](mailbox, given))}
    except (ValueError, LookupError, GraphError):
        details = {"code": "ErrorInvalidIdMalformed", "message": "The id could not be translated."}
        if _well_formed(given, source):
            details = {"code": "ErrorItemNotFound", "message": "The specified object was not found in the store."}
        return {"sourceId": given, "targetId": None, "errorDetails": details}


def _well_formed(given: str, source: str) -> bool:
    try:
        entry_of(ids.ews_id(given) if source == "restId" else given.replace("-", "/").replace("_", "+"))
    except (ValueError, GraphError):
        return ids.read_immutable(given) is not None
    return True


type _Found = Item | str
"""An item, or the EWS id of a folder (folders have no immutable ids)."""


def _by_ews_id(mailbox: Mailbox, ews_id: str) -> _Found:
    if ews_id in mailbox.folders:
        return ews_id
    return mailbox.items[ews_id]


def _by_entry_id(mailbox: Mailbox, given: str) -> _Found:
    entry = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    for ews_id in (*mailbox.items, *mailbox.folders):
        if entry_of(ews_id)[1] == entry:
            return _by_ews_id(mailbox, ews_id)
    raise LookupError(given)


def _by_immutable_id(mailbox: Mailbox, given: str) -> _Found:
    found = ids.read_immutable(given)
    if found is None or found[0] != mailbox.guid:
        raise ValueError("not an immutable id of this mailbox")
    return mailbox.by_immutable_key[found[1][:16]]


_READ: dict[str, Callable[[Mailbox, str], _Found]] = {
    "ewsId": _by_ews_id,
    "restId": lambda mailbox, given: _by_ews_id(mailbox, ids.ews_id(given)),
    "entryId": _by_entry_id,
    "immutableEntryId": _by_immutable_id,
    "restImmutableEntryId": _by_immutable_id,
}


def _ews_id(found: _Found) -> str:
    return found if isinstance(found, str) else found.id


def _immutable(found: _Found) -> str:
    return ids.rest_id(found) if isinstance(found, str) else ids.immutable_id(found)


def _entry_id(found: _Found) -> str:
    return base64.urlsafe_b64encode(entry_of(_ews_id(found))[1]).decode().rstrip("=")


_WRITE: dict[str, Callable[[_Found], str]] = {
    "ewsId": _ews_id,
    "restId": lambda found: ids.rest_id(_ews_id(found)),
    "entryId": _entry_id,
    "immutableEntryId": _immutable,
    "restImmutableEntryId": _immutable,
}
