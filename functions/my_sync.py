"""The routes of a person's own page: the state of their mailbox's sync, and the actions on it.

A GET changes nothing; every action is a POST with the session's CSRF token. A mailbox of another person is answered
exactly like one that does not exist.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.responses import html, interstitial, receipt, redirect
from functions.http.session_auth import binding_cookie, read_session_form, require_session
from shared.app import app, utc_now
from shared.authorization.errors import APPROVABLE
from shared.authorization.sessions.sessions import Session
from shared.errors import NotFound
from shared.pages import paths
from shared.pages.mailbox_actions import NEEDS_CONFIRMATION, MailboxAction

if TYPE_CHECKING:
    from shared.mailboxes.groups.model import Group
    from shared.mailboxes.model import Mailbox

blueprint = func.Blueprint()

FLASH_MESSAGES = frozenset({"sync", "pause", "start", "disconnect", "connected", "renewed"})
"""The values of `?done=` that the page shows a message for, under [done] in the catalog."""


@blueprint.route(route="my-sync", methods=ALL_METHODS)
@http_handler("GET")
def my_sync(request: func.HttpRequest) -> func.HttpResponse:
    """Show the page of one of the person's mailboxes."""
    from shared.pages.my_sync import actions_for
    from shared.pages.privacy_summary import privacy_summary

    session = require_session(request)
    own = _own_mailboxes(session)
    if not own:
        return html("no_mailbox", csrf=app().sessions.csrf(session))
    mailbox = _mailbox_by_id(own, request.params.get("mailbox", own[0].id))
    values = _live_values(session, mailbox)
    done = request.params.get("done", "")
    return html(
        "my_sync",
        acts=actions_for(mailbox, values["shown"]),
        others=own if len(own) > 1 else [],
        done=done if done in FLASH_MESSAGES else "",
        **privacy_summary(values["scope"], app().settings.deleted_days, is_own=True) | values,
    )


