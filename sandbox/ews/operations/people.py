"""ExpandDL and GetUserPhoto: the members of a contact list, and the picture of a person."""

import base64
import struct
import zlib

from lxml import etree

from sandbox.ews.call import Call, failure, responses, success
from sandbox.ews.refusals import Refused
from sandbox.ews.wire import M
from sandbox.mailboxes.fragments import T, children, escape, flag, parse_fragment

_SIDE = 48
"""The width and height of a picture in pixels."""
_FIELDS = ("Name", "EmailAddress", "RoutingType", "MailboxType")


def expand_dl(call: Call) -> str:
    """The members of a list among the contacts. The sandbox's directory has no groups."""
    try:
        members = _members(call)
    except Refused as refused:
        return responses("ExpandDL", [failure("ExpandDL", refused)])
    extent = f'TotalItemsInView="{len(members)}" IncludesLastItemInRange="{flag(True)}"'
    return responses("ExpandDL", [success("ExpandDL", f"<m:DLExpansion {extent}>{''.join(members)}</m:DLExpansion>")])


def _members(call: Call) -> list[str]:
    """The members of the requested list. Raises Refused."""
    identifier = call.part("Mailbox").find(f"{T}ItemId")
    if identifier is None:
        raise Refused("ErrorNameResolutionNoResults")
    item, _ = call.item(identifier)
    if item.element != "DistributionList":
        raise Refused("ErrorInvalidItemForOperationExpandDL")
    members = children(parse_fragment(item.properties["Members"])) if "Members" in item.properties else []
    return [_mailbox(member) for member in members]


def _mailbox(member: etree._Element) -> str:
    told = {name: member.findtext(f"{T}Mailbox/{T}{name}") for name in _FIELDS}
    inside = "".join(f"<t:{name}>{escape(text)}</t:{name}>" for name, text in told.items() if text)
    return f"<t:Mailbox>{inside}</t:Mailbox>"


def get_user_photo(call: Call) -> str:
    """A picture of one color, different for each person of the caller's organization."""
    person = call.store.address_book.by_address(call.request.findtext(f"{M}Email") or "")
    if person is None or person.tenant_id != call.caller.person.tenant_id or not person.has_mailbox:
        return _photo("Error", "ErrorItemNotFound", f"<m:HasChanged>{flag(False)}</m:HasChanged>")
    picture = base64.b64encode(_picture(zlib.crc32(person.oid.encode()))).decode()
    inside = f"<m:HasChanged>{flag(True)}</m:HasChanged><m:PictureData>{picture}</m:PictureData>"
    return _photo("Success", "NoError", inside)


def _photo(kind: str, code: str, inside: str) -> str:
    """The response, which is a response message itself."""
    return (
        f'<m:GetUserPhotoResponse ResponseClass="{kind}"><m:ResponseCode>{code}</m:ResponseCode>{inside}'
        "</m:GetUserPhotoResponse>"
    )


def _picture(color: int) -> bytes:
    """A PNG file of one color, given as 24 bits."""
    row = b"\0" + (color & 0xFFFFFF).to_bytes(3, "big") * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * _SIDE)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
