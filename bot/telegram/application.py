"""The bot as one object: connect, talk, stop. What it says and does stands in `handlers/`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, NetworkError, TelegramError
from telegram.ext import Application, BaseUpdateProcessor, CommandHandler, ContextTypes, filters

from bot.core.roles import Role
from bot.pipeline.deliver import TokenRefusedError
from bot.telegram import menus
from bot.telegram.handlers import (
    acts,
    alarms,
    channels,
    feeds,
    figures,
    find,
    follow,
    groups,
    inline,
    manage,
    newfeeds,
    newsroom,
    people,
    picker,
    privacy,
    read,
    rising,
    settings,
    share,
    start,
    volumes,
)
from bot.telegram.pacing import PacingLimiter
from bot.telegram.request import HIDDEN, AiohttpRequest
from bot.telegram.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.core.pacing import Pacer
    from bot.telegram.desk import Desk
    from bot.telegram.pacing import Permits

log = structlog.get_logger(__name__)
#: What the handlers listen to; `my_chat_member` tells of blocks and must be asked for by name (telegram.md 1.6).
UPDATES = [
    Update.MESSAGE, Update.CHANNEL_POST, Update.CALLBACK_QUERY, Update.INLINE_QUERY, Update.MY_CHAT_MEMBER,
]  # fmt: skip
#: Where commands stand. The library's own default leaves channels out.
WRITTEN = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST
#: Chats answered at once.
CONVERSATIONS = 64


class InOrder(BaseUpdateProcessor):
    """Many chats at once, the updates of one chat one after another: `/unsub` never overtakes `/sub`."""

    def __init__(self) -> None:
        super().__init__(max_concurrent_updates=CONVERSATIONS)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Wait for the chat's turn; asyncio's lock is first come, first served."""
        place = (update.effective_chat or update.effective_user) if isinstance(update, Update) else None
        lock = self._turns.setdefault(place.id if place else 0, asyncio.Lock())
        async with lock:
            await coroutine

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""


class TelegramBot:
    """The bot's connection: `sender` delivers cards, and with a desk it also answers people by long polling.

    `in_flight` is how many cards are sent at once.
    """

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        pacer: Pacer,
        in_flight: int = 64,
        permits: Permits | None = None,
        proxy: str = "",
        paid_broadcast: bool = False,
    ) -> None:
        root = api_url.rstrip("/")
        # Room for what the outbox sends and for answers beside it; Telegram minds more than 1000 at once.
        calls = AiohttpRequest(token=token, connections=in_flight + CONVERSATIONS, proxy=proxy)
        updates = AiohttpRequest(token=token, connections=1, proxy=proxy)
        self._connections = (calls, updates)
        limiter = PacingLimiter(pacer, permits)
        self.recall = limiter.recall
        self._application = (
            Application.builder()
            .token(HIDDEN)  # the library prints it in reprs, logs and errors; the requests know the real one
            .base_url(f"{root}/bot")
            .base_file_url(f"{root}/file/bot")
            .request(calls)
            .get_updates_request(updates)
            .rate_limiter(limiter)
            .concurrent_updates(InOrder())
            .build()
        )
        self.sender = Sender(self._application.bot, paid_broadcast=paid_broadcast)
        self._desk: Desk | None = None

    def answer_at(self, desk: Desk) -> None:
        """Answer people's commands and buttons at `desk`, once `listen` is called."""
        self._desk = desk
        for module in (
            start,
            follow,
            picker,
            manage,
            settings,
            volumes,
            read,
            rising,
            find,
            share,
            newsroom,
            people,
            feeds,
            newfeeds,
            figures,
            acts,
            alarms,
            privacy,
            groups,
            channels,
            inline,
        ):
            for handler in module.handlers(desk):
                if isinstance(handler, CommandHandler):
                    handler.filters = WRITTEN
                self._application.add_handler(handler)
        self._application.add_handlers(list(start.last_resort(desk)))
        self._application.add_error_handler(_log_error)

    async def connect(self) -> None:
        """Sign in. Raises TokenRefusedError; waits for Telegram as long as the network is away."""
        pause = 1.0
        while True:
            try:
                await self._application.initialize()
            except InvalidToken:
                raise TokenRefusedError(
                    "TAGWIRE_TOKEN: Telegram refuses this token; copy it again from @BotFather"
                ) from None
            except NetworkError as error:
                log.warning("telegram.unreachable", detail=error.message, retry_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(60.0, pause * 2)
            else:
                return

    async def listen(self) -> None:
        """Answer people from now on."""
        updater = self._application.updater
        if updater is None:
            raise RuntimeError("the application was built without an updater")
        await self._application.start()
        await updater.start_polling(
            allowed_updates=UPDATES, bootstrap_retries=-1, error_callback=_log_polling_error, timeout=30
        )
        await self._register_menus()

    async def hush(self) -> None:
        """Answer nobody any more: finish the answers under way. `listen` may be called again."""
        updater = self._application.updater
        if updater is not None and updater.running:
            await updater.stop()
        if self._application.running:
            await self._application.stop()

    async def close(self) -> None:
        """Finish the answers under way and disconnect."""
        await self.hush()
        await self._application.shutdown()
        for connection in self._connections:
            await connection.shutdown()  # the library leaves them open when signing in failed

    async def _register_menus(self) -> None:
        """Telegram's command menus: readers' in each language, and with the newsroom of those who work in it."""
        desk = self._desk
        if desk is None:
            return
        bot = self._application.bot
        await menus.readers(bot)
        people = {member.user_id: member.role for member in await desk.store.staff.members()}
        for user_id, role in sorted((people | dict.fromkeys(desk.admins, Role.ADMIN)).items()):
            await menus.give(bot, user_id, role)


async def _log_error(_: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    error = context.error
    if isinstance(error, TelegramError):
        log.warning("answer.failed", error=type(error).__name__, detail=error.message)
    else:
        log.error("handler.defect", exc_info=error)


def _log_polling_error(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        # Two listen for a moment when one takes over, or another installation has this token: one of them goes on.
        log.info("updates.taken_elsewhere", detail=error.message)
        return
    log.warning("updates.failed", error=type(error).__name__, detail=error.message)
