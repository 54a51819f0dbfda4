"""ConvertId: the formats of an id. The answer names the mailbox by its primary address, whatever the request used.

An EwsId or OwaId contains its mailbox; for the other formats the request's address decides.
https://learn.microsoft.com/exchange/client-developer/web-service-reference/convertid-operation
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from lxml import etree

from sandbox.ews.call import Call, batch
from sandbox.ews.refusals import Refused
from sandbox.mailboxes import ids
from sandbox.mailboxes.store import Mailbox


def convert_id(call: Call) -> str:
    """Each id in the requested format."""
    wanted = str(call.request.get("DestinationFormat"))

    def converted(element: etree._Element) -> str:
        mailbox, entry = _read(call, element)
        written = _WRITE[wanted](mailbox.guid, entry)
        return (
            f'<m:AlternateId xsi:type="t:AlternateIdType" Format="{wanted}" Id={quoteattr(written)}'
            f" Mailbox={quoteattr(mailbox.address)}/>"
        )

    return batch("ConvertId", call.each("SourceIds"), converted)


def _read(call: Call, element: etree._Element) -> tuple[Mailbox, bytes]:
    """The mailbox and the entry id that an AlternateId names. Raises Refused."""
    given, form = str(element.get("Id", "")), str(element.get("Format"))
    try:
        if form in ("EwsId", "EwsLegacyId", "OwaId"):
            guid, entry = ids.entry_of(unquote(given) if form == "OwaId" else given)
            mailbox = call.store.with_guid(guid)
        else:
            entry = binascii.unhexlify(given) if form == "HexEntryId" else base64.b64decode(given, validate=True)
            mailbox = call.named(str(element.get("Mailbox")))
    except (ValueError, binascii.Error):
        raise Refused("ErrorInvalidIdMalformed") from None
    if mailbox is None:
        raise Refused("ErrorNonExistentMailbox")
    return mailbox, entry


_WRITE: dict[str, Callable[[str, bytes], str]] = {
    "EwsId": ids.ews_id,
    "EwsLegacyId": ids.ews_id,
    "OwaId": lambda guid, entry: quote(ids.ews_id(guid, entry), safe=""),
    "HexEntryId": lambda guid, entry: entry.hex().upper(),
    "EntryId": lambda guid, entry: base64.b64encode(entry).decode(),
    "StoreId": lambda guid, entry: base64.b64encode(entry).decode(),
}
