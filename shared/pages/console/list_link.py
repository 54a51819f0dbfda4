"""The link of a filtered list, to keep as a bookmark. An address is never in one: links are in histories and logs."""

from collections.abc import Mapping
from urllib.parse import urlencode

from shared.mailboxes.directory.model import Sort
from shared.pages import paths
from shared.pages.console.mailbox_list import ListRequest, list_request

IN_LINKS = ("status", "reason", "tenant", "source", "way", "group", "hold", "sort")
ADDRESS_IN_LINK = "address_in_link"
UNKNOWN_FILTER = "unknown_filter"


def link_of(asked: ListRequest) -> str:
    """The link of a list from its beginning; empty if it has none, because it is of addresses or a later page."""
    if asked.query.prefix or asked.cursor:
        return ""
    fields = {name: value for name, value in asked.form().items() if (name, value) != ("sort", Sort.ADDRESS.value)}
    return f"{paths.MAILBOXES}?{urlencode(fields)}" if fields else paths.MAILBOXES


def request_of_link(params: Mapping[str, str]) -> tuple[ListRequest, str]:
    """Read a link's query: what it asks for, and what is wrong with it, as a key under [console.list.notices].

    An address is not searched for, and a cursor holds one. A filter that does not exist is left out.
    """
    asked = list_request({name: value for name, value in params.items() if name in IN_LINKS and "@" not in value})
    if params.keys() & {"prefix", "address", "cursor", "back"} or any("@" in value for value in params.values()):
        return asked, ADDRESS_IN_LINK
    form = asked.form()
    is_known = all(name in IN_LINKS and form.get(name, "") == value.strip() for name, value in params.items() if value)
    return asked, "" if is_known else UNKNOWN_FILTER
