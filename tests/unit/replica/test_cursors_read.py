"""A cursor stored by an earlier version, with Exchange's names of folders, is read."""

from shared.replica.encoding.cursor_json import cursor_from_json, cursor_to_json
from shared.sources.model import FolderKind, FolderRole


def test_exchange_names_in_a_stored_cursor_become_kinds_and_roles() -> None:
    stored = {
        "sequence": 3,
        "folders": {
            "1": {"path": "Inbox", "distinguished": "inbox", "folder_class": "IPF.Note"},
            "2": {"path": "Kalender", "distinguished": "calendar", "folder_class": "IPF.Appointment"},
            "3": {"path": "Old", "distinguished": "archiveinbox", "folder_class": "IPF.Note", "archive": True},
            "4": {"path": "Own"},
        },
        "notes": {},
    }
    cursor = cursor_from_json(stored)
    assert {id_: (folder.kind, folder.role) for id_, folder in cursor.folders.items()} == {
        "1": (FolderKind.MAIL, FolderRole.INBOX),
        "2": (FolderKind.CALENDAR, FolderRole.CALENDAR),
        "3": (FolderKind.MAIL, FolderRole.INBOX),
        "4": (FolderKind.OTHER, FolderRole.NONE),
    }
    assert cursor_from_json(cursor_to_json(cursor)) == cursor
