"""The second pump: from the outbox to Telegram.

    claim (one transaction) -> render late -> send -> judge -> settle (one transaction)

One loop settles and claims, in groups; each message is a task of its own between the two, and as many are under way as
`in_flight` says, one in a chat. Nothing waits in memory: what is claimed is on its way, so a slow chat holds up nobody,
hot news that comes late goes next, and a crash can repeat what is in flight and nothing else. A crash anywhere loses
nothing: a claimed row returns when its lease ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from bot.core.model import DeliveryState, Fate, Kind, Ruling, Verdict
from bot.core.verdicts import LONGEST_PAUSE, Policy, is_late, judge
from bot.pipeline.render import Renderer
from bot.store.claims import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.model import Delivery, Millis, Outcome
    from bot.pipeline.ports import Clock, Meter, Sender, Vocabulary
    from bot.pipeline.render import Parcel
    from bot.store.store import Store

log = structlog.get_logger(__name__)
#: The pump looks for due rows at least this often: another process (`tagwire poll`) queues without telling it.
LONGEST_SLEEP_S = 2.0
#: A result waits at most this long for others to be settled with it.
GATHER_S = 0.02
#: Results and room that are worth a transaction at once, as a part of `in_flight`.
WORTH = 4
#: A clock that went back further was set, not adjusted.
SET_BACK_MS = 10_000


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
    """Delivers what is queued and due, to `in_flight` chats at a time; the rows of one chat go one after the other."""

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
        policy: Policy | None = None,
        recall: Callable[[int, Sequence[Millis]], None] = lambda _chat, _times: None,
    ) -> None:
        self._store = store
        self._sender = sender
        self._policy = policy or Policy()
        self._renderer = Renderer(words, self._policy)
        self._clock = clock
        self._meter = meter
        # A name that no process had before: what a dead one of the same number held is not ours.
        self._owner = f"{owner}-{uuid4().hex[:8]}"
        self._in_flight = in_flight
        self._batch = batch
        self._lease_ms = lease_ms
        self._recall = recall
        self._awake = asyncio.Event()
        self._stopping = False
        self._flying: dict[int, asyncio.Task[None]] = {}  #: by chat
        self._done: list[tuple[Delivery, Verdict]] = []
        self._gathering: asyncio.TimerHandle | None = None
        self._refused = ""
        self._totals = DeliverTotals()
        self._seen_at: Millis = 0

    def wake(self) -> None:
        """Something was queued: look at once."""
        self._awake.set()

    def stop(self) -> None:
        """Finish what is in flight and let `run` return."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Deliver until `stop`. Raises TokenRefusedError when Telegram no longer knows the token."""
        try:
            while not self._stopping:
                if not await self._turn():
                    await self._sleep()
        finally:
            await self._land()

    async def drain(self) -> DeliverTotals:
        """Deliver until nothing is due, then say what was done. Raises TokenRefusedError."""
        self._totals = DeliverTotals()
        try:
            while not self._stopping:
                if await self._turn():
                    continue
                if self._flying:
                    await self._awake.wait()
                elif not self._done:
                    break
        finally:
            await self._land()
        counts = await self._store.outbox.counts()
        self._totals.left = counts.get(DeliveryState.QUEUED, 0) + counts.get(DeliveryState.CLAIMED, 0)
        return self._totals

    async def _turn(self) -> bool:
        """Settle what is known and fill the room there is; whether something was claimed."""
        self._awake.clear()
        now = await self._now()
        await self._settle(now)
        if self._refused:
            raise TokenRefusedError(self._refused)
        # A chat is under way until its verdict is written: it may be that it is gone.
        busy = {*self._flying, *(delivery.chat_id for delivery, _ in self._done)}
        room = min(self._batch, self._in_flight - len(busy))
        if room < 1:
            return False
        claimed = await self._store.outbox.claim(self._owner, now, self._lease_ms, room, busy)
        if claimed:
            await self._launch(claimed, now)
        return bool(claimed)

    async def _launch(self, claimed: Sequence[Delivery], now: Millis) -> None:
        rows = list(claimed)
        try:
            bundles = await self._bundle(claimed, now)
            rows = [delivery for bundle in bundles for delivery in bundle]
            material = await self._store.materials.of(rows, now)
            for chat, times in (
                await self._store.outbox.sent_by_others(self._owner, {row.chat_id for row in rows}, now)
            ).items():
                self._recall(chat, times)
        except BaseException as error:  # nothing was sent: give them back when the database is there again
            self._done += [(row, Verdict(ruling=Ruling.RETRY, at=now, free=True, reason=str(error))) for row in rows]
            raise
        rendered = self._renderer.render(bundles, material, now)
        for parcel in rendered.parcels:
            chat_id = parcel.deliveries[0].chat_id
            self._flying[chat_id] = asyncio.create_task(self._fly(parcel, now + self._lease_ms // 2))
        for delivery, verdict in rendered.settled:
            self._conclude(delivery, verdict)
        if not rendered.parcels:
            self._awake.set()

    async def _bundle(self, claimed: Sequence[Delivery], now: Millis) -> list[list[Delivery]]:
        """The rows one by one, but what was put off, and late alerts where those are many, with the chat's others."""
        bundles = {(one.chat_id, one.thread_id): [one] for one in claimed}
        lease, since = Lease(self._owner, now, self._lease_ms), now - self._policy.expiry
        put_off = {(one.chat_id, one.thread_id) for one in claimed if one.kind is Kind.ALERT and one.due_at}
        late = {(one.chat_id, one.thread_id) for one in claimed if is_late(one, now=now, policy=self._policy)} - put_off
        for places in filter(None, (late, put_off)):
            others = await self._store.outbox.claim_backlog(lease, places, since, put_off=places is put_off)
            for one in others:
                bundles[one.chat_id, one.thread_id].append(one)
        return list(bundles.values())

    async def _fly(self, parcel: Parcel, until: Millis) -> None:
        """Send one message; a defect of ours parks its rows, loudly, and never stops the others.

        None begins after `until`: sending takes its time too, and must not end after the lease.
        """
        first = parcel.deliveries[0]
        try:
            verdicts = await self._send(parcel, until)
        except Exception as error:
            log.exception("deliver.defect", delivery=first.id)
            defect = Verdict(ruling=Ruling.PARK, reason=f"defect: {type(error).__name__}: {error}"[:200])
            verdicts = [defect] * len(parcel.deliveries)
        finally:
            self._flying.pop(first.chat_id, None)
        for delivery, verdict in zip(parcel.deliveries, verdicts, strict=True):
            self._conclude(delivery, verdict)
        self._gather()

    async def _send(self, parcel: Parcel, until: Millis) -> list[Verdict]:
        """The verdict on each row: they share the message, but not what they went through before."""
        rows, reason = parcel.deliveries, ""
        first, verdicts = rows[0], [Verdict(ruling=Ruling.PLAIN)]
        for plain in (False, True):
            if self._clock() >= until:  # we were frozen: somebody else may be sending it
                late = Verdict(ruling=Ruling.RETRY, at=self._clock(), free=True, reason="the lease had ended")
                return [late] * len(rows)
            outcome = await self._call(parcel, plain=plain)
            now = self._clock()
            self._measure(parcel, outcome.fate, now)
            if outcome.fate is Fate.UNAUTHORISED:
                self._refused = outcome.detail
            verdicts = [judge(outcome, row, now=now, policy=self._policy, plain=plain) for row in rows]
            if outcome.fate is not Fate.SENT:
                log.warning("deliver.failed", delivery=first.id, fate=outcome.fate.value, detail=outcome.detail)
            if verdicts[0].ruling is not Ruling.PLAIN:
                break
            reason = f"sent as plain text: {outcome.detail}"
            log.error("deliver.defect", delivery=first.id, fate=outcome.fate.value, detail=outcome.detail)
        if verdicts[0].ruling is Ruling.SENT:
            verdicts = [replace(verdict, reason=reason) for verdict in verdicts]
            # One message makes one sound.
            verdicts[0] = replace(verdicts[0], loud_day=parcel.loud_day, offer_quiet=parcel.offer_quiet)
        return verdicts

    async def _call(self, parcel: Parcel, *, plain: bool) -> Outcome:
        to = parcel.deliveries[0]
        if parcel.edits is not None:
            return await self._sender.edit(to.chat_id, parcel.edits, parcel.card, plain=plain, lane=to.lane)
        return await self._sender.send(to.chat_id, to.thread_id, parcel.card, plain=plain, lane=to.lane)

    def _measure(self, parcel: Parcel, fate: Fate, now: Millis) -> None:
        self._meter.delivered(fate.value, (now - parcel.deliveries[0].since) / 1000)
        if fate is Fate.SENT:
            for delivery, article in zip(parcel.deliveries, parcel.articles, strict=False):
                if delivery.due_at:  # its reader put it off
                    continue
                self._meter.alerted(
                    seen_to_queued_s=(delivery.queued_at - article.seen_at) / 1000,
                    seen_to_sent_s=(now - article.seen_at) / 1000,
                    published_to_sent_s=(now - article.published_at) / 1000,
                )

    def _conclude(self, delivery: Delivery, verdict: Verdict) -> None:
        self._done.append((delivery, verdict))
        match verdict.ruling:
            case Ruling.SENT if delivery.kind in {Kind.EDIT, Kind.FIXED}:
                self._totals.edited += 1
            case Ruling.SENT:
                self._totals.sent += 1
            case Ruling.RETIRE:
                self._totals.retired_chats += 1
            case Ruling.PARK:
                self._totals.failed += 1
                log.error("deliver.parked", delivery=delivery.id, reason=verdict.reason)
            case _:
                pass

    def _gather(self) -> None:
        """Wake the loop once there is enough to do, or soon."""
        if len(self._done) >= max(1, self._in_flight // WORTH) or not self._flying:
            self._awake.set()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._awake.set()

    async def _settle(self, now: Millis) -> None:
        """Write what is known; what cannot be written now is kept for the next turn."""
        done, self._done = self._done, []
        if not done:
            return
        try:
            await self._store.outbox.settle(done, self._owner, now)
        except BaseException:
            self._done = done + self._done
            raise

    async def _land(self) -> None:
        """Let what is in flight end, and settle it. Cancelled, it is cut short, and its rows return by their leases."""
        try:
            await asyncio.gather(*self._flying.values())
            await self._settle(self._clock())
        except asyncio.CancelledError:
            for task in self._flying.values():
                task.cancel()
            await asyncio.gather(*self._flying.values(), return_exceptions=True)
            await self._settle(self._clock())
            raise

    async def _sleep(self) -> None:
        # What is under way wakes the loop as it ends; only an idle one asks what comes next.
        due = None if self._flying else await self._store.outbox.next_due(self._clock())
        wait = LONGEST_SLEEP_S if due is None else min(LONGEST_SLEEP_S, max(0.0, (due - self._clock()) / 1000))
        try:
            async with asyncio.timeout(wait):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _now(self) -> Millis:
        """The time. After the clock was set back, what was due is due still, and no retry waits for the lost hour."""
        now = self._clock()
        before = self._seen_at or await self._store.outbox.newest() or now  # it may have been set while nothing ran
        if before - now > SET_BACK_MS:
            log.warning("deliver.clock_set_back", seconds=(before - now) // 1000)
            await self._store.outbox.hurry(now, before + LONGEST_PAUSE)
        self._seen_at = now
        return now
