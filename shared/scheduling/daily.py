"""The daily work, which maintains a deployment without anybody asking for it."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared.authorization.port import FlowStore
from shared.scheduling.dispatch import Dispatch

_log = logging.getLogger(__name__)

SOON_DAYS = 30
"""How many days before the certificate expires a warning is logged: enough time to renew it."""


class Daily:
    """The daily work: sweeps, interrupted erasures, idle authorizations, expired sign-ins, and the app's credential.

    `finish_erasures` completes interrupted erasures, `delete_unused` deletes authorizations that no mailbox uses,
    `keep_alive` refreshes other idle authorizations, `index_addresses` lets mailboxes of earlier versions be found by
    address, and `repair_directory` corrects the lists of mailboxes. `forget_old` deletes what is kept for a while
    only. Each returns how many. `credential_ends` returns when the app's certificate expires, or None.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        flows: FlowStore,
        *,
        finish_erasures: Callable[[], int],
        delete_unused: Callable[[], int],
        keep_alive: Callable[[datetime], int],
        index_addresses: Callable[[], int],
        repair_directory: Callable[[], int],
        sweep_deliveries: Callable[[], int],
        forget_old: Callable[[datetime], int],
        sweep_jobs: Callable[[], int],
        send_digest: Callable[[], int],
        credential_ends: Callable[[], datetime | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._dispatch = dispatch
        self._flows = flows
        self._finish_erasures = finish_erasures
        self._delete_unused = delete_unused
        self._keep_alive = keep_alive
        self._index_addresses = index_addresses
        self._repair_directory = repair_directory
        self._sweep_deliveries = sweep_deliveries
        self._forget_old = forget_old
        self._sweep_jobs = sweep_jobs
        self._send_digest = send_digest
        self._credential_ends = credential_ends
        self._clock = clock

    def run(self) -> dict[str, int]:
        """Do all parts and return their counts. A failure of one part does not stop the others."""
        now = self._clock()
        figures = {
            "shards": self._run_part(lambda: self._dispatch.tick(sweep=True)),
            "erased": self._run_part(self._finish_erasures),
            "released": self._run_part(self._delete_unused),
            "refreshed": self._run_part(lambda: self._keep_alive(now)),
            "lapsed": self._run_part(lambda: self._flows.sweep(now)),
        }
        self._run_part(self._index_addresses)
        self._run_part(self._repair_directory)
        self._run_part(self._send_digest)
        self._run_part(self._sweep_deliveries)
        self._run_part(lambda: self._forget_old(now))
        self._run_part(self._sweep_jobs)
        self._run_part(lambda: self._watch_credential(now))
        return figures

    def _watch_credential(self, now: datetime) -> int:
        ends = self._credential_ends()
        days = (ends - now).days if ends else SOON_DAYS + 1
        if days <= SOON_DAYS:
            _log.warning("credential expires soon", extra={"days_left": days})
        return days

    def _run_part(self, part: Callable[[], int]) -> int:
        try:
            return part()
        except Exception as error:  # even a defect: tokens that are not refreshed for a long time expire
            _log.error("daily work failed in part", exc_info=error)
            return 0
