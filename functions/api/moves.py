"""The API's moves of mailboxes between sources."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.api.caller import authenticated_caller
from functions.api.json_values import mailbox_json
from functions.api.move_request import MoveRequest, read_move_request
from functions.http.handler import ALL_METHODS, http_handler, read_json_object
from functions.http.parameters import MAX_LIST_BYTES, malformed
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
    moved = _ask_to_move(read_move_request(read_json_object(request)), actor)
    return json({"mailboxes": [mailbox_json(mailbox) for mailbox in moved]}, 202)


def _ask_to_move(wanted: MoveRequest, actor: str) -> "list[Mailbox]":
    """Raises HttpError: malformed, for a source over which no mailbox of this deployment can be read."""
    from shared.mailboxes.move_commands import SourceNotUsable

    commands = app().move_commands
    chosen = commands.chosen(wanted.tenant) if wanted.mailboxes is None else list(wanted.mailboxes)
    if wanted.target is None:
        return commands.cancel(chosen, actor)
    try:
        return commands.ask(chosen, wanted.target, actor, dry_run=wanted.dry_run, force=wanted.force)
    except SourceNotUsable as exc:
        raise malformed("to") from exc
