"""Cards: an article or an announcement, made ready for one reader.

HTML in Telegram's dialect (telegram.md 1.4): `& < >` escaped in text, quotes too in an address; nothing is cut inside
an entity or a word, because plain text is cut first and dressed afterwards. Lengths are code points, as Telegram counts
them for bots (telegram.md 1.2).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape, unescape
from typing import TYPE_CHECKING

from bot.core.calendar import clock_time, when
from bot.core.model import Button, Card
from bot.core.tags import hashtag, is_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.broadcast import Broadcast
    from bot.core.model import Article, Link, Millis, Notice

    Rows = tuple[tuple[Button, ...], ...]

MAX_TEXT = 4096
MAX_CAPTION = 1024
#: What Telegram reads before it parses anything; Cyrillic and many long addresses can reach it (telegram.md 1.2).
MAX_RAW_BYTES = 32_768
#: Title 700 + summary 280 + source line 200 + 24 tags of at most 66 stay well under MAX_TEXT whatever a feed sends.
MAX_TITLE = 700
MAX_SUMMARY = 280
MAX_SOURCE = 120
MAX_TAGS = 24
#: Telegram reads at most 32 768 raw bytes; an address longer than this is no address a reader could use.
MAX_LINK = 2048
#: A sentence end: the mark, then a space and the start of another sentence; not the dot of an abbreviation ("U.S. ").
_SENTENCE_END = re.compile(r"(?<=\w\w\w)[.!?…]+[\"»”’)]*(?=\s+[\"«“‘(]?[A-ZА-ЯЄІЇҐ0-9])")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Words:
    """What a card says in the reader's language."""

    read: str
    more_about: str
    unfollow: str
    mute: Callable[[str], str]  #: of a hashtag
    minutes: Callable[[int], str]  #: "1 min read"
    notice: Callable[[Notice], str]  #: as HTML
    catch_up: Callable[[int], str]  #: over so many alerts that waited
    digest: Callable[[int], str]  #: over so many alerts that were put off
    more_on: Callable[[int, str], str]  #: over the rest of a burst: so many more on a hashtag
    not_shown: Callable[[int], str]  #: under a list that is cut
    show_rest: str = ""  #: the button to what was cut
    recalled: str = ""  #: in place of hot news that was taken back
    corrected: Callable[[str], str] = str  #: "Corrected 17:20", under hot news
    choices: Callable[[Notice], Rows] = lambda _: ()  #: the buttons below a notice that asks


def clean(text: str) -> str:
    """One line of text: white space folded, control and direction-override characters dropped."""
    folded = " ".join(text.split())
    return "".join(char for char in folded if unicodedata.category(char) not in {"Cc", "Cs"} and char not in _OVERRIDES)


