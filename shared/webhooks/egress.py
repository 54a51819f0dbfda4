"""Which URLs and addresses webhooks may be sent to. An endpoint's URL must not reach what only this app can reach.

The rules are those of a server-side request forgery defense: https only, and no address that is private, link-local,
loopback, multicast, reserved, or a cloud's metadata service.
"""

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

MAX_URL = 2000
HTTPS_PORT = 443
FIRST_FREE_PORT = 1024
"""Ports below belong to services of other protocols; 443 is allowed."""
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_FORBIDDEN = (
    # Azure's own services of a virtual machine: DNS, health, metadata. A public address that is no public host.
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    ip_network("168.63.129.16/32"),
    # Global unicast prefixes that hide an IPv4 address: 6to4 (RFC 3056), Teredo.
    ip_network("2002::/16"),
    ip_network("2001::/32"),
)

_GLOBAL_UNICAST = ip_network("2000::/3")
"""All that the internet uses of IPv6. It leaves out what translates to IPv4, such as NAT64 (RFC 6052)."""


def is_public(address: str) -> bool:
    """Whether an address (as text) is one of the public internet."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified:
        return False
    if isinstance(found, IPv6Address) and found not in _GLOBAL_UNICAST:
        return False
    return not any(found in network for network in _FORBIDDEN if network.version == found.version)


class EgressRefused(Exception):
    """A URL or an address that webhooks are not sent to; `fault` says why in a word."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def check_url(url: str, private_hosts: Collection[str] = ()) -> tuple[str, int]:
    """Check the text of a URL; returns its host and port.

    `private_hosts` are the host names that may have a private address, for trying webhooks on one machine.

    Raises: EgressRefused.
    """
    parts, port = _split(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        raise EgressRefused("not_https")
    if parts.username is not None or parts.password is not None or parts.fragment or not host:
        raise EgressRefused("malformed")
    if port != HTTPS_PORT and port < FIRST_FREE_PORT:
        raise EgressRefused("port")
    if host not in private_hosts:
        _check_host(host)
    return host, port


def same_target(one: str, other: str) -> bool:
    """Whether two URLs name the same resource: the case of the host, port 443, and an empty path do not tell apart."""
    return _target(one) == _target(other)


def _target(url: str) -> tuple[str, int, str, str]:
    parts, port = _split(url)
    return parts.hostname or "", port, parts.path or "/", parts.query


def check_addresses(host: str, addresses: Sequence[str], private_hosts: Collection[str] = ()) -> str:
    """Choose the address to connect to. One private address among several refuses the name as a whole.

    Raises: EgressRefused.
    """
    if not addresses:
        raise EgressRefused("not_resolved")
    if host not in private_hosts and not all(map(is_public, addresses)):
        raise EgressRefused("address")
    return addresses[0]


def _split(url: str) -> tuple[SplitResult, int]:
    if len(url) > MAX_URL or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise EgressRefused("malformed")
    try:
        parts = urlsplit(url)
        return parts, HTTPS_PORT if parts.port is None else parts.port
    except ValueError as exc:
        raise EgressRefused("malformed") from exc


def _check_host(host: str) -> None:
    literal = _literal(host)
    if literal is not None:
        if not is_public(str(literal)):
            raise EgressRefused("address")
        return
    # A name whose last label is a number is an address in a spelling that only some resolvers know: 127.1, 0x7f000001.
    if not _HOST_NAME.fullmatch(host):
        raise EgressRefused("malformed")
    if host == "localhost" or host.endswith((".localhost", ".internal", ".local")):
        raise EgressRefused("address")


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
