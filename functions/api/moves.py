"""The API's moves of mailboxes between sources."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.api.caller import authenticated_caller
from functions.api.json_values import mailbox_json
from functions.http.handler import ALL_METHODS, HttpError, http_handler, read_json_object
from functions.http.parameters import MAX_LIST_BYTES
from functions.http.responses import json
from shared.app import app

if TYPE_CHECKING:
    from shared.mailboxes.model import Mailbox

blueprint = func.Blueprint()


@blueprint.route(route="api/moves", methods=ALL_METHODS)
@http_handler("POST", api=True, largest_body=MAX_LIST_BYTES)
def api_moves(request: func.HttpRequest) -> func.HttpResponse:
    """Have mailboxes moved: {"to": "graph" | "ews" | "", "mailboxes": [ids] | "tenant": id | "all": true}.

    With "dry_run" they are surveyed only; "force" overrules the safety stop; an empty "to" takes back what was asked.
    """
    actor = authenticated_caller(request)
    body = read_json_object(request)
    if not body.keys() <= {"to", "mailboxes", "tenant", "all", "dry_run", "force"}:
        raise HttpError("malformed")
    chosen = _chosen_mailboxes(body)
    moved = _ask_to_move(body, chosen, actor)
    return json({"mailboxes": [mailbox_json(mailbox) for mailbox in moved]}, 202)


def _chosen_mailboxes(body: Mapping[str, Any]) -> list[str]:
    """The mailboxes that a move is asked for, in exactly one way. Raises HttpError: malformed."""
    match {name: body[name] for name in ("mailboxes", "tenant", "all") if name in body}:
        case {"mailboxes": list(ids), **others} if not others and all(isinstance(each, str) for each in ids):
            return ids
        case {"tenant": str(tenant), **others} if tenant and not others:
            return app().move_commands.chosen(tenant)
        case {"all": True, **others} if not others:
            return app().move_commands.chosen()
    raise HttpError("malformed")


def _ask_to_move(body: Mapping[str, Any], chosen: list[str], actor: str) -> "list[Mailbox]":
    """Raises HttpError: malformed, for a source that there is not, or not here."""
    from shared.mailboxes.move_commands import SourceNotUsable
    from shared.sources.port import SourceName

    if not body.get("to"):
        return app().move_commands.cancel(chosen, actor)
    dry_run, force = body.get("dry_run") is True, body.get("force") is True
    try:
        return app().move_commands.ask(chosen, SourceName(body["to"]), actor, dry_run=dry_run, force=force)
    except (ValueError, SourceNotUsable) as exc:
        raise HttpError("malformed") from exc
