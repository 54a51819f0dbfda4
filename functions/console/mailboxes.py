"""The list of mailboxes: search, filters, order, pages, CSV.

A search is posted, because a URL with an address would be in histories and request logs. A cursor holds an address too.
"""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.console.list_page import mailboxes_page
from functions.http.handler import ALL_METHODS, http_handler
from functions.http.responses import redirect, respond
from functions.http.session_auth import read_session_form, require_operator_view
from shared.app import app

if TYPE_CHECKING:
    from shared.mailboxes.model import Mailbox
    from shared.pages.console.mailbox_list import ListRequest

blueprint = func.Blueprint()


@blueprint.route(route="operator/mailboxes", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_mailboxes(request: func.HttpRequest) -> func.HttpResponse:
    """Show a page of the mailboxes that match. A posted search without an address leads to its link, to be kept."""
    from shared.pages.console.list_link import ADDRESS_IN_LINK, link_of, request_of_link
    from shared.pages.console.mailbox_list import list_request

    session = require_operator_view(request)
    if request.method != "POST":
        asked, notice = request_of_link(request.params)
        return mailboxes_page(session, asked, notice=notice, status=400 if notice == ADDRESS_IN_LINK else 200)
    fields = read_session_form(request, session)
    asked = list_request(fields)
    if fields.get("format") == "csv":
        return _csv(asked)
    link = link_of(asked)
    return redirect(link) if link else mailboxes_page(session, asked)


def _csv(asked: "ListRequest") -> func.HttpResponse:
    """The list as a file, from its beginning: each page of the directory, and then its mailboxes."""
    from shared.mailboxes.directory.model import LARGEST_PAGE
    from shared.pages.console.mailbox_list import CSV_ROWS, csv_of

    found: list[Mailbox] = []
    cursor = ""
    while len(found) < CSV_ROWS:
        page = app().listing.page(asked.query, size=LARGEST_PAGE, cursor=cursor)
        found += page.mailboxes
        if not (cursor := page.cursor):
            break
    headers = {"Content-Disposition": 'attachment; filename="mailboxes.csv"'}
    return respond(csv_of(found), 200, "text/csv", headers)
