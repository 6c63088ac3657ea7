"""Processes that are killed with SIGKILL: by themselves at a named point, or from outside at any moment.

The points live here: the product is wrapped from outside, and knows nothing of them.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

import bot.store.broadcasts
import bot.store.outbox
import bot.store.polls
from bot.store.broadcasts import Broadcasts
from bot.store.database import Database
from bot.store.feeds import Feeds
from bot.store.outbox import Outbox
from bot.store.store import Store
from bot.telegram.sender import Sender
from tests.end_to_end.pumping import publish, pumping, story
from tests.hot import confirmed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: A fork of a process that has loaded everything starts in a hundredth of the time.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    """Die as this is called."""
    setattr(owner, name, die)


def after(owner: Any, name: str) -> None:
    """Die once this has been done."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    async def wrapped(*given: Any, **how: Any) -> None:
        await whole(*given, **how)
        die()

    setattr(owner, name, wrapped)


def at_commit(owner: Any, name: str) -> None:
    """Die with everything of this written and nothing committed."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    async def wrapped(*given: Any, **how: Any) -> Any:
        event.listen(Engine, "commit", die)
        return await whole(*given, **how)

    setattr(owner, name, wrapped)


#: What the process does, and where it dies doing it.
POINTS: dict[str, tuple[str, Callable[[], None]]] = {
    "before the claim": ("deliver", lambda: before(Outbox, "claim")),
    "in the claim": ("deliver", lambda: at_commit(Outbox, "claim")),
    "after the claim": ("deliver", lambda: after(Outbox, "claim")),
    "before the wire": ("deliver", lambda: before(Sender, "send")),
    "after leaving": ("deliver", lambda: after(Outbox, "leave")),
    "after the wire": ("deliver", lambda: after(Sender, "send")),
    "before settling": ("deliver", lambda: before(Outbox, "settle")),
    "in settling": ("deliver", lambda: at_commit(Outbox, "settle")),
    "after settling": ("deliver", lambda: after(Outbox, "settle")),
    "in retiring a chat": ("blocked", lambda: after(bot.store.outbox, "retire_chat")),
    "in moving a chat": ("moved", lambda: after(bot.store.outbox, "move_chat")),
    "in holding a chat": ("restricted", lambda: after(bot.store.outbox, "hold_chat")),
    "in closing a topic": ("topic", lambda: after(bot.store.outbox, "_close_topic")),
    "before a catch-up card": ("late", lambda: after(Outbox, "claim_backlog")),
    "after a catch-up card": ("late", lambda: after(Sender, "send")),
    "in settling a catch-up card": ("late", lambda: at_commit(Outbox, "settle")),
    "in the fan-out": ("poll", lambda: after(bot.store.polls, "fan_out")),
    "at the poll's commit": ("poll", lambda: at_commit(Feeds, "apply")),
    "after the poll's commit": ("poll", lambda: after(Feeds, "apply")),
    "in confirming hot news": ("hot", lambda: after(bot.store.broadcasts, "enqueue_broadcast")),
    "in giving claims back": ("restart", lambda: at_commit(Outbox, "release_all")),
}
#: Ten of a run of hot news.
RUN_POINTS: dict[str, tuple[str, Callable[[], None]]] = {
    **{name: POINTS[name] for name in list(POINTS)[:8]},
    "in confirming hot news": POINTS["in confirming hot news"],
    "at the start's commit": ("hot", lambda: at_commit(Broadcasts, "start_due")),
}


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Store]:
    database = await Database.open(database_url)
    try:
        yield Store(database)
    finally:
        await database.close()


def deliver(database_url: str, api_url: str, now: int, in_flight: int, point: str = "") -> None:
    """A process that delivers what is due, as `tagwire deliver` does, unless it dies of `point`."""

    async def run() -> None:
        async with opened(database_url) as store, pumping(store, api_url) as pump:
            pump.now, pump.in_flight = now, in_flight
            if store.database.is_sqlite:
                await store.outbox.release_all(now)
            await pump.drain()

    if point:
        POINTS[point][1]()
    asyncio.run(run())


def poll(database_url: str, now: int, number: int, point: str) -> None:
    """A process that stores a poll with one new story."""

    async def run() -> None:
        async with opened(database_url) as store:
            await publish(store, now, story(number, now))

    POINTS[point][1]()
    asyncio.run(run())


def confirm(database_url: str, now: int, broadcast: int, point: str) -> None:
    """A process that sends hot news."""

    async def run() -> None:
        async with opened(database_url) as store:
            draft = await store.broadcasts.get(broadcast)
            await confirmed(store, draft, now)

    (POINTS | RUN_POINTS)[point][1]()
    asyncio.run(run())


async def killed(work: Callable[..., None], *given: Any) -> None:
    """Run it in a process of its own, which must die of SIGKILL."""
    process = CONTEXT.Process(target=work, args=given)
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == -signal.SIGKILL
