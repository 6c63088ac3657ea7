"""The second pump: from the outbox to Telegram.

    claim (one transaction) -> render late -> send -> judge -> settle (one transaction)

A crash after Telegram's yes and before `settle` repeats that card, and only those in flight: results are settled as
they come, several at once when they come faster than the disk. A crash anywhere else repeats nothing and loses nothing:
a claimed row returns when its lease ends.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.core import card
from bot.core.matching import reasons
from bot.core.model import BroadcastState, DeliveryState, Fate, Kind, Ruling, Verdict
from bot.core.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.core.model import Card, Delivery, Millis
    from bot.pipeline.ports import Clock, Meter, Sender, Vocabulary
    from bot.store.store import Store

log = structlog.get_logger(__name__)
#: The pump looks for due rows at least this often: another process (`tagwire poll`) queues without telling it.
LONGEST_SLEEP_S = 2.0


class TokenRefusedError(Exception):
    """Telegram refuses the bot's token: nothing can be delivered until it is replaced."""


@dataclass(slots=True)
class DeliverTotals:
    """The sums of a round, named as in CONTRACT.md."""

    sent: int = 0
    edited: int = 0
    failed: int = 0
    retired_chats: int = 0
    left: int = 0


class Deliverer:
    """Delivers what is queued and due, `in_flight` chats at a time; the rows of one chat go one after the other."""

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        *,
        store: Store,
        sender: Sender,
        words: Vocabulary,
        clock: Clock,
        meter: Meter,
        owner: str,
        in_flight: int,
        batch: int,
        lease_ms: int,
        recall: Callable[[int, Sequence[Millis]], None] = lambda _chat, _times: None,
    ) -> None:
        self._store = store
        self._sender = sender
        self._words = words
        self._clock = clock
        self._meter = meter
        self._owner = owner
        self._in_flight = in_flight
        self._batch = batch
        self._lease_ms = lease_ms
        self._recall = recall
        self._awake = asyncio.Event()
        self._stopping = False
        self._done: list[tuple[Delivery, Verdict]] = []
        self._settling = asyncio.Lock()

    def wake(self) -> None:
        """Something was queued: look at once."""
        self._awake.set()

    def stop(self) -> None:
        """Finish what is in flight, give the rest back, and let `run` return."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Deliver until `stop`. Raises TokenRefusedError when Telegram no longer knows the token."""
        totals = DeliverTotals()
        while not self._stopping:
            self._awake.clear()
            if await self._round(totals) == 0:
                await self._sleep()

    async def drain(self) -> DeliverTotals:
        """Deliver until nothing is due, then say what was done. Raises TokenRefusedError."""
        totals = DeliverTotals()
        while not self._stopping and await self._round(totals):
            pass
        counts = await self._store.outbox.counts()
        totals.left = counts.get(DeliveryState.QUEUED, 0) + counts.get(DeliveryState.CLAIMED, 0)
        return totals

    async def _sleep(self) -> None:
        due = await self._store.outbox.next_due()
        wait = LONGEST_SLEEP_S if due is None else min(LONGEST_SLEEP_S, max(0.05, (due - self._clock()) / 1000))
        try:
            async with asyncio.timeout(wait):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _round(self, totals: DeliverTotals) -> int:
        until = self._clock() + self._lease_ms // 2  # a send takes its time too: none begins so late that it ends after
        claimed = await self._store.outbox.claim(self._owner, self._clock(), self._lease_ms, self._batch)
        by_chat: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in claimed:
            by_chat[delivery.chat_id].append(delivery)
        others = await self._store.outbox.sent_by_others(self._owner, by_chat.keys(), self._clock())
        for chat, times in others.items():
            self._recall(chat, times)
        queue = iter(by_chat.values())

        async def worker() -> None:
            for deliveries in queue:
                await self._deliver_chat(deliveries, until, totals)

        tasks = [asyncio.create_task(worker()) for _ in range(min(self._in_flight, len(by_chat)))]
        try:
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._settle()
        return len(claimed)

    async def _deliver_chat(self, deliveries: Iterable[Delivery], until: Millis, totals: DeliverTotals) -> None:
        """Send one chat's rows in order. Once a row could not go, the chat's others wait with it.

        None begins after `until`: when it ended it might be another worker's. We were frozen, or waited too long.
        """
        held: Verdict | None = None
        for delivery in deliveries:
            if self._stopping:
                held = held or Verdict(ruling=Ruling.RETRY, at=self._clock(), reason="the service is stopping")
            if self._clock() >= until:
                held = held or Verdict(ruling=Ruling.RETRY, at=self._clock(), reason="the lease ended")
            verdict = held or await self._deliver(delivery)
            if verdict.ruling is Ruling.RETRY:
                held = verdict
            elif verdict.ruling in {Ruling.RETIRE, Ruling.MOVE}:
                # The store drops or moves the chat's other rows together with this one.
                held = Verdict(ruling=Ruling.RETRY, at=self._clock(), reason=verdict.reason)
            _count(totals, verdict)
            self._done.append((delivery, verdict))
            await self._settle()

    async def _deliver(self, delivery: Delivery) -> Verdict:
        """Render and send one row; a defect of ours parks that row, loudly, and never stops the others."""
        try:
            rendered = await self._render(delivery)
            if isinstance(rendered, Verdict):
                return rendered
            return await self._send(delivery, rendered)
        except TokenRefusedError:
            raise
        except Exception as error:
            log.exception("deliver.defect", delivery=delivery.id)
            return Verdict(ruling=Ruling.PARK, reason=f"defect: {type(error).__name__}: {error}"[:200])

    async def _send(self, delivery: Delivery, rendered: Card) -> Verdict:
        verdict = Verdict(ruling=Ruling.PLAIN)
        for plain in (False, True):
            outcome = await self._sender.send(delivery.chat_id, delivery.thread_id, rendered, plain=plain)
            now = self._clock()
            self._meter.delivered(outcome.fate.value, (now - delivery.queued_at) / 1000)
            if outcome.fate is Fate.UNAUTHORISED:
                raise TokenRefusedError(outcome.detail)
            verdict = judge(outcome, attempts=delivery.attempts, queued_at=delivery.queued_at, now=now, plain=plain)
            if outcome.fate is not Fate.SENT:
                log.warning("deliver.failed", delivery=delivery.id, fate=outcome.fate.value, detail=outcome.detail)
            if verdict.ruling is not Ruling.PLAIN:
                break
        return verdict

    async def _render(self, delivery: Delivery) -> Card | Verdict:
        """The card as it is now: an article corrected while its alert waited goes out corrected."""
        if delivery.kind is Kind.BROADCAST:
            broadcast = await self._store.broadcasts.get(delivery.subject)
            if broadcast is None or broadcast.state is not BroadcastState.SENDING:
                return Verdict(ruling=Ruling.DROP, reason="the broadcast was withdrawn")
            return card.announcement(broadcast.html)
        if delivery.kind is Kind.NOTICE:
            return await self._notice(delivery)
        article = await self._store.articles.get(delivery.subject)
        chat = await self._store.chats.get(delivery.chat_id)
        if article is None or chat is None or not chat.active:
            return Verdict(ruling=Ruling.DROP, reason="the article or the chat is gone")
        rules = await self._store.rules.of_chat(delivery.chat_id)
        here = [rule for rule in rules if rule.thread_id == delivery.thread_id]
        borne, now = {tag.slug for tag in article.tags}, self._clock()
        # A row that had to leave its topic matches none of the rules where it stands now, but those of the topic.
        matched = reasons(here, borne, now) or (() if delivery.thread_id else reasons(rules, borne, now))
        if not matched:
            return Verdict(ruling=Ruling.DROP, reason="no longer followed")
        return card.alert(
            article,
            matched=matched,
            time_zone=chat.time_zone,
            words=self._words(chat.language),
            matched_tag_id=(await self._store.articles.tag_ids(matched[:1])).get(matched[0]),
        )

    async def _notice(self, delivery: Delivery) -> Card | Verdict:
        notice = await self._store.feeds.notice(delivery.subject)
        chat = await self._store.chats.get(delivery.chat_id)
        if notice is None or chat is None:
            return Verdict(ruling=Ruling.DROP, reason="the notice or the chat is gone")
        return card.announcement(self._words(chat.language).notice(notice))

    async def _settle(self) -> None:
        """Write what is known. Whoever holds the lock writes for all: a group commit."""
        async with self._settling:
            done, self._done = self._done, []
            if not done:
                return
            try:
                await self._store.outbox.settle(done, self._owner, self._clock())
            except BaseException:
                self._done = done + self._done  # known, but not written: the next one writes it
                raise


def _count(totals: DeliverTotals, verdict: Verdict) -> None:
    match verdict.ruling:
        case Ruling.SENT:
            totals.sent += 1
        case Ruling.RETIRE:
            totals.retired_chats += 1
        case Ruling.PARK:
            totals.failed += 1
        case _:
            pass
