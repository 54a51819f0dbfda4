"""Why a webhook cannot be registered or changed."""

from shared.errors import MailboxSyncError


class WebhookRefused(MailboxSyncError):
    """A field has a value that an endpoint cannot have. `parameter` is the field, `fault` says why in a word."""

    def __init__(self, parameter: str, fault: str = "wrong") -> None:
        super().__init__(f"{parameter}: {fault}")
        self.parameter = parameter
        self.fault = fault


class WebhookExists(WebhookRefused):
    """Another endpoint, `endpoint_id`, has this URL. With two of them, each event would be delivered twice."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__("url", "exists")
        self.endpoint_id = endpoint_id


class TooManyWebhooks(WebhookRefused):
    """There are as many endpoints as are possible. No field is at fault."""

    def __init__(self) -> None:
        super().__init__("", "too_many")
