"""Reading: /latest, /hot, /more and their buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.calendar import when
from bot.core.card import MAX_TEXT, clean, cut, headlines, plain_of
from bot.core.identity import canonical_link
from bot.core.tags import hashtag
from bot.telegram.handlers.follow import understand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

PAGE = 10
RELATED = 5


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("latest", desk.bind(latest)),
        CommandHandler("hot", desk.bind(hot)),
        CommandHandler(["more", "related"], desk.bind(more)),
        CallbackQueryHandler(desk.bind(press_latest), pattern=r"^latest:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_more), pattern=r"^more:\d{1,18}$"),
    )


async def latest(turn: Turn) -> None:
    """`/latest [#tag …]`: the newest articles, of any of the tags."""
    slugs: list[str] = []
    if turn.args:
        parsed = await understand(turn, turn.args)
        slugs = list(dict.fromkeys(slug for spec in parsed.rules for slug in spec.wanted))
        if not slugs:
            await turn.reply(turn.texts.text("I found no tag in that. Example: /latest #nato"))
            return
    await turn.reply(await _newest(turn, slugs))


async def press_latest(turn: Turn) -> None:
    """The button under a new subscription."""
    slug = await turn.desk.store.articles.tag_slug(int(turn.args))
    await turn.toast()
    if slug is not None:
        await turn.reply(await _newest(turn, [slug]))


async def _newest(turn: Turn, slugs: Sequence[str]) -> str:
    t = turn.texts
    tags = " ".join(turn.desk.label(term) for term in slugs)
    articles = await turn.desk.store.articles.latest(slugs=slugs, limit=PAGE)
    if not articles and slugs:
        return t.text("No article on {tags} yet. Follow it with /sub and it will come by itself.", tags=tags)
    if not articles:
        return t.text("No articles yet: the feeds are being read. Try again in a minute.")
    heading = t.text("Latest on {tag}", tag=tags) if slugs else t.text("Latest")
    return headlines(articles, now=turn.desk.clock(), time_zone=turn.chat.time_zone, heading=heading)


async def hot(turn: Turn) -> None:
    """`/hot`: what the editors sent to everyone."""
    t = turn.texts
    sent = await turn.desk.store.broadcasts.latest(3)
    if not sent:
        await turn.reply(t.text("No hot news yet. When the editors send some, you get it at once."))
        return
    now, parts = turn.desk.clock(), [t.text("<b>Hot news</b>")]
    for broadcast in sent:
        at = when(broadcast.created_at, now, turn.chat.time_zone)
        text = cut(clean(plain_of(broadcast.html)), MAX_TEXT // 4)
        parts.append(t.text("{time} — {text}", time=at, text=text))
    await turn.reply("\n\n".join(parts))


async def more(turn: Turn) -> None:
    """`/more` in reply to an alert."""
    answered = turn.message.reply_to_message if turn.message else None
    markup = answered.reply_markup if answered else None
    data = [
        str(button.callback_data)
        for row in (markup.inline_keyboard if markup else ())
        for button in row
        if str(button.callback_data).startswith("more:")
    ]
    if not data or not data[0][5:].isdigit():
        await turn.reply(turn.texts.text("Send /more as a reply to an alert, or press its “More about” button."))
        return
    await turn.reply(await _related(turn, int(data[0][5:])))


async def press_more(turn: Turn) -> None:
    """More about, on a card."""
    await turn.toast()
    await turn.reply(await _related(turn, int(turn.args)))


async def _related(turn: Turn, article_id: int) -> str:
    t = turn.texts
    article = await turn.desk.store.articles.get(article_id)
    found = await turn.desk.store.articles.related(article_id, RELATED) if article else []
    links = await turn.desk.store.articles.related_links(article_id) if article else []
    if article is None or not (found or links):
        return t.text("There is nothing more on this yet.")
    tags = " ".join(hashtag(tag.slug) for tag in article.tags[:4])
    ours = {canonical_link(one.link) for one in found}
    more = [link for link in links if canonical_link(link.url) not in ours]
    return headlines(
        found,
        now=turn.desk.clock(),
        time_zone=turn.chat.time_zone,
        heading=t.text("More about {tags}", tags=tags),
        links=more[: PAGE - len(found)],
    )
