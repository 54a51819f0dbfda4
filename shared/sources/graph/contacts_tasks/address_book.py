"""Fetches contacts with their photos. Contacts that came with a page of changes are not requested again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from shared.errors import Reason, RetryLater
from shared.formats.uids import UNIDENTIFIED
from shared.formats.values.common import Attachment
from shared.formats.vcf import contact_card
from shared.sources.graph.contacts_tasks.contacts import FULL, GraphContact, contact_item, has_photo
from shared.sources.graph.contacts_tasks.typed_contacts import typed_contact
from shared.sources.graph.items.item_requests import SENSELESS, ItemRequests, Result
from shared.sources.graph.items.recent import RecentMembers
from shared.sources.graph.transport.answers import raw_content
from shared.sources.graph.transport.batch import Ask
from shared.sources.graph.transport.client import GraphClient
from shared.sources.model import Content, ContentLevel, Folder, ItemFailure

_AT_ONCE = 80


@dataclass(frozen=True, slots=True)
class ContactFetcher:
    """Fetches the contacts of one mailbox; contacts above `largest` bytes come without content."""

    client: GraphClient
    requests: ItemRequests
    recent: RecentMembers
    largest: int

    def fetch(self, folder: Folder, ids: Sequence[str], level: ContentLevel) -> Iterator[Result]:
        """Fetch the contacts, each once. Every level except metadata includes the .vcf file."""
        for part in batched(ids, _AT_ONCE, strict=False):
            for identifier, contact in self._read(part).items():
                yield contact if isinstance(contact, ItemFailure) else self._item(contact, identifier, folder, level)

    def _read(self, ids: Sequence[str]) -> Mapping[str, GraphContact | ItemFailure]:
        found: dict[str, GraphContact | ItemFailure] = {}
        for each in ids:
            kept = self.recent.take(each)
            if isinstance(kept, GraphContact):
                found[each] = kept
        asks = {each: Ask(f"{self.client.mailbox}/contacts/{each}{FULL}") for each in ids if each not in found}
        for identifier, part in self.requests.answers(asks):
            found[identifier] = self.requests.decoded(GraphContact, part, identifier)
        return found

    def _item(self, contact: GraphContact, identifier: str, folder: Folder, level: ContentLevel) -> Result:
        try:
            item = contact_item(contact, folder.id)
            if level is ContentLevel.METADATA or item.size > self.largest:
                return item
            photo = self._photo(contact) if has_photo(contact) else None
            return replace(item, content=Content("vcf", contact_card(typed_contact(contact, photo), UNIDENTIFIED)))
        except RetryLater as exc:
            return self.requests.failed(exc, identifier)
        except SENSELESS as exc:
            return ItemFailure(identifier, Reason.ITEM_UNREADABLE, type(exc).__name__)

    def _photo(self, contact: GraphContact) -> Attachment | None:
        """Return a contact's photo, or None if there is none after all."""
        path = f"{self.client.mailbox}/contacts/{contact.id}/photo/$value"
        part = self.client.ask(path, accept="*/*")
        if part.refusal is not None and part.refusal.of_item() is not None:
            return None
        data = raw_content(part.value())
        return Attachment(name="ContactPicture.jpg", media_type="image/jpeg", size=len(data), data=data)
