"""The desk that every chat command is answered at: who asks, where, in which language, and how to answer.

A handler is a function of a `Turn`. `Desk.bind` makes the library's callback of it: it records the chat, finds its
language, and answers a person even when the handler fails.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

import structlog
from telegram import CallbackQuery, LinkPreviewOptions, Message, ReplyKeyboardMarkup, ReplyKeyboardRemove, Update
from telegram import Chat as TelegramChat
from telegram.constants import ChatMemberStatus, ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.core.broadcast import NewsroomRules
from bot.core.model import Chat, ChatKind
from bot.core.roles import Role
from bot.core.tags import hashtag, is_source
from bot.telegram.fresh import Fresh
from bot.telegram.patience import Answer, Patience
from bot.telegram.sender import keyboard
from bot.telegram.texts import Texts, choose, speak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from telegram import Bot
    from telegram.ext import ContextTypes

    from bot.core.model import Button
    from bot.core.thesaurus import Thesaurus
    from bot.pipeline.ports import Clock
    from bot.pipeline.roster import Roster
    from bot.pipeline.scout import Scout
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store
    from bot.telegram.trends import Trends

    type_rows = Sequence[Sequence[Button]]

log = structlog.get_logger(__name__)
#: How long Telegram's word on who administrates a chat is taken.
STANDING_MS = 60_000
#: Commands that are never about a channel, whichever is managed: what they do concerns everybody.
OF_THE_NEWSROOM = frozenset(
    {"broadcast", "hotnews", "feeds", "addfeed", "delfeed", "stats", "audit", "admins", "channels", "start"}
)
#: The beginning of a button's data that is about a channel: `at:ID:...`; ADDRESSED holds the id while it is answered.
AT = "at"
#: Bytes of a button's data; one with more fails its whole message (core.telegram.org/bots/api#inlinekeyboardbutton).
MAX_DATA = 64
ADDRESSED: ContextVar[int] = ContextVar("ADDRESSED", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One update that awaits an answer."""

    desk: Desk
    update: Update
    place: Chat  #: where it is answered
    chat: Chat  #: whose news and settings it is about: the place, or a channel that is managed from there
    thread_id: int
    user_id: int
    texts: Texts
    args: str  #: what stands after the command, or the data after the first `:` of a button

    @property
    def query(self) -> CallbackQuery | None:
        """The button that was pressed, if one was."""
        return self.update.callback_query

    @property
    def message(self) -> Message | None:
        """The message that was written, or that carries the pressed button, if Telegram still shows it to us."""
        message = self.update.effective_message
        return message if isinstance(message, Message) else None

    @property
    def private(self) -> bool:
        """Whether it is answered in a private chat."""
        return self.place.kind is ChatKind.PRIVATE

    @property
    def managing(self) -> bool:
        """Whether it is about a channel, and answered in a private chat."""
        return self.chat.id != self.place.id

    @property
    def address(self) -> str:
        """What stands before the data of every button that is about a managed channel; "" where none is managed."""
        return f"{AT}:{self.chat.id}:" if self.managing else ""

    @property
    def quiet(self) -> bool:
        """Whether answers make no sound: readers of a channel did not ask for them."""
        return self.place.kind is ChatKind.CHANNEL

    async def reply(
        self,
        html: str,
        rows: type_rows = (),
        *,
        below: ReplyKeyboardMarkup | ReplyKeyboardRemove | None = None,
        preview: bool = False,
        addressed: bool = True,
    ) -> Message:
        """Answer with a message of its own; `below` stands instead of its buttons, under the field one writes in.

        What is about a channel says so, unless not `addressed`.
        """
        bot = self.update.get_bot()
        html, rows = self._addressed(html, rows) if addressed else (html, rows)
        return await bot.send_message(
            self.place.id,
            html,
            parse_mode=ParseMode.HTML,
            message_thread_id=self.thread_id or None,
            link_preview_options=LinkPreviewOptions(is_disabled=not preview),
            disable_notification=self.quiet or None,
            reply_markup=below or keyboard(rows),
        )

    async def edit(self, html: str, rows: type_rows = ()) -> None:
        """Answer a button by changing the message under it; a message that cannot be changed gets a new one."""
        if self.query is None or self.message is None:
            await self.reply(html, rows)
            return
        said, below = self._addressed(html, rows)
        try:
            await self.message.edit_text(
                said,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=keyboard(below),
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                await self.reply(html, rows)

    def _addressed(self, html: str, rows: type_rows) -> tuple[str, type_rows]:
        """The channel's name at the top of what is about it, and its id on the buttons that have room for it."""
        if not self.managing:
            return html, rows
        title = escape(self.chat.title or str(self.chat.id), quote=False)
        mine = [[one if one.url else replace(one, data=self.address + one.data) for one in row] for row in rows]
        held = [[one for one in row if len(one.data.encode()) <= MAX_DATA] for row in mine]
        return f"<b>{title}</b>\n{html}", [row for row in held if row]

    async def toast(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a button's press; a press too old to be answered is no fault."""
        if self.query is not None:
            try:
                await self.query.answer(text[:200] or None, show_alert=alert)
            except BadRequest as error:
                log.info("callback.too_old", detail=error.message)

    @property
    def own(self) -> Turn:
        """The same, about the place itself, whatever channel is managed from there."""
        return replace(self, chat=self.place)

    async def may_manage(self) -> bool:
        """Whether the asker may change what this chat gets: anybody in private, else its administrators."""
        if self.private:
            return True  # of a channel it was asked as the turn began
        message = self.message
        if self.query is None and message and message.sender_chat and message.sender_chat.id == self.chat.id:
            return True  # who posts in a channel, or writes anonymously as the group, is an administrator of it
        return await self.administrates(self.chat.id)

    async def administrates(self, chat_id: int) -> bool:
        """Whether the asker administrates that chat, by Telegram's word of the last minute."""
        return await self.desk.administrates(self.update.get_bot(), chat_id, self.user_id)

    @property
    def is_admin(self) -> bool:
        """Whether the configuration names the asker as an admin of this service."""
        return self.user_id in self.desk.admins

    async def role(self) -> Role | None:
        """What the asker is in the newsroom, asked anew each time: a button can be old or forged (telegram.md 2.3)."""
        return Role.ADMIN if self.is_admin else await self.desk.store.staff.role(self.user_id)

    async def admit(self, needed: Role) -> bool:
        """Whether somebody of this role asks, in private; says so when not, and logs who tried."""
        role = await self.role()
        if role and role.covers(needed) and self.private:
            return True
        log.warning("newsroom.refused", user=self.user_id, chat=self.chat.id, needed=needed.value)
        t = self.texts
        if role and role.covers(needed):
            said = t.text("This is done in a private chat with me.")
        elif role:
            said = t.text("Your role in the newsroom does not allow this. An admin can change it: /admins")
        else:
            said = t.text("Only the newsroom can do this. What I can do: /help")
        await (self.toast(said, alert=True) if self.query else self.reply(said))
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What handlers work with."""

    store: Store
    tagger: Tagger
    roster: Roster
    scout: Scout
    clock: Clock
    admins: frozenset[int]
    on_queued: Callable[[], None]
    time_zone: str
    language: str
    max_rules: int
    trends: Trends
    newsroom: NewsroomRules = field(default_factory=NewsroomRules)
    #: What is wrong with a web address; "" where it answers. Nothing is asked unless the service says how.
    probe: Callable[[str], Awaitable[str]] | None = None
    patience: Patience = field(default_factory=Patience)
    #: Who administrates which chat, by (chat, person): a storm of presses is one question to Telegram.
    standing: Fresh[tuple[int, int], bool] = field(default_factory=lambda: Fresh(STANDING_MS))

    @property
    def sources(self) -> Mapping[str, str]:
        """Titles of the feeds that can be followed whole, by name."""
        return self.roster.titles

    @property
    def thesaurus(self) -> Thesaurus:
        """Which spellings are one tag."""
        return self.tagger.lexicon.thesaurus

    def source(self, typed: str) -> str:
        """The feed that a typed name means, in any case; "" when there is none."""
        wanted = typed.casefold().rstrip(".,")
        return next((name for name in self.sources if name.casefold() == wanted), "")

    def label(self, term: str) -> str:
        """A tag as a hashtag, a source by its title."""
        return self.sources.get(term[1:], term) if is_source(term) else hashtag(term)

    async def administrates(self, bot: Bot, chat_id: int, user_id: int) -> bool:
        """Whether somebody administrates a chat, by Telegram's word of the last minute."""
        who, now = (chat_id, user_id), self.clock()
        known = self.standing.get(who, now)
        if known is None:
            try:
                member = await bot.get_chat_member(chat_id, user_id)
                known = member.status in {ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR}
            except (BadRequest, Forbidden):
                known = False
            self.standing.put(who, known, now)
        return known

    def bind(
        self, handler: Callable[[Turn], Awaitable[None]]
    ) -> Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]:
        """The library's callback for `handler`."""

        async def callback(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
            answer = self._take(update)
            turn = await self.turn(update) if answer is not Answer.NOT else None
            if turn is None:
                return
            try:
                await (handler(turn) if answer is Answer.GLADLY else _calm(turn))
            except Exception:
                await self._apologise(turn)
                raise

        return callback

    def _take(self, update: Update) -> Answer:
        """Whether what a person writes is answered; buttons, channels and what Telegram tells are not counted."""
        message = update.message
        if message and message.is_automatic_forward:
            return Answer.NOT  # a channel's post that Telegram copies to its group: answered in the channel
        # Who writes as a group or channel has no number of their own: Telegram gives all of them the same.
        author = (message.sender_chat or message.from_user) if message and message.text else None
        if author is None or author.id in self.admins:
            return Answer.GLADLY
        return self.patience.ask(author.id, self.clock())

    async def turn(self, update: Update) -> Turn | None:
        """The turn of an update; None for one that has no chat to answer in."""
        place = update.effective_chat
        if place is None:
            return None
        user = update.effective_user
        language = choose(user.language_code) if user and user.language_code else self.language
        chat = await self.store.chats.upsert(
            Chat(
                id=place.id,
                kind=ChatKind(place.type),
                title=_title(place),
                language=language,
                time_zone=self.time_zone,
            ),
            self.clock(),
        )
        target = await self._target(update, chat, user.id if user else 0)
        if target is None:
            return None
        message = update.effective_message
        topic = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
        return Turn(
            desk=self,
            update=update,
            place=chat,
            chat=target,
            thread_id=topic or 0,
            user_id=user.id if user else 0,
            texts=speak(chat.language),
            args=_args(update),
        )

    async def _target(self, update: Update, place: Chat, user_id: int) -> Chat | None:
        """What an update is about: its own chat, or the channel that is managed there; None: one that may not be."""
        query = update.callback_query
        wanted = ADDRESSED.get() if query else place.manages if self.clock() < place.manages_until else 0
        if not wanted or place.kind is not ChatKind.PRIVATE or _command(update) in OF_THE_NEWSROOM:
            return place
        channel = await self.store.chats.get(wanted)
        if channel and channel.active and await self.administrates(update.get_bot(), wanted, user_id):
            return channel
        await self.store.managers.choose(place.id, 0, 0)
        log.warning("channel.refused", user=user_id, chat=wanted)
        said = speak(place.language).text(
            "You do not look after that channel any more, so nothing was changed. What you send here is for your own "
            "chat again."
        )
        if query:
            await query.answer(said[:200], show_alert=True)
        else:
            await update.get_bot().send_message(place.id, said, parse_mode=ParseMode.HTML)
        return None

    async def _apologise(self, turn: Turn) -> None:
        """Say that it failed; the fault itself goes to the log."""
        try:
            await turn.toast()
            await turn.reply(
                turn.texts.text("That did not work, and it is our fault. What you follow is kept. Please try again.")
            )
        except TelegramError as error:
            log.warning("apology.failed", detail=str(error))


async def _calm(turn: Turn) -> None:
    await turn.reply(
        turn.texts.text(
            "That was a lot at once. What you follow is kept, and alerts come as ever. I answer again in a minute."
        )
    )


def _title(place: TelegramChat) -> str:
    return place.title or place.full_name or place.username or ""


def _command(update: Update) -> str:
    """The command of a message, as it is named; "" for anything else."""
    text = (update.message.text if update.message else None) or ""
    return text.split(maxsplit=1)[0][1:].partition("@")[0].lower() if text.startswith("/") else ""


def _args(update: Update) -> str:
    if update.callback_query:
        return (update.callback_query.data or "").partition(":")[2]
    text = update.effective_message.text if update.effective_message else None
    if not text or not text.startswith("/"):
        return text or ""
    return text.partition(" ")[2].strip() if "\n" not in text.partition(" ")[0] else text.partition("\n")[2].strip()
