"""ResolveNames, GetServerTimeZones and ConvertId: what stands beside folders and items."""

import base64
import binascii

from lxml import etree

from sandbox.exchange import ids
from sandbox.exchange.access import Person
from sandbox.exchange.call import Call, batch, failure, responses, success
from sandbox.exchange.refusals import Refused
from sandbox.exchange.wire import M, escape, flag
from sandbox.exchange.zones import ZONES, definition, short


def resolve_names(call: Call) -> str:
    """Whom a name or the beginning of an address stands for, within the caller's organisation."""
    asked = call.request.findtext(f"{M}UnresolvedEntry") or ""
    tenant = call.caller.person.tenant_id
    found = [person for person in call.exchange.directory.matching(asked) if person.tenant_id == tenant]
    found = [person for person in found if person.has_mailbox]
    if not found:
        message = failure("ResolveNames", Refused("ErrorNameResolutionNoResults"))
    elif len(found) > 1:
        refused = Refused("ErrorNameResolutionMultipleResults")
        message = failure("ResolveNames", refused, "Warning", _resolutions(found))
    else:
        message = success("ResolveNames", _resolutions(found))
    return responses("ResolveNames", [message])


def _resolutions(found: list[Person]) -> str:
    inside = "".join(
        f"<t:Resolution><t:Mailbox><t:Name>{escape(person.display_name)}</t:Name>"
        f"<t:EmailAddress>{escape(person.address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
        "<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox></t:Resolution>"
        for person in found
    )
    extent = f'TotalItemsInView="{len(found)}" IncludesLastItemInRange="{flag(True)}"'
    return f"<m:ResolutionSet {extent}>{inside}</m:ResolutionSet>"


def get_server_time_zones(call: Call) -> str:
    """The zones that the server knows, all or those named, with their rules unless the names will do."""
    listed = call.request.find(f"{M}Ids")
    wanted = {element.text for element in listed} if listed is not None else set(ZONES)
    write = short if call.request.get("ReturnFullTimeZoneData") in ("false", "0") else definition
    inside = "".join(write(zone) for zone in ZONES.values() if zone.id in wanted)
    message = success("GetServerTimeZones", f"<m:TimeZoneDefinitions>{inside}</m:TimeZoneDefinitions>")
    return responses("GetServerTimeZones", [message])


def convert_id(call: Call) -> str:
    """Ids in another of Exchange's writings."""
    wanted = str(call.request.get("DestinationFormat"))

    def one(element: etree._Element) -> str:
        address = str(element.get("Mailbox"))
        mailbox = call.exchange.mailbox_named(address)
        entry = _entry(str(element.get("Format")), str(element.get("Id")))
        converted = _written(wanted, entry, mailbox.guid)
        attributes = f'Format="{wanted}" Id="{converted}" Mailbox="{escape(address)}"'
        return f'<m:AlternateId xsi:type="t:AlternateIdType" {attributes}/>'

    return batch("ConvertId", call.each("SourceIds"), one)


def _entry(written: str, text: str) -> bytes:
    """The entry id behind an id in one of the writings. Raises Refused."""
    try:
        if written == "HexEntryId":
            return bytes.fromhex(text)
        if written in ("EntryId", "StoreId"):
            return base64.b64decode(text, validate=True)
        return ids.entry_of(text.replace("-", "/").replace("_", "+") if written == "OwaId" else text)[1]
    except (ValueError, binascii.Error):
        raise Refused("ErrorInvalidIdMalformed") from None


def _written(wanted: str, entry: bytes, mailbox: str) -> str:
    if wanted == "HexEntryId":
        return entry.hex().upper()
    if wanted in ("EntryId", "StoreId"):
        return base64.b64encode(entry).decode()
    shown = ids.ews_id(mailbox, entry)
    return shown.replace("/", "-").replace("+", "_") if wanted == "OwaId" else shown
