"""Jobs and slices in Table Storage: the table `jobs`, a partition for all jobs and one for the slices of each."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from shared.mailboxes.bulk.model import Job, JobSlice, Outcome
from shared.mailboxes.bulk.receipts import decoded, encoded
from shared.mailboxes.entities import newest_first
from shared.storage.azure_errors import raise_conflict, translate_errors
from shared.storage.row_mapping import from_row, readable, reading_one_row, to_row
from shared.storage.table import change_row
from shared.storage.table_rest import ETAG, TableRest, quoted

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient

_PARTITION = "jobs"
_IN_TRANSACTION = 100
_JOB_TEXTS = frozenset({"arguments", "filter", "version"})
_SLICE_TEXTS = frozenset({"targets", "failures", "receipts", "version"})


class TableJobs:
    """Implements JobStore. The deployment has created the table."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table: TableClient = tables.get_table_client("jobs")
        self._rest = TableRest.beside(tables)

    def id_of(self, at: datetime) -> str:
        """A row key: the time, and a random part."""
        return f"{newest_first(at)}-{secrets.token_hex(6)}"

    def add(self, job: Job) -> Job:
        """Create the row."""
        with translate_errors():
            stored = self._table.create_entity(_job_row(job))
        return job.with_changes(version=stored["etag"])

    def get(self, job_id: str) -> Job:
        """Read one row."""
        return _job(self._rest.get("jobs", _PARTITION, job_id))

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Replace the row under its ETag."""

        def replace(before: Job, after: Job) -> Job:
            return after.with_changes(version=self._rest.replace("jobs", _job_row(after), before.version))

        return change_row(lambda: self.get(job_id), change, replace)

    def recent(self, limit: int) -> Sequence[Job]:
        """Read the first rows of the partition. A job that this version cannot read is left out."""
        rows = islice(self._rest.query("jobs", f"PartitionKey eq {quoted(_PARTITION)}"), limit)
        return list(readable(_job, rows))

    def put_slices(self, slices: Sequence[JobSlice]) -> None:
        """Write the rows, a hundred in each transaction."""
        for some in batched(slices, _IN_TRANSACTION, strict=False):
            with translate_errors():
                self._table.submit_transaction([("upsert", _slice_row(one), {"mode": "replace"}) for one in some])

    def add_slice(self, one: JobSlice) -> None:
        """Create the row."""
        with translate_errors():
            raise_conflict(lambda: self._table.create_entity(_slice_row(one)))

    def get_slice(self, job_id: str, number: int) -> JobSlice:
        """Read one row."""
        return _slice(self._rest.get("jobs", job_id, f"{number:06d}"))

    def replace_slice(self, found: JobSlice) -> JobSlice:
        """Replace the row under its ETag."""
        self._rest.replace("jobs", _slice_row(found), found.version)
        return self.get_slice(found.job_id, found.number)

    def slices(self, job_id: str) -> Iterator[JobSlice]:
        """Read the partition, a thousand rows in each request."""
        return map(_slice, self._rest.query("jobs", f"PartitionKey eq {quoted(job_id)}"))

    def forget(self, before: datetime) -> int:
        """Delete old jobs by their keys; the slices of each go first."""
        condition = f"PartitionKey eq {quoted(_PARTITION)} and RowKey gt {quoted(newest_first(before) + '~')}"
        old = [str(row["RowKey"]) for row in self._rest.query("jobs", condition, ["RowKey"])]
        for job_id in old:
            self._delete_slices(job_id)
            with translate_errors():
                self._table.delete_entity(_PARTITION, job_id)
        return len(old)

    def _delete_slices(self, job_id: str) -> None:
        rows = self._rest.query("jobs", f"PartitionKey eq {quoted(job_id)}", ["PartitionKey", "RowKey"])
        for some in batched(rows, _IN_TRANSACTION, strict=False):
            keys = [{name: row[name] for name in ("PartitionKey", "RowKey")} for row in some]
            with translate_errors():
                self._table.submit_transaction([("delete", each) for each in keys])


def _job_row(job: Job) -> dict[str, Any]:
    texts = {"arguments": json.dumps(dict(job.arguments))}
    if job.filter is not None:
        texts["filter"] = json.dumps(dict(job.filter))
    return {"PartitionKey": _PARTITION, "RowKey": job.id} | to_row(job, without=_JOB_TEXTS) | texts


def _job(row: Mapping[str, Any]) -> Job:
    with reading_one_row():
        filter_ = json.loads(row["filter"]) if "filter" in row else None
        arguments = json.loads(row["arguments"])
    return from_row(Job, row, arguments=arguments, filter=filter_, version=row[ETAG])


def _slice_row(one: JobSlice) -> dict[str, Any]:
    texts = {
        "targets": "\n".join(one.targets),
        "failures": json.dumps(
            [[failure.target, failure.reason, failure.support] for failure in one.failures], ensure_ascii=False
        ),
    }
    if one.receipts:
        texts["receipts"] = encoded(one.receipts)
    return {"PartitionKey": one.job_id, "RowKey": f"{one.number:06d}"} | to_row(one, without=_SLICE_TEXTS) | texts


def _slice(row: Mapping[str, Any]) -> JobSlice:
    with reading_one_row():
        targets = tuple(row["targets"].split("\n")) if row["targets"] else ()
        failures = tuple(Outcome(*words) for words in json.loads(row["failures"]))
        receipts = decoded(row["receipts"]) if "receipts" in row else ()
    return from_row(JobSlice, row, targets=targets, failures=failures, receipts=receipts, version=row[ETAG])
