"""All mailboxes of one server, found by address or by the mailbox id in item ids."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sandbox.mailboxes.address_book import AddressBook, Person
from sandbox.mailboxes.default_folders import new_mailbox
from sandbox.mailboxes.store import Item, Mailbox


class MailboxStore:
    """All mailboxes. `people` may grow while the sandbox runs."""

    def __init__(self, people: Iterable[Person], clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.address_book = AddressBook(people)
        self.clock = clock
        self._mailboxes: dict[str, Mailbox] = {}
        self._by_guid: dict[str, Mailbox] = {}

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox of a primary address, created when it is first opened."""
        key = address.lower()
        if key not in self._mailboxes:
            self.adopt(new_mailbox(address, self.clock))
        return self._mailboxes[key]

    def adopt(self, mailbox: Mailbox) -> Mailbox:
        """Use a mailbox that was created elsewhere for this address."""
        self._mailboxes[mailbox.address.lower()] = mailbox
        self._by_guid[mailbox.guid] = mailbox
        return mailbox

    def with_guid(self, guid: str) -> Mailbox | None:
        """The mailbox with the id that item ids contain."""
        return self._by_guid.get(guid)

    def find(self, address: str) -> Mailbox | None:
        """The mailbox behind any of its addresses; None when there is none."""
        person = self.address_book.by_address(address)
        return self.mailbox(person.address) if person is not None and person.has_mailbox else None

    def deliver(self, sent: Item) -> None:
        """Deliver a sent message to the inboxes of its recipients on this server."""
        text = sent.properties.get("ToRecipients", "") + sent.properties.get("CcRecipients", "")
        for piece in text.split("<t:EmailAddress>")[1:]:
            mailbox = self.find(piece.partition("<")[0])
            if mailbox is not None:
                arrived = sent.twin()
                arrived.is_read = False
                mailbox.insert(mailbox.distinguished["inbox"], arrived)
