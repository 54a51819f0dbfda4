"""The list of mailboxes: search, filters, order, pages, CSV.

A search is posted, because a URL with an address would be in histories and request logs. A cursor holds an address too.
"""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.responses import html, respond
from functions.http.session_auth import read_session_form, require_operator_view
from shared.app import app, utc_now

if TYPE_CHECKING:
    from shared.mailboxes.directory.listing import ListedMailboxes
    from shared.mailboxes.summary.model import Totals
    from shared.pages.console.mailbox_list import ListRequest

blueprint = func.Blueprint()


@blueprint.route(route="operator/mailboxes", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_mailboxes(request: func.HttpRequest) -> func.HttpResponse:
    """Show a page of the mailboxes that match. GET takes the filters of a link, POST those of the form."""
    from shared.mailboxes.directory.model import CursorInvalid
    from shared.mailboxes.summary.model import total
    from shared.pages.console.jobs import OFFERED
    from shared.pages.console.mailbox_list import list_request, list_values

    session = require_operator_view(request)
    is_form = request.method == "POST"
    fields = read_session_form(request, session) if is_form else dict(request.params)
    asked = list_request(fields)
    try:
        if is_form and fields.get("format") == "csv":
            return _csv(asked)
        now = utc_now()
        totals = total(app().summaries.all(), app().settings.sync_shards, now, rows=200)
        page = _page(asked, totals)
    except CursorInvalid as exc:
        raise HttpError("malformed") from exc
    values = list_values(asked, page, totals, now, app().interval)
    csrf = app().sessions.csrf(session)
    return html("console/mailboxes", csrf=csrf, is_operator=session.operator, commands=OFFERED, **values)


def _page(asked: "ListRequest", totals: "Totals") -> "ListedMailboxes":
    """The page that was asked for: one mailbox by its id, the oldest copies of the totals, or a list's page."""
    from shared.mailboxes.directory.listing import ListedMailboxes
    from shared.mailboxes.directory.model import entry_of
    from shared.pages.console.mailbox_list import PAGE_SIZE

    if asked.by_id and (found := app().listing.read([asked.by_id])):
        return ListedMailboxes(tuple(found))
    if not asked.stalest:
        return app().listing.page(asked.query, size=PAGE_SIZE, cursor=asked.cursor)
    found = app().listing.read([row.id for row in totals.stalest[: 2 * PAGE_SIZE]])
    matching = [mailbox for mailbox in found if asked.query.matches(entry_of(mailbox))]
    return ListedMailboxes(tuple(matching[:PAGE_SIZE]))


def _csv(asked: "ListRequest") -> func.HttpResponse:
    """The list as a file, from its beginning, read from the directory alone."""
    from shared.mailboxes.directory.model import LARGEST_PAGE, DirectoryEntry
    from shared.pages.console.mailbox_list import CSV_ROWS, csv_of

    entries: list[DirectoryEntry] = []
    cursor = ""
    while len(entries) < CSV_ROWS:
        page = app().registry.directory.page(asked.query, size=LARGEST_PAGE, cursor=cursor)
        entries += page.entries
        if not (cursor := page.cursor):
            break
    headers = {"Content-Disposition": 'attachment; filename="mailboxes.csv"'}
    return respond(csv_of(entries), 200, "text/csv", headers)
