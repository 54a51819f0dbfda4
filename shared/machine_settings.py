"""The machine's connection settings: a proxy, and the certificates that are trusted.

They belong to the machine, not to the app: HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, and the like mean the same to
every program on it, and the requests library defines which of them it obeys. So they are no fields of `Settings`; the
library reads them here as it does for its own connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """The machine's connection settings: a proxy (URL or empty), and the file of trusted certificates."""

    proxy: str
    bundle: str


def machine_settings(url: str) -> MachineSettings:
    """Read the environment variables that the requests library knows, so that all connections obey the same ones."""
    import requests
    from certifi import where

    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, True, None, None)
    proxies: Mapping[str, str] = found["proxies"]
    proxy = proxies.get("https") or proxies.get("all") or ""
    verify = found["verify"]
    return MachineSettings(proxy, verify if isinstance(verify, str) else where())
