"""The overview: totals, the last day's trend, and what needs attention."""

import azure.functions as func

from functions.http.handler import ALL_METHODS, http_handler
from functions.http.responses import html
from functions.http.session_auth import require_operator_view
from shared.app import app, utc_now

blueprint = func.Blueprint()


@blueprint.route(route="operator", methods=ALL_METHODS)
@http_handler("GET")
def operator_overview(request: func.HttpRequest) -> func.HttpResponse:
    """Show the sums of the shards' summaries. Of mailboxes, only those that the page names are read."""
    from shared.mailboxes.summary.model import total
    from shared.pages.console.overview import attention_ids, overview_values

    session = require_operator_view(request)
    now = utc_now()
    totals = total(app().summaries.all(), app().settings.sync_shards, now)
    named = app().listing.read(attention_ids(totals))
    values = overview_values(totals, named, now, app().interval, session.operator)
    return html("console/overview", csrf=app().sessions.csrf(session), **values)
