"""Fan-out: an article's alerts, one row for each chat and topic with a rule that it satisfies.

SQLite has one writer, and whoever writes waits for it. So what few follow is queued in the poll's own transaction, and
what many follow is only noted there, as owed, with the article: a crash loses nothing. Its rows then come in pages,
each a short transaction of ONE `INSERT ... SELECT` over a range of chats, and in between others have their turn.

Pages go down from the greatest chat id: people first, then groups, then supergroups. A group that becomes a supergroup
meanwhile moves down too (-100... is below every group), so that no page can miss it.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, false, func, literal, or_, select, true, tuple_, update

from bot.core.model import Kind, Lane
from bot.store.articles import chunks, ensure_tags, insert
from bot.store.outbox import enqueue
from bot.store.rules import broken, refusals
from bot.store.schema import article_tags, articles, chats, fanouts, outbox, rule_terms, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

#: Rules looked at in one transaction: SQLite queues so many alerts in 10 to 20 ms.
PAGE = 5_000
#: On SQLite pages grow and shrink, within limits, to take so long each: a slow disk must not make others wait.
#: On PostgreSQL, where nobody waits for another's page, they are long.
PAGE_S = 0.025
SHORTEST, LONGEST = 1_000, 10_000
#: Above and below every chat id.
TOP, BOTTOM = 2**63 - 1, -(2**63)


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What came of a fan-out at once: alerts queued by article, and the articles whose alerts are owed."""

    queued: Counter[int]
    owed: set[int]


async def fan_out(
    connection: AsyncConnection, article_ids: Sequence[int], now: Millis, gained: Collection[int] = ()
) -> FannedOut:
    """Queue the alerts of articles, in the order of their ids; of those that many follow, note that they are owed.

    Two statements whatever the number of articles, one when nobody follows them. It may run again, for tags that came
    late: nobody gets two. With `gained`, ids of such tags, it is for those alone whom these newly concern: who began to
    follow another meanwhile, or has an archive before the first news, is not told what is old.
    """
    few, owed, left = [], [], PAGE
    for chunk in chunks(article_ids):
        for article_id, candidates in await connection.execute(_candidates(chunk, PAGE + 1, gained)):
            if candidates > left:
                owed.append(article_id)
            elif candidates:
                few.append(article_id)
                left -= candidates
    queued: Counter[int] = Counter()
    for chunk in chunks(few):
        readers = _readers(now, chunk, *_wanting(gained)).order_by(article_tags.c.article_id)
        queued.update(await connection.scalars(enqueue(connection, readers).returning(outbox.c.subject)))
    if owed:
        await _owe(connection, owed, now, gained)
    return FannedOut(queued, {*owed})


async def _owe(connection: AsyncConnection, article_ids: Sequence[int], now: Millis, gained: Collection[int]) -> None:
    owing = insert(connection, fanouts)
    everybody = or_(fanouts.c.gained == "", owing.excluded.gained == "")
    again = owing.on_conflict_do_update(
        index_elements=["article_id"],
        set_={
            "before_chat": TOP,  # it bears more tags now
            "gained": case((everybody, ""), else_=fanouts.c.gained + " " + owing.excluded.gained),
        },
    )
    more = {"queued_at": now, "before_chat": TOP, "gained": " ".join(map(str, sorted(gained)))}
    await connection.execute(again, [{"article_id": one, **more} for one in article_ids])


async def queue_page(connection: AsyncConnection, article_id: int, length: int = PAGE) -> int | None:
    """Queue the next page of an article's alerts, `length` of each tag; their number, None when no more are owed.

    Of two workers on PostgreSQL the second waits for the first's page, and goes on from there.
    """
    mine = fanouts.c.article_id == article_id
    state = select(fanouts.c.queued_at, fanouts.c.before_chat, fanouts.c.gained, _next_bound(length)).where(mine)
    row = (await connection.execute(state.with_for_update(of=fanouts))).first()
    if row is None:
        return None
    queued_at, before, gained, bound = row
    page = (
        *_wanting([int(one) for one in gained.split()]),
        rules.c.chat_id < before,
        rules.c.chat_id >= (BOTTOM if bound is None else bound),
    )
    queued = (await connection.execute(enqueue(connection, _readers(queued_at, [article_id], *page)))).rowcount
    moved = delete(fanouts).where(mine) if bound is None else update(fanouts).where(mine).values(before_chat=bound)
    await connection.execute(moved)
    return max(0, queued)


def _readers(now: Millis, article_ids: Sequence[int], *where: ColumnElement[bool]) -> Select[Any]:
    """Rows of the outbox for the readers of articles; a chat that several rules name comes several times."""
    return (
        select(
            literal(Kind.ALERT.value),
            article_tags.c.article_id,
            rules.c.chat_id,
            rules.c.thread_id,
            literal(int(Lane.ALERT)),
            literal(now),
            literal(now),
        )
        .select_from(article_tags)
        .join(rules, rules.c.anchor_id == article_tags.c.tag_id)
        .join(chats, chats.c.id == rules.c.chat_id)
        .where(
            article_tags.c.article_id.in_(article_ids),
            *where,
            rules.c.muted_until <= now,
            chats.c.active == true(),
            or_(rules.c.plain == true(), ~broken(article_tags.c.article_id)),
            # One small list for the whole statement; asked of every reader, it would cost as much as all the rest.
            tuple_(article_tags.c.article_id, rules.c.chat_id).not_in(refusals(article_ids)),
        )
    )


