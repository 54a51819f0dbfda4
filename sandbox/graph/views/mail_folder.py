"""The mailFolder entity."""

from sandbox.graph.views.entity import Context, Entity, extended_navigation
from sandbox.graph.wire.ids import rest_id
from sandbox.graph.wire.query import Expand
from sandbox.graph.wire.request import Json
from sandbox.mailboxes.store import Folder


def is_mail(folder: Folder) -> bool:
    """Whether the mail API shows a folder at all: mail folders only, whatever else lies below the top."""
    return folder.folder_class == "IPF.Note" or folder.folder_class.startswith("IPF.Note.")


def mail_children(folder: Folder, *, hidden: bool = False) -> list[Folder]:
    """The mail folders right below one."""
    return [child for child in folder.children.values() if is_mail(child) and (hidden or not child.hidden)]


def _children(folder: Folder, context: Context, expand: Expand) -> list[Json]:
    return [MAIL_FOLDER.default().show(child, context) for child in mail_children(folder)]


MAIL_FOLDER: Entity[Folder] = Entity(
    name="mailFolder",
    properties={
        "id": lambda folder, context: rest_id(folder.id),
        "displayName": lambda folder, context: folder.name,
        "parentFolderId": lambda folder, context: rest_id(folder.parent.id) if folder.parent else None,
        "childFolderCount": lambda folder, context: len(mail_children(folder)),
        "unreadItemCount": lambda folder, context: folder.unread,
        "totalItemCount": lambda folder, context: folder.total,
        "isHidden": lambda folder, context: folder.hidden,
    },
    navigation={"childFolders": _children, **extended_navigation(lambda folder, asked: asked.of_folder(folder))},
)
"""`totalItemCount` counts every item, also those that the message API never returns."""

BETA_MAIL_FOLDER: Entity[Folder] = Entity(
    name="mailFolder",
    properties={**MAIL_FOLDER.properties, "wellKnownName": lambda folder, context: folder.distinguished or None},
    navigation=MAIL_FOLDER.navigation,
)
"""Only beta tells which folder is which."""
