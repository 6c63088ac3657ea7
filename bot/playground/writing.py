"""What the bot writes, changes and deletes in the local Telegram, with Telegram's own refusals (telegram.md 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.chats import UnknownError
from bot.playground.files import MAX_DOWNLOAD_BYTES
from bot.playground.params import ApiError, Params, as_json, caption_of, flag, markup_of, number, show_keyboard, text_of

if TYPE_CHECKING:
    from bot.playground.chats import ChatState
    from bot.playground.files import File
    from bot.playground.telegram import Telegram

#: A bot deletes no message that is older (core.telegram.org/bots/api#deletemessage).
DELETABLE_S = 48 * 60 * 60
MAX_DELETED = 100
_CONTENT = ("text", "entities", "caption", "caption_entities", "photo", "document")


class Writing:
    """The methods that write."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    # -- new messages

    async def send_message(self, params: Params) -> dict[str, Any]:
        """A text."""
        chat, thread = self._place(params)
        text, entities = text_of(params)
        more = {"link_preview_options": as_json(params, "link_preview_options")}
        return self._sent(chat, thread, params, {"text": text, "entities": entities, **more})

    async def send_photo(self, params: Params) -> dict[str, Any]:
        """A photo: uploaded, or by the id of one that was."""
        return self._send_file("photo", params)

    async def send_document(self, params: Params) -> dict[str, Any]:
        """A file: uploaded, or by the id of one that was."""
        return self._send_file("document", params)

    def _send_file(self, kind: str, params: Params) -> dict[str, Any]:
        chat, thread = self._place(params)
        caption, entities = caption_of(params)
        file = self._telegram.files.asked(kind, params, kind)
        content = {**file.as_content(), "caption": caption, "caption_entities": entities}
        return self._sent(chat, thread, params, content)

    def _sent(self, chat: ChatState, thread: int, params: Params, content: dict[str, Any]) -> dict[str, Any]:
        content |= {"reply_markup": markup_of(params), "reply_to_message": _replied(chat, params)}
        show_keyboard(chat, params)
        content |= {"silent": flag(params, "disable_notification")}
        return self._telegram.new_message(chat, self._telegram.bot, content, thread or None)

    async def send_chat_action(self, params: Params) -> bool:
        """`typing` and the like, which nobody sees here."""
        self.writable(params)
        return True

    def writable(self, params: Params) -> ChatState:
        """The chat of a call, where the bot may write. Raises ApiError."""
        try:
            chat = self._telegram.chat(number(params, "chat_id", 0))
        except UnknownError:
            raise ApiError(400, "Bad Request: chat not found") from None
        if chat.moved_to is not None:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, said, migrate_to_chat_id=chat.moved_to)
        if chat.refusal:
            raise ApiError(*chat.refusal)
        return chat

    def _place(self, params: Params) -> tuple[ChatState, int]:
        chat = self.writable(params)
        thread = number(params, "message_thread_id", 0)
        if not chat.thread_exists(thread):
            raise ApiError(400, "Bad Request: message thread not found")
        if thread in chat.closed_topics:
            raise ApiError(400, "Bad Request: TOPIC_CLOSED")
        return chat, thread

    # -- changes

    async def edit_text(self, params: Params) -> dict[str, Any]:
        """Another text."""
        message = self._editable(params)
        if "text" not in message:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        text, entities = text_of(params)
        preview = as_json(params, "link_preview_options")
        new = {"text": text, "entities": entities, "reply_markup": markup_of(params)}
        return self._edited(message, new, link_preview_options=preview)

    async def edit_caption(self, params: Params) -> dict[str, Any]:
        """Another text under a photo or file; none at all where none is given."""
        message = self._editable(params)
        if not {"photo", "document"} & message.keys():
            raise ApiError(400, "Bad Request: there is no caption in the message to edit")
        caption, entities = caption_of(params)
        same = {key: message.get(key) for key in ("photo", "document")}
        new = {"caption": caption, "caption_entities": entities, "reply_markup": markup_of(params)}
        return self._edited(message, {**same, **new})

    async def edit_media(self, params: Params) -> dict[str, Any]:
        """Another photo or file with its caption. A text may become one too (Bot API 7.9 and later)."""
        message = self._editable(params)
        file, media = self._telegram.files.media(params)
        caption, entities = caption_of(media)
        new = {"caption": caption, "caption_entities": entities, "reply_markup": markup_of(params)}
        return self._edited(message, {**file.as_content(), **new})

    async def edit_markup(self, params: Params) -> dict[str, Any]:
        """Other buttons."""
        message = self._editable(params)
        return self._edited(message, {key: message.get(key) for key in _CONTENT} | {"reply_markup": markup_of(params)})

    def _editable(self, params: Params) -> dict[str, Any]:
        chat = self.writable(params)
        wanted = number(params, "message_id", 0)
        if wanted <= 0:
            raise ApiError(400, "Bad Request: message identifier is not specified")
        message = chat.messages.get(wanted)
        if message is None:
            raise ApiError(400, "Bad Request: message to edit not found")
        if message["from"]["id"] != self._telegram.bot["id"]:
            raise ApiError(400, "Bad Request: message can't be edited")
        return message

    def _edited(self, message: dict[str, Any], new: dict[str, Any], **beside: Any) -> dict[str, Any]:
        keys = (*_CONTENT, "reply_markup")
        if all((message.get(key) or None) == (new.get(key) or None) for key in keys):
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        for key, value in {**dict.fromkeys(keys), **new, **beside}.items():
            message.pop(key, None)
            if value:
                message[key] = value
        message["edit_date"] = self._telegram.now()
        self._telegram.tell({"type": "edit", "chat_id": message["chat"]["id"], "message": message})
        return message

    # -- deletion

    async def delete_message(self, params: Params) -> bool:
        """Delete one, which must be there."""
        chat = self.writable(params)
        wanted = number(params, "message_id", 0)
        if wanted <= 0:
            raise ApiError(400, "Bad Request: message identifier is not specified")
        if wanted not in chat.messages:
            raise ApiError(400, "Bad Request: message to delete not found")
        self._delete(chat, [wanted])
        return True

    async def delete_messages(self, params: Params) -> bool:
        """Delete up to 100; those that are not there are passed over."""
        chat = self.writable(params)
        wanted = as_json(params, "message_ids")
        if wanted is None or wanted == []:
            raise ApiError(400, "Bad Request: message identifiers are not specified")
        if not isinstance(wanted, list) or not all(isinstance(one, int) for one in wanted):
            raise ApiError(400, "Bad Request: expected an Array of message identifiers")
        if len(wanted) > MAX_DELETED:
            raise ApiError(400, "Bad Request: too many message identifiers specified")
        self._delete(chat, [one for one in wanted if one in chat.messages])
        return True

    def _delete(self, chat: ChatState, numbers: list[int]) -> None:
        for one in numbers:
            message = chat.messages[one]
            foreign = message["from"]["id"] != self._telegram.bot["id"]
            if foreign and chat.type != "private":  # it would take the right to delete, which no test needs yet
                raise ApiError(400, "Bad Request: message can't be deleted")
            if self._telegram.now() - message["date"] > DELETABLE_S:
                raise ApiError(400, "Bad Request: message can't be deleted for everyone")
        for one in numbers:
            chat.messages.pop(one, None)
        self._telegram.tell({"type": "delete", "chat_id": chat.id, "message_ids": numbers})

    # -- files

    async def get_file(self, params: Params) -> dict[str, Any]:
        """Where a file can be had: `/file/bot<token>/<file_path>`."""
        file: File | None = self._telegram.files.get(str(params.get("file_id", "")))
        if file is None:
            raise ApiError(400, "Bad Request: invalid file_id")
        if len(file.content) > MAX_DOWNLOAD_BYTES:
            raise ApiError(400, "Bad Request: file is too big")
        return {**file.shown(), "file_path": file.path}


def _replied(chat: ChatState, params: Params) -> dict[str, Any] | None:
    """The message that a new one answers, without what that one answers in its turn."""
    how = as_json(params, "reply_parameters") or {"message_id": params.get("reply_to_message_id")}
    wanted = number(how, "message_id", 0) if isinstance(how, dict) and how.get("message_id") else 0
    if not wanted:
        return None
    found = chat.messages.get(wanted)
    if found is None:
        if flag(how, "allow_sending_without_reply"):
            return None
        raise ApiError(400, "Bad Request: message to be replied not found")
    return {key: value for key, value in found.items() if key not in {"reply_to_message", "reply_markup"}}
