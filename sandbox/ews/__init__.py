"""Exchange Web Services over the sandbox's mailboxes, as strict as the real service."""

from sandbox.ews.service import EwsService

__all__ = ["EwsService"]
