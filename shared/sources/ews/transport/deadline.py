"""An adapter for the requests library whose connections obey a deadline for the whole request."""

from typing import Any

from certifi import where
from requests.adapters import HTTPAdapter

from shared.sources.bounded_tls import tls_context


class BoundAdapter(HTTPAdapter):
    """Makes connections that obey the deadline and share one TLS context. Certificates are always verified."""

    def build_connection_pool_key_attributes(self, request: Any, verify: bool | str, cert: Any = None) -> Any:
        """Add our TLS context to the key that distinguishes connection pools."""
        bundle = verify if isinstance(verify, str) else where()
        host, _ = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {"ssl_context": tls_context(bundle), "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Do nothing: the TLS context holds the certificates."""

    def close(self) -> None:
        """Close the connections at once; urllib3 would leave them to the garbage collector."""
        for key in self.poolmanager.pools.keys():  # noqa: SIM118 -- the container itself is not iterable
            pool = self.poolmanager.pools.get(key)
            if pool is not None:
                pool.close()
        super().close()
