"""Turns at a site: few connections at once, and a breath between two requests (feeds.md 1, rule 12)."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class _Site:
    gate: asyncio.Semaphore
    free_at: float = 0.0
    rests_until: float = 0.0
    waiting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Turns:
    """Whose turn it is at each site.

    Args:
        at_once: requests to one site at once.
        pause_s: seconds between the starts of two requests to one site; none on this machine, which is nobody else's.
    """

    def __init__(self, at_once: int, pause_s: float) -> None:
        self._at_once = at_once
        self._pause_s = pause_s
        # A site is forgotten with its last request, but not before its pause has ended (`_rest`).
        self._sites: WeakValueDictionary[str, _Site] = WeakValueDictionary()

    @asynccontextmanager
    async def at(self, url: str) -> AsyncIterator[float]:
        """Wait for a turn at the site of `url`, and give it back at the end.

        Yields the seconds that the site still rests; with any, it must not be asked.
        """
        host, site = self._site(url)
        async with site.gate:
            rests = max(0.0, site.rests_until - asyncio.get_running_loop().time())
            if self._pause_s and not rests and not _is_this_machine(host):
                await self._pause(site)
            yield rests

    def rest(self, url: str, seconds: float) -> None:
        """The site of `url` has asked everybody to wait so long."""
        _, site = self._site(url)
        loop = asyncio.get_running_loop()
        site.rests_until = max(site.rests_until, loop.time() + seconds)
        loop.call_later(seconds, _rest, site)

    def _site(self, url: str) -> tuple[str, _Site]:
        host = (urlsplit(url).hostname or "").lower()
        return host, self._sites.setdefault(host, _Site(asyncio.Semaphore(self._at_once)))

    async def _pause(self, site: _Site) -> None:
        loop = asyncio.get_running_loop()
        async with site.waiting:
            wait = site.free_at - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            site.free_at = loop.time() + self._pause_s
        loop.call_later(self._pause_s, _rest, site)


def _rest(_: _Site) -> None:
    """Nothing: the timer holds the site until its pause or rest has ended."""


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
