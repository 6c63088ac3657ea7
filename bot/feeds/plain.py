"""HTML to plain text."""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

_MARKUP = re.compile(r"[<&]")
#: A description is cut before it is parsed: no reader sees more, and no site can make us parse more.
MAX_HTML = 200_000


def storable(text: str) -> str:
    """`text` without what no database and no wire takes: NUL, and halves of characters (`&#55296;` makes one)."""
    return text if text.isascii() and "\0" not in text else text.encode("utf-8", "ignore").decode().replace("\0", "")


def text_of(html: str) -> str:
    """The text that a piece of HTML shows, on one line; scripts and styles dropped."""
    html = storable(html)
    if not _MARKUP.search(html):
        return " ".join(html.split())
    tree = LexborHTMLParser(html[:MAX_HTML])
    tree.strip_tags(["script", "style", "noscript", "iframe", "template"])
    shown = tree.body.text(separator=" ") if tree.body else unescape(html)
    # The separator keeps paragraphs apart, and must not stand before what ends a word.
    return storable(re.sub(r"\s+([.,;:!?…»”)])", r"\1", " ".join(shown.split())))
