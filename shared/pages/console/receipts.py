"""The receipts of a bulk erasure as CSV."""

from collections.abc import Sequence
from datetime import datetime

from shared.mailboxes.erasures.erasing import ErasureReceipt
from shared.pages.console.csv_text import csv_text

_COLUMNS = ("mailbox_id", "address", "erased_at", "token_held_until", "reconnected", "organization_copy")


def receipts_csv(receipts: Sequence[ErasureReceipt]) -> str:
    """One line for each mailbox: what was deleted, and until when the vault holds the deleted token."""
    counted = sorted({name for one in receipts for name in one.erased})
    return csv_text([*_COLUMNS, *(f"erased_{name}" for name in counted)], (_row(one, counted) for one in receipts))


def _row(one: ErasureReceipt, counted: Sequence[str]) -> list[object]:
    facts = [one.mailbox_id, one.address, _time(one.erased_at), _time(one.held_until)]
    flags = [_word(one.reconnected), _word(one.organization_copy)]
    return [*facts, *flags, *(one.erased.get(name, 0) for name in counted)]


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def _word(flag: bool) -> str:
    return "yes" if flag else "no"
