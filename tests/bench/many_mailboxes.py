"""A registry of many mailboxes, with its directory and summaries, written as files that Azurite loads by itself."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.mailboxes.directory.model import entry_of
from shared.mailboxes.directory.rows import fields_of, places
from shared.mailboxes.entities import bucket_of, mailbox_row
from shared.mailboxes.model import Mailbox, Status
from shared.sources.model import AccessMode, SourceName
from tests.unit.mailboxes.test_transitions import a_mailbox

TENANTS = 3
GROUP = "sales"
_REASONS = {
    Status.NEEDS_SIGN_IN: "grant_revoked",
    Status.NEEDS_ADMIN: "ews_blocked",
    Status.SUSPENDED: "bad_answer",
}
_WRITTEN = "2026-11-23T12:00:00.0000000Z"


def mailboxes(number: int, now: datetime) -> Iterator[Mailbox]:
    """So many mailboxes of which one in twenty needs somebody, the same at every call."""
    chance = random.Random(number)  # noqa: S311 -- sample data
    for index in range(number):
        status = Status.ACTIVE if chance.random() < 0.95 else chance.choice(list(Status))
        age = timedelta(minutes=chance.choice((3, 10, 20, 30, 34, 40, 400)))
        mailbox_id = f"{chance.getrandbits(128):032x}"
        yield a_mailbox(
            id=mailbox_id,
            shard=bucket_of(mailbox_id),
            owner_id=mailbox_id,
            tenant_id=f"00000000-0000-4000-8000-{index % TENANTS:012}",
            address=f"{_name(chance)}.{_name(chance)}{index}@contoso.example",
            mode=AccessMode.APP_ONLY if index % 10 == 0 else AccessMode.DELEGATED,
            source=SourceName.GRAPH if index % 7 == 0 else SourceName.EWS,
            status=status,
            reason=_REASONS.get(status, ""),
            created_at=now - timedelta(minutes=index),
            last_pass_at=now - age,
            last_success_at=now - age,
            complete_as_of=now - age,
            first_sync_done=True,
            items=chance.randrange(50_000),
            group=GROUP if index % 50 == 9 else "",
            hold_since=now if index % 1000 == 5 else None,
        )


def _name(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(3, 9)))


def write_tables(folder: Path, some: Iterable[Mailbox]) -> None:
    """Write the rows of the tables `mailboxes` and `directory` for fill_azurite.cjs."""
    with (folder / "mailboxes.ndjson").open("w") as registry, (folder / "directory.ndjson").open("w") as directory:
        for mailbox in some:
            registry.write(row_line(mailbox_row(mailbox)))
            entry = entry_of(mailbox)
            for partition, row in places(entry):
                directory.write(row_line({"PartitionKey": partition, "RowKey": row} | fields_of(entry)))


def row_line(row: Mapping[str, Any]) -> str:
    """A row as Azurite keeps it in memory."""
    properties: dict[str, Any] = {"Timestamp": _WRITTEN, "Timestamp@odata.type": "Edm.DateTime"}
    for name, value in row.items():
        if isinstance(value, tuple):
            properties |= {name: str(value[0]), f"{name}@odata.type": value[1]}
        elif isinstance(value, datetime):
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
            properties |= {name: text, f"{name}@odata.type": "Edm.DateTime"}
        else:
            properties[name] = value
    kept = {"lastModifiedTime": _WRITTEN, "eTag": "W/\"datetime'2026-11-23T12%3A00%3A00.0000000Z'\""}
    keys = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    return json.dumps({**keys, "properties": properties, **kept}, ensure_ascii=False) + "\n"
