"""All operations of the API."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from shared.api.calls import Operation
from shared.api.operations import changes, groups, holds, items, jobs, mailboxes, onboarding, readers, webhooks

OPERATIONS: tuple[Operation, ...] = (
    *mailboxes.OPERATIONS,
    *holds.OPERATIONS,
    *groups.OPERATIONS,
    *items.OPERATIONS,
    *changes.OPERATIONS,
    *onboarding.OPERATIONS,
    *readers.OPERATIONS,
    *jobs.OPERATIONS,
    *webhooks.OPERATIONS,
)


@cache
def by_path() -> Mapping[str, Mapping[str, Operation]]:
    """The operations by path and method."""
    found: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        found[operation.path][operation.method] = operation
    return found
