"""The sandbox's certificate authority, and the one certificate that all its services and the app share.

Every endpoint uses HTTPS, as Microsoft 365 does; clients of the sandbox trust this authority and no other.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Authority:
    """The paths of the authority's certificate, the server certificate and its key (PEM files)."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def at(cls, directory: Path) -> "Authority":
        """The authority stored in a directory, created if there is none; reusing it keeps clients' trust valid."""
        kept = cls(directory / "ca.pem", directory / "server.pem", directory / "server.key")
        try:
            kept.server_context()
            kept.client_context()
        except OSError:
            return cls.create(directory)
        return kept

    @classmethod
    def create(cls, directory: Path) -> "Authority":
        """Create a new authority and a server certificate for 127.0.0.1 and localhost.

        The authority's own key is not kept, so nothing can be signed with it later.
        """
        directory.mkdir(parents=True, exist_ok=True)
        made = cls(directory / "ca.pem", directory / "server.pem", directory / "server.key")
        authority = trustme.CA(organization_name="Mailbox Sync sandbox")
        server = authority.issue_cert("127.0.0.1", "localhost", common_name="Mailbox Sync sandbox")
        authority.cert_pem.write_to_path(made.ca)
        made.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
        made.key.unlink(missing_ok=True)
        made.key.touch(mode=0o600)
        server.private_key_pem.write_to_path(made.key)
        return made

    def server_context(self) -> ssl.SSLContext:
        """The TLS context of the sandbox's servers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        """The TLS context of clients within the sandbox: they trust only this authority."""
        return ssl.create_default_context(cafile=self.ca)


def trust(bundle: Path) -> dict[str, str]:
    """The environment that makes requests, httpx and the standard library trust a CA bundle."""
    return {"REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}
