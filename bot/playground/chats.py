"""What the local Telegram keeps of a chat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

#: Of an administrator.
RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_promote_members",
    "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories",
    "can_post_messages", "can_edit_messages",
)  # fmt: skip


class UnknownError(Exception):
    """There is no such chat, user or message, or Telegram does not let a person do that; the text says which."""


class Numbers:
    """1, 2, 3, ...: ids that nobody gets twice; `last` is the one that was given last."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def __next__(self) -> int:
        self.last += 1
        return self.last


@dataclass
class ChatState:
    """A chat, as Telegram keeps it."""

    id: int
    type: str
    title: str
    forum: bool = False
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    refusal: tuple[int, str] | None = None  #: what the bot is told when it writes here
    moved_to: int | None = None
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)  #: below the field that people write in
    topics: dict[int, str] = field(default_factory=dict)  #: names by thread id; empty: any thread is taken
    closed_topics: set[int] = field(default_factory=set)
    unread: Counter[int] = field(default_factory=Counter)  #: the bot's messages nobody has seen, by thread
    ids: Numbers = field(default_factory=Numbers)

    def shown(self) -> dict[str, Any]:
        """As in an update."""
        chat: dict[str, Any] = {"id": self.id, "type": self.type}
        chat["first_name" if self.type == "private" else "title"] = self.title
        return chat | ({"is_forum": True} if self.forum else {})

    def thread_exists(self, thread_id: int) -> bool:
        """Whether messages can be put there."""
        return not thread_id or (self.forum and (not self.topics or thread_id in self.topics))


def member_of(bot: dict[str, Any], status: str) -> dict[str, Any]:
    """A bot's place in a chat, as in an update."""
    member: dict[str, Any] = {"user": bot, "status": status}
    if status == "administrator":
        return member | {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(RIGHTS, True)
    return member | ({"until_date": 0} if status == "kicked" else {})
