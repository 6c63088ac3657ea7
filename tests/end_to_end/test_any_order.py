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
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.core.attention import in_quiet
from bot.core.bursts import Folding
from bot.core.model import ArticleTag, Attention, Chat, ChatKind, RuleSpec, TagSource
from bot.core.verdicts import Policy
from bot.playground.server import Playground
from bot.store.database import Database
from bot.store.store import Store
from tests.end_to_end.pumping import FEED, HOUR, MINUTE, NOW, publish, pumping, story

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.core.model import EntryChange
    from tests.end_to_end.pumping import Pump

T = TypeVar("T")
DAY = 24 * HOUR
TAGS = ("nato", "sport", "eu")
#: It is 10:00 in Kyiv when everything begins.
QUIET = (9 * 60, 15 * 60)
ITEM = re.compile(r"Item (\d{4,})")
READERS = st.integers(0, 3)  #: three people and a group
GROUP = 3
TAG = st.sampled_from(TAGS)
LENGTHS = st.sampled_from([0, MINUTE, HOUR, 3 * HOUR, 9 * HOUR])
SUPERGROUPS = -1_000_000_000_000  #: their ids are below
WISHES: dict[str, dict[str, Any]] = {
    "pause": {},
    "resume": {"paused_until": 0},
    "quiet": {"quiet": QUIET},
    "loud": {"quiet": None},
    "digest": {"digests": (8 * 60,), "digest_all": True},
    "no digest": {"digests": (), "digest_all": False},
}


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


