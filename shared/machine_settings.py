"""The machine's connection settings: a proxy, and the certificates that are trusted."""

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
