"""Creates the containers, tables and queues that the program expects, as the deployment's Bicep does in Azure."""

from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.storage import storage_layout
from shared.storage.azure_errors import already_exists


def provision(blob: str, queue: str, table: str, credential: TokenCredential) -> None:
    """Create what is missing in the three services at these URLs. Idempotent."""
    with BlobServiceClient(blob, credential) as blobs:
        for name in storage_layout.CONTAINERS:
            already_exists(blobs.get_container_client(name).create_container)
    with QueueServiceClient(queue, credential=credential) as queues:
        for name in storage_layout.QUEUES:
            already_exists(queues.get_queue_client(name).create_queue)
    with TableServiceClient(table, credential=credential) as tables:
        for name in storage_layout.TABLES:
            already_exists(tables.get_table_client(name).create_table)
