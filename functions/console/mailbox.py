"""One mailbox: its page, and the operator's actions on it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.parameters import id_in_path
from functions.http.responses import html, receipt, redirect
from functions.http.session_auth import read_session_form, require_operator, require_operator_view
from shared.app import app, utc_now
from shared.errors import ActionNeeded, NotFound
from shared.pages import paths

if TYPE_CHECKING:
    from shared.authorization.sessions.sessions import Session
    from shared.mailboxes.model import Mailbox
    from shared.pages.console.mailbox import OperatorAction
    from shared.replica.port import FolderState

blueprint = func.Blueprint()


@blueprint.route(route="operator/mailboxes/{id}", methods=ALL_METHODS)
@http_handler("GET")
def operator_mailbox(request: func.HttpRequest) -> func.HttpResponse:
    """Show one mailbox: status, sessions, issues by item, activity, folders."""
    session = require_operator_view(request)
    return _page(session, _mailbox_in_path(request), done=request.params.get("done", ""))


def _page(
    session: "Session", mailbox: "Mailbox", *, done: str = "", refusal: ActionNeeded | None = None
) -> func.HttpResponse:
    """The mailbox's page; `refusal` is what a check of its access just met."""
    from shared.pages.console.mailbox import ACTIVITY_SHOWN, SESSIONS_SHOWN, OperatorAction, mailbox_values

    values = mailbox_values(
        mailbox,
        runs=app().registry.runs(mailbox.id, SESSIONS_SHOWN),
        issues=app().registry.issues(mailbox.id),
        activity=app().registry.audit_trail(mailbox.id, limit=ACTIVITY_SHOWN),
        folders=_folders(mailbox.id),
        now=utc_now(),
        interval=app().interval,
        is_operator=session.operator,
        refusal=refusal,
        groups=app().group_commands.all(),
        deployment=app().group_commands.deployment,
    )
    return html(
        "console/mailbox",
        csrf=app().sessions.csrf(session),
        done=done if done in OperatorAction and done != OperatorAction.ERASE else "",
        sign_in_url=app().settings.app_url + paths.MY_SYNC,
        sync_possible_at=app().mailbox_commands.sync_possible_at(mailbox),
        **values,
    )


@blueprint.route(route="operator/mailboxes/{id}/{action}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_mailbox_action(request: func.HttpRequest) -> func.HttpResponse:
    """POST: run an action on the mailbox. GET: ask for its confirmation."""
    from shared.pages.console.mailbox import CONFIRMED_FIRST

    session = require_operator(request)
    mailbox, action = _mailbox_in_path(request), _action(request)
    if request.method == "POST":
        fields = read_session_form(request, session)
        return _run(session, mailbox, action, fields)
    if action not in CONFIRMED_FIRST:
        raise NotFound("no such page")
    return html("console/confirm", csrf=app().sessions.csrf(session), mailbox=mailbox, action=action.value)


def _run(
    session: "Session", mailbox: "Mailbox", action: "OperatorAction", fields: Mapping[str, str]
) -> func.HttpResponse:
    """Run an action; an erasure is answered with its receipt, for nothing else could show it."""
    from shared.pages.console.mailbox import OperatorAction

    commands = app().mailbox_commands
    if action is OperatorAction.ERASE:
        return receipt(commands.erase(mailbox.id, session.owner_id))
    if action is OperatorAction.CHECK:
        return _check(session, mailbox)
    actions: dict[OperatorAction, Callable[[str, str], object]] = {
        OperatorAction.SYNC: commands.sync_now,
        OperatorAction.PAUSE: commands.pause,
        OperatorAction.START: commands.start,
        OperatorAction.RESET: commands.reset,
        OperatorAction.DISCONNECT: commands.disconnect,
        OperatorAction.HOLD: lambda id_, actor: _hold(id_, fields.get("reason", ""), actor),
        OperatorAction.LIFT_HOLD: app().hold_commands.lift,
        OperatorAction.GROUP: lambda id_, actor: _put_into_group(id_, fields.get("group", ""), actor),
    }
    actions[action](mailbox.id, session.owner_id)
    return redirect(f"{paths.MAILBOXES}/{mailbox.id}?done={action.value}")


def _check(session: "Session", mailbox: "Mailbox") -> func.HttpResponse:
    """Ask the mailbox's server whether it can be read now, and say what it answers. Nothing is changed by it."""
    from shared.pages.console.mailbox import OperatorAction

    try:
        app().check_mailbox(mailbox.id)
    except ActionNeeded as refusal:
        return _page(session, mailbox, refusal=refusal)
    return redirect(f"{paths.MAILBOXES}/{mailbox.id}?done={OperatorAction.CHECK.value}")


def _hold(mailbox_id: str, reason: str, actor: str) -> None:
    """Set a legal hold. Raises HttpError: malformed, for a reason that is empty or too long."""
    from shared.mailboxes.errors import HoldReasonInvalid

    try:
        app().hold_commands.hold(mailbox_id, reason, actor)
    except HoldReasonInvalid as exc:
        raise HttpError("malformed") from exc


def _put_into_group(mailbox_id: str, name: str, actor: str) -> None:
    """Put the mailbox into a group. Raises HttpError: malformed, for one that does not exist any more."""
    from shared.mailboxes.groups.errors import GroupUnknown

    try:
        app().group_commands.assign(mailbox_id, name, actor)
    except GroupUnknown as exc:
        raise HttpError("malformed") from exc


def _action(request: func.HttpRequest) -> "OperatorAction":
    """The action in the path. Raises NotFound."""
    from shared.pages.console.mailbox import OperatorAction

    with suppress(ValueError):
        return OperatorAction(request.route_params.get("action", ""))
    raise NotFound("no such action")


def _mailbox_in_path(request: func.HttpRequest) -> "Mailbox":
    return app().registry.get(id_in_path(request))


def _folders(mailbox_id: str) -> "list[FolderState]":
    """The folders of the copy; none before its first pass."""
    with suppress(NotFound):
        return list(app().replica_reader.folders(mailbox_id).folders.values())
    return []
