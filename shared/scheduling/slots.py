"""When within the interval each mailbox starts. Pure rules: constant offsets, and turns among tenants.

Tenants take turns, each with one mailbox, as long as they have any. So a tenant of five mailboxes is through after five
turns, whatever the others have, and starts come at an even rate. Within its tenant a mailbox keeps its place.
"""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate


def spread_offset(mailbox_id: str) -> float:
    """A mailbox's constant offset in any window, from 0 to 1, so that neither Key Vault nor Exchange sees a burst."""
    return int.from_bytes(hashlib.blake2s(mailbox_id.encode(), digest_size=4).digest()) / 2**32


class Turns:
    """The turns of tenants with these numbers of mailboxes."""

    def __init__(self, mailboxes: Counter[str]) -> None:
        self._mailboxes = mailboxes
        self._sizes = sorted(mailboxes.values())
        self._smaller = [0, *accumulate(self._sizes)]

    def share(self, tenant_id: str, mailbox_id: str) -> float:
        """The share of all mailboxes, from 0 to 1, that has its turn before this one."""
        turn = spread_offset(mailbox_id) * self._mailboxes[tenant_id]
        through = bisect_right(self._sizes, turn)
        return (self._smaller[through] + turn * (len(self._sizes) - through)) / self._smaller[-1]


def in_turn(due: Iterable[tuple[str, str]]) -> list[tuple[float, str]]:
    """The due mailboxes, given by tenant and id, each with the share of them that starts before it, in that order."""
    listed = list(due)
    turns = Turns(Counter(tenant_id for tenant_id, _ in listed))
    return sorted((turns.share(tenant_id, mailbox_id), mailbox_id) for tenant_id, mailbox_id in listed)
