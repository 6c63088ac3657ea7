"""Which addresses may be asked (storage-and-runtime.md 8, SSRF): public ones, checked when the connection is made.

The check stands in the resolver, so it holds for every hop and cannot be fooled by a name that changes its mind.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    import socket

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: NAT64 of somebody's own network (RFC 8215).
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_SHARED = ipaddress.ip_network("100.64.0.0/10")


class PrivateAddressError(OSError):
    """A name leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address literal is on the public internet."""
    try:
        ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ipaddress.ip_address(ip.packed[-4:]) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local or ip in _LOCAL_NAT64:
            return False
    elif ip in _SHARED:
        return False
    return ip.is_global and not ip.is_multicast


def refusal(url: str, *, allow_private: bool) -> str | None:
    """Why an address may not be asked; None when it may."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a valid address"
    if parts.scheme not in {"http", "https"} or not host:
        return "only http and https addresses are read"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # Decimal, octal and hexadecimal spellings of an IP are names to us and go through the resolver.
        return None
    return None if allow_private or is_public(host) else "it is a private address"


class PublicResolver(AbstractResolver):
    """Resolves names, and keeps only public addresses."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = 0) -> list[ResolveResult]:  # type: ignore[assignment]
        """The public addresses of `host`. Raises PrivateAddressError when it has only others."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise PrivateAddressError(f"{host} leads to a private address")
        return public

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()
