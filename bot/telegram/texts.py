"""Every word the bot says, in the reader's language.

English stands in the code as the message id; Ukrainian in `locales/uk/LC_MESSAGES/tagwire.po`, read as it is:
translators edit text, and no compiled file can be older than its source. Plurals follow the catalogue's own rule.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from html import escape, unescape
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.core import hours
from bot.core.attention import NIGHTS
from bot.core.card import Words
from bot.core.model import Button, Notice, NoticeCode

LOCALES = Path(__file__).parent.parent / "locales"
DEFAULT = "en"
LANGUAGES = {"en": "English", "uk": "Українська"}


#: What else people call them, in either; `ua` is what many take for the code.
_NAMES = {"ua": "uk", "ukrainian": "uk", "eng": "en", "англійська": "en"}


def named(typed: str) -> str:
    """The language that somebody types, by its code or its name; "" for one that is not spoken."""
    wanted = typed.strip().casefold()
    spoken = {name.casefold(): code for code, name in LANGUAGES.items()}
    return wanted if wanted in LANGUAGES else (spoken | _NAMES).get(wanted, "")


def choose(language_code: str | None) -> str:
    """The language to speak with somebody whose Telegram speaks `language_code`."""
    code = (language_code or "").split("-")[0].lower()
    return code if code in LANGUAGES else DEFAULT


class Texts:
    """The words of one language. `text` and `plural` fill `{names}` and escape what they fill in for HTML."""

    def __init__(self, language: str, translations: NullTranslations) -> None:
        self.language = language
        self._translations = translations

    def text(self, message: str, /, **values: object) -> str:
        """The translation of `message`, its placeholders filled in."""
        return _fill(self._translations.gettext(message), values)

    def plain(self, message: str, /, **values: object) -> str:
        """The same for where Telegram shows no HTML: labels of buttons, and the answers to their presses."""
        return unescape(self.text(message, **values))

    def plural(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The form of the message that goes with `number`, which fills `{n}`."""
        return _fill(self._translations.ngettext(one, many, number), {"n": number, **values})

    def words(self) -> Words:
        """What a card says."""
        return Words(
            read=self.text("Read"),
            more_about=self.text("More about"),
            unfollow=self.text("Unfollow"),
            mute=lambda tag: self.plain("Mute {tag}", tag=tag),
            minutes=lambda n: self.plural("{n} min read", "{n} min read", n),
            notice=self.notice,
            choices=self.choices,
            catch_up=lambda n: self.plural("{n} alert waited for you", "{n} alerts waited for you", n),
            digest=lambda n: self.plural("Digest: {n} article", "Digest: {n} articles", n),
            more_on=lambda n, tag: self.plural("{n} more on {tag}", "{n} more on {tag}", n, tag=tag),
            not_shown=lambda n: self.plural("and {n} more", "and {n} more", n),
            show_rest=self.text("Show the rest"),
            recalled=self.text("This hot news was taken back by the newsroom."),
            corrected=lambda time: self.text("Corrected {time}", time=time),
        )

    def notice(self, notice: Notice) -> str:
        """What people are told that is no news, as HTML."""
        said = {
            NoticeCode.FAILING: self.text("The feed {feed} does not answer as it should: {detail}", **_parts(notice)),
            NoticeCode.GONE: self.text(
                "The feed {feed} is gone for good and will not be asked any more: {detail}", **_parts(notice)
            ),
            NoticeCode.FROZEN: self.text(
                "The feed {feed} answers, but has published nothing for three weeks.", **_parts(notice)
            ),
            NoticeCode.MANY: self.text(
                "Several feeds fail: {detail}. If all do, it may be our own network. More: /feeds", **_parts(notice)
            ),
            NoticeCode.QUEUE: self.text(
                "Alerts wait: the oldest has been due for {detail} min. Sending works, but does not keep up.",
                **_parts(notice),
            ),
            NoticeCode.TOKEN: self.text("Telegram refused the bot's token: nothing could be sent or answered."),
            NoticeCode.DISK: self.text(
                "The disk of the database is nearly full: {detail} are free. Full, nothing can be stored or sent.",
                **_parts(notice),
            ),
            NoticeCode.MOVED: self.text(
                "The feed {feed} has moved to {detail}, and is asked there. If it stands in feeds.toml, please change "
                "its address.",
                **_parts(notice),
            ),
            NoticeCode.MERGED: self.text(
                "The feed {feed} has moved to the address of {detail}; only that one is asked now.", **_parts(notice)
            ),
            NoticeCode.TOPIC: self.text(
                "A topic that gets alerts here is closed or gone: they come outside it now. "
                "Administrators can reopen it, or send /sub in another."
            ),
            NoticeCode.QUIET: self.text(
                "That alert came at night. Shall I keep quiet then? What waits comes in the morning, as one message. "
                "Your own hours: /quiet 22:30-06:45"
            ),
        }
        what = said[notice.code] if notice.code in said else self._of_newsroom(notice)
        return self.text("[Fixed {time}] {what}", time=notice.fixed, what=Html(what)) if notice.fixed else what

    def _of_newsroom(self, notice: Notice) -> str:
        """What people of the newsroom are told about hot news."""
        about = {
            NoticeCode.APPROVE: self.text(
                "Hot news waits for a second person: please look at it, and approve it or not."
            ),
            NoticeCode.APPROVED: self.text("Your hot news was approved and goes out."),
            NoticeCode.RETURNED: self.text("Your hot news was not approved: it is a draft again."),
            NoticeCode.CANCELLED: self.text("Your hot news was cancelled: nothing of it went out."),
            NoticeCode.LATE: self.text(
                "Hot news was due while I was not running, over a quarter of an hour ago. It was not sent and is a "
                "draft again."
            ),
        }.get(notice.code)
        if about:
            return about
        return self.text("Hot news goes out without a second person. {detail}", **_parts(notice))

    def choices(self, notice: Notice) -> tuple[tuple[Button, ...], ...]:
        """The buttons below what asks something."""
        if notice.code in {NoticeCode.APPROVE, NoticeCode.RETURNED, NoticeCode.LATE}:
            return ((Button(self.text("Look at it"), data=f"hot-open:{notice.detail}"),),)
        if notice.alarm_id and not notice.fixed:
            mute = Button(self.text("Mute 8 h"), data=f"alarm:{notice.alarm_id}:8h")
            return ((mute, Button(self.text("Mute 1 week"), data=f"alarm:{notice.alarm_id}:1w")),)
        if notice.code is not NoticeCode.QUIET:
            return ()
        nights = [Button("–".join(map(hours.spell, one)), data=f"set:qquiet={one[0]}-{one[1]}") for one in NIGHTS]
        return tuple(nights), (Button(self.text("No quiet hours"), data="set:qquiet=off"),)


def _parts(notice: Notice) -> dict[str, str]:
    return {"feed": notice.feed, "detail": notice.detail}


class Html(str):
    """Text that is HTML already: filled in as it is."""

    __slots__ = ()


def _fill(message: str, values: dict[str, object]) -> str:
    return message.format(**{name: html_of(value) for name, value in values.items()})


def html_of(value: object) -> str:
    """`value` as HTML: escaped, unless it is HTML already."""
    return value if isinstance(value, Html) else escape(str(value), quote=False)


@cache
def speak(language: str) -> Texts:
    """The words of `language`, or of English where it is not spoken."""
    chosen = choose(language)
    return Texts(chosen, _catalogue(chosen))


def words(language: str) -> Words:
    """The words of a card in `language`."""
    return speak(language).words()


def _catalogue(language: str) -> NullTranslations:
    path = LOCALES / language / "LC_MESSAGES" / "tagwire.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
