"""The operator's pages about moves between EWS and Graph: dry runs, moves, the way back, and the parity reports."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.parameters import id_in_path
from functions.http.responses import html, redirect
from functions.http.session_auth import read_session_form, require_operator
from shared.app import app, utc_now
from shared.errors import NotFound
from shared.pages import paths

if TYPE_CHECKING:
    from shared.mailboxes.model import Mailbox
    from shared.pages.moves import MoveAction
    from shared.sources.model import SourceName

blueprint = func.Blueprint()


@blueprint.route(route="operator/moves", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_moves(request: func.HttpRequest) -> func.HttpResponse:
    """Show the sums over all mailboxes; POST makes a job that asks for a dry run or a move of all, or takes it back."""
    from shared.mailboxes.summary.model import total
    from shared.pages.moves import ROWS_SHOWN, MoveAction, moves_values

    session = require_operator(request)
    if request.method == "POST":
        fields = read_session_form(request, session)
        action = _action(fields)
        if action is MoveAction.FORCE or (action is MoveAction.MOVE and not fields.get("confirmed")):
            raise HttpError("malformed")
        _ask_all(action, session.owner_id)
        return redirect(f"{paths.MOVES}?done={action.value}")
    totals = total(app().summaries.all(), app().settings.sync_shards, utc_now())
    concerned = app().listing.read(totals.moves[:ROWS_SHOWN])
    values = moves_values(totals, concerned, app().move_commands.usable())
    return html("moves", csrf=app().sessions.csrf(session), done=_done(request), **values)


@blueprint.route(route="operator/moves/{id}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_parity(request: func.HttpRequest) -> func.HttpResponse:
    """Show one mailbox's parity report; POST asks for a dry run or a move to its other source, or takes it back."""
    from shared.pages.moves import other_source, parity_values

    session = require_operator(request)
    mailbox = _mailbox_in_path(request)
    if request.method == "POST":
        action = _action(read_session_form(request, session))
        _ask(action, [mailbox.id], other_source(mailbox), session.owner_id)
        return redirect(f"{paths.MOVES}/{mailbox.id}?done={action.value}")
    values = parity_values(mailbox, _report(mailbox.id), app().move_commands.usable())
    return html("parity", csrf=app().sessions.csrf(session), done=_done(request), **values)


def _mailbox_in_path(request: func.HttpRequest) -> "Mailbox":
    return app().registry.get(id_in_path(request))


def _report(mailbox_id: str) -> dict[str, object]:
    """The last parity report; empty if there is none."""
    from shared.sync.moving import parity

    try:
        return parity.decode(app().replica.derived(mailbox_id, parity.DOCUMENT))
    except NotFound:
        return {}


def _action(fields: dict[str, str]) -> "MoveAction":
    from shared.pages.moves import MoveAction

    try:
        return MoveAction(fields.get("action", ""))
    except ValueError as exc:
        raise HttpError("malformed") from exc


def _ask(action: "MoveAction", chosen: list[str], target: "SourceName", actor: str) -> None:
    """Ask for what the form says. Raises HttpError: malformed, for a source that cannot be used here."""
    from shared.mailboxes.move_commands import SourceNotUsable
    from shared.pages.moves import MoveAction

    if action is MoveAction.CANCEL:
        app().move_commands.cancel(chosen, actor)
        return
    dry_run, force = action is MoveAction.SURVEY, action is MoveAction.FORCE
    try:
        app().move_commands.ask(chosen, target, actor, dry_run=dry_run, force=force)
    except SourceNotUsable as exc:
        raise HttpError("malformed") from exc


def _ask_all(action: "MoveAction", actor: str) -> None:
    """Ask for what the form says for every mailbox, by a job. Raises HttpError: malformed, if Graph cannot be used."""
    from shared.mailboxes.bulk.errors import JobRefused
    from shared.mailboxes.bulk.model import JobCommand
    from shared.pages.moves import MoveAction

    arguments = {"to": "nothing"} if action is MoveAction.CANCEL else {"to": "graph"}
    if action is MoveAction.SURVEY:
        arguments["dry_run"] = "true"
    try:
        app().jobs.create(JobCommand.MOVE, actor, filter={}, arguments=arguments)
    except JobRefused as exc:
        raise HttpError("malformed") from exc


def _done(request: func.HttpRequest) -> str:
    """The action that a redirect reports; empty for anything else."""
    from shared.pages.moves import MoveAction

    given = request.params.get("done", "")
    return given if given in MoveAction else ""
