"""The operator's pages of groups: list and make them, change and delete one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.parameters import id_in_path
from functions.http.responses import html, redirect
from functions.http.session_auth import read_session_form, require_operator, require_operator_view
from shared.app import app
from shared.errors import NotFound
from shared.pages import paths

if TYPE_CHECKING:
    from shared.authorization.sessions.sessions import Session
    from shared.pages.console.groups import GroupForm

blueprint = func.Blueprint()


@blueprint.route(route="operator/groups", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_groups(request: func.HttpRequest) -> func.HttpResponse:
    """List the groups. POST makes one without settings of its own, and leads to its page."""
    if request.method != "POST":
        return _groups_page(require_operator_view(request))
    session = require_operator(request)
    return _make(session, read_session_form(request, session))


def _make(session: "Session", fields: Mapping[str, str]) -> func.HttpResponse:
    """Make the group of the form. One that exists already is not replaced."""
    from shared.mailboxes.groups.errors import GroupInvalid
    from shared.mailboxes.groups.model import GroupSettings

    name, description = fields.get("name", "").strip(), fields.get("description", "").strip()
    if any(group.name == name for group in app().group_commands.all()):
        return _groups_page(session, wrong="exists", name=name, description=description)
    try:
        app().group_commands.put(name, description, GroupSettings(), session.owner_id)
    except GroupInvalid as refused:
        return _groups_page(session, wrong=refused.field, name=name, description=description)
    return redirect(f"{paths.GROUPS}/{name}")


def _groups_page(session: "Session", **shown: str) -> func.HttpResponse:
    from shared.pages.console.groups import groups_values

    values = groups_values(app().group_commands.all(), **shown)
    return html("console/groups", csrf=app().sessions.csrf(session), is_operator=session.operator, **values)


@blueprint.route(route="operator/groups/{name}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_group(request: func.HttpRequest) -> func.HttpResponse:
    """Show one group. POST changes its settings, or with `delete` deletes it if it has no mailboxes."""
    name = id_in_path(request, "name")
    if request.method != "POST":
        return _group_page(require_operator_view(request), name, done=request.params.get("done", "") == "saved")
    session = require_operator(request)
    fields = read_session_form(request, session)
    if fields.get("delete"):
        app().group_commands.delete(name, session.owner_id)
        return redirect(paths.GROUPS)
    return _change(session, name, fields)


def _change(session: "Session", name: str, fields: Mapping[str, str]) -> func.HttpResponse:
    """Replace the settings of a group that exists. Raises NotFound."""
    from shared.mailboxes.groups.errors import GroupInvalid
    from shared.pages.console.groups import group_form

    app().group_commands.get(name)
    form = group_form(fields)
    if form.wrong:
        return _group_page(session, name, form=form)
    try:
        app().group_commands.put(name, form.description, form.settings, session.owner_id)
    except GroupInvalid as refused:
        return _group_page(session, name, form=replace(form, wrong=refused.field))
    return redirect(f"{paths.GROUPS}/{name}?done=saved")


def _group_page(
    session: "Session", name: str, *, form: "GroupForm | None" = None, done: bool = False
) -> func.HttpResponse:
    from shared.mailboxes.groups.model import is_name
    from shared.pages.console.groups import group_values

    if not is_name(name):
        raise NotFound("no such group")
    commands = app().group_commands
    values = group_values(commands.get(name), commands.deployment, commands.mailboxes_in(name), form=form, done=done)
    return html("console/group", csrf=app().sessions.csrf(session), is_operator=session.operator, **values)
