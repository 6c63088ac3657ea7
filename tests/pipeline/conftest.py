"""A poller between a local site and a real database of each engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.core.lexicon import Lexicon
from bot.core.model import Chat, ChatKind, Feed, RuleSpec
from bot.core.thesaurus import Thesaurus, ThesaurusEntry
from bot.feeds.morphology import Morphology
from bot.feeds.worker import ParserPool
from bot.pipeline.poll import Poller
from bot.pipeline.ports import SilentMeter
from bot.pipeline.retrieve import Retriever
from bot.pipeline.tagging import Tagger
from tests.site import fetcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.store.store import Store
    from tests.site import Site

NOW = 1_800_000_000_000
READER = 7


class World:
    """A poller whose clock a test turns."""

    def __init__(self, store: Store, site: Site, parsers: ParserPool) -> None:
        self.store, self.site, self.parsers = store, site, parsers
        self.now = NOW
        self.feeds: dict[str, Feed] = {}
        self.told: list[object] = []
        self.woken = 0
        self.awake = asyncio.Event()
        self.page_wait_s = 20.0
        thesaurus = Thesaurus.build([ThesaurusEntry("nato", {"en": "NATO"}, {"en": ("NATO",)}, ())])
        self.tagger = Tagger(store, Lexicon(thesaurus, Morphology()), lambda: self.now)

    def feed(self, name: str, items: str | None = None, **options: object) -> None:
        """A feed of the catalogue, served as RSS unless told otherwise."""
        if items is not None:
            self.publish(name, items)
        self.feeds[name] = Feed(name=name, url=f"{self.site.url}/{name}", title=name.title(), **options)  # type: ignore[arg-type]

    def publish(self, name: str, items: str) -> None:
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'
        self.site.serve(f"/{name}", body=body.encode())

    async def poll(self):
        """One round over every feed."""
        async with fetcher() as fetch:
            poller = self.poller(fetch)
            await self.store.feeds.sync_catalogue(list(self.feeds.values()))
            self.told = []
            totals = await poller.poll_all(list(self.feeds), on_polled=self.told.append)
            await poller.stop()
            return totals

    def poller(self, fetch) -> Poller:
        return Poller(
            store=self.store, fetcher=fetch, parsers=self.parsers, feeds=self.feeds.values(),
            tagger=self.tagger, page_wait_s=self.page_wait_s,
            clock=lambda: self.now, meter=SilentMeter(), page_limit=3, at_once=4, on_alerts=self._wake,
            admins=(99, 100),
        )  # fmt: skip

    def retriever(self, fetch) -> Retriever:
        return Retriever(
            store=self.store, fetcher=fetch, parsers=self.parsers, tagger=self.tagger, feeds=self.feeds, page_limit=3,
            page_wait_s=self.page_wait_s,
        )  # fmt: skip

    def _wake(self) -> None:
        self.woken += 1
        self.awake.set()

    async def notices(self) -> list[tuple[str, str, str]]:
        async with self.store.database.reading() as connection:
            rows = await connection.exec_driver_sql("SELECT code, feed, detail FROM notices ORDER BY id")
            return [tuple(row) for row in rows]

    def details(self) -> dict[str, str]:
        return {polled.feed: polled.detail for polled in self.told}  # type: ignore[attr-defined]


@pytest.fixture
async def world(store: Store, site: Site) -> AsyncIterator[World]:
    await store.chats.upsert(Chat(id=READER, kind=ChatKind.PRIVATE), NOW)
    await store.rules.follow(READER, 0, [RuleSpec(("nato",))], NOW)
    async with ParserPool(max_workers=1) as parsers:
        yield World(store, site, parsers)


def item(number: int, title: str = "NATO", **more: str) -> str:
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<item><guid>{number}</guid><title>{title}</title><link>https://e.org/{number}</link>{extra}</item>"
