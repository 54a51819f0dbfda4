"""Sends mail with Azure Communication Services, as the app's managed identity.

https://learn.microsoft.com/azure/communication-services/concepts/email/email-overview
"""

from typing import TYPE_CHECKING

from shared.notices.model import Mail
from shared.storage.azure_errors import CLIENT_OPTIONS, translate_errors

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


class CommunicationMailer:
    """Implements Mailer. The service accepts a mail and delivers it later; nobody waits for that."""

    def __init__(self, endpoint: str, sender: str, credential: "TokenCredential") -> None:
        self._endpoint = endpoint
        self._sender = sender
        self._credential = credential

    def send(self, mail: Mail, key: str) -> None:
        """Send one request with the key as its operation id, so that a repeated one is the same mail."""
        from azure.communication.email import EmailClient

        message = {
            "senderAddress": self._sender,
            "recipients": {"to": [{"address": address} for address in mail.to]},
            "content": {"subject": mail.subject, "plainText": mail.text},
            "userEngagementTrackingDisabled": True,
        }
        with translate_errors(), EmailClient(self._endpoint, self._credential, **CLIENT_OPTIONS) as client:
            client.begin_send(message, operation_id=key, polling=False)
