"""The receipts of a bulk erasure as text, as they are kept with the job."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.mailboxes.erasures.erasing import ErasureReceipt


def encoded(receipts: Sequence[ErasureReceipt]) -> str:
    """The receipts as JSON. Those of one slice fit in a property, which holds 32,768 characters."""
    return json.dumps([_values(one) for one in receipts], ensure_ascii=False, separators=(",", ":"))


def decoded(text: str) -> tuple[ErasureReceipt, ...]:
    """The receipts of a text that `encoded` has written."""
    return tuple(_receipt(values) for values in json.loads(text))


def _values(one: ErasureReceipt) -> list[object]:
    held = one.held_until.isoformat() if one.held_until is not None else ""
    counts = {name: count for name, count in one.erased.items() if count}
    return [
        one.mailbox_id,
        one.address,
        one.erased_at.isoformat(),
        counts,
        held,
        one.reconnected,
        one.organization_copy,
    ]


def _receipt(values: Sequence[Any]) -> ErasureReceipt:
    mailbox_id, address, erased_at, erased, held_until, reconnected, organization_copy = values
    held = datetime.fromisoformat(held_until) if held_until else None
    at = datetime.fromisoformat(erased_at)
    return ErasureReceipt(mailbox_id, address, at, erased, held, reconnected, organization_copy)
