"""HTML to plain text."""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

_MARKUP = re.compile(r"[<&]")
#: A description is cut before it is parsed: no reader sees more, and no site can make us parse more.
MAX_HTML = 200_000


def text_of(html: str) -> str:
    """The text that a piece of HTML shows, on one line; scripts and styles dropped."""
    if not _MARKUP.search(html):
        return " ".join(html.split())
    tree = LexborHTMLParser(html[:MAX_HTML])
    tree.strip_tags(["script", "style", "noscript", "iframe", "template"])
    shown = tree.body.text(separator=" ") if tree.body else unescape(html)
    # The separator keeps paragraphs apart, and must not stand before what ends a word.
    return re.sub(r"\s+([.,;:!?…»”)])", r"\1", " ".join(shown.split()))
