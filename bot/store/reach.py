"""Whom hot news would go to: the chats of an audience, and how many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, true

from bot.core.attention import in_quiet
from bot.core.broadcast import KINDS
from bot.core.model import Hot
from bot.core.tallies import Reach
from bot.store.schema import chats, rule_terms, rules, tags

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.broadcast import Audience
    from bot.core.model import Millis, RuleSpec


def belongs(audience: Audience) -> ColumnElement[bool]:
    """Whether a chat is of the audience and can be written to."""
    conditions: list[ColumnElement[bool]] = [chats.c.active == true()]
    if audience.rules:
        conditions.append(or_(*map(_follows, audience.rules)))
    if audience.language:
        conditions.append(chats.c.language == audience.language)
    if audience.kind:
        conditions.append(chats.c.kind.in_([kind.value for kind in KINDS[audience.kind]]))
    return and_(*conditions)


def _follows(spec: RuleSpec) -> ColumnElement[bool]:
    """Whether a chat follows all that `spec` wants, in whatever rules, and nothing that it does not."""
    return and_(*(_wants(term) for term in spec.wanted), *(~_wants(term) for term in spec.unwanted))


def _wants(term: str) -> ColumnElement[bool]:
    found = (
        select(rules.c.id)
        .join(rule_terms, and_(rule_terms.c.rule_id == rules.c.id, rule_terms.c.wanted == true()))
        .join(tags, tags.c.id == rule_terms.c.tag_id)
        .where(rules.c.chat_id == chats.c.id, tags.c.slug == term)
    )
    return found.correlate(chats).exists()


async def reach(connection: AsyncConnection, audience: Audience, now: Millis) -> Reach:
    """How many they are now, and how they would get it. Chats of one zone and the same hours are counted together."""
    paused = chats.c.paused_until > now
    wishes: Any = (chats.c.time_zone, chats.c.quiet_from, chats.c.quiet_to, chats.c.hot, paused)
    query = select(*wishes, func.count()).where(belongs(audience)).group_by(*wishes)
    readers = asleep = silent = off = 0
    for row in await connection.execute(query):
        zone, quiet_from, quiet_to, hot, resting, number = tuple(row)
        if hot == Hot.OFF:
            off += number
            continue
        readers += number
        quiet = None if quiet_from is None else (quiet_from, quiet_to)
        if resting or (hot != Hot.LOUD and in_quiet(now, quiet, zone)):
            asleep += number
        elif hot == Hot.SILENT:
            silent += number
    return Reach(readers=readers, asleep=asleep, silent=silent, off=off)
