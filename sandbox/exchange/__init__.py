"""An Exchange of the sandbox's own: mailboxes in memory behind Exchange Web Services, as strict as the real one."""

from sandbox.exchange.exchange import Exchange

__all__ = ["Exchange"]
