"""answerInlineQuery on the local Telegram, for results of type `article`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.params import ApiError, as_json, markup_of, number, text_of

if TYPE_CHECKING:
    from bot.playground.params import Params
    from bot.playground.telegram import Telegram

#: core.telegram.org/bots/api#answerinlinequery: results, bytes of an id and of an offset, characters of a parameter.
MAX_RESULTS, MAX_ID_BYTES, MAX_OFFSET_BYTES = 50, 64, 64
_START = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def answer_inline(telegram: Telegram, params: Params) -> bool:
    """Answer a query, once. Raises ApiError."""
    query_id = str(params.get("inline_query_id", ""))
    if telegram.inline.get(query_id) != {}:
        said = "Bad Request: query is too old and response timeout expired or query ID is invalid"
        raise ApiError(400, said)
    results = as_json(params, "results")
    if not isinstance(results, list):
        raise ApiError(400, "Bad Request: can't parse inline query results: expected an Array of InlineQueryResult")
    if len(results) > MAX_RESULTS:
        raise ApiError(400, "Bad Request: RESULTS_TOO_MUCH")
    if number(params, "cache_time", 300) < 0:
        raise ApiError(400, "Bad Request: cache time must be non-negative")
    if len(str(params.get("next_offset", "")).encode()) > MAX_OFFSET_BYTES:
        raise ApiError(400, "Bad Request: NEXT_OFFSET_INVALID")
    read = [_result(one) for one in results]
    if len({one["id"] for one in read}) != len(read):
        raise ApiError(400, "Bad Request: RESULT_ID_DUPLICATE")
    telegram.inline[query_id] = {"results": read, "button": _button(params)}
    telegram.tell({"type": "inline_answer", "id": query_id})
    return True


def _result(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict) or one.get("type") != "article":
        raise ApiError(400, "Bad Request: can't parse inline query result: only articles are known here")
    one_id, title, content = str(one.get("id", "")), str(one.get("title", "")), one.get("input_message_content")
    if not 1 <= len(one_id.encode()) <= MAX_ID_BYTES:
        raise ApiError(400, "Bad Request: RESULT_ID_INVALID")
    if not title.strip():
        raise ApiError(400, "Bad Request: ARTICLE_TITLE_EMPTY")
    if not isinstance(content, dict):
        raise ApiError(400, "Bad Request: input message content is not specified")
    text, entities = text_of(content, "message_text")
    return {
        "id": one_id, "title": title, "description": str(one.get("description", "")), "text": text,
        "entities": entities, "reply_markup": markup_of(one),
    }  # fmt: skip


def _button(params: Params) -> dict[str, Any] | None:
    button = as_json(params, "button")
    if not button:
        return None
    if not str(button.get("text", "")).strip():
        raise ApiError(400, "Bad Request: SWITCH_PM_TEXT_EMPTY")
    if not button.get("web_app") and not _START.fullmatch(str(button.get("start_parameter", ""))):
        raise ApiError(400, "Bad Request: START_PARAM_INVALID")
    return dict(button)
