"""The state of the local Telegram: people, groups, messages, updates. What the Bot API allows stands in `methods`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.playground.chats import ChatState, Numbers, UnknownError, member_of
from bot.playground.files import Files
from bot.playground.html import detect
from bot.playground.params import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

BOT: dict[str, Any] = {
    "id": 7000000001, "is_bot": True, "first_name": "Tagwire", "username": "tagwire_bot",
    "can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True,
}  # fmt: skip
FORBIDDEN = 403  #: what a bot is told whom a person does not hear


class Telegram:
    """People write to the bot; the bot's calls change chats; whoever listens is told."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.bot = BOT  #: what getMe tells
        self.users: dict[int, dict[str, Any]] = {}
        self.about: dict[int, dict[str, str]] = {}  #: what no bot is told: a person's part, and the zone of their clock
        self.chats: dict[int, ChatState] = {}
        self.updates: list[dict[str, Any]] = []
        self.allowed: frozenset[str] = frozenset()  #: kinds of updates; empty: all
        self.callbacks: dict[str, dict[str, Any]] = {}  #: answers to presses by id; empty ones wait
        self.presses: dict[str, dict[str, int]] = {}  #: where and whose they are, by the same id
        self.inline: dict[str, dict[str, Any]] = {}  #: answers to inline queries by id; empty ones wait
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.files = Files()
        self.changed = asyncio.Condition()
        self.listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        #: What was numbered last: users and chats have numbers for good.
        self.numbers = {
            "user": Numbers(1000), "group": Numbers(), "update": Numbers(), "callback": Numbers(), "inline": Numbers(),
        }  # fmt: skip

    # -- people

    def add_user(
        self, first_name: str, language_code: str = "en", *, part: str = "", time_zone: str = "Europe/Kyiv"
    ) -> int:
        """A person; their id is also that of their private chat with the bot. Raises ValueError for an unknown zone."""
        about = {"part": part, "time_zone": _zone(time_zone)}
        user_id = next(self.numbers["user"])
        self.users[user_id] = {
            "id": user_id, "is_bot": False, "first_name": first_name, "language_code": language_code,
        }  # fmt: skip
        self.about[user_id] = about
        self.chats[user_id] = ChatState(user_id, "private", first_name)
        self.tell({"type": "user", "id": user_id})
        return user_id

    def change_user(self, user_id: int, *, language_code: str = "", time_zone: str = "") -> None:
        """Another language of a person's app, or zone of their clock. Raises UnknownError and ValueError."""
        user = self._user(user_id)
        if time_zone:
            self.about[user_id]["time_zone"] = _zone(time_zone)
        if language_code:
            self.users[user_id] = {**user, "language_code": language_code}
        self.tell({"type": "user", "id": user_id})

    def add_group(self, title: str, *, forum: bool = False, supergroup: bool = True, admin: int | None = None) -> int:
        """A group that the bot is in; `admin` may manage it. Raises UnknownError."""
        admins = set() if admin is None else {self._user(admin)["id"]}
        number = next(self.numbers["group"])
        chat_id = -(1_000_000_000_000 + number) if supergroup else -number
        kind = "supergroup" if supergroup else "group"
        self.chats[chat_id] = ChatState(chat_id, kind, title, forum, admins=admins)
        self.membership(chat_id, "left", "member", admin)
        return chat_id

    def add_channel(self, title: str, *, admin: int) -> int:
        """A channel that the bot posts in; `admin` may post too. Raises UnknownError."""
        admins = {self._user(admin)["id"]}
        chat_id = -(1_000_000_000_000 + next(self.numbers["group"]))
        self.chats[chat_id] = ChatState(chat_id, "channel", title, admins=admins)
        self.membership(chat_id, "left", "administrator", admin)
        return chat_id

    def add_topic(self, chat_id: int, name: str) -> int:
        """A topic of a forum; its id is that of the message that opens it. Raises UnknownError."""
        chat = self.chat(chat_id)
        if not chat.forum:
            raise UnknownError(f"chat {chat_id} has no topics")
        opened = self.new_message(chat, self._person(chat, None), {"forum_topic_created": {"name": name}})
        chat.topics[opened["message_id"]] = name
        self.tell({"type": "chat", "id": chat_id})
        return int(opened["message_id"])

    def chat(self, chat_id: int) -> ChatState:
        """A chat. Raises UnknownError."""
        try:
            return self.chats[chat_id]
        except KeyError:
            raise UnknownError(f"there is no chat {chat_id}") from None

    def say(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        thread_id: int | None = None,
        reply_to: int | None = None,
        entities: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """A person writes; returns the message. Raises UnknownError."""
        chat = self.chat(chat_id)
        sender = self._writer(chat, user_id)
        if len(text) > MAX_TEXT:
            raise UnknownError(f"a message has {MAX_TEXT} characters at most")
        answered = self.message(chat_id, reply_to) if reply_to is not None else None
        content = {"text": text, "entities": detect(text, entities or []), "reply_to_message": answered}
        message = self.new_message(chat, sender, content, thread_id)
        if chat.type != "channel":
            self.update({"message": message})
            return message
        # A post is the channel's; Telegram does not tell who wrote it.
        post = {key: value for key, value in message.items() if key != "from"}
        self.update({"channel_post": {**post, "sender_chat": chat.shown()}})
        return message

    def share_location(self, chat_id: int, latitude: float, longitude: float) -> dict[str, Any]:
        """A person shows in their private chat where they are; returns the message. Raises UnknownError."""
        chat = self.chat(chat_id)
        content = {"location": {"latitude": latitude, "longitude": longitude}}
        message = self.new_message(chat, self._writer(chat, None), content)
        self.update({"message": message})
        return message

    def press(self, chat_id: int, message_id: int, data: str, user_id: int | None = None) -> str:
        """A person presses a button, a forged one too; returns the id of the callback. Raises UnknownError."""
        chat = self.chat(chat_id)
        person = self._person(chat, user_id)
        callback_id = str(next(self.numbers["callback"]))
        query = {
            "id": callback_id,
            "from": person,
            "message": self.message(chat_id, message_id),
            "chat_instance": str(chat_id),
            "data": data,
        }
        self.callbacks[callback_id] = {}
        self.presses[callback_id] = {"chat_id": chat_id, "user_id": person["id"]}
        self.update({"callback_query": query})
        return callback_id

    def ask_inline(self, user_id: int, text: str, offset: str = "") -> str:
        """A person types `@bot text` in some chat; returns the id of the query. Raises UnknownError."""
        user = self._user(user_id)
        query_id = str(next(self.numbers["inline"]))
        self.inline[query_id] = {}
        query = {"id": query_id, "from": user, "query": text[:256], "offset": offset}
        self.update({"inline_query": query})
        return query_id

    def choose_inline(self, query_id: str, result_id: str, chat_id: int, user_id: int) -> dict[str, Any]:
        """The person sends one of the results to a chat; returns the message. Raises UnknownError."""
        results = self.inline.get(query_id, {}).get("results", [])
        chosen = next((one for one in results if one["id"] == result_id), None)
        if chosen is None:
            raise UnknownError(f"there is no result {result_id} of the query {query_id}")
        chat = self.chat(chat_id)
        content = {key: chosen[key] for key in ("text", "entities", "reply_markup")}
        return self.new_message(chat, self._person(chat, user_id), {**content, "via_bot": self.bot})

    def _person(self, chat: ChatState, user_id: int | None) -> dict[str, Any]:
        chosen = user_id or (chat.id if chat.type == "private" else next(iter(chat.admins), None))
        if chat.type == "private" and chosen != chat.id:
            raise UnknownError(f"user {chosen} has no part in the private chat of {chat.id}")
        return self._user(chosen)

    def _user(self, user_id: int | None) -> dict[str, Any]:
        if user_id is None or user_id not in self.users:
            raise UnknownError(f"there is no user {user_id}")
        return self.users[user_id]

    def _writer(self, chat: ChatState, user_id: int | None) -> dict[str, Any]:
        """A person whom Telegram lets write there."""
        person = self._person(chat, user_id)
        if chat.moved_to is not None:
            raise UnknownError(f"chat {chat.id} is the supergroup {chat.moved_to} now")
        if chat.type == "private" and chat.refusal and chat.refusal[0] == FORBIDDEN:
            raise UnknownError(f"user {chat.id} has blocked the bot, or is gone")
        if chat.type == "channel" and person["id"] not in chat.admins:
            raise UnknownError(f"user {person['id']} may not post in channel {chat.id}")
        return person

    # -- chats and the bot

    def block(self, chat_id: int) -> None:
        """A person blocks the bot."""
        self._refuse(chat_id, (FORBIDDEN, "Forbidden: bot was blocked by the user"), "member", "kicked")

    def unblock(self, chat_id: int) -> None:
        """A person lets the bot write again, or a group adds it again."""
        self.chat(chat_id).refusal = None
        self.membership(chat_id, "kicked", "member")

    def deactivate(self, chat_id: int) -> None:
        """A person's account is gone; Telegram tells nobody."""
        self.chat(chat_id).refusal = (FORBIDDEN, "Forbidden: user is deactivated")

    def kick(self, chat_id: int) -> None:
        """A group throws the bot out."""
        kind = self.chat(chat_id).type
        self._refuse(chat_id, (FORBIDDEN, f"Forbidden: bot was kicked from the {kind} chat"), "member", "kicked")

    def restrict(self, chat_id: int) -> None:
        """A group forbids the bot to write."""
        said = "Bad Request: not enough rights to send text messages to the chat"
        self.chat(chat_id).refusal = (400, said)

    def migrate(self, chat_id: int) -> int:
        """A group becomes a supergroup, and a service message in each says so (Bot API, Message); its new id."""
        old = self.chat(chat_id)
        new_id = -(1_000_000_000_000 + next(self.numbers["group"]))
        new = self.chats[new_id] = ChatState(new_id, "supergroup", old.title, admins=set(old.admins))
        actor = self._actor(next(iter(old.admins), None))
        self.update({"message": self.new_message(old, actor, {"migrate_to_chat_id": new_id})})
        self.update({"message": self.new_message(new, actor, {"migrate_from_chat_id": chat_id})})
        old.moved_to = new_id
        self.tell({"type": "chat", "id": new_id})
        return new_id

    def _refuse(self, chat_id: int, refusal: tuple[int, str], before: str, after: str) -> None:
        self.chat(chat_id).refusal = refusal
        self.membership(chat_id, before, after)

    def membership(self, chat_id: int, before: str, after: str, by: int | None = None) -> None:
        """Tell the bot that its place in a chat changed."""
        chat = self.chat(chat_id)
        member = {"chat": chat.shown(), "from": self._actor(by or chat_id), "date": self.now()}
        member |= {"old_chat_member": member_of(self.bot, before), "new_chat_member": member_of(self.bot, after)}
        self.update({"my_chat_member": member})
        self.tell({"type": "chat", "id": chat_id})

    def _actor(self, user_id: int | None) -> dict[str, Any]:
        """Who did something to a chat; anybody, where it is not known who."""
        return self.users.get(user_id or 0) or next(iter(self.users.values()), self.bot)

    # -- messages

    def new_message(
        self, chat: ChatState, sender: dict[str, Any], content: dict[str, Any], thread_id: int | None = None
    ) -> dict[str, Any]:
        """A message in a chat; what is empty of its content is left out, as Telegram does."""
        message: dict[str, Any] = {
            "message_id": next(chat.ids),
            "from": sender,
            "chat": chat.shown(),
            "date": self.now(),
            **{key: value for key, value in content.items() if value},
        }
        if thread_id:
            message |= {"message_thread_id": thread_id, "is_topic_message": True}
        chat.messages[message["message_id"]] = message
        if sender.get("is_bot"):
            chat.unread[thread_id or 0] += 1
        self.tell({"type": "message", "chat_id": chat.id, "message": message, "keyboard": chat.keyboard})
        return message

    def read(self, chat_id: int, thread_id: int = 0) -> None:
        """Somebody has looked at a chat. Raises UnknownError."""
        if self.chat(chat_id).unread.pop(thread_id, 0):
            self.tell({"type": "read", "chat_id": chat_id, "thread_id": thread_id})

    def now(self) -> int:
        """Telegram's clock, in whole seconds since the epoch."""
        return int(self._now())

    def message(self, chat_id: int, message_id: int) -> dict[str, Any]:
        """A message. Raises UnknownError."""
        try:
            return self.chat(chat_id).messages[message_id]
        except KeyError:
            raise UnknownError(f"there is no message {message_id} in chat {chat_id}") from None

    def messages(self, chat_id: int) -> list[dict[str, Any]]:
        """A chat's messages, oldest first."""
        return list(self.chat(chat_id).messages.values())

    # -- telling

    def update(self, content: dict[str, Any]) -> None:
        """An update that waits for the bot, if it is of a kind that the bot listens to."""
        if self.allowed and not self.allowed & content.keys():
            return
        self.updates.append({"update_id": next(self.numbers["update"]), **content})
        self.tell({"type": "update"})

    def tell(self, happening: dict[str, Any]) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            listener.put_nowait(happening)
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _zone(name: str) -> str:
    """The name itself. Raises ValueError for one that is no time zone."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None
