"""Reading: /latest, /hot, /more, and the pages of every list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.calendar import when
from bot.core.card import clean, cut, headlines, plain_of
from bot.core.identity import canonical_link
from bot.core.model import Button, Link
from bot.core.tags import hashtag
from bot.telegram.handlers import find, rising
from bot.telegram.handlers.follow import understand
from bot.telegram.paging import MOST, View, place, turning

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Article
    from bot.telegram.desk import Desk, Turn

#: Articles of our archive that /more names at most.
RELATED = 50
#: Ten announcements of so many characters fit into a message with their times.
SHORT = 340
#: The tags of a list in a button's 64 bytes; a list of more tags is kept under a number.
LONGEST_KEY = 45


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("latest", desk.bind(latest)),
        CommandHandler("hot", desk.bind(hot)),
        CommandHandler(["more", "related"], desk.bind(more)),
        CallbackQueryHandler(desk.bind(press_latest), pattern=r"^latest:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_more), pattern=r"^more:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_rest), pattern=r"^rest:\d{1,18}:\d{1,4}$"),
        CallbackQueryHandler(desk.bind(press_page), pattern=rf"^list:(?:{'|'.join(_LISTS)}):[\d+]{{0,45}}:\d{{1,4}}$"),
    )


async def press_page(turn: Turn) -> None:
    """A page of a list, in the same message."""
    name, key, page = turn.args.split(":")
    view = await _LISTS[name](turn, key, int(page))
    if view is None:
        await turn.toast(turn.texts.text("This list is too old. Please ask again."), alert=True)
        return
    await turn.toast()
    await turn.edit(view.html, view.rows)


async def _show(turn: Turn, view: View | None) -> None:
    if view is not None:
        await turn.reply(view.html, view.rows)


# --------------------------------------------------------------------------- latest


async def latest(turn: Turn) -> None:
    """`/latest [#tag …]`: the newest articles, of any of the tags."""
    store, slugs = turn.desk.store, list[str]()
    if turn.args:
        parsed = await understand(turn, turn.args)
        slugs = list(dict.fromkeys(slug for spec in parsed.rules for slug in spec.wanted))
        if not slugs:
            await turn.reply(turn.texts.text("I found no tag in that. Example: /latest #nato"))
            return
    known = await store.articles.tag_ids(slugs)
    key = "+".join(str(number) for number in known.values())
    if slugs and not known:
        await turn.reply(_nothing_on(turn, slugs))
    elif len(key) <= LONGEST_KEY - len(turn.address):
        await _show(turn, await _latest(turn, key, 1))
    elif found := await store.articles.latest_ids(slugs, MOST):
        await find.show(turn, " ".join(map(turn.desk.label, slugs)), found)
    else:
        await turn.reply(_nothing_on(turn, slugs))


async def press_latest(turn: Turn) -> None:
    """The button under a new subscription."""
    await turn.toast()
    await _show(turn, await _latest(turn, turn.args, 1))


async def _latest(turn: Turn, key: str, page: int) -> View | None:
    """`key`: the numbers of the tags, `12+15`; none: of everything."""
    t, store = turn.texts, turn.desk.store
    numbers = [int(number) for number in key.split("+") if number and len(number) < 19]
    slugs = list((await store.articles.slugs_of(numbers)).values()) if numbers else []
    if key and not slugs:
        return None
    ids = await store.articles.latest_ids(slugs, MOST)
    if not ids and slugs:
        return View(_nothing_on(turn, slugs))
    if not ids:
        return View(t.text("No articles yet: the feeds are being read. Try again in a minute."))
    at = place(page, len(ids))
    heading = t.text("Latest on {tag}", tag=" ".join(map(turn.desk.label, slugs))) if slugs else t.text("Latest")
    html = _listed(turn, await store.articles.load(at.cut(ids)), heading)
    return View(html, turning(at, f"list:latest:{key}:"))


def _nothing_on(turn: Turn, slugs: Sequence[str]) -> str:
    tags = " ".join(map(turn.desk.label, slugs))
    return turn.texts.text("No article on {tags} yet. Follow it with /sub and it will come by itself.", tags=tags)


def _listed(turn: Turn, articles: Sequence[Article], heading: str, links: Sequence[Link] = ()) -> str:
    now, zone = turn.desk.clock(), turn.chat.time_zone
    return headlines(articles, now=now, time_zone=zone, heading=heading, links=links)


# --------------------------------------------------------------------------- hot


async def hot(turn: Turn) -> None:
    """`/hot`: what the editors sent to everyone."""
    await _show(turn, await _hot(turn, "", 1))


async def _hot(turn: Turn, _: str, page: int) -> View:
    t = turn.texts
    sent = await turn.desk.store.broadcasts.latest(turn.chat.id, MOST)
    if not sent:
        return View(t.text("No hot news yet. When the editors send some, you get it at once."))
    now, at, parts = turn.desk.clock(), place(page, len(sent)), [t.text("<b>Hot news</b>")]
    for broadcast in at.cut(sent):
        text = cut(clean(plain_of(broadcast.content.text_for(turn.texts.language))), SHORT)
        time = when(broadcast.started_at, now, turn.chat.time_zone)
        parts.append(t.text("{time} — {text}", time=time, text=text))
    return View("\n\n".join(parts), turning(at, "list:hot::"))


# --------------------------------------------------------------------------- the rest


async def press_rest(turn: Turn) -> None:
    """What a digest, or another message of many articles, had no room for."""
    view = await _rest(turn, turn.args.replace(":", "+"), 1)
    if view is None:
        await turn.toast(turn.texts.text("This list is too old. Please ask again."), alert=True)
        return
    await turn.toast()
    await _show(turn, view)


async def _rest(turn: Turn, key: str, page: int) -> View | None:
    """`key`: a row of the outbox that the message settled, and how many of its articles are shown there."""
    row, _, shown = key.partition("+")
    if not (row.isdigit() and len(row) < 19 and shown.isdigit()):
        return None
    ids = (await turn.desk.store.articles.sent_with(turn.place.id, int(row)))[int(shown) :]
    if not ids:
        return None
    at = place(page, len(ids))
    html = _listed(turn, await turn.desk.store.articles.load(at.cut(ids)), turn.texts.text("The rest"))
    return View(html, turning(at, f"list:rest:{key}:"))


# --------------------------------------------------------------------------- more


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
    await _show(turn, await _more(turn, data[0][5:], 1))


async def press_more(turn: Turn) -> None:
    """More about, on a card."""
    await turn.toast()
    await _show(turn, await _more(turn, turn.args, 1))


async def _more(turn: Turn, key: str, page: int) -> View:
    """`key`: the number of the article. First our own archive, then what its page names."""
    t, store = turn.texts, turn.desk.store
    article = await store.articles.get(int(key)) if key.isdigit() and len(key) < 19 else None
    found = await store.articles.related(article.id, RELATED) if article else []
    links = await store.articles.related_links(article.id) if article else []
    hot = [[Button(t.text("Make hot"), data=f"hot-article:{key}")]] if article and await _writes(turn) else []
    if article is None or not (found or links):
        return View(t.text("There is nothing more on this yet. What is new: /latest"), hot)
    ours = {canonical_link(one.link) for one in await store.articles.load(found)}
    others = [link for link in links if canonical_link(link.url) not in ours]
    at = place(page, len(found) + len(others))
    shown: Sequence[int | Link] = at.cut([*found, *others])
    tags = " ".join(hashtag(tag.slug) for tag in [tag for tag in article.tags if tag.public][:4])
    articles = await store.articles.load([one for one in shown if isinstance(one, int)])
    named = [one for one in shown if isinstance(one, Link)]
    html = _listed(turn, articles, t.text("More about {tags}", tags=tags), named)
    return View(html, [*turning(at, f"list:more:{key}:"), *hot])


async def _writes(turn: Turn) -> bool:
    """Whether the asker may make hot news of an article here."""
    return turn.private and await turn.role() is not None


_LISTS: dict[str, Callable[[Turn, str, int], Awaitable[View | None]]] = {
    "latest": _latest,
    "hot": _hot,
    "more": _more,
    "rest": _rest,
    "rise": rising.view,
    "find": find.view,
}
