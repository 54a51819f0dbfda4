"""Why a job cannot be created."""

from shared.errors import MailboxSyncError


class JobRefused(MailboxSyncError):
    """A field has a value that a job cannot have. `parameter` is the field, `fault` a key of the catalog."""

    def __init__(self, parameter: str, fault: str = "wrong") -> None:
        super().__init__(f"{parameter}: {fault}")
        self.parameter = parameter
        self.fault = fault
