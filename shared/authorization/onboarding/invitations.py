"""Invitations: a signed link for one address, valid once and for some days, and the signed outcome for the inviter.

The link holds an id, its expiry, and a signature. The address, the inviter's reference, and the return URL stay in
storage. A guessed link costs no storage access, because the signature is checked first.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from shared.authorization.errors import InvitationMalformed, InvitationRefused, TokenInvalid
from shared.authorization.model import Invitation
from shared.authorization.port import InvitationStore, SigningKeyRing
from shared.authorization.sessions.signing import Signer, TokenExpired
from shared.errors import NotFound
from shared.mailboxes.groups.errors import GroupUnknown

OUTCOME_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CreatedInvitation:
    """A new invitation with the link to send."""

    id: str
    url: str
    expires_at: datetime


class Invitations:
    """Creates, opens, and uses up invitations.

    `require_group` raises GroupUnknown for a group that cannot take mailboxes.
    """

    def __init__(
        self,
        store: InvitationStore,
        links: SigningKeyRing,
        outcomes: SigningKeyRing,
        *,
        app_url: str,
        path: str,
        return_urls: Sequence[str],
        days: int,
        clock: Callable[[], datetime],
        require_group: Callable[[str], None],
    ) -> None:
        self._store = store
        self._links = Signer(links, "invitation", clock)
        self._outcomes = Signer(outcomes, "JWT", clock)
        self._app_url = app_url
        self._path = path
        self._return_urls = tuple(return_urls)
        self._lasts = timedelta(days=days)
        self._clock = clock
        self._require_group = require_group

    def create(self, address: str, reference: str = "", return_url: str = "", *, group: str = "") -> CreatedInvitation:
        """Invite the owner of an address. A mailbox that is connected with the link is put into `group`, if given.

        Raises:
            InvitationMalformed: malformed, or return_url_not_allowed.
        """
        if not is_address(address):
            raise InvitationMalformed("malformed", "address")
        if len(reference) > 200 or not reference.isprintable():
            raise InvitationMalformed("malformed", "reference")
        if return_url and not self.may_return_to(return_url):
            raise InvitationMalformed("return_url_not_allowed")
        self._check_group(group)
        until = self._clock() + self._lasts
        invitation = Invitation(secrets.token_hex(16), address.strip(), reference, return_url, until, group=group)
        self._store.put(invitation)
        token = self._links.sign({"jti": invitation.id}, invitation.expires_at)
        return CreatedInvitation(invitation.id, f"{self._app_url}{self._path}/{token}", invitation.expires_at)

    def _check_group(self, name: str) -> None:
        try:
            if name:
                self._require_group(name)
        except GroupUnknown as exc:
            raise InvitationMalformed("malformed", "group") from exc

    def recent(self, limit: int, cursor: str = "") -> tuple[list[Invitation], str]:
        """Return the latest invitations, and the cursor of those before; empty: there are none."""
        return self._store.recent(limit, cursor)

    def open(self, token: str) -> Invitation:
        """Return the invitation of a link without using it up, because mail scanners open links too.

        Raises:
            InvitationRefused: invitation_invalid, invitation_expired, or invitation_used.
        """
        try:
            invitation = self._store.get(self._links.verify(token)["jti"])
        except TokenExpired as exc:
            raise InvitationRefused("invitation_expired") from exc
        except (TokenInvalid, NotFound) as exc:
            raise InvitationRefused("invitation_invalid") from exc
        if invitation.used_at is not None:
            raise InvitationRefused("invitation_used")
        return invitation

    def wanted(self, invitation_id: str) -> Invitation:
        """Return the invitation that a sign-in was started with, if it is still unused. Raises InvitationRefused."""
        invitation = self._store.get(invitation_id)
        if invitation.used_at is not None:
            raise InvitationRefused("invitation_used")
        return invitation

    def use(self, invitation_id: str) -> None:
        """Mark the invitation as used. Raises InvitationRefused if another sign-in was faster."""
        if not self._store.use(invitation_id, self._clock()):
            raise InvitationRefused("invitation_used")

    def return_url(self, invitation_id: str, outcome: str, mailbox_id: str = "") -> str:
        """Return the inviter's URL with the signed outcome; empty if there is none or it is no longer allowed."""
        invitation = self._store.get(invitation_id)
        if not invitation.return_url or not self.may_return_to(invitation.return_url):
            return ""
        parts = urlsplit(invitation.return_url)
        claims = {
            "iss": self._app_url,
            "aud": f"https://{parts.netloc}",
            "jti": invitation.id,
            "outcome": outcome,
            "mailbox": mailbox_id,
            "reference": invitation.reference,
        }
        token = self._outcomes.sign(claims, self._clock() + OUTCOME_LIFETIME)
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("outcome", token)]
        return urlunsplit(parts._replace(query=urlencode(query)))

    def may_return_to(self, url: str) -> bool:
        """Whether a URL, without its query, equals one of the allowed URLs. Prefixes do not match."""
        plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        return plain and "#" not in url and url.partition("?")[0].rstrip("/") in self._return_urls


def is_address(text: str) -> bool:
    """Whether a text looks like one mail address. This rejects obvious mistakes and is not a full grammar."""
    local, at, domain = text.strip().rpartition("@")
    printable = text.isprintable() and not any(character in text for character in ' ,;<>"\\()[]:/?#&%|')
    return bool(local and at and domain) and len(text) <= 320 and "@" not in local and "." in domain and printable
