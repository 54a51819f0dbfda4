"""The calendar entity."""

from typing import Any

from sandbox.graph.views.entity import Context, Entity, extended_navigation
from sandbox.graph.wire.ids import rest_id
from sandbox.graph.wire.spelling import change_key
from sandbox.mailboxes.store import Folder


def is_calendar(folder: Folder) -> bool:
    """Whether a folder is a calendar."""
    return folder.folder_class == "IPF.Appointment" or folder.folder_class.startswith("IPF.Appointment.")


def _owner(folder: Folder, context: Context) -> Any:
    return {"name": context.owner_name, "address": folder.mailbox.address}


CALENDAR: Entity[Folder] = Entity(
    name="calendar",
    properties={
        "id": lambda folder, context: rest_id(folder.id),
        "name": lambda folder, context: folder.name,
        "color": lambda folder, context: "auto",
        "hexColor": lambda folder, context: "",
        "isDefaultCalendar": lambda folder, context: folder.distinguished == "calendar",
        "changeKey": lambda folder, context: change_key(folder.change_key),
        "canShare": lambda folder, context: True,
        "canViewPrivateItems": lambda folder, context: True,
        "canEdit": lambda folder, context: True,
        "allowedOnlineMeetingProviders": lambda folder, context: ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": lambda folder, context: "teamsForBusiness",
        "isTallyingResponses": lambda folder, context: folder.distinguished == "calendar",
        "isRemovable": lambda folder, context: not folder.distinguished,
        "owner": _owner,
    },
    navigation=extended_navigation(lambda folder, asked: asked.of_folder(folder)),
)
