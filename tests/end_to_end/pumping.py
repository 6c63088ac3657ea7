"""The delivery pump alone: a real database, the real library over HTTP, the local Telegram, a clock in hand."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.bursts import Folding
from bot.core.model import (
    Article,
    ArticleTag,
    Chat,
    ChatKind,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    RuleSpec,
    TagSource,
)
from bot.core.pacing import Pacer
from bot.core.verdicts import Policy
from bot.pipeline.deliver import Deliverer
from bot.pipeline.ports import SilentMeter
from bot.telegram.application import TelegramBot
from bot.telegram.texts import words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.pipeline.deliver import DeliverTotals
    from bot.pipeline.ports import Meter, Sender
    from bot.store.store import Store

TOKEN = "42:an-end-to-end-token-of-nothing-0000000000"
NOW = 1_800_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
FEED = Feed(name="sample", url="https://news.example/rss", title="Sample Newsroom")


def story(number: int, now: int, title: str = "") -> EntryChange:
    """A story about NATO."""
    article = Article(
        link=f"https://news.example/{number}", title=title or f"Story {number}", summary="What happened.",
        source=FEED.title, language="en", section="", published_at=now - MINUTE, seen_at=now, minutes=1,
        tags=(ArticleTag("nato", TagSource.CATEGORY),),
    )  # fmt: skip
    return EntryChange(key=str(number), content_hash=article.title, canonical=article.link, article=article, new=True)


async def follow(store: Store, *chats: int, thread: int = 0, language: str = "en") -> None:
    """These chats follow #nato."""
    await store.feeds.sync_catalogue([FEED])
    for chat in chats:
        kind = ChatKind.PRIVATE if chat > 0 else ChatKind.SUPERGROUP
        await store.chats.upsert(Chat(id=chat, kind=kind, language=language), NOW)
        await store.rules.follow(chat, thread, [RuleSpec(("nato",))], NOW)


async def publish(store: Store, now: int, *changes: EntryChange) -> int:
    """These stories come in; how many alerts they made."""
    state = FeedState(primed=True, polled_at=now)
    keys = tuple(change.key for change in changes)
    update = FeedUpdate(feed=FEED.name, state=state, changes=changes, seen_keys=keys, alert=True)
    (stored,) = await store.feeds.apply([update], now)
    return stored.alerts


class NoPacer(Pacer):
    """No limits, and no memory of floods: that runs by a clock nobody can hand in, and has tests of its own."""

    def __init__(self) -> None:
        super().__init__(overall=0, per_chat=0, per_group=0)

    def flooded(self, *_: float) -> None:
        """Forgotten."""


@dataclass
class Pump:
    """The pump at work: a clock that stands until it is moved, and as many senders as a test asks for."""

    store: Store
    sender: Sender
    now: int = NOW
    policy: Policy = field(default_factory=lambda: Policy(folding=Folding(most=0), offer_quiet=False))
    meter: Meter = field(default_factory=SilentMeter)
    stories: int = 0
    in_flight: int = 8

    def deliverer(self, owner: str = "test") -> Deliverer:
        """A sender of its own, as another process would be."""
        return Deliverer(
            store=self.store, sender=self.sender, words=words, clock=lambda: self.now, meter=self.meter, owner=owner,
            in_flight=self.in_flight, batch=50, lease_ms=120_000, policy=self.policy,
        )  # fmt: skip

    async def drain(self, *, after: int = 0) -> DeliverTotals:
        """Deliver what is due, so many milliseconds later."""
        self.now += after
        return await self.deliverer().drain()

    async def news(self, number: int = 1, title: str = "") -> int:
        """So many stories come in; how many alerts they made."""
        first, self.stories = self.stories + 1, self.stories + number
        stories = [story(one, self.now, title) for one in range(first, self.stories + 1)]
        return await publish(self.store, self.now, *stories)

    async def states(self) -> dict[str, int]:
        """Rows by state."""
        return {state.value: number for state, number in (await self.store.outbox.counts()).items()}


@asynccontextmanager
async def pumping(store: Store, api_url: str) -> AsyncIterator[Pump]:
    """A pump joined to a Telegram at `api_url`; no pacing, so that nothing waits for the real clock."""
    bot = TelegramBot(token=TOKEN, api_url=api_url, pacer=NoPacer())
    await bot.connect()
    try:
        yield Pump(store, bot.sender)
    finally:
        await bot.close()
