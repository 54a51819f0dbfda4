"""The registry's index in Table Storage: which mailbox has an address in a tenant, and which ones an owner has.

The table `owners` holds both. An address's claim is a row an address, in a partition of its tenant's; it names the one
mailbox of that address, whoever owns it and whatever way it is read. An owner's entry is a row a mailbox, in a
partition of the owner's. Rows of version 0.1.0 are entries that are claims as well: one an owner and address.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.errors import Conflict, NotFound, OperatorMustAct
from shared.mailboxes.entities import (
    IndexPlace,
    address_keys,
    address_partition,
    early_owner_keys,
    owner_keys,
    owner_partition,
    row_digest,
)
from shared.mailboxes.model import Mailbox
from shared.storage.azure_errors import already_exists, raise_conflict, raise_not_found, translate_errors
from shared.storage.table import replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableClient

_DONE = {"PartitionKey": "index", "RowKey": "addresses"}
"""The row that says that the addresses of mailboxes of before this index are claimed."""


class MailboxIndex:
    """Finds mailboxes by address and by owner. `find` gives a mailbox by its id, or raises NotFound."""

    def __init__(self, table: "TableClient", find: Callable[[str], Mailbox]) -> None:
        self._table = table
        self._find = find

    def claim(self, mailbox: Mailbox, instead_of: str = "") -> str:
        """Claim the mailbox's address for it; gives the claim's ETag.

        A claim is replaced whose mailbox never came to be (a crash), is being erased, has another address by now, or
        is `instead_of`.

        Raises:
            Conflict: another mailbox has the address.
        """
        with translate_errors():
            early = self._row(early_owner_keys(mailbox))
            if early is not None and self._has_address(str(early["mailbox_id"]), mailbox.address):
                raise Conflict("this owner has that mailbox already")
            return self._claimed(_claim(mailbox), instead_of)

    def _claimed(self, claim: Mapping[str, Any], instead_of: str = "") -> str:
        made: list[Mapping[str, Any]] = []
        if not already_exists(lambda: made.append(self._table.create_entity(dict(claim)))):
            return str(made[0]["etag"])
        held = self._table.get_entity(claim["PartitionKey"], claim["RowKey"])
        if held["mailbox_id"] not in (claim["mailbox_id"], instead_of) and self._holds(held):
            raise Conflict("that address has a mailbox already")
        return str(replace_row(self._table, dict(claim), str(held.metadata["etag"]))["etag"])

    def confirm(self, mailbox: Mailbox, etag: str) -> None:
        """Claim once more, now that the mailbox is stored: from now on nobody can take its claim for abandoned.

        Raises:
            Conflict: somebody has done so before.
        """
        claim = _claim(mailbox)
        try:
            replace_row(self._table, claim, etag)
        except Conflict:
            held = self._row(claim)
            if held is None or held["mailbox_id"] != mailbox.id:
                raise

    def enter(self, mailbox: Mailbox) -> None:
        """Add the owner's entry. Harmless to repeat."""
        entry = owner_keys(mailbox) | {"mailbox_id": mailbox.id}
        with translate_errors():
            already_exists(lambda: self._table.create_entity(entry))

    def withdraw(self, mailbox: Mailbox) -> None:
        """Remove the owner's entry of a mailbox that did not come to be."""
        keys = owner_keys(mailbox)
        with translate_errors():
            self._table.delete_entity(keys["PartitionKey"], keys["RowKey"])

    def owned(self, tenant_id: str, owner_id: str, *, readable_only: bool = False) -> list[Mailbox]:
        """An owner's mailboxes; an entry without its mailbox is passed over.

        One that is being erased has lost its place when another has its address.
        """
        with translate_errors():
            entries = list(
                self._table.query_entities(
                    "PartitionKey eq @owner", parameters={"owner": owner_partition(tenant_id, owner_id)}
                )
            )
        found: dict[str, Mailbox] = {}
        for mailbox_id in dict.fromkeys(str(entry["mailbox_id"]) for entry in entries):
            try:
                found[mailbox_id] = self._find(mailbox_id)
            except NotFound:
                continue
            except OperatorMustAct as error:
                if not (readable_only and error.of_one):
                    raise
        standing = {one.address.lower() for one in found.values() if one.erasing_since is None}
        kept = (one for one in found.values() if one.erasing_since is None or one.address.lower() not in standing)
        return sorted(kept, key=lambda mailbox: mailbox.created_at)

    def at_address(self, tenant_id: str, address: str) -> Mailbox | None:
        """The mailbox of an address, unless it is being erased."""
        held = self._row({"PartitionKey": address_partition(tenant_id), "RowKey": row_digest(address.lower())})
        if held is None:
            return None
        with suppress(NotFound):
            mailbox = self._find(str(held["mailbox_id"]))
            if mailbox.erasing_since is None and mailbox.address.lower() == address.lower():
                return mailbox
        return None

    def adopt(self, mailbox: Mailbox) -> bool:
        """Claim an address for a mailbox that stands or is about to have it, unless another has it."""
        with suppress(Conflict):
            with translate_errors():
                self.confirm(mailbox, self._claimed(_claim(mailbox)))
            return True
        return False

    def follow(self, before: Mailbox, after: Mailbox) -> None:
        """Give up the claim of an address that the mailbox had before."""
        if before.address.lower() != after.address.lower():
            self._release_address(after.id, address_keys(before))

    def release(self, mailbox_id: str, place: IndexPlace) -> None:
        """Remove what the index has of an erased mailbox."""
        tenant_id = place.owner.partition("_")[0]
        self._release_entries(mailbox_id, place.owner)
        self._release_address(mailbox_id, {"PartitionKey": address_partition(tenant_id), "RowKey": place.address})

    def _release_address(self, mailbox_id: str, keys: Mapping[str, Any]) -> None:
        """Give up a claim, unless it is another mailbox's by now."""
        held = self._row(keys) if keys["RowKey"] else None
        if held is not None and held["mailbox_id"] == mailbox_id:
            with suppress(Conflict), translate_errors():
                _delete(self._table, held)

    def _release_entries(self, mailbox_id: str, owner: str) -> None:
        """Remove an owner's entries of a mailbox, of every address that it has had, for people are renamed.

        Who signs in meanwhile, or after an interrupted erasure, has an entry for a new mailbox.
        """
        entries = self._table.query_entities(
            "PartitionKey eq @owner and mailbox_id eq @mailbox", parameters={"owner": owner, "mailbox": mailbox_id}
        )
        with translate_errors():
            for entry in entries:
                with suppress(Conflict):
                    _delete(self._table, entry)

    def is_complete(self) -> bool:
        """Whether `complete` was called ever."""
        return self._row(_DONE) is not None

    def complete(self) -> None:
        """Note that every mailbox of before this index has been claimed."""
        with translate_errors():
            already_exists(lambda: self._table.create_entity(dict(_DONE)))

    def _holds(self, claim: Mapping[str, Any]) -> bool:
        """Whether the mailbox of a claim stands, at that address."""
        with suppress(NotFound):
            mailbox = self._find(str(claim["mailbox_id"]))
            return mailbox.erasing_since is None and row_digest(mailbox.address.lower()) == claim["RowKey"]
        return False

    def _has_address(self, mailbox_id: str, address: str) -> bool:
        with suppress(NotFound):
            mailbox = self._find(mailbox_id)
            return mailbox.erasing_since is None and mailbox.address.lower() == address.lower()
        return False

    def _row(self, keys: Mapping[str, Any]) -> Any | None:
        with translate_errors():
            try:
                return raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
            except NotFound:
                return None


def _claim(mailbox: Mailbox) -> dict[str, Any]:
    return address_keys(mailbox) | {"mailbox_id": mailbox.id}


def _delete(table: "TableClient", entity: Any) -> None:
    """Delete a row under its ETag. Raises Conflict."""
    from azure.core import MatchConditions

    condition = MatchConditions.IfNotModified
    raise_conflict(lambda: table.delete_entity(entity, etag=entity.metadata["etag"], match_condition=condition))
