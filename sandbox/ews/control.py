"""The control port's commands on mailboxes that concern EWS: an item given as XML, EWS blocked for a mailbox."""

from aiohttp import web
from lxml import etree

from sandbox.ews.drafting import draft
from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from sandbox.ews.refusals import Refused
from sandbox.ews.request_validation import Invalid, check_item
from sandbox.mailboxes.control import Body, Command, place_item, sample_item
from sandbox.mailboxes.fragments import TYPES, parse
from sandbox.mailboxes.store import Item, Mailbox


def _items(mailbox: Mailbox, body: Body) -> object:
    """Add an item other than mail: a sample of a `kind`, or an element as `xml` in the types namespace."""
    if "xml" not in body:
        return sample_item(mailbox, body)
    return place_item(mailbox, body, _from_xml(mailbox, str(body["xml"])))


def _from_xml(mailbox: Mailbox, xml: str) -> Item:
    try:
        element = parse(f'<x xmlns:t="{TYPES}" xmlns="{TYPES}">{xml}</x>'.encode())[0]
        check_item(element)
        return draft(element, mailbox, ("", mailbox.address))
    except (ValueError, IndexError, Invalid, Refused, etree.LxmlError) as exc:
        raise web.HTTPBadRequest(reason="not an item", text=str(exc)) from None


def _block(mailbox: Mailbox, body: Body) -> object:
    """Refuse every EWS request for this mailbox with a 403 of a `variant`; `off` ends it. The text can be replaced."""
    variant = str(body.get("variant", "tenant_off"))
    if variant == "off":
        mailbox.ews_block = None
    elif variant in EWS_403_BODIES or "body" in body:
        text, headers = EWS_403_BODIES.get(variant, ("", {}))
        given = {str(name): str(value) for name, value in dict(body.get("headers", headers)).items()}
        mailbox.ews_block = (int(body.get("status", 403)), str(body.get("body", text)), given)
    else:
        raise web.HTTPBadRequest(reason=f"variant must be off or one of {', '.join(EWS_403_BODIES)}")
    return {"variant": variant}


COMMANDS: dict[str, Command] = {"items": _items, "block": _block}
"""The commands by the last part of the path."""
