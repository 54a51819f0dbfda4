"""An in-memory fake of the mailbox leases."""


class FakeLeases:
    """Implements Leases: one holder per mailbox."""

    def __init__(self) -> None:
        self.refuse: list[Exception] = []
        self.held: dict[str, FakeLease] = {}

    def acquire(self, mailbox_id: str, seconds: int = 60) -> "FakeLease | None":
        """Acquire the lease; None if another holder has it."""
        lease = FakeLease(self, mailbox_id)
        return lease if self.held.setdefault(mailbox_id, lease) is lease else None

    def forget(self, mailbox_id: str) -> None:
        """Delete an erased mailbox's lease. Raises each exception in `refuse` once."""
        if self.refuse:
            raise self.refuse.pop(0)
        self.held.pop(mailbox_id, None)

    def expire(self, mailbox_id: str) -> None:
        """Expire the lease as if the holder had stopped renewing it without noticing; another one may acquire it."""
        self.held.pop(mailbox_id, None)


class FakeLease:
    """An acquired lease. `lose()` makes its holder notice that it is lost."""

    def __init__(self, leases: FakeLeases, mailbox_id: str) -> None:
        self._leases = leases
        self._mailbox_id = mailbox_id
        self._lost = False

    def lose(self) -> None:
        """Simulate a failed renewal."""
        self._lost = True

    def lost(self) -> bool:
        """Whether the pass must stop writing."""
        return self._lost

    def release(self) -> None:
        """Release the lease unless another holder has it."""
        if self._leases.held.get(self._mailbox_id) is self:
            del self._leases.held[self._mailbox_id]
