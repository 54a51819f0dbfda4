"""The operator's page of invitations: make one, and see those that were made."""

import azure.functions as func

from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.responses import html
from functions.http.session_auth import read_session_form, require_operator_view
from shared.app import app, utc_now
from shared.authorization.errors import InvitationMalformed

blueprint = func.Blueprint()

ROWS = 50


@blueprint.route(route="operator/invitations", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_invitations(request: func.HttpRequest) -> func.HttpResponse:
    """List invitations, the latest first. POST makes one and shows its link once, or shows older ones."""
    from shared.authorization.onboarding.invitations import CreatedInvitation
    from shared.pages.console.invitations import invitation_values

    session = require_operator_view(request)
    fields = read_session_form(request, session) if request.method == "POST" else {}
    made: CreatedInvitation | None = None
    refused = ""
    if "address" in fields:
        if not session.operator:
            raise HttpError("not_operator", refusal="no_role")
        try:
            made = app().invitations.create(
                fields["address"], fields.get("reference", "").strip(), group=fields.get("group", "")
            )
            app().registry.record_audit(made.id, session.owner_id, "invite")
        except InvitationMalformed as exc:
            refused = exc.parameter
    found, cursor = app().invitations.recent(ROWS, fields.get("cursor", ""))
    values = invitation_values(
        found,
        cursor,
        utc_now(),
        made=made,
        address=fields.get("address", ""),
        reference=fields.get("reference", ""),
        group=fields.get("group", ""),
        groups=[group.name for group in app().group_commands.all()],
        refused=refused,
    )
    return html("console/invitations", csrf=app().sessions.csrf(session), is_operator=session.operator, **values)
