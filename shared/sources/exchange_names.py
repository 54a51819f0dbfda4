"""Exchange's own folder names: those in its responses, in our settings, and in cursors of earlier versions."""

from collections.abc import Mapping
from types import MappingProxyType

from shared.sources.model import FolderKind, FolderRole

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
"""Roles by distinguished folder id in lower case (EWS: DistinguishedFolderIdNameType; Graph: well-known names)."""

_KINDS = (
    ("IPF.Note", FolderKind.MAIL),
    ("IPF.Appointment", FolderKind.CALENDAR),
    ("IPF.Contact", FolderKind.CONTACTS),
    ("IPF.Task", FolderKind.TASKS),
)
"""Folder kinds by the prefix of the container class (PR_CONTAINER_CLASS, 0x3613)."""

IN_ARCHIVE = "archive"
"""The prefix of distinguished names in an online archive: archiveinbox, archivedeleteditems."""


def role_of(distinguished: str) -> FolderRole:
    """The role of a folder with this distinguished name. A folder of an online archive has its counterpart's role."""
    name = distinguished.lower()
    return ROLES.get(name) or ROLES.get(name.removeprefix(IN_ARCHIVE), FolderRole.NONE)


def kind_of(folder_class: str) -> FolderKind:
    """The kind of a folder with this container class."""
    return next((kind for prefix, kind in _KINDS if folder_class.startswith(prefix)), FolderKind.OTHER)
