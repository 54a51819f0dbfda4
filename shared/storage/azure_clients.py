"""The clients of Azure's services, created on first use. The composition root builds on them."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.storage.azure_errors import CLIENT_OPTIONS

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineResponse
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.data.tables import TableServiceClient
    from azure.keyvault.secrets import SecretClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    from shared.settings import Settings
    from shared.storage.storage_rest import ServiceAddress


def table_client(url: str, credential: "TokenCredential") -> "TableServiceClient":
    """Return a client of Table Storage at this URL."""
    from azure.data.tables import TableServiceClient

    options = {**CLIENT_OPTIONS, "raw_response_hook": _read_other_page}
    return TableServiceClient(url, credential=credential, **options)


def _read_other_page(response: "PipelineResponse[HttpRequest, HttpResponse]") -> None:
    """Read what a transaction was answered with, if it is not Table Storage's response.

    The SDK asks for a stream and leaves it unread if it is not what it expects, for example the page of a proxy. Then
    the connection would stay open until Python finds it.
    """
    found = response.http_response
    if response.http_request.url.endswith("/$batch") and not _is_multipart(found):
        found.read()


def _is_multipart(response: "HttpResponse") -> bool:
    return str(response.headers.get("Content-Type", "")).startswith("multipart/")


class AzureClients:
    """The settings, the identity, and a client for each service that the settings name."""

    @cached_property
    def settings(self) -> "Settings":
        """The settings of this process. Raises SettingsInvalid, naming every problem."""
        from shared.settings import load

        return load()

    @cached_property
    def credential(self) -> "TokenCredential":
        """The app's managed identity."""
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential(managed_identity_client_id=self.settings.identity_client_id or None)

    @cached_property
    def blobs(self) -> "BlobServiceClient":
        """Blob Storage."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.settings.blob_url, self.credential, **CLIENT_OPTIONS)

    @cached_property
    def queues(self) -> "QueueServiceClient":
        """Queue Storage."""
        from azure.storage.queue import QueueServiceClient

        return QueueServiceClient(self.settings.queue_url, credential=self.credential, **CLIENT_OPTIONS)

    @property
    def blob_address(self) -> "ServiceAddress":
        """Where Blob Storage is, for requests over REST: a pass does not need the SDK."""
        from shared.storage.storage_rest import ServiceAddress

        return ServiceAddress(self.settings.blob_url, self.credential)

    @property
    def queue_address(self) -> "ServiceAddress":
        """Where Queue Storage is, for requests over REST."""
        from shared.storage.storage_rest import ServiceAddress

        return ServiceAddress(self.settings.queue_url, self.credential)

    @cached_property
    def tables(self) -> "TableServiceClient":
        """Table Storage."""
        return table_client(self.settings.table_url, self.credential)

    @cached_property
    def secrets(self) -> "SecretClient":
        """Key Vault."""
        from shared.authorization.tokens.key_vault import secret_client

        return secret_client(self.settings.key_vault_url, self.credential)