@blueprint.route(route="my-sync/{action}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def my_sync_action(request: func.HttpRequest) -> func.HttpResponse:
    """POST: run an action on one's own mailbox. GET: show its confirmation or explanation page, or the progress.

    One route serves all of them, because the Functions host may take either of two routes that match a path.
    """
    session = require_session(request)
    action = request.route_params.get("action", "")
    if request.method != "POST":
        return _action_page(session, action, _own_mailbox(session, request.params.get("mailbox", "")))
    fields = read_session_form(request, session)
    if action not in _ACTIONS:
        raise NotFound("no such action")
    mailbox = _own_mailbox(session, fields.get("mailbox", ""))
    return _ACTIONS[MailboxAction(action)](session, mailbox)


def _action_page(session: Session, action: str, mailbox: "Mailbox") -> func.HttpResponse:
    if action == "progress":
        return html("_live", **_live_values(session, mailbox))
    if action == MailboxAction.ERASE:
        _require_no_hold(mailbox)
    csrf = app().sessions.csrf(session)
    if action == MailboxAction.APPROVAL:
        return _for_administrator(session, mailbox, csrf)
    if action not in NEEDS_CONFIRMATION:
        raise NotFound("no such page")
    signs_in = action == MailboxAction.ERASE and not app().sessions.is_recent(session)
    return html("confirm", act=action, mailbox=mailbox, csrf=csrf, signs_in=signs_in)


def _for_administrator(session: Session, mailbox: "Mailbox", csrf: str) -> func.HttpResponse:
    """Show what an administrator has to do for this mailbox: approve the application, or the steps for its reason."""
    from shared.pages.pages import command_argument

    if mailbox.reason in APPROVABLE:
        link = app().consent.link_for(session)
        return html("need_admin_approval", approval_url=link, support=mailbox.support)
    if not mailbox.reason:
        return redirect(_my_sync_url(mailbox))
    return html(
        "ask_administrator",
        reason=mailbox.reason,
        support=mailbox.support,
        client_id=app().settings.entra_client_id,
        mailbox=command_argument(mailbox.address),
        csrf=csrf,
    )


def _sync(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    app().mailbox_commands.sync_now(mailbox.id, session.owner_id)
    return redirect(_my_sync_url(mailbox, "sync"))


def _pause(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    app().mailbox_commands.pause(mailbox.id, session.owner_id)
    return redirect(_my_sync_url(mailbox, "pause"))


def _start(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    app().mailbox_commands.start(mailbox.id, session.owner_id)
    return redirect(_my_sync_url(mailbox, "start"))


def _sign_in(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    start = app().sign_in.renew(session, mailbox.id)
    return interstitial(start.url, cookies=[binding_cookie(start)])


def _change_account(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    start = app().sign_in.change(session, mailbox.id)
    return interstitial(start.url, cookies=[binding_cookie(start)])


def _disconnect(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    app().mailbox_commands.disconnect(mailbox.id, session.owner_id)
    return redirect(_my_sync_url(mailbox, "disconnect"))


def _erase(session: Session, mailbox: "Mailbox") -> func.HttpResponse:
    """Erase the mailbox, if the person entered credentials recently; otherwise send them to Microsoft first.

    This protects against another person at a browser that was left signed in. Nobody signs in for what a legal hold
    forbids.
    """
    _require_no_hold(mailbox)
    if not app().sessions.is_recent(session):
        start = app().sign_in.confirm(session, mailbox.id)
        return interstitial(start.url, cookies=[binding_cookie(start)])
    return receipt(app().mailbox_commands.erase(mailbox.id, session.owner_id))


def _require_no_hold(mailbox: "Mailbox") -> None:
    from shared.mailboxes.transitions import require_no_hold

    require_no_hold(mailbox)


_ACTIONS: dict[MailboxAction, Callable[[Session, "Mailbox"], func.HttpResponse]] = {
    MailboxAction.SYNC: _sync,
    MailboxAction.PAUSE: _pause,
    MailboxAction.START: _start,
    MailboxAction.SIGN_IN: _sign_in,
    MailboxAction.CHANGE_ACCOUNT: _change_account,
    MailboxAction.DISCONNECT: _disconnect,
    MailboxAction.ERASE: _erase,
}


def _live_values(session: Session, mailbox: "Mailbox") -> dict[str, Any]:
    from shared.pages.my_sync import live_values

    registry = app().registry
    values = live_values(
        mailbox,
        registry.runs(mailbox.id),
        registry.issues(mailbox.id),
        utc_now(),
        app().interval,
        group=_group_of(mailbox),
        deployment=app().group_commands.deployment,
    )
    possible_at = app().mailbox_commands.sync_possible_at(mailbox)
    return values | {"csrf": app().sessions.csrf(session), "sync_possible_at": possible_at}


def _group_of(mailbox: "Mailbox") -> "Group | None":
    """The mailbox's group; None if it has none, or if there is no such group."""
    if mailbox.group:
        with suppress(NotFound):
            return app().group_commands.get(mailbox.group)
    return None


def _own_mailbox(session: Session, mailbox_id: str) -> "Mailbox":
    """Return one of the session's own mailboxes. Raises NotFound for any other."""
    return _mailbox_by_id(_own_mailboxes(session), mailbox_id)


def _own_mailboxes(session: Session) -> "list[Mailbox]":
    """Return the session's own mailboxes. Operators manage those that are read with a service account."""
    from shared.sources.model import AccessMode

    owned = app().registry.of_owner(session.tenant_id, session.owner_id)
    own = [mailbox for mailbox in owned if mailbox.mode is AccessMode.DELEGATED]
    return sorted(own, key=lambda mailbox: mailbox.erasing_since is not None)


def _mailbox_by_id(own: "list[Mailbox]", mailbox_id: str) -> "Mailbox":
    for mailbox in own:
        if mailbox.id == mailbox_id:
            return mailbox
    raise NotFound("not one of theirs")


def _my_sync_url(mailbox: "Mailbox", done: str = "") -> str:
    return f"{paths.MY_SYNC}?mailbox={mailbox.id}" + (f"&done={done}" if done else "")