class World:
    """One Telegram, one database and one pump for all examples: each has readers of its own, on a day of its own."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.items: dict[int, set[str]] = {}
        self.runner.run(self._open())

    async def _open(self) -> None:
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.telegram = await self.stack.enter_async_context(Playground(limits=False))
        database = await Database.open(f"sqlite:///{folder}/db")
        self.stack.push_async_callback(database.close)
        self.store = Store(database)
        self.pump: Pump = await self.stack.enter_async_context(pumping(self.store, self.telegram.url))
        self.pump.policy = Policy(folding=Folding(most=2, window=5 * MINUTE), offer_quiet=False)
        await self.store.feeds.sync_catalogue([FEED])

    def close(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()


class AnyOrder(RuleBasedStateMachine):
    """The world, and its model."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.telegram, self.store, self.pump = self.world.telegram, self.world.store, self.world.pump
        self.items = self.world.items
        self.pump.now += DAY - (self.pump.now - NOW) % DAY
        self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.world.runner.run(work)

    def happens(self, act: Callable[..., T], *details: object) -> T:
        """Something in the local Telegram, which tells it to its loop."""

        async def acting() -> T:
            return act(*details)

        return self.run(acting())

    async def _begin(self) -> None:
        people = [self.telegram.telegram.add_user(name) for name in ("Ada", "Ben", "Cleo")]
        group = self.telegram.telegram.add_group("Group", supergroup=False, admin=people[0])
        self.readers = [Reader(one) for one in (*people, group)]
        for number, reader in enumerate(self.readers):  # so that from the first article on something is owed
            await self._meet(number)
            await self.choose(reader, "follow", RuleSpec((TAGS[0],)))

    @property
    def now(self) -> int:
        return self.pump.now

    def heard_from(self, number: int) -> Reader:
        """A reader who writes to the bot: it knows them, and that they are there."""
        self.run(self._meet(number))
        return self.readers[number]

    async def _meet(self, number: int) -> None:
        chat_id = self.readers[number].id
        kind = ChatKind.PRIVATE if chat_id > 0 else ChatKind.SUPERGROUP
        await self.store.chats.upsert(Chat(id=chat_id, kind=kind), self.now)

    # Few rules of many choices: hypothesis leaves whole rules out of an example, and each matters to the others.

    @rule(
        number=READERS, what=st.sampled_from(["follow", "unfollow", "mute", "away", "back", "forget", *WISHES]), tag=TAG
    )
    def reader_does(self, number: int, what: str, tag: str) -> None:
        """What a reader of the bot does, or a group's move to a supergroup."""
        reader = self.readers[number]
        if what == "back" and not reader.reachable:
            self.happens(self.telegram.telegram.unblock, reader.id)
            reader.reachable = True
            self.heard_from(number)
        elif what == "away" and number == GROUP:
            self.move(reader)
        elif what == "away":
            self.happens(self.telegram.telegram.block, reader.id)
            reader.reachable = False
            reader.owed.clear()
        elif reader.reachable:
            self.heard_from(number)
            self.run(self.choose(reader, what, RuleSpec((tag,))))
            reader.owed = {item for item in reader.owed if reader.wants(self.items[item], self.now)}

    async def choose(self, reader: Reader, what: str, spec: RuleSpec) -> None:
        (tag,) = spec.wanted
        match what:
            case "follow":
                await self.store.rules.follow(reader.id, 0, [spec], self.now)
                reader.follows.setdefault(tag, 0)
            case "unfollow":
                await self.store.rules.unfollow(reader.id, 0, [RuleSpec((one,)) for one in reader.follows])
                reader.follows.clear()
            case "mute":
                rules = await self.store.rules.of_chat(reader.id)
                await self.store.rules.mute([one.id for one in rules], self.now + DAY)
                reader.follows = dict.fromkeys(reader.follows, self.now + DAY)
            case "forget":
                await self.store.privacy.forget(reader.id)
                reader.follows.clear()
                reader.attention = Attention()
            case "pause":
                reader.attention = replace(reader.attention, paused_until=self.now + 8 * HOUR)
            case _ if what in WISHES:
                reader.attention = replace(reader.attention, **WISHES[what])
        if what in WISHES:
            await self.store.chats.set_attention(reader.id, reader.attention, self.now)

    def move(self, group: Reader) -> None:
        if group.id > SUPERGROUPS:
            old, group.id = group.id, self.happens(self.telegram.telegram.migrate, group.id)
            group.seen.clear()
            self.run(self.store.chats.move(old, group.id, self.now))

    @rule(tags=st.sets(TAG, min_size=1), again=st.integers(0, 4), wait=st.none() | LENGTHS)
    def newsroom_does(self, tags: set[str], again: int, wait: int | None) -> None:
        """A new article, or sometimes another headline for the last but so many; it goes out after a while, or not yet."""
        self.bring_out(tags, again)
        if wait is not None:
            self.deliver(wait)

    def bring_out(self, tags: set[str], again: int) -> None:
        if again and again <= len(self.items) and len(self.items) % 2:
            item = len(self.items) + 1 - again
            change = self._change(item, self.items[item], f" corrected at {self.now}")
            self.run(publish(self.store, self.now, replace(change, new=False)))
            return
        item = len(self.items) + 1
        self.items[item] = tags
        self.run(publish(self.store, self.now, self._change(item, tags, "")))
        for reader in self.readers:
            if reader.reachable and reader.wants(tags, self.now):
                reader.owed.add(item)

    def _change(self, item: int, tags: set[str], more: str) -> EntryChange:
        change = story(item, self.now, f"Item {item:04}{more}")
        borne = tuple(ArticleTag(tag, TagSource.CATEGORY) for tag in sorted(tags))
        return replace(change, article=replace(change.article, tags=borne))

    # -- time

    @rule(length=LENGTHS)
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
                told = [int(number) for number in ITEM.findall(message.get("text", ""))]
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
            for wait in (MINUTE, MINUTE, 5 * MINUTE):  # the last, for the rest of a burst
                self.deliver(wait)
            self.nothing_comes_twice()
            for reader in self.readers:
                assert reader.owed <= set(reader.got), f"missed: {reader.owed - set(reader.got)}"
        finally:
            for reader in self.readers:
                self.run(self.store.privacy.forget(reader.id))


class TestAnyOrder(AnyOrder.TestCase):
    """Its examples."""

    settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

    @classmethod
    def setUpClass(cls) -> None:
        AnyOrder.world = World()

    @classmethod
    def tearDownClass(cls) -> None:
        AnyOrder.world.close()