#: Characters that turn the reading direction of what follows: a headline must not rewrite the line below it.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def cut(text: str, limit: int) -> str:
    """`text` within `limit` characters: whole sentences where they fill at least half, else whole words and `…`."""
    if len(text) <= limit:
        return text
    head = text[:limit]  # what is left out is marked, which takes a character
    ends = [match.end() for match in _SENTENCE_END.finditer(text[: limit + 3]) if match.end() <= limit]
    if ends and ends[-1] >= limit // 2:
        return text[: ends[-1]]
    space = head.rfind(" ")
    return head[: space if space > limit // 2 else limit - 1].rstrip(" ,;:–—-") + "…"


def plain_of(html: str) -> str:
    """The text of a piece of Telegram's HTML."""
    return unescape(_TAG.sub("", html))


def alert(
    article: Article,
    *,
    matched: Sequence[str],
    time_zone: str,
    words: Words,
    matched_tag_id: int | None,
    label: str = "",
) -> Card:
    """The card of one article, as CONTRACT.md draws it.

    Args:
        article: what happened.
        matched: the reader's terms that it bears; the tags among them come first on the tag line.
        time_zone: the reader's, an IANA name.
        words: the reader's language.
        matched_tag_id: the term that the buttons mute and unfollow; None: the card has no such buttons.
        label: a line above the headline for a card that is not news just in ("Latest on #nato").
    """
    title = f"<b>{_linked(article.title, article.link)}</b>"
    about = [article.source and cut(clean(article.source), MAX_SOURCE), clock_time(article.published_at, time_zone)]
    if article.minutes is not None:
        about.append(words.minutes(article.minutes))
    tags = [*(term for term in matched if not is_source(term)), *(tag.slug for tag in article.tags if tag.public)]
    lines = [
        escape(clean(label), quote=False),
        title,
        escape(cut(clean(article.summary), MAX_SUMMARY), quote=False),
        escape(" · ".join(filter(None, about)), quote=False),
        " ".join(hashtag(slug) for slug in list(dict.fromkeys(tags))[:MAX_TAGS]),
    ]
    html = "\n".join(filter(None, lines))
    link = usable_link(article.link)
    plain = cut(plain_of(html), MAX_TEXT - len(link) - 1) + (f"\n{link}" if link else "")
    return Card(html=html, plain=plain, buttons=_buttons(article, link, matched, matched_tag_id, words))


def _buttons(
    article: Article, link: str, matched: Sequence[str], matched_tag_id: int | None, words: Words
) -> tuple[tuple[Button, ...], ...]:
    first = [Button(words.read, url=link)] if link else []
    first.append(Button(words.more_about, data=f"more:{article.id}"))
    rows = [tuple(first)]
    if matched_tag_id is not None and matched:
        mute = words.mute(hashtag(matched[0]))
        rows.append(
            (Button(mute, data=f"mute:{matched_tag_id}"), Button(words.unfollow, data=f"drop:{matched_tag_id}"))
        )
    return tuple(rows)


def announcement(html: str, buttons: Rows = (), photo: str = "") -> Card:
    """Hot news as its editor wrote it; `html` is already Telegram's dialect, made from the author's entities."""
    plain = cut(plain_of(html), MAX_CAPTION if photo else MAX_TEXT)
    return Card(html=html, plain=plain, preview=True, buttons=buttons, photo=photo)


def hot(broadcast: Broadcast, *, language: str, time_zone: str, words: Words) -> Card:
    """Hot news for one reader: in their language where there is one, with the time at which that text was corrected."""
    html = broadcast.content.text_for(language)
    if at := broadcast.corrected.get(broadcast.content.speaks(language)):
        html += f"\n\n<i>{words.corrected(clock_time(at, time_zone))}</i>"
    return announcement(html, photo=broadcast.content.photo)


def _newest(article: Article) -> tuple[Millis, int]:
    """What a card of many is ordered by; what is behind its button too (`store.articles.sent_with`)."""
    return article.published_at, article.id


def catch_up(articles: Sequence[Article], *, now: Millis, time_zone: str, words: Words, rest: str = "") -> Card:
    """One card for alerts that waited while nothing could be sent, newest first.

    What does not fit is counted, and has a button: `rest` and how many are shown.
    """
    newest = sorted(articles, key=_newest, reverse=True)
    parts = [f"<b>{words.catch_up(len(newest))}</b>"]
    parts += _listed(newest, now, time_zone, MAX_TEXT - len(plain_of(parts[0])) - 64)  # leaves room for the last line
    shown = len(parts) - 1
    if shown < len(newest):
        parts.append(words.not_shown(len(newest) - shown))
    plain = "\n\n".join(f"{clean(article.title)}\n{usable_link(article.link)}".strip() for article in newest[:shown])
    buttons = _to_rest(words, rest, shown, len(newest))
    return Card(html="\n\n".join(parts), plain=cut(f"{plain_of(parts[0])}\n\n{plain}", MAX_TEXT), buttons=buttons)


def _to_rest(words: Words, rest: str, shown: int, total: int) -> Rows:
    return ((Button(words.show_rest, data=f"{rest}{shown}"),),) if shown < total and rest else ()


def digest(articles: Sequence[tuple[str, Article]], *, heading: str, words: Words, rest: str = "") -> Card:
    """One card for alerts that were put off, (why, what) each: a linked line each under its tag, newest first.

    What does not fit is counted, and has a button: `rest` and how many are shown.
    """
    newest = sorted(articles, key=lambda one: _newest(one[1]), reverse=True)
    heading = f"<b>{heading}</b>"
    room, raw = MAX_TEXT - len(plain_of(heading)) - 64, MAX_RAW_BYTES - 4 * MAX_TITLE
    groups: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    shown = 0
    for term, article in newest:
        line = f"• {_linked(article.title, article.link, 160)}"
        above = f"<b>{escape(hashtag(term), quote=False)}</b>"
        cost = line if term in groups else f"{above}\n{line}\n"
        room, raw = room - len(plain_of(cost)) - 1, raw - len(cost.encode()) - 1
        if min(room, raw) < 0:
            break
        groups.setdefault(term, [above]).append(line)
        plain.setdefault(term, [hashtag(term)]).append(f"• {clean(article.title)}\n{usable_link(article.link)}".strip())
        shown += 1
    parts = [heading, *("\n".join(lines) for lines in groups.values())]
    if shown < len(newest):
        parts.append(words.not_shown(len(newest) - shown))
    text = "\n\n".join([plain_of(heading), *("\n".join(lines) for lines in plain.values())])
    buttons = _to_rest(words, rest, shown, len(newest))
    return Card(html="\n\n".join(parts), plain=cut(text, MAX_TEXT), buttons=buttons)


def headlines(
    articles: Sequence[Article], *, now: Millis, time_zone: str, heading: str, links: Sequence[Link] = ()
) -> str:
    """A list of articles, one linked headline each, then bare links, as HTML within Telegram's limits."""
    title = f"<b>{escape(heading, quote=False)}</b>"
    return "\n\n".join([title, *_listed(articles, now, time_zone, MAX_TEXT - len(heading), links)])


def _listed(
    articles: Sequence[Article], now: Millis, time_zone: str, room: int, links: Sequence[Link] = ()
) -> list[str]:
    """As many of the articles, then of the links, as fit into `room` characters, and what Telegram reads."""
    parts: list[str] = []
    raw = MAX_RAW_BYTES - 4 * MAX_TITLE  # what stands above and below
    entries = [
        f"{_linked(article.title, article.link, 160)}\n{_origin(article, now, time_zone)}" for article in articles
    ]
    for part in (*entries, *(_linked(link.title, link.url, 160) for link in links)):
        room -= len(plain_of(part)) + 2
        raw -= len(part.encode()) + 2
        if min(room, raw) < 0:
            break
        parts.append(part)
    return parts


def _origin(article: Article, now: Millis, time_zone: str) -> str:
    about = filter(None, [cut(clean(article.source), 60), when(article.published_at, now, time_zone)])
    return escape(" · ".join(about), quote=False)


def usable_link(link: str) -> str:
    """`link` if it is an address that a button may carry, else an empty string."""
    return link if link.startswith(("http://", "https://")) and len(link) <= MAX_LINK else ""


def _linked(text: str, address: str, limit: int = MAX_TITLE) -> str:
    title = escape(cut(clean(text), limit), quote=False)
    link = usable_link(address)
    return f'<a href="{escape(link, quote=True)}">{title}</a>' if link else title
