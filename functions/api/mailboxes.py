"""The API's mailboxes: the list, one mailbox, the commands on it, and the report of its last move."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.api.caller import authenticated_caller, id_in_path
from functions.api.json_values import json_values, mailbox_json
from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.parameters import is_id, malformed
from functions.http.responses import json
from shared.app import app
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.mailboxes.model import Mailbox

blueprint = func.Blueprint()

MAX_LISTED = 1000
ITEM_FIELDS = frozenset({"folder", "subject", "at"})
"""The fields of an issue that identify an item for its owner. The API does not show them to the operator."""


@blueprint.route(route="api/mailboxes", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_mailboxes(request: func.HttpRequest) -> func.HttpResponse:
    """List a thousand mailboxes at a time, ordered by shard and id; `after` is the last id received."""
    authenticated_caller(request, "after")
    after = request.params.get("after", "")
    if after and not is_id(after):
        raise malformed("after")
    listed = page_after(app().registry.all(), after)
    more = listed[-1].id if len(listed) == MAX_LISTED else ""
    return json({"mailboxes": [mailbox_json(mailbox) for mailbox in listed], "after": more})


@blueprint.route(route="api/mailboxes/{id}", methods=ALL_METHODS)
@http_handler("GET", api=True)
def api_mailbox(request: func.HttpRequest) -> func.HttpResponse:
    """Return one mailbox with its last passes and its open issues."""
    authenticated_caller(request)
    mailbox = app().registry.get(id_in_path(request))
    runs = [json_values(asdict(run)) for run in app().registry.runs(mailbox.id)]
    issues = [json_values(asdict(issue), without=ITEM_FIELDS) for issue in app().registry.issues(mailbox.id)]
    return json(mailbox_json(mailbox) | {"runs": runs, "open_issues": issues})


@blueprint.route(route="api/mailboxes/{id}/{act}", methods=ALL_METHODS)
@http_handler("GET", "POST", api=True)
def api_mailbox_command(request: func.HttpRequest) -> func.HttpResponse:
    """Run pause, start, sync, disconnect, or erase; returns the mailbox afterward, or the receipt of its erasure.

    GET parity returns the report of the mailbox's last move, or survey, between sources.
    """
    actor = authenticated_caller(request)
    action = request.route_params.get("act", "")
    if request.method != "POST":
        return json(_parity(id_in_path(request), action))
    command = _COMMANDS.get(action)
    if command is None:
        raise NotFound("no such action")
    return json(command(id_in_path(request), actor))


def page_after(mailboxes: "Iterable[Mailbox]", after: str) -> "list[Mailbox]":
    """Return the mailboxes that follow the id `after` in the registry's order; that mailbox may have been erased."""
    from shared.mailboxes.entities import partition

    def sort_key(mailbox_id: str) -> tuple[str, str]:
        return partition(mailbox_id), mailbox_id

    return list(islice((one for one in mailboxes if not after or sort_key(one.id) > sort_key(after)), MAX_LISTED))


def _parity(mailbox_id: str, what: str) -> dict[str, Any]:
    """The report of a mailbox's last move. Raises NotFound when there is none."""
    from shared.sync.moving import parity

    if what != "parity":
        raise HttpError("method_not_allowed", headers={"Allow": "POST"})
    app().registry.get(mailbox_id)
    return parity.decode(app().replica.derived(mailbox_id, parity.DOCUMENT))


def _sync(mailbox_id: str, actor: str) -> dict[str, Any]:
    app().mailbox_commands.sync_now(mailbox_id, actor)
    return mailbox_json(app().registry.get(mailbox_id))


def _erase(mailbox_id: str, actor: str) -> dict[str, Any]:
    return json_values(asdict(app().mailbox_commands.erase(mailbox_id, actor)))


_COMMANDS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "pause": lambda mailbox_id, actor: mailbox_json(app().mailbox_commands.pause(mailbox_id, actor)),
    "start": lambda mailbox_id, actor: mailbox_json(app().mailbox_commands.start(mailbox_id, actor)),
    "disconnect": lambda mailbox_id, actor: mailbox_json(app().mailbox_commands.disconnect(mailbox_id, actor)),
    "sync": _sync,
    "erase": _erase,
}
