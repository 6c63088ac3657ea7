"""The state of the local Telegram in a file, so that a demo goes on where it was left."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from bot.playground.chats import ChatState, Numbers
from bot.playground.files import File

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Protocol

    from bot.playground.telegram import Telegram

    class Part(Protocol):
        """Something else whose state is kept, as JSON."""

        def saved(self) -> Any:
            """What is to be kept."""

        def restore(self, saved: Any) -> None:
            """Go on from what was kept."""


VERSION = 1
#: A burst of changes is one write.
PAUSE_S = 1.0


class KeepError(Exception):
    """The file cannot be read or written; the text says which and why."""


class Keeper:
    """Keeps a Telegram, and `parts` by name, in `path`; as a context manager it writes what changes."""

    def __init__(self, path: Path, telegram: Telegram, parts: Mapping[str, Part]) -> None:
        self._path, self._telegram, self._parts = path, telegram, parts
        self._writing: asyncio.Task[None] | None = None

    def read(self) -> bool:
        """Go on from the file; False when there is none yet. Raises KeepError."""
        try:
            saved = json.loads(self._path.read_text("utf-8"))
            if saved["version"] != VERSION:
                raise KeepError(f"{self._path}: written by another version; choose another file")
            restore(self._telegram, saved["telegram"])
            for name, part in self._parts.items():
                part.restore(saved[name])
        except FileNotFoundError:
            return False
        except OSError as error:
            raise KeepError(f"{self._path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeepError(f"{self._path}: this is no state of the playground; choose another file") from None
        return True

    def write(self) -> None:
        """Replace the file, whole. Raises KeepError."""
        parts = {name: part.saved() for name, part in self._parts.items()}
        saved = {"version": VERSION, "telegram": snapshot(self._telegram), **parts}
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(json.dumps(saved, ensure_ascii=False), "utf-8", errors="replace")
            new.replace(self._path)
        except OSError as error:
            raise KeepError(f"{self._path}: {error.strerror}") from None

    async def __aenter__(self) -> Self:
        self.write()  # what cannot be written is said at the start
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._telegram.listeners.add(queue)
        self._writing = asyncio.create_task(self._write_changes(queue))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        self.write()

    async def _write_changes(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        try:
            while True:
                await queue.get()
                await asyncio.sleep(PAUSE_S)
                while not queue.empty():
                    queue.get_nowait()
                self.write()
        finally:
            self._telegram.listeners.discard(queue)


def snapshot(telegram: Telegram) -> dict[str, Any]:
    """Everything that a local Telegram holds, as JSON."""
    return {
        "users": list(telegram.users.values()),
        "about": list(telegram.about.items()),
        "chats": [_chat_saved(chat) for chat in telegram.chats.values()],
        "updates": telegram.updates,
        "commands": [[*key, commands] for key, commands in telegram.commands.items()],
        "files": [asdict(file) | {"content": base64.b64encode(file.content).decode()} for file in telegram.files],
        "last": {name: numbers.last for name, numbers in telegram.numbers.items()},
    }


def restore(telegram: Telegram, saved: dict[str, Any]) -> None:
    """Fill an empty Telegram. Raises KeyError, TypeError or ValueError for what is no snapshot."""
    telegram.users = {user["id"]: user for user in saved["users"]}
    telegram.about = dict(saved["about"])
    telegram.chats = {chat["id"]: _chat(chat) for chat in saved["chats"]}
    telegram.updates = saved["updates"]
    telegram.commands = {(scope, language): commands for scope, language, commands in saved["commands"]}
    for file in saved["files"]:
        content = base64.b64decode(file["content"])
        telegram.files.add(File(**{**file, "content": content, "size": tuple(file["size"])}))
    for name, last in saved["last"].items():
        telegram.numbers[name].last = last


def _chat_saved(chat: ChatState) -> dict[str, Any]:
    return {
        "id": chat.id,
        "type": chat.type,
        "title": chat.title,
        "forum": chat.forum,
        "refusal": chat.refusal,
        "moved_to": chat.moved_to,
        "keyboard": chat.keyboard,
        "messages": list(chat.messages.values()),
        "admins": sorted(chat.admins),
        "topics": list(chat.topics.items()),
        "closed_topics": sorted(chat.closed_topics),
        "unread": list(chat.unread.items()),
        "last_id": chat.ids.last,
    }


def _chat(saved: dict[str, Any]) -> ChatState:
    read = {
        "messages": {message["message_id"]: message for message in saved["messages"]},
        "admins": set(saved["admins"]),
        "closed_topics": set(saved["closed_topics"]),
        "topics": dict(saved["topics"]),
        "unread": Counter(dict(saved["unread"])),
        "refusal": tuple(saved["refusal"]) if saved["refusal"] else None,
    }
    plain = {key: value for key, value in saved.items() if key != "last_id"}
    return ChatState(**{**plain, **read, "ids": Numbers(saved["last_id"])})
