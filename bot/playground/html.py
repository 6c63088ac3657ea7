"""Telegram's HTML, read as strictly as Telegram does (telegram.md 1.4): text, entities, and its own error words.

Offsets of entities are UTF-16 units, offsets in errors are bytes of UTF-8, lengths are code points.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "a": "text_link", "blockquote": "blockquote", "tg-spoiler": "spoiler", "span": "spoiler",
}  # fmt: skip
MAX_ENTITIES = 100
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|lt|gt|amp|quot);?")
_ATTRIBUTE = re.compile(r"""\s+([a-zA-Z][\w-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")
_COMMAND = re.compile(r"(?<![\w/])/([a-zA-Z0-9_]{1,32})(?:@\w{3,32})?(?![\w/])")
_MENTION = re.compile(r"(?<!\w)@[a-zA-Z]\w{2,31}\b")
_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_TAG_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})


class ParseError(Exception):
    """The markup is not Telegram's; the text is Telegram's description after "can't parse entities: "."""


def utf16(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(html: str) -> tuple[str, list[dict[str, Any]]]:
    """(text, entities) of a message in HTML. Raises ParseError."""
    return _Reader(html).read()


class _Reader:
    def __init__(self, html: str) -> None:
        self._html = html
        self._text: list[str] = []
        self._length = 0
        self._open: list[tuple[str, dict[str, str], int, int]] = []
        self._entities: list[dict[str, Any]] = []

    def read(self) -> tuple[str, list[dict[str, Any]]]:
        at = 0
        while at < len(self._html):
            char = self._html[at]
            if char == "<":
                at = self._tag(at)
            elif char == "&" and (reference := _REFERENCE.match(self._html, at)):
                self._add(_decode(reference[1]) or reference[0])
                at = reference.end()
            else:
                self._add(char)
                at += 1
        if self._open:
            name, _, _, start = self._open[-1]
            raise ParseError(
                f'Can\'t find end tag corresponding to start tag "{name}" at byte offset {self._byte(start)}'
            )
        return "".join(self._text), sorted(self._entities, key=lambda e: (e["offset"], -e["length"]))

    def _add(self, piece: str) -> None:
        self._text.append(piece)
        self._length += utf16(piece)

    def _byte(self, at: int) -> int:
        return len(self._html[:at].encode("utf-8", "surrogatepass"))

    def _tag(self, start: int) -> int:
        at = start + 1
        closing = self._html.startswith("/", at)
        at += closing
        name = re.compile(r"[^\s>/]*").match(self._html, at)
        word = (name[0] if name else "").lower()
        at += len(name[0]) if name else 0
        if closing:
            return self._end_tag(word, start, at)
        if word not in KINDS:
            raise ParseError(f'Unsupported start tag "{word}" at byte offset {self._byte(start)}')
        attributes: dict[str, str] = {}
        while match := _ATTRIBUTE.match(self._html, at):
            attributes[match[1].lower()] = _references((match[2] or "").strip("\"'"))
            at = match.end()
        end = re.compile(r"\s*>").match(self._html, at)
        if end is None:
            raise ParseError(f'Unclosed start tag "{word}" at byte offset {self._byte(start)}')
        if word == "span" and attributes.get("class") != "tg-spoiler":
            raise ParseError(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(start)}')
        self._open.append((word, attributes, self._length, start))
        return end.end()

    def _end_tag(self, word: str, start: int, at: int) -> int:
        end = re.compile(r"\s*>").match(self._html, at)
        if end is None:
            raise ParseError(f"Unclosed end tag at byte offset {self._byte(start)}")
        if not self._open:
            raise ParseError(f"Unexpected end tag at byte offset {self._byte(start)}")
        name, attributes, offset, _ = self._open.pop()
        if word and word != name:
            raise ParseError(
                f'Unmatched end tag at byte offset {self._byte(start)}, expected "</{name}>", found "</{word}>"'
            )
        entity = _entity(name, attributes, offset, self._length - offset)
        if entity:
            self._entities.append(entity)
        return end.end()


def _entity(name: str, attributes: dict[str, str], offset: int, length: int) -> dict[str, Any] | None:
    if length == 0:
        return None
    entity: dict[str, Any] = {"type": KINDS[name], "offset": offset, "length": length}
    if name == "a":
        url = attributes.get("href", "")
        if not is_web(url):
            return None  # Telegram drops the link and keeps the text
        entity["url"] = url
    if name == "blockquote" and "expandable" in attributes:
        entity["type"] = "expandable_blockquote"
    return entity


def is_web(url: str) -> bool:
    """Whether Telegram would take this as an address to link to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https", "tg"} and bool(parts.netloc) and not any(c.isspace() for c in url)


def _decode(reference: str) -> str:
    if not reference.startswith("#"):
        return _NAMED[reference]
    code = int(reference.removeprefix("#x"), base=16) if reference[1] == "x" else int(reference[1:])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def _references(text: str) -> str:
    return _REFERENCE.sub(lambda found: _decode(found[1]) or found[0], text)


def _is_tag(char: str) -> bool:
    return char in "_\u200c\u00b7" or "\u0d80" <= char <= "\u0dff" or unicodedata.category(char) in _TAG_CATEGORIES


def hashtags(text: str) -> list[tuple[int, int]]:
    """(start, end) in code points of every hashtag, by Telegram's rule (telegram.md 1.3)."""
    found, at = [], 0
    while (at := text.find("#", at)) >= 0:
        start, at = at, at + 1
        if start and _is_tag(text[start - 1]):
            continue
        while at < len(text) and _is_tag(text[at]):
            at += 1
        run = text[start + 1 : at]
        letters = any(unicodedata.category(char).startswith("L") for char in run)
        if 1 <= len(run) <= 256 and letters and not text.startswith("#", at):
            found.append((start, at))
    return found


def detect(text: str, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`known` with what Telegram finds by itself: addresses, commands, mentions, hashtags."""
    spans = [("url", *m.span()) for m in _URL.finditer(text)]
    spans += [("bot_command", *m.span()) for m in _COMMAND.finditer(text)]
    spans += [("mention", *m.span()) for m in _MENTION.finditer(text)]
    spans += [("hashtag", *span) for span in hashtags(text)]
    entities = list(known)
    taken = [(e["offset"], e["offset"] + e["length"]) for e in known if e["type"] in {"code", "pre", "text_link"}]
    for kind, start, end in spans:
        offset = utf16(text[:start])
        stop = offset + utf16(text[start:end])
        if all(stop <= a or offset >= b for a, b in taken):
            entities.append({"type": kind, "offset": offset, "length": stop - offset})
            taken.append((offset, stop))
    return sorted(entities, key=lambda e: (e["offset"], -e["length"]))[:MAX_ENTITIES]
