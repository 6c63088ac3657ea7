"""Sends cards, and is the one place that knows what Telegram's errors mean (telegram.md 1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.core.model import Fate, Lane, Outcome
from bot.pipeline.ports import at_will
from bot.telegram.pacing import NeverLeftError, bulk, seconds
from bot.telegram.request import BrokenError, NotSentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram.ext import ExtBot

    from bot.core.model import Button, Card
    from bot.pipeline.ports import Leave
    from bot.telegram.pacing import Pace

#: What a 400 means, by a part of its description in lower case; the first that fits.
REFUSALS = (
    ("chat not found", Fate.UNREACHABLE),
    ("user not found", Fate.UNREACHABLE),
    ("peer_id_invalid", Fate.UNREACHABLE),
    ("group chat was deactivated", Fate.UNREACHABLE),
    ("message to edit not found", Fate.NO_MESSAGE),
    ("message to delete not found", Fate.NO_MESSAGE),
    ("message_id_invalid", Fate.NO_MESSAGE),
    ("message can't be edited", Fate.FIXED),
    ("no text in the message to edit", Fate.FIXED),
    ("no caption in the message to edit", Fate.FIXED),
    ("message_edit_time_expired", Fate.FIXED),
    ("message can't be deleted", Fate.FIXED),
    ("message_delete_forbidden", Fate.FIXED),
    ("message thread not found", Fate.NO_THREAD),
    ("topic_closed", Fate.NO_THREAD),
    ("topic_deleted", Fate.NO_THREAD),
    ("not enough rights", Fate.NO_RIGHTS),
    ("need administrator rights", Fate.NO_RIGHTS),
    ("have no write access", Fate.NO_RIGHTS),
    # Capitals are the words of Telegram's inner servers, which pass through; what a chat's admins can change.
    ("chat_write_forbidden", Fate.NO_RIGHTS),
    ("chat_send_plain_forbidden", Fate.NO_RIGHTS),
    ("chat_admin_required", Fate.NO_RIGHTS),
    ("chat_restricted", Fate.NO_RIGHTS),
    ("can't parse entities", Fate.BAD_MARKUP),
    ("is too long", Fate.TOO_LONG),
    ("message is not modified", Fate.NOT_MODIFIED),
    # A button whose address Telegram does not take must not cost the reader the news.
    ("button url", Fate.BAD_MARKUP),
    ("button_url_invalid", Fate.BAD_MARKUP),
)
#: `sendMessage` on the wire. So spelt, the library takes it for a method it does not know, and hands Telegram's answer
#: on as it is: the objects of `send_message`, of which we need one number, cost more than the rest of a message.
SEND, SEND_PHOTO = "send_Message", "send_Photo"
EDIT, EDIT_CAPTION = "edit_Message_Text", "edit_Message_Caption"
DELETE = "delete_Message"


def keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    """The library's keyboard; None for no buttons."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(b.label, url=b.url or None, callback_data=b.data or None) for b in row] for row in rows]
    )


class Sender:
    """Sends cards on behalf of the outbox; with `paid_broadcast` at up to 1000/s, which Telegram charges for."""

    def __init__(self, bot: ExtBot[Pace], *, paid_broadcast: bool = False) -> None:
        self._bot = bot
        self._paid = paid_broadcast or None

    async def send(
        self,
        chat_id: int,
        thread_id: int,
        card: Card,
        *,
        plain: bool = False,
        lane: Lane = Lane.ALERT,
        leave: Leave = at_will,
    ) -> Outcome:
        """Send a card and say what became of it; with `plain`, as text without markup and link buttons."""
        content = {
            **_content(chat_id, card, plain=plain),
            "message_thread_id": thread_id or None,
            "disable_notification": card.silent or None,
            "allow_paid_broadcast": self._paid,
        }
        if card.photo:
            content["photo"] = card.photo
        if card.replies_to:
            content["reply_parameters"] = {"message_id": card.replies_to, "allow_sending_without_reply": True}
        method = SEND_PHOTO if card.photo else SEND
        try:
            message = await self._bot.do_api_request(method, api_kwargs=content, rate_limit_args=bulk(lane, leave))
        except (TelegramError, NeverLeftError) as error:
            return classify(error)
        return Outcome(fate=Fate.SENT, message_id=message["message_id"])

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        card: Card,
        *,
        plain: bool = False,
        lane: Lane = Lane.EDIT,
        leave: Leave = at_will,
    ) -> Outcome:
        """Make a message of ours this card, which makes no sound, and say what became of it."""
        content = {**_content(chat_id, card, plain=plain), "message_id": message_id}
        return await self._change(EDIT_CAPTION if card.photo else EDIT, content, lane, leave)

    async def delete(self, chat_id: int, message_id: int, *, lane: Lane = Lane.HOT, leave: Leave = at_will) -> Outcome:
        """Take a message of ours away, and say what became of it; Telegram allows that for 48 hours."""
        return await self._change(DELETE, {"chat_id": chat_id, "message_id": message_id}, lane, leave)

    async def _change(self, method: str, content: dict[str, Any], lane: Lane, leave: Leave) -> Outcome:
        try:
            await self._bot.do_api_request(method, api_kwargs=content, rate_limit_args=bulk(lane, leave))
        except (TelegramError, NeverLeftError) as error:
            return classify(error)
        return Outcome(fate=Fate.SENT)


def _content(chat_id: int, card: Card, *, plain: bool) -> dict[str, Any]:
    rows = [[b for b in row if not (plain and b.url)] for row in card.buttons]
    markup = [[_button(b) for b in row] for row in rows if row]
    said = card.plain if plain else card.html
    return {
        "chat_id": chat_id,
        **({"caption": said} if card.photo else {"text": said}),
        "parse_mode": None if plain else ParseMode.HTML,
        **({} if card.photo else {"link_preview_options": {"is_disabled": not card.preview}}),
        "reply_markup": {"inline_keyboard": markup} if markup else None,
    }


def _button(button: Button) -> dict[str, Any]:
    return {"text": button.label} | ({"url": button.url} if button.url else {"callback_data": button.data})


def classify(error: TelegramError | NeverLeftError) -> Outcome:
    """What a library exception means. BadRequest and TimedOut are NetworkErrors there, so they are asked first.

    A call that never left is one too, whether a stop found it waiting or its row was another's: it goes back as it was.
    """
    if isinstance(error, NeverLeftError):
        return Outcome(fate=Fate.UNSENT, detail="it never left")
    detail = error.message[:200]
    match error:
        case RetryAfter():
            return Outcome(fate=Fate.FLOOD, retry_after=seconds(error), detail=detail)
        case ChatMigrated():
            return Outcome(fate=Fate.MIGRATED, moved_to=error.new_chat_id, detail=detail)
        case InvalidToken() | EndPointNotFound():  # a 401 or 404, by which of the library's ways the call went
            return Outcome(fate=Fate.UNAUTHORISED, detail="Telegram refuses this token")
        case Forbidden():
            return Outcome(fate=Fate.UNREACHABLE, detail=detail)
        case BadRequest():
            said = error.message.lower()
            fate = next((fate for part, fate in REFUSALS if part in said), Fate.REJECTED)
            return Outcome(fate=fate, detail=detail)
        case NotSentError():
            return Outcome(fate=Fate.UNSENT, detail=detail)
        case TimedOut() | BrokenError():
            return Outcome(fate=Fate.UNKNOWN, detail=detail)
        case NetworkError():
            return Outcome(fate=Fate.SERVER, detail=detail)  # a bare one is how the library says 5xx
        case _:
            return Outcome(fate=Fate.REJECTED, detail=detail)
