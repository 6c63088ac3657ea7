"""The desk that every chat command is answered at: who asks, where, in which language, and how to answer.

A handler is a function of a `Turn`. `Desk.bind` makes the library's callback of it: it records the chat, finds its
language, and answers a person even when the handler fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from telegram import CallbackQuery, LinkPreviewOptions, Message, Update
from telegram import Chat as TelegramChat
from telegram.constants import ChatMemberStatus, ParseMode
from telegram.error import BadRequest, TelegramError

from bot.core.model import Chat, ChatKind
from bot.core.roles import Role
from bot.core.tags import hashtag, is_source
from bot.telegram.fresh import Fresh
from bot.telegram.patience import Answer, Patience
from bot.telegram.sender import keyboard
from bot.telegram.texts import Texts, choose, speak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One update that awaits an answer."""

    desk: Desk
    update: Update
    chat: Chat
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
        """Whether this is a private chat."""
        return self.chat.kind is ChatKind.PRIVATE

    @property
    def quiet(self) -> bool:
        """Whether answers make no sound: readers of a channel did not ask for them."""
        return self.chat.kind is ChatKind.CHANNEL

    async def reply(self, html: str, rows: type_rows = ()) -> None:
        """Answer with a message of its own."""
        bot = self.update.get_bot()
        await bot.send_message(
            self.chat.id,
            html,
            parse_mode=ParseMode.HTML,
            message_thread_id=self.thread_id or None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=self.quiet or None,
            reply_markup=keyboard(rows),
        )

    async def edit(self, html: str, rows: type_rows = ()) -> None:
        """Answer a button by changing the message under it; a message that cannot be changed gets a new one."""
        if self.query is None or self.message is None:
            await self.reply(html, rows)
            return
        try:
            await self.message.edit_text(
                html,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=keyboard(rows),
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                await self.reply(html, rows)

    async def toast(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a button's press; a press too old to be answered is no fault."""
        if self.query is not None:
            try:
                await self.query.answer(text[:200] or None, show_alert=alert)
            except BadRequest as error:
                log.info("callback.too_old", detail=error.message)

    async def may_manage(self) -> bool:
        """Whether the asker may change what this chat gets: anybody in private, else its administrators."""
        if self.private:
            return True
        message = self.message
        if self.query is None and message and message.sender_chat and message.sender_chat.id == self.chat.id:
            return True  # who posts in a channel, or writes anonymously as the group, is an administrator of it
        who, now = (self.chat.id, self.user_id), self.desk.clock()
        known = self.desk.standing.get(who, now)
        if known is None:
            known = await self._administrates()
            self.desk.standing.put(who, known, now)
        return known

    async def _administrates(self) -> bool:
        try:
            member = await self.update.get_bot().get_chat_member(self.chat.id, self.user_id)
        except BadRequest:
            return False
        return member.status in {ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR}

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
        message = update.effective_message
        topic = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
        return Turn(
            desk=self,
            update=update,
            chat=chat,
            thread_id=topic or 0,
            user_id=user.id if user else 0,
            texts=speak(chat.language),
            args=_args(update),
        )

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


def _args(update: Update) -> str:
    if update.callback_query:
        return (update.callback_query.data or "").partition(":")[2]
    text = update.effective_message.text if update.effective_message else None
    if not text or not text.startswith("/"):
        return text or ""
    return text.partition(" ")[2].strip() if "\n" not in text.partition(" ")[0] else text.partition("\n")[2].strip()
