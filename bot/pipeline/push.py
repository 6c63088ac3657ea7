"""WebSub: subscribe where a feed names a hub, answer the hub's question, and take a push as a hint to poll.

What a hub pushes is never read: the feed itself is asked, so that a push can say no more than "look now".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.feeds.hub import LEASE_S, is_signed, subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.feeds.fetch import Fetcher
    from bot.pipeline.ports import Clock
    from bot.store.store import Store

log = structlog.get_logger(__name__)
DAY_MS = 24 * 60 * 60 * 1000
#: A lease is renewed when less than this is left of it.
RENEW_MS = DAY_MS
#: A hub that did not answer is asked again after this.
PATIENCE_MS = 60 * 60 * 1000


class Pushes:
    """Subscriptions at hubs.

    Args:
        store: where they are kept.
        fetcher: asks the hubs.
        clock: the pumps' clock.
        public_url: where the internet reaches our web server.
        on_push: called with a feed's name when it has something new.
    """

    def __init__(
        self, *, store: Store, fetcher: Fetcher, clock: Clock, public_url: str, on_push: Callable[[str], None]
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self._on_push = on_push

    async def renew(self) -> None:
        """Ask every hub whose lease is missing or about to end."""
        for hook in await self._store.hooks.due(self._clock(), renew_ms=RENEW_MS, patience_ms=PATIENCE_MS):
            await self._store.hooks.asked(hook.feed, self._clock())
            refused = await self._fetcher.post(hook.hub, subscription(hook, f"{self._public_url}/websub/{hook.token}"))
            if refused is not None:
                log.warning("hub.refused", feed=hook.feed, detail=refused.detail)

    async def confirm(self, token: str, asked: Mapping[str, str]) -> str | None:
        """The challenge to echo when a hub asks whether we meant it; None: we did not (5.3)."""
        hook = await self._store.hooks.by_token(token)
        if hook is None or asked.get("hub.topic") != hook.topic or asked.get("hub.mode") != "subscribe":
            return None
        lease = asked.get("hub.lease_seconds", "")
        seconds = int(lease) if lease.isascii() and lease.isdigit() and len(lease) < 9 else LEASE_S
        await self._store.hooks.leased(hook.feed, self._clock() + seconds * 1000)
        log.info("hub.confirmed", feed=hook.feed, seconds=seconds)
        return asked.get("hub.challenge", "")

    async def pushed(self, token: str, signature: str, body: bytes) -> bool:
        """A hub pushed: poll the feed now if the hub signed it. False: there is no such subscription.

        A wrong signature is answered like a right one, and changes nothing (5.2).
        """
        hook = await self._store.hooks.by_token(token)
        if hook is None:
            return False
        if is_signed(hook.secret, body, signature):
            self._on_push(hook.feed)
        else:
            log.warning("hub.forged", feed=hook.feed)
        return True
