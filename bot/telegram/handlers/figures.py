"""The service in numbers and pictures: /stats."""

from __future__ import annotations

import math
from datetime import date
from html import unescape
from typing import TYPE_CHECKING

from telegram import InputFile
from telegram.constants import ChatAction
from telegram.ext import CommandHandler

from bot.charts import Chart, Series, draw_all
from bot.core.attention import local_day
from bot.core.calendar import local
from bot.core.feedstate import Health
from bot.core.roles import Role
from bot.core.tags import hashtag, is_source
from bot.telegram.handlers.feeds import spell_health
from bot.telegram.texts import html_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.store.days import Speed
    from bot.store.stats import Stats
    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

#: Days that are shown, as long as the outbox is kept.
SHOWN_DAYS = 30
TOP = 10
LONGEST_LABEL = 18


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The command of this module."""
    return (CommandHandler("stats", desk.bind(stats)),)


async def stats(turn: Turn) -> None:
    """`/stats`: the counts at once, then the pictures that there are figures for."""
    if not await turn.admit(Role.EDITOR):
        return
    found = await turn.desk.store.stats.collect(turn.desk.clock())
    await turn.reply(_told(turn.texts, found))
    bot = turn.update.get_bot()
    await bot.send_chat_action(turn.user_id, ChatAction.UPLOAD_PHOTO)
    made = await charts(turn)
    for chart, picture in zip(made, await draw_all(made) if made else (), strict=True):
        await bot.send_photo(turn.user_id, InputFile(picture, filename="stats.png"), caption=chart.title)


async def charts(turn: Turn) -> list[Chart]:
    """Readers and follows, alerts by day, what is followed most, and how long alerts took."""
    t, desk = turn.texts, turn.desk
    now, zone = desk.clock(), desk.time_zone
    today = local_day(now, zone)
    since = today - SHOWN_DAYS + 1
    offset = local(now, zone).utcoffset()
    shift = round(offset.total_seconds() * 1000) if offset else 0
    made = [*await _counted(turn, since)]
    alerts = await desk.store.days.alerts(since, shift)
    if alerts:
        first = min(alerts)
        shown = range(first, today + 1)
        values = tuple(float(alerts.get(day, 0)) for day in shown)
        title, unit = _plain(t.text("Alerts by day")), _plain(t.text("alerts"))
        made.append(Chart(title=title, labels=_labels(shown), series=(Series(values=values),), kind="bars", unit=unit))
    if top := await desk.store.days.top_tags(TOP):
        labels = tuple((desk.label(slug) if is_source(slug) else hashtag(slug))[:LONGEST_LABEL] for slug, _ in top)
        series = (Series(values=tuple(float(number) for _, number in top)),)
        title, unit = _plain(t.text("Followed most")), _plain(t.text("chats"))
        made.append(Chart(title=title, labels=labels, series=series, kind="bars", unit=unit))
    if speeds := await desk.store.days.speeds(since, shift):
        made.append(_speed(t, speeds))
    return made


async def _counted(turn: Turn, since: int) -> list[Chart]:
    """What is kept by the day; a line needs two."""
    t, counted = turn.texts, await turn.desk.store.days.counted(since)
    if len(counted) < 2:
        return []
    labels = _labels([one.day for one in counted])
    shown = (
        (t.text("Readers"), t.text("chats"), [one.readers for one in counted]),
        (t.text("Follows"), t.text("rules"), [one.follows for one in counted]),
    )
    return [
        Chart(
            title=_plain(title),
            labels=labels,
            series=(Series(values=tuple(map(float, values))),),
            unit=_plain(unit),
        )
        for title, unit, values in shown
    ]


def _speed(t: Texts, speeds: Sequence[Speed]) -> Chart:
    """Bars where there are few days, which no line would show."""
    minutes = 60_000
    series = tuple(
        Series(values=tuple(_share(one.spans, share) / minutes for one in speeds), name=_plain(name))
        for share, name in ((0.5, t.text("half of them within")), (0.95, t.text("95 % within")))
    )
    return Chart(
        title=_plain(t.text("From publication to alert")),
        labels=_labels([one.day for one in speeds]),
        series=series,
        kind="line" if len(speeds) > 2 else "bars",
        unit=_plain(t.text("minutes")),
    )


def _share(spans: Sequence[int], share: float) -> float:
    return float(spans[math.ceil(share * len(spans)) - 1])


def _labels(days: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{date.fromordinal(day):%d.%m}" for day in days)


def _plain(html: str) -> str:
    return unescape(html)


def _told(t: Texts, found: Stats) -> str:
    feeds = [f"{spell_health(t, Health(name))} {number}" for name, number in found.feeds.items() if number]
    sent, queue = found.deliveries_24h, found.queue
    lines = [
        t.text("<b>The service in numbers</b>"),
        t.text(
            "Readers: {active}, and {inactive} who left", active=found.chats["active"], inactive=found.chats["inactive"]
        ),
        t.text("Follows: {n}", n=found.subscriptions),
        t.text("Articles: {n}", n=found.articles),
        t.text("Feeds: {feeds}", feeds=", ".join(feeds) or "0"),
        t.text("Waiting in the queue: {n}", n=queue.get("queued", 0) + queue.get("claimed", 0)),
        t.text(
            "Last 24 hours: {sent} sent, {dropped} dropped, {parked} given up",
            sent=sent.get("sent", 0),
            dropped=sent.get("dropped", 0),
            parked=sent.get("parked", 0),
        ),
    ]
    if found.alerts_s:
        lines.append(
            t.text(
                "From publication to alert: half within {median} min, 95 % within {p95} min",
                median=_minutes(found.alerts_s["published_to_sent_median"]),
                p95=_minutes(found.alerts_s["published_to_sent_p95"]),
            )
        )
    lines += [f"⚠️ {html_of(which)}: {html_of(why[:200])}" for which, why in found.last_errors.items()]
    return "\n".join(lines)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}".removesuffix(".0")
