"""Legal holds."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.api.resources.values import Time
from shared.mailboxes.holds import MAX_REASON


class Hold(Struct, frozen=True):
    """A legal hold: since when, who set it or changed its reason last (an object id), and why."""

    since: Time
    by: str
    reason: str


class HoldChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the mailbox is on hold: one line of text."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON)]
