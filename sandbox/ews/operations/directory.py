"""ResolveNames and GetServerTimeZones: operations without folders and items."""

from sandbox.ews.call import Call, failure, responses, success
from sandbox.ews.refusals import Refused
from sandbox.ews.wire import M
from sandbox.mailboxes.address_book import Person
from sandbox.mailboxes.calendar.zones import ZONES, definition, short
from sandbox.mailboxes.fragments import escape, flag


def resolve_names(call: Call) -> str:
    """The people with a name or the start of an address, within the caller's organization."""
    name = call.request.findtext(f"{M}UnresolvedEntry") or ""
    tenant = call.caller.person.tenant_id
    found = [person for person in call.store.address_book.matching(name) if person.tenant_id == tenant]
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
    """The zones that the server knows, all or the named ones, with their rules if requested."""
    listed = call.request.find(f"{M}Ids")
    wanted = {element.text for element in listed} if listed is not None else set(ZONES)
    write = short if call.request.get("ReturnFullTimeZoneData") in ("false", "0") else definition
    inside = "".join(write(zone) for zone in ZONES.values() if zone.id in wanted)
    message = success("GetServerTimeZones", f"<m:TimeZoneDefinitions>{inside}</m:TimeZoneDefinitions>")
    return responses("GetServerTimeZones", [message])
