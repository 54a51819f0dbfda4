"""Leases on small blobs: one pass per mailbox at a time; a crashed pass blocks it no longer than its lease lasts."""

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

from shared.errors import MailboxSyncError
from shared.storage.azure_errors import already_exists, is_ours, translate_errors

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

_log = logging.getLogger(__name__)

type Wait = Callable[[threading.Event, float], bool]
"""Waits for an event for at most so many seconds, and says whether it has come."""


class BlobLeases:
    """Implements Leases. Storage ends a lease 15 to 60 seconds after its holder stopped renewing it."""

    def __init__(
        self,
        blobs: "BlobServiceClient",
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: "Wait" = threading.Event.wait,
    ) -> None:
        self._container = blobs.get_container_client("leases")
        self._monotonic = monotonic
        self._wait = wait

    def acquire(self, mailbox_id: str, seconds: int = 60) -> "BlobLease | None":
        """Acquire the lease and create its blob on first use; None if somebody else holds the lease."""
        blob = self._container.get_blob_client(mailbox_id)
        with translate_errors():
            held = _try_acquire(blob, seconds)
        return BlobLease(held, seconds, self._monotonic, self._wait) if held else None

    def forget(self, mailbox_id: str) -> None:
        """Delete an erased mailbox's lease blob."""
        from azure.core.exceptions import ResourceNotFoundError

        with translate_errors():
            try:
                self._container.delete_blob(mailbox_id)
            except ResourceNotFoundError:
                return


def _try_acquire(blob: "BlobClient", seconds: int) -> "BlobLeaseClient | None":
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    for _ in range(2):
        try:
            return blob.acquire_lease(lease_duration=seconds)
        except ResourceNotFoundError:
            already_exists(lambda: blob.upload_blob(b"", overwrite=False))
        except HttpResponseError as error:
            if error.status_code == 409 and not is_ours(error):
                return None
            raise
    return None


class BlobLease:
    """A held lease. A separate thread renews it after every third of its duration."""

    def __init__(self, lease: "BlobLeaseClient", seconds: int, monotonic: Callable[[], float], wait: "Wait") -> None:
        self._lease = lease
        self._seconds = seconds
        self._monotonic = monotonic
        self._wait = wait
        self._ends = monotonic() + seconds
        self._released = threading.Event()
        # Copy the log context: a new thread does not inherit the ids of this pass.
        self._thread = threading.Thread(target=copy_context().run, args=(self._renew,), name="lease", daemon=True)
        self._thread.start()

    def lost(self) -> bool:
        """Whether the lease is lost. That is assumed a little before Storage would give it to somebody else."""
        return self._monotonic() > self._ends - self._seconds * 0.1

    def release(self) -> None:
        """Stop renewing and release the lease; if that fails, it expires."""
        self._released.set()
        self._thread.join(timeout=10)
        try:
            with translate_errors():
                self._lease.release()
        except MailboxSyncError as error:
            _log.info("lease not given back, it ends by itself", exc_info=error)

    def _renew(self) -> None:
        while not self._wait(self._released, self._seconds / 3) and not self.lost():
            started = self._monotonic()
            try:
                with translate_errors():
                    self._lease.renew()
            except MailboxSyncError as error:
                _log.warning("lease not renewed", exc_info=error)
            else:
                self._ends = started + self._seconds
