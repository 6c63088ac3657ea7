"""Whatever happens in whatever order: nobody gets what they do not follow, misses what they follow, or is woken.

A state machine drives the real store, the real pump and the local Telegram beside a model in a few lines: who follows
what, and which articles are owed to whom.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.core.attention import in_quiet
from bot.core.model import ArticleTag, Attention, Chat, ChatKind, RuleSpec, TagSource
from bot.playground.server import Playground
from bot.store.database import Database
from bot.store.store import Store
from tests.end_to_end.pumping import FEED, HOUR, MINUTE, publish, pumping, story

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.end_to_end.pumping import Pump

T = TypeVar("T")
DAY = 24 * HOUR
TAGS = ("nato", "sport", "eu")
NIGHT = (22 * 60, 7 * 60)
ITEM = re.compile(r"Item (\d{3})")
READERS = st.integers(0, 3)  #: three people and a group
GROUP = 3
TAG = st.sampled_from(TAGS)


@dataclass
class Reader:
    """What the model knows of a chat."""

    id: int
    follows: dict[str, int] = field(default_factory=dict)  #: tag -> muted until
    attention: Attention = field(default_factory=Attention)
    reachable: bool = True
    got: list[int] = field(default_factory=list)
    owed: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)  #: message ids

    def wants(self, tags: set[str], now: int) -> bool:
        return any(until <= now for tag, until in self.follows.items() if tag in tags)


class AnyOrder(RuleBasedStateMachine):
    """The world, and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.items: dict[int, set[str]] = {}
        self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def happens(self, act: Callable[..., T], *details: object) -> T:
        """Something in the local Telegram, which tells it to its loop."""

        async def acting() -> T:
            return act(*details)

        return self.run(acting())

    async def _begin(self) -> None:
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.telegram = await self.stack.enter_async_context(Playground(limits=False))
        database = await Database.open(f"sqlite:///{folder}/db")
        self.stack.push_async_callback(database.close)
        self.store = Store(database)
        self.pump: Pump = await self.stack.enter_async_context(pumping(self.store, self.telegram.url))
        await self.store.feeds.sync_catalogue([FEED])
        people = [self.telegram.telegram.add_user(name) for name in ("Ada", "Ben", "Cleo")]
        group = self.telegram.telegram.add_group("Group", supergroup=False, admin=people[0])
        self.readers = [Reader(one) for one in (*people, group)]

    @property
    def now(self) -> int:
        return self.pump.now

    def heard_from(self, number: int) -> Reader:
        """A reader who writes to the bot: it knows them, and that they are there."""
        reader = self.readers[number]
        kind = ChatKind.PRIVATE if reader.id > 0 else ChatKind.SUPERGROUP
        self.run(self.store.chats.upsert(Chat(id=reader.id, kind=kind), self.now))
        return reader

    def forgive(self, reader: Reader) -> None:
        """What is not followed any more is owed no more."""
        reader.owed = {item for item in reader.owed if reader.wants(self.items[item], self.now)}

    # -- what readers do

    @rule(number=READERS, tag=TAG)
    def follow(self, number: int, tag: str) -> None:
        if self.readers[number].reachable:
            reader = self.heard_from(number)
            self.run(self.store.rules.follow(reader.id, 0, [RuleSpec((tag,))], self.now))
            reader.follows.setdefault(tag, 0)

    @rule(number=READERS, tag=TAG)
    def unfollow(self, number: int, tag: str) -> None:
        if self.readers[number].reachable:
            reader = self.heard_from(number)
            self.run(self.store.rules.unfollow(reader.id, 0, [RuleSpec((tag,))]))
            reader.follows.pop(tag, None)
            self.forgive(reader)

    @rule(number=READERS, tag=TAG)
    def mute(self, number: int, tag: str) -> None:
        reader = self.readers[number]
        if reader.reachable and tag in reader.follows:
            rules = self.run(self.store.rules.with_tag(reader.id, 0, [tag]))
            self.run(self.store.rules.mute([one.id for one in rules], self.now + DAY))
            reader.follows[tag] = self.now + DAY
            self.forgive(reader)

    @rule(
        number=READERS,
        wish=st.sampled_from(["pause", "resume", "quiet", "loud", "digest", "no digest"]),
    )
    def wish(self, number: int, wish: str) -> None:
        if not self.readers[number].reachable:
            return
        reader = self.heard_from(number)
        changes = {
            "pause": {"paused_until": self.now + 8 * HOUR},
            "resume": {"paused_until": 0},
            "quiet": {"quiet": NIGHT},
            "loud": {"quiet": None},
            "digest": {"digests": (8 * 60,), "digest_all": True},
            "no digest": {"digests": (), "digest_all": False},
        }
        reader.attention = replace(reader.attention, **changes[wish])  # type: ignore[arg-type]
        self.run(self.store.chats.set_attention(reader.id, reader.attention, self.now))

    @rule(number=st.integers(0, 2))
    def block(self, number: int) -> None:
        self.happens(self.telegram.telegram.block, self.readers[number].id)
        self.readers[number].reachable = False
        self.readers[number].owed.clear()

    @rule(number=st.integers(0, 2))
    def revive(self, number: int) -> None:
        if not self.readers[number].reachable:
            self.happens(self.telegram.telegram.unblock, self.readers[number].id)
            self.readers[number].reachable = True
            self.heard_from(number)

    @rule(number=READERS)
    def forget(self, number: int) -> None:
        reader = self.readers[number]
        if reader.reachable:
            self.run(self.store.privacy.forget(reader.id))
            reader.follows.clear()
            reader.owed.clear()
            reader.attention = Attention()

    @precondition(lambda self: self.readers[GROUP].id > -1_000_000_000_000)
    @rule()
    def migrate(self) -> None:
        group = self.readers[GROUP]
        old, group.id = group.id, self.happens(self.telegram.telegram.migrate, group.id)
        group.seen.clear()
        self.run(self.store.chats.move(old, group.id, self.now))

    # -- what newsrooms do

    @rule(tags=st.sets(TAG, min_size=1))
    def publish(self, tags: set[str]) -> None:
        item = len(self.items) + 1
        self.items[item] = tags
        self.run(publish(self.store, self.now, self._change(item, tags, "")))
        for reader in self.readers:
            if reader.reachable and reader.wants(tags, self.now):
                reader.owed.add(item)

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(sorted(self.items)))
        change = replace(self._change(item, self.items[item], f" corrected at {self.now}"), new=False)
        self.run(publish(self.store, self.now, change))

    def _change(self, item: int, tags: set[str], more: str):
        change = story(item, self.now, f"Item {item:03}{more}")
        borne = tuple(ArticleTag(tag, TagSource.CATEGORY) for tag in sorted(tags))
        return replace(change, article=replace(change.article, tags=borne))

    # -- time

    @rule(length=st.sampled_from([0, MINUTE, HOUR, 3 * HOUR, 9 * HOUR]))
    def deliver(self, length: int) -> None:
        self.run(self.pump.drain(after=length))
        self.look()

    def look(self) -> None:
        """Everything new was wished for, at this moment."""
        for reader in self.readers:
            for message in self.telegram.telegram.messages(reader.id):
                if message["message_id"] in reader.seen:
                    continue
                reader.seen.add(message["message_id"])
                told = [int(number) for number in ITEM.findall(message["text"])]
                reader.got += told
                if told:
                    assert reader.reachable
                    assert reader.attention.paused_until <= self.now
                    assert not in_quiet(self.now, reader.attention.quiet, "Europe/Kyiv")
                for item in told:
                    assert reader.wants(self.items[item], self.now), f"{item} is not followed"

    @invariant()
    def nothing_comes_twice(self) -> None:
        for reader in self.readers:
            assert len(reader.got) == len(set(reader.got))

    def teardown(self) -> None:
        try:
            for number, reader in enumerate(self.readers):
                if reader.reachable and reader.owed:
                    self.heard_from(number)
                    reader.attention = Attention()
                    self.run(self.store.chats.set_attention(reader.id, reader.attention, self.now))
            self.deliver(MINUTE)
            self.deliver(MINUTE)
            self.nothing_comes_twice()
            for reader in self.readers:
                assert reader.owed <= set(reader.got), f"missed: {reader.owed - set(reader.got)}"
        finally:
            self.run(self.stack.aclose())
            self.runner.close()


AnyOrder.TestCase.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
