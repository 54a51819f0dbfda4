"""GetUserConfiguration: the settings that clients keep in folders. The sandbox has the list of categories only."""

import base64
from xml.sax.saxutils import quoteattr

from sandbox.ews.call import Call, failure, responses, success
from sandbox.ews.refusals import Refused
from sandbox.mailboxes.fragments import children, parse_fragment
from sandbox.mailboxes.store import Mailbox

CATEGORIES = "CategoryList"
"""The configuration of the calendar folder that holds the mailbox's categories with their colors.

https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocfg/ (section 2.2.5)
"""


_PROPERTY = "Categories"


def get_user_configuration(call: Call) -> str:
    """A folder's configuration of a name."""
    name = call.part("UserConfigurationName")
    try:
        folder = call.folder(children(name)[0])
        if str(name.get("Name")) != CATEGORIES or folder is not folder.mailbox.distinguished.get("calendar"):
            raise Refused("ErrorItemNotFound")
        data = base64.b64encode(_categories(folder.mailbox).encode()).decode()
    except Refused as refused:
        return responses("GetUserConfiguration", [failure("GetUserConfiguration", refused)])
    identifier = f"<t:FolderId Id={quoteattr(folder.id)}/>"
    named = f'<t:UserConfigurationName Name="{CATEGORIES}">{identifier}</t:UserConfigurationName>'
    inside = f"<m:UserConfiguration>{named}<t:XmlData>{data}</t:XmlData></m:UserConfiguration>"
    return responses("GetUserConfiguration", [success("GetUserConfiguration", inside)])


def _categories(mailbox: Mailbox) -> str:
    """The categories that items of the mailbox have, as Outlook stores them."""
    texts = (item.properties[_PROPERTY] for item in mailbox.items.values() if _PROPERTY in item.properties)
    found = {each.text or "" for text in texts for each in children(parse_fragment(text))}
    listed = "".join(f'<category name={quoteattr(name)} color="-1"/>' for name in sorted(found))
    return f'<?xml version="1.0"?><categories default="" xmlns="CategoryList.xsd">{listed}</categories>'
