"""Legal holds."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.api.resources.values import Time
from shared.mailboxes.holds import MAX_REASON


class Hold(Struct, frozen=True):
    """A legal hold: since when, who set it or changed its reason last (an object id), and why."""

    since: Time
    """Since when nothing of the copy is deleted."""
    by: str
    """Who set the hold, or changed its reason last: an object id, or `operator`."""
    reason: str
    """Why, in the operator's words."""


class HoldChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the mailbox is on hold: one line of text."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON)]
    """Why the mailbox is on hold: one line of text."""
