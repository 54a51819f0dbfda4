"""Mirrors the copies of mailboxes into SQLite: python mirror.py mirror.db (once; run it again for what is new).

Needs APP_URL and TOKEN in the environment. It may be killed at any moment: what a page of changes does and where the
next one begins are stored in one transaction.
"""

import json
import os
import sqlite3
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from itertools import takewhile

SCHEMA = """
CREATE TABLE IF NOT EXISTS item (mailbox TEXT, id TEXT, number INTEGER, folder_id TEXT, folder TEXT, subject TEXT,
                                 at TEXT, json TEXT, PRIMARY KEY (mailbox, id));
CREATE TABLE IF NOT EXISTS seen (mailbox TEXT PRIMARY KEY, number INTEGER);
CREATE TABLE IF NOT EXISTS place (only INTEGER PRIMARY KEY CHECK (only = 1), position TEXT);
"""


def ask(path: str, **query: str) -> list[dict]:
    """The JSON lines of an answer. While the API is busy (429, 503), waits as long as it says."""
    address = f"{os.environ['APP_URL']}/api/v1{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    while True:
        try:
            with urllib.request.urlopen(request, context=ssl.create_default_context()) as answer:
                return [json.loads(line) for line in answer]
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                raise
            time.sleep(int(error.headers.get("Retry-After", 10)))


def read(position: str) -> list[dict]:
    """The next lines of the feed over all mailboxes. With `wait`, the answer comes when there is something new."""
    try:
        return ask("/changes", limit="1000", after=position)
    except urllib.error.HTTPError as error:
        if error.code != 410:
            raise
        # The position is too old: begin again. What was applied before is passed over.
        return ask("/changes", limit="1000")


def history(mailbox: str) -> Iterator[dict]:
    """All changes of one mailbox; none if it was erased just now, or is listed without being readable."""
    number = 0
    try:
        while page := ask(f"/mailboxes/{mailbox}/changes", limit="1000", after=str(number)):
            yield from page
            number = page[-1]["number"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


def listed() -> set[str]:
    """The ids of all mailboxes that may be read; one that is being erased does not count."""
    found, cursor = set[str](), ""
    while True:
        [page] = ask("/mailboxes", limit="1000", cursor=cursor)
        found |= {mailbox["id"] for mailbox in page["mailboxes"] if not mailbox["erasing_since"]}
        if not (cursor := page["next"]):
            return found


def follow_list(db: sqlite3.Connection) -> None:
    """Delete mailboxes that are not listed any more, and read those that may be read again: no feed tells of either."""
    known, found = {row[0] for row in db.execute("SELECT mailbox FROM seen")}, listed()
    for mailbox in known - found:
        with db:
            db.execute("DELETE FROM item WHERE mailbox = ?", [mailbox])
            db.execute("DELETE FROM seen WHERE mailbox = ?", [mailbox])
    for mailbox in found - known:
        with db:  # in one transaction: a mailbox that is known has no gap
            for change in history(mailbox):
                apply(db, change)


def follow_folders(db: sqlite3.Connection) -> None:
    """Write the paths of all folders: when one is renamed its items stay the same, so no feed tells of it.

    That is a request for each mailbox. With thousands of them, do it once a day.
    """
    for (mailbox,) in db.execute("SELECT mailbox FROM seen").fetchall():
        [answer] = ask(f"/mailboxes/{mailbox}/folders")
        with db:
            for folder in answer["folders"]:
                row = [folder["path"], mailbox, folder["id"], folder["path"]]
                db.execute("UPDATE item SET folder = ? WHERE mailbox = ? AND folder_id = ? AND folder != ?", row)


def apply_after_earlier(db: sqlite3.Connection, line: dict) -> None:
    """Apply one change; of a mailbox that is not known, after those before it: it was deleted here and is back."""
    if not db.execute("SELECT 1 FROM seen WHERE mailbox = ?", [line["mailbox_id"]]).fetchone():
        for earlier in takewhile(lambda change: change["number"] < line["number"], history(line["mailbox_id"])):
            apply(db, earlier)
    apply(db, line)


def apply(db: sqlite3.Connection, line: dict) -> None:
    """Apply one change, unless it was applied before: changes may come more than once."""
    mailbox, number, item = line["mailbox_id"], line["number"], line["item"]
    if number <= (db.execute("SELECT number FROM seen WHERE mailbox = ?", [mailbox]).fetchone() or [0])[0]:
        return
    db.execute("REPLACE INTO seen VALUES (?, ?)", [mailbox, number])
    db.execute("DELETE FROM item WHERE mailbox = ? AND id = ?", [mailbox, item["id"]])
    if line["change"] not in ("leave", "delete") and not line.get("redacted"):
        place = [item["folder_id"], item["folder"] or ""]
        row = [mailbox, item["id"], number, *place, item["subject"], item["at"], json.dumps(item)]
        db.execute("INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def main(path: str) -> None:
    """Read until there is nothing new."""
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    while True:
        (position,) = db.execute("SELECT position FROM place").fetchone() or [""]
        *changes, last = read(position)
        with db:
            for line in changes:
                apply_after_earlier(db, line)
            db.execute("REPLACE INTO place VALUES (1, ?)", [last["position"]])
        if not changes and last["position"] == position:
            follow_list(db)
            follow_folders(db)
            return


if __name__ == "__main__":
    main(sys.argv[1])
