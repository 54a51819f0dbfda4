"""Blobs and rows in memory that call a function before each request, in which a test can make the caller wait."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from shared.replica.storage_port import Blob, BlobInfo, Row, RowChange
from tests.fakes.storage import MemoryBlobs, MemoryRows


class SteppedBlobs(MemoryBlobs):
    """Blobs that call `step` before each request."""

    def __init__(self, step: Callable[[], None], clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self._step = step

    def get(self, container: str, name: str) -> Blob | None:
        self._step()
        return super().get(container, name)

    def put(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        absent: bool = False,
        etag: str = "",
        members: int = 0,
        deletes: bool | None = None,
    ) -> str:
        self._step()
        return super().put(container, name, data, absent=absent, etag=etag, members=members, deletes=deletes)

    def delete(self, container: str, name: str) -> None:
        self._step()
        super().delete(container, name)

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        self._step()
        return super().list(container, prefix)


class SteppedRows(MemoryRows):
    """Rows that call `step` before each request."""

    def __init__(self, step: Callable[[], None]) -> None:
        super().__init__()
        self._step = step

    def transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        self._step()
        return super().transact(mailbox_id, changes)

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        self._step()
        return super().get(mailbox_id, key)

    def query(
        self, mailbox_id: str, *, folders: Sequence[str] = (), only: Sequence[str] = (), left: bool = False
    ) -> Iterator[Row]:
        self._step()
        return super().query(mailbox_id, folders=folders, only=only, left=left)
