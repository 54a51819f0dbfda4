"""Access tokens for mailboxes without an identity provider."""

from shared.sources.model import Access, AccessMode, SourceName


class FakeAccessTokens:
    """Implements AccessTokens. Raises `error` if it is set; every token is a new one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        """A valid access token."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        token = f"token-{authorization_id}-{self.asked}"
        return Access(address, AccessMode.DELEGATED, token, self._renew, source, own)

    def _renew(self) -> str:
        self.asked += 1
        return f"renewed-{self.asked}"
