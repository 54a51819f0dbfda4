"""Leases on small blobs: one pass per mailbox at a time; a crashed pass blocks it no longer than its lease lasts.

https://learn.microsoft.com/rest/api/storageservices/lease-blob
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.errors import MailboxSyncError
from shared.mailboxes.lease_renewal import LeaseRenewal, Wait
from shared.storage.azure_errors import NOT_FOUND_CODES, OURS, error_of
from shared.storage.storage_rest import StorageRestClient, error_code

if TYPE_CHECKING:
    from shared.storage.https_connection import StorageResponse
    from shared.storage.storage_rest import StorageEndpoint

_log = logging.getLogger(__name__)

CONTAINER = "leases"
_VERSION = {"x-ms-version": "2023-11-03"}


class BlobLeases:
    """Implements Leases. Storage ends a lease 15 to 60 seconds after its holder stopped renewing it."""

    def __init__(
        self,
        blobs: "StorageEndpoint",
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: "Wait" = threading.Event.wait,
    ) -> None:
        self._client = StorageRestClient(blobs.url, blobs.credential, _VERSION)
        self._monotonic = monotonic
        self._renewal = LeaseRenewal(monotonic, wait)

    def acquire(self, mailbox_id: str, seconds: int = 60) -> "BlobLease | None":
        """Acquire the lease and create its blob on first use; None if somebody else holds the lease.

        The lease's id is ours, so that a repeated request finds the lease that the first one acquired.
        """
        lease_id = str(uuid.uuid4())
        ends = self._monotonic() + seconds
        wanted = {"x-ms-lease-duration": str(seconds), "x-ms-proposed-lease-id": lease_id}
        response = self._lease(mailbox_id, "acquire", wanted, (201, 404, 409))
        if response.status_code == 404:
            self._create(mailbox_id, response)
            response = self._lease(mailbox_id, "acquire", wanted, (201, 409))
        if response.status_code == 409:
            if (code := error_code(response)) in OURS:
                raise error_of(409, code)
            return None
        lease = BlobLease(self, mailbox_id, lease_id, seconds, ends)
        self._renewal.watch(lease)
        return lease

    def forget(self, mailbox_id: str) -> None:
        """Delete an erased mailbox's lease blob."""
        response = self._client.send("DELETE", _path(mailbox_id), expect=(202, 404), headers={})
        if response.status_code == 404:
            _require_missing_blob(response)

    def now(self) -> float:
        """The monotonic clock."""
        return self._monotonic()

    def renew(self, mailbox_id: str, lease_id: str) -> None:
        """Renew a lease. Raises a MailboxSyncError if that fails."""
        self._lease(mailbox_id, "renew", {"x-ms-lease-id": lease_id}, (200,))

    def give_back(self, mailbox_id: str, lease_id: str) -> None:
        """Release a lease. Raises a MailboxSyncError if that fails."""
        self._lease(mailbox_id, "release", {"x-ms-lease-id": lease_id}, (200,))

    def _lease(
        self, mailbox_id: str, action: str, headers: dict[str, str], expect: tuple[int, ...]
    ) -> "StorageResponse":
        asked = {"x-ms-lease-action": action, **headers}
        return self._client.send("PUT", f"{_path(mailbox_id)}?comp=lease", expect=expect, headers=asked)

    def _create(self, mailbox_id: str, missing: "StorageResponse") -> None:
        """Create the blob; another pass may do so at the same moment."""
        _require_missing_blob(missing)
        headers = {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}
        response = self._client.send("PUT", _path(mailbox_id), expect=(201, 409, 412), headers=headers)
        if (code := error_code(response)) in OURS:
            raise error_of(response.status_code, code)


class BlobLease:
    """A held lease. It is renewed after every third of its duration."""

    def __init__(self, leases: BlobLeases, mailbox_id: str, lease_id: str, seconds: int, ends: float) -> None:
        self._leases = leases
        self._mailbox_id = mailbox_id
        self._lease = lease_id
        self._ends = ends
        self.seconds = seconds
        self.released = threading.Event()
        # Copy the log context: a new thread does not inherit the ids of this pass.
        self._context = copy_context()

    def lost(self) -> bool:
        """Whether the lease is lost. That is assumed a little before Storage would give it to somebody else."""
        return self._leases.now() > self._ends - self.seconds * 0.1

    def release(self) -> None:
        """Stop renewing and release the lease; if that fails, it expires."""
        self.released.set()
        try:
            self._leases.give_back(self._mailbox_id, self._lease)
        except MailboxSyncError as error:
            _log.info("lease not released", exc_info=error)

    def renew(self) -> None:
        """Renew the lease once. If that fails, it is tried again until the lease is lost."""
        self._context.copy().run(self._renew)

    def _renew(self) -> None:
        started = self._leases.now()
        try:
            self._leases.renew(self._mailbox_id, self._lease)
        except MailboxSyncError as error:
            if not self.released.is_set():
                _log.warning("lease not renewed", exc_info=error)
        else:
            self._ends = started + self.seconds


def _path(mailbox_id: str) -> str:
    return f"{CONTAINER}/{quote(mailbox_id, safe='')}"


def _require_missing_blob(response: "StorageResponse") -> None:
    """Raise unless the 404 is about the blob: a missing container is the operator's to handle."""
    code = error_code(response)
    if code not in NOT_FOUND_CODES:
        raise error_of(404, code)