def _wanting(gained: Collection[int]) -> list[ColumnElement[bool]]:
    """Of rules, those that want one of these tags; no condition without any."""
    if not gained:
        return []
    wanted = (
        select(rule_terms.c.rule_id)
        .where(rule_terms.c.rule_id == rules.c.id, rule_terms.c.wanted == true(), rule_terms.c.tag_id.in_(gained))
        .correlate(rules)
        .exists()
    )
    return [or_(rules.c.anchor_id.in_(gained), and_(rules.c.plain == false(), wanted))]  # a plain rule has but one


def _candidates(article_ids: Sequence[int], most: int, gained: Collection[int]) -> Select[Any]:
    """How many rules are anchored in the tags of each article (and want what it gained), counted up to `most`."""
    anchored = (
        select(literal(1).label("one"))
        .select_from(article_tags.join(rules, rules.c.anchor_id == article_tags.c.tag_id))
        .where(article_tags.c.article_id == articles.c.id, *_wanting(gained))
        .limit(most)
        .correlate(articles)
        .subquery()
    )
    number = select(func.count()).select_from(anchored).scalar_subquery()
    return select(articles.c.id, number).where(articles.c.id.in_(article_ids)).order_by(articles.c.id)


def _next_bound(length: int) -> ColumnElement[int | None]:
    """The chat at which the next page of a fan-out ends, with the `length`-th rule of a tag; NULL on the last."""
    of_tag = (
        select(rules.c.chat_id)
        .where(rules.c.anchor_id == article_tags.c.tag_id, rules.c.chat_id < fanouts.c.before_chat)
        .order_by(rules.c.chat_id.desc())
        .offset(length - 1)
        .limit(1)
        .correlate(article_tags, fanouts)
        .scalar_subquery()
    )
    tags = article_tags.c.article_id == fanouts.c.article_id
    return select(func.max(of_tag)).where(tags).correlate(fanouts).scalar_subquery()


class FanOuts:
    """Fan-outs that are owed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._length = PAGE if database.is_sqlite else LONGEST

    async def finish(self, article_ids: Iterable[int], on_page: Callable[[], None] = lambda: None) -> int:
        """Queue what is owed of these articles, page by page; the number of alerts. `on_page` hears of each page."""
        total = 0
        for article_id in article_ids:
            while (queued := await self._page(article_id)) is not None:
                total += queued
                on_page()
        return total

    async def resume(self, until: Millis, on_page: Callable[[], None] = lambda: None) -> int:
        """Finish what has been owed since `until` or longer: whoever owed it has died; the number of alerts."""
        query = select(fanouts.c.article_id).where(fanouts.c.queued_at <= until).order_by(fanouts.c.article_id)
        async with self._database.reading() as connection:
            owed = (await connection.scalars(query)).all()
        return await self.finish(owed, on_page)

    async def audience(self, terms: Collection[str], now: Millis, limit: int) -> tuple[int, list[tuple[int, int]]]:
        """Who would get an article of these terms now: how many chats and topics, and the first of them.

        It is the fan-out's own question, put to an article that is gone again afterwards: for a process that does
        nothing else.
        """
        async with self._database.rehearsal(), self._database.transaction() as connection:
            values = {"canonical": "urn:tagwire:audience", "published_at": now, "seen_at": now}
            made = insert(connection, articles).values(values).returning(articles.c.id)
            article_id = (await connection.execute(made)).scalar_one()
            ids = await ensure_tags(connection, terms)
            borne = [{"article_id": article_id, "tag_id": number} for number in ids.values()]
            if borne:
                await connection.execute(insert(connection, article_tags), borne)
            places = _readers(now, [article_id]).with_only_columns(rules.c.chat_id, rules.c.thread_id).distinct()
            count = await connection.scalar(select(func.count()).select_from(places.subquery())) or 0
            first = places.order_by(rules.c.chat_id, rules.c.thread_id).limit(limit)
            return count, [(row.chat_id, row.thread_id) for row in await connection.execute(first)]

    async def _page(self, article_id: int) -> int | None:
        length = self._length
        async with self._database.transaction() as connection:
            began = time.perf_counter()
            queued = await queue_page(connection, article_id, length)
        took = time.perf_counter() - began
        # A short page, the last perhaps, says little.
        if self._database.is_sqlite and queued is not None and queued > length // 2:
            self._length = min(LONGEST, max(SHORTEST, round(length * min(2.0, PAGE_S / took))))
        return queued
