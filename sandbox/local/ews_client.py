"""A person who works in their mailbox: an ordinary EWS client, written as exchangelib's documentation shows."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

CHANGED_MAILS = 24
"""How many messages are changed."""


class MailboxUser:
    """One person's EWS client for their own mailbox."""

    def __init__(self, ews_url: str, address: str, token: str) -> None:
        self._account = account_of(ews_url, address, token)
        self._chance = random.Random(address)  # noqa: S311 -- the same work every time

    def work(self) -> dict[str, int]:
        """Make a batch of changes that covers every kind a sync must notice; returns how many changes of each kind."""
        mails = list(self._account.inbox.all().only("id", "changekey", "is_read", "subject")[:CHANGED_MAILS])
        self._chance.shuffle(mails)
        hands: list[Callable[[list[Any]], None]] = [self._flag, self._move, self._copy, self._rename]
        hands += [self._throw_away, self._delete]
        done = {"create": self._create()}
        for number, hand in enumerate(hands):
            part = mails[number :: len(hands)]
            hand(part)
            done[hand.__name__.strip("_").replace("_", " ")] = len(part)
        return done

    def _create(self) -> int:
        from exchangelib import CalendarItem, Contact, Message, Task

        account = self._account
        start = _tomorrow(account)
        new = [
            Message(
                account=account, folder=account.inbox, subject=f"Minutes of meeting {n}", body=f"Number {n}.\n" * 40
            )
            for n in range(5)
        ]
        event = CalendarItem(account=account, folder=account.calendar, subject="Review", start=start, end=start)
        contact = Contact(
            account=account, folder=account.contacts, given_name="Ada", surname="Moreau", display_name="Ada Moreau"
        )
        for item in (*new, event, contact, Task(account=account, folder=account.tasks, subject="Tidy up")):
            item.save()
        return len(new) + 3

    def _flag(self, mails: list[Any]) -> None:
        for mail in mails:
            mail.is_read = not mail.is_read
            mail.save(update_fields=["is_read"])

    def _move(self, mails: list[Any]) -> None:
        self._account.bulk_move(mails, to_folder=self._folder("Moved here"))

    def _copy(self, mails: list[Any]) -> None:
        self._account.bulk_copy(mails, to_folder=self._folder("Copied here"))

    def _rename(self, mails: list[Any]) -> None:
        for mail in mails:
            mail.subject = f"Renamed: {mail.subject}"
            mail.save(update_fields=["subject"])
        folder = self._folder("Before")
        folder.name = "After"
        folder.save(update_fields=["name"])

    def _throw_away(self, mails: list[Any]) -> None:
        for mail in mails:
            mail.move_to_trash()

    def _delete(self, mails: list[Any]) -> None:
        self._account.bulk_delete(mails, delete_type="HardDelete")

    def _folder(self, name: str) -> Any:
        from exchangelib import Folder

        return Folder(parent=self._account.inbox, name=name).save()

    def close(self) -> None:
        """Close the connections."""
        self._account.protocol.close()


def account_of(ews_url: str, address: str, token: str) -> Any:
    """The account with its endpoint, version and time zone given, so that exchangelib discovers and probes nothing."""
    from exchangelib import DELEGATE, OAUTH2, Account, Configuration, EWSTimeZone, OAuth2AuthorizationCodeCredentials
    from exchangelib.version import EXCHANGE_O365, Version
    from oauthlib.oauth2 import OAuth2Token

    # Without expires_at: with one in the past, the library loops forever.
    token_given = OAuth2Token({"access_token": token, "token_type": "Bearer"})
    configuration = Configuration(
        service_endpoint=ews_url,
        credentials=OAuth2AuthorizationCodeCredentials(access_token=token_given),
        auth_type=OAUTH2,
        version=Version(EXCHANGE_O365),
    )
    return Account(
        address,
        config=configuration,
        autodiscover=False,
        access_type=DELEGATE,
        default_timezone=EWSTimeZone("UTC"),
    )


def _tomorrow(account: Any) -> Any:
    from exchangelib import EWSDateTime

    return EWSDateTime.now(account.default_timezone).replace(microsecond=0) + timedelta(days=1)
