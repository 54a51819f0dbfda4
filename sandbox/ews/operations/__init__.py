"""The operations by the names of their requests."""

from collections.abc import Callable

from sandbox.ews.call import Call
from sandbox.ews.operations import (
    availability,
    configuration,
    directory,
    folders,
    ids,
    item_reading,
    item_writing,
    people,
    sync,
)

OPERATIONS: dict[str, Callable[[Call], str]] = {
    "GetFolder": folders.get_folder,
    "FindFolder": folders.find_folder,
    "CreateFolder": folders.create_folder,
    "UpdateFolder": folders.update_folder,
    "DeleteFolder": folders.delete_folder,
    "SyncFolderHierarchy": sync.sync_folder_hierarchy,
    "SyncFolderItems": sync.sync_folder_items,
    "GetItem": item_reading.get_item,
    "FindItem": item_reading.find_item,
    "GetAttachment": item_reading.get_attachment,
    "CreateItem": item_writing.create_item,
    "UpdateItem": item_writing.update_item,
    "MoveItem": item_writing.move_item,
    "CopyItem": item_writing.copy_item,
    "DeleteItem": item_writing.delete_item,
    "ConvertId": ids.convert_id,
    "ResolveNames": directory.resolve_names,
    "ExpandDL": people.expand_dl,
    "GetUserPhoto": people.get_user_photo,
    "GetUserAvailabilityRequest": availability.get_user_availability,
    "GetUserConfiguration": configuration.get_user_configuration,
    "GetServerTimeZones": directory.get_server_time_zones,
}
