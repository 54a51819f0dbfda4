"""The operations by the names of their requests."""

from collections.abc import Callable

from sandbox.exchange import (
    directory_operations,
    folder_operations,
    item_reading,
    item_writing,
    sync_operations,
)
from sandbox.exchange.call import Call

OPERATIONS: dict[str, Callable[[Call], str]] = {
    "GetFolder": folder_operations.get_folder,
    "FindFolder": folder_operations.find_folder,
    "CreateFolder": folder_operations.create_folder,
    "UpdateFolder": folder_operations.update_folder,
    "MoveFolder": folder_operations.move_folder,
    "DeleteFolder": folder_operations.delete_folder,
    "EmptyFolder": folder_operations.empty_folder,
    "MarkAllItemsAsRead": folder_operations.mark_all_items_as_read,
    "SyncFolderHierarchy": sync_operations.sync_folder_hierarchy,
    "SyncFolderItems": sync_operations.sync_folder_items,
    "GetItem": item_reading.get_item,
    "FindItem": item_reading.find_item,
    "GetAttachment": item_reading.get_attachment,
    "CreateItem": item_writing.create_item,
    "UpdateItem": item_writing.update_item,
    "MoveItem": item_writing.move_item,
    "CopyItem": item_writing.copy_item,
    "DeleteItem": item_writing.delete_item,
    "ResolveNames": directory_operations.resolve_names,
    "GetServerTimeZones": directory_operations.get_server_time_zones,
    "ConvertId": directory_operations.convert_id,
}
