"""What Telegram's errors mean, as the local Telegram words them and the library hands them on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.core.model import Button, Fate
from bot.telegram.request import BrokenError, NotSentError
from bot.telegram.sender import classify, keyboard


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (Forbidden("Forbidden: bot was blocked by the user"), Fate.UNREACHABLE),
        (Forbidden("Forbidden: user is deactivated"), Fate.UNREACHABLE),
        (Forbidden("Forbidden: bot was kicked from the supergroup chat"), Fate.UNREACHABLE),
        (BadRequest("Chat not found"), Fate.UNREACHABLE),
        (BadRequest("PEER_ID_INVALID"), Fate.UNREACHABLE),
        (BadRequest("Message thread not found"), Fate.NO_THREAD),
        (BadRequest("TOPIC_CLOSED"), Fate.NO_THREAD),
        (BadRequest("Not enough rights to send text messages to the chat"), Fate.NO_RIGHTS),
        (BadRequest("CHAT_WRITE_FORBIDDEN"), Fate.NO_RIGHTS),
        (BadRequest("CHAT_SEND_PLAIN_FORBIDDEN"), Fate.NO_RIGHTS),
        (BadRequest("CHAT_ADMIN_REQUIRED"), Fate.NO_RIGHTS),
        (BadRequest("CHAT_RESTRICTED"), Fate.NO_RIGHTS),
        (BadRequest("Can't parse entities: unsupported start tag"), Fate.BAD_MARKUP),
        (BadRequest("Inline keyboard button URL 'http://x' is invalid: Wrong HTTP URL"), Fate.BAD_MARKUP),
        (BadRequest("Message is too long"), Fate.TOO_LONG),
        (BadRequest("Text is too long"), Fate.TOO_LONG),
        (BadRequest("Message is not modified: specified new message content"), Fate.NOT_MODIFIED),
        (ChatMigrated(-100500), Fate.MIGRATED),
        (RetryAfter(9), Fate.FLOOD),
        (InvalidToken(), Fate.UNAUTHORISED),
        (NotSentError("no connection"), Fate.UNSENT),
        (BrokenError("the connection broke"), Fate.UNKNOWN),
        (TimedOut(), Fate.UNKNOWN),
        (NetworkError("Bad Gateway"), Fate.SERVER),
        (Conflict("Conflict"), Fate.REJECTED),
        (TelegramError("?"), Fate.REJECTED),
    ],
)
def test_every_error_has_one_meaning(error: TelegramError, fate: Fate) -> None:
    assert classify(error).fate is fate


def test_what_goes_with_it() -> None:
    assert classify(ChatMigrated(-100500)).moved_to == -100500
    assert classify(RetryAfter(9)).retry_after == 9
    assert classify(RetryAfter(timedelta(seconds=1.5))).retry_after == 2


def test_a_keyboard() -> None:
    assert keyboard([]) is None
    made = keyboard([[Button("Read", url="https://e.org"), Button("More", data="more:1")]])
    assert made is not None
    assert [(b.text, b.url, b.callback_data) for b in made.inline_keyboard[0]] == [
        ("Read", "https://e.org", None),
        ("More", None, "more:1"),
    ]
