"""Access tokens for mailboxes without an identity provider."""

from datetime import datetime

from shared.sources.model import Access, AccessMode, SourceName


class FakeAccessTokens:
    """Implements AccessTokens. Raises `error` if it is set; every token is a new one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0
        self.stored_at: datetime | None = None
        """When the last refresh token was stored."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        """A valid access token."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        token = f"token-{authorization_id}-{self.asked}"
        return Access(address, AccessMode.DELEGATED, token, self._renew, source, own)

    def is_renewed(self, authorization_id: str, since: datetime) -> bool:
        """Whether a token was stored after this time."""
        return self.stored_at is not None and self.stored_at > since

    def _renew(self) -> str:
        self.asked += 1
        return f"renewed-{self.asked}"
