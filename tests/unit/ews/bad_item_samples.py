"""Channels that fail for certain items, and what a fetch through them gives."""

from collections.abc import Callable, Collection

from shared.errors import Reason
from shared.sources.model import ContentLevel, Folder, Item, ItemFailure
from tests.unit.ews.soap_samples import (
    INBOX,
    ROOT,
    ScriptedChannel,
    asked_ids,
    ids,
    items,
    mailbox,
    message,
    messages_as_asked,
)

MIME = ContentLevel.MIME
SIZE_ONLY = '<t:AdditionalProperties><t:FieldURI FieldURI="item:Size"/></t:AdditionalProperties>'


def fetched(
    channel: ScriptedChannel, count: int, folder: Folder = INBOX, *, isolate_failures: bool = False
) -> dict[str, Item | ItemFailure]:
    """What a fetch of so many items gives, by id; each comes once."""
    source = mailbox(channel, largest=50_000_000, isolate_failures=isolate_failures)
    results = list(source.fetch(folder, ids(count), MIME))
    by_id = {result.id if isinstance(result, Item) else result.item_id: result for result in results}
    assert len(by_id) == len(results)
    return by_id


def reasons(results: dict[str, Item | ItemFailure]) -> dict[str, Reason]:
    """The reasons of the items that failed, by id."""
    return {key: result.reason for key, result in results.items() if isinstance(result, ItemFailure)}


def of_size(size: int, wanted: Collection[str]) -> bytes:
    """A response in which each wanted item has this size."""
    return items(*(message(each).replace("<t:Size>1234", f"<t:Size>{size}") for each in wanted))


def unless_asked_for(bad: Collection[str], instead: Callable[[list[str]], bytes | Exception]) -> ScriptedChannel:
    """Gives every item, sizes, and the root; whenever bad ones are asked for in full, something else instead."""

    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if "<m:GetFolder>" in request:
            return ROOT
        if SIZE_ONLY in request or not set(bad) & set(wanted):
            return messages_as_asked(request)
        return instead(wanted)

    return ScriptedChannel(answered)


def malformed(wanted: list[str]) -> bytes:
    """A response that is no XML."""
    return items(*(message(each, more="<t:Broken>") for each in wanted))
