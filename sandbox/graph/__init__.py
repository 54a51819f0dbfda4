"""Microsoft Graph over the sandbox's mailboxes: v1.0 for mail, calendar, contacts and tasks, as strict as the service.

Facts and their sources stand beside the code that plays them. What is not documented is refused, not guessed.
"""

from sandbox.graph.service import GraphService

__all__ = ["GraphService"]
