"""Exchange's own names of folders: what its services answer, settings accept and cursors of earlier versions hold."""

from collections.abc import Mapping
from types import MappingProxyType

from shared.sources.port import FolderKind, FolderRole

ROLES: Mapping[str, FolderRole] = MappingProxyType(
    {
        "inbox": FolderRole.INBOX,
        "drafts": FolderRole.DRAFTS,
        "sentitems": FolderRole.SENT,
        "deleteditems": FolderRole.DELETED,
        "junkemail": FolderRole.JUNK,
        "outbox": FolderRole.OUTBOX,
        "archive": FolderRole.ARCHIVE,
        "calendar": FolderRole.CALENDAR,
        "contacts": FolderRole.CONTACTS,
        "tasks": FolderRole.TASKS,
        "notes": FolderRole.NOTES,
        "journal": FolderRole.JOURNAL,
        "conversationhistory": FolderRole.CONVERSATION_HISTORY,
        "syncissues": FolderRole.SYNC_ISSUES,
        "conflicts": FolderRole.CONFLICTS,
        "localfailures": FolderRole.LOCAL_FAILURES,
        "serverfailures": FolderRole.SERVER_FAILURES,
        "voicemail": FolderRole.VOICEMAIL,
        "recipientcache": FolderRole.RECIPIENT_CACHE,
        "quickcontacts": FolderRole.QUICK_CONTACTS,
        "imcontactlist": FolderRole.IM_CONTACT_LIST,
        "peopleconnect": FolderRole.PEOPLE_CONNECT,
    }
)
"""By distinguished folder id (EWS: DistinguishedFolderIdNameType; Graph: well-known folder names), lower case."""

_KINDS = (
    ("IPF.Note", FolderKind.MAIL),
    ("IPF.Appointment", FolderKind.CALENDAR),
    ("IPF.Contact", FolderKind.CONTACTS),
    ("IPF.Task", FolderKind.TASKS),
)
"""By the beginning of the container class (PR_CONTAINER_CLASS, 0x3613)."""

IN_ARCHIVE = "archive"
"""What a distinguished name in an online archive begins with: archiveinbox, archivedeleteditems."""


def role_of(distinguished: str) -> FolderRole:
    """The role of a folder with this distinguished name; that of its counterpart for a folder of an online archive."""
    name = distinguished.lower()
    return ROLES.get(name) or ROLES.get(name.removeprefix(IN_ARCHIVE), FolderRole.NONE)


def kind_of(folder_class: str) -> FolderKind:
    """What a folder of this container class is made to hold."""
    return next((kind for beginning, kind in _KINDS if folder_class.startswith(beginning)), FolderKind.OTHER)
